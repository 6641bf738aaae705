/**
 * The syncer `local-copy`: two directories of this machine whose files share blocks, so that a copy
 * takes no room until one of both is written to. The generic syncer does the same from 64 KiB on; below,
 * sharing takes longer than writing (ADR 0016). It plans nothing: baseline, conflicts and halts are the
 * generic one's.
 *
 * INV-27: copies are verified by the driver (`copy-batch`), as in `copyFrom`.
 */

import { LOCAL_COPY_TRAITS, type CopyFrom, type StorageBackend, type SyncerDefinition } from '@wl/ports';

import { LocalFsBackend } from './local-fs-backend.js';

/** The definition to register. */
export const localCopySyncer: SyncerDefinition = {
  traits: LOCAL_COPY_TRAITS,
  create: ({ source, target, generic }) => {
    if (generic === undefined) throw new Error('there is no generic syncer to build on');
    return generic({ toSource: carrierTo(source), toTarget: carrierTo(target), areVerified: true });
  },
};

function carrierTo(storage: StorageBackend): CopyFrom {
  return (from, requests, signal) =>
    storage instanceof LocalFsBackend && from instanceof LocalFsBackend ? storage.copySharing(from, requests, signal) : undefined;
}
