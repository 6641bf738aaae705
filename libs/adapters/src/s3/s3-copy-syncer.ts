/**
 * The syncer `s3-copy`: two places of one S3 endpoint, whose server copies. The generic syncer has
 * the server copy too, and streams what the server cannot copy safely; this one never does, for
 * those who pay for each byte. It plans nothing: baseline, conflicts and halts are the generic one's.
 *
 * INV-27: copies are verified by the driver (`copyWithin`), as in `copyFrom`.
 */

import { S3_COPY_TRAITS, type CopyFrom, type StorageBackend, type SyncerDefinition } from '@wl/ports';

import { S3Backend } from './s3-backend.js';

/** The definition to register. */
export const s3CopySyncer: SyncerDefinition = {
  traits: S3_COPY_TRAITS,
  unfit: ({ source, target }) => (isOneEndpoint(source, target) ? undefined : 'copies within one endpoint only, and these storages are of two'),
  create: ({ source, target, generic }) => {
    if (generic === undefined) throw new Error('there is no generic syncer to build on');
    return generic({ toSource: carrierTo(source), toTarget: carrierTo(target), areVerified: true });
  },
};

function isOneEndpoint(source: StorageBackend, target: StorageBackend): boolean {
  return source instanceof S3Backend && source.sharesEndpointWith(target);
}

function carrierTo(storage: StorageBackend): CopyFrom {
  return (from, requests, signal) =>
    storage instanceof S3Backend && storage.sharesEndpointWith(from) ? storage.copyOnServer(from, requests, signal) : undefined;
}
