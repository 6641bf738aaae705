/** Puts the driver for one storage together. Nothing is sent before the storage is opened. */

import { randomUUID } from 'node:crypto';

import { BackendError, type StorageBackend } from '@wl/ports';

import { AbilityStore } from './ability-store.js';
import type { S3Abilities } from './abilities.js';
import { Directories } from './directories.js';
import { DirectoryKnowledge } from './directory-knowledge.js';
import { HashRecords } from './hash-records.js';
import { IndexPages } from './index-pages.js';
import { KeyLayout } from './key-layout.js';
import { Lister } from './listing-stream.js';
import { notedProbe } from './noted-probe.js';
import { Observer } from './observer.js';
import { RootMarker } from './root-marker.js';
import { S3Backend } from './s3-backend.js';
import { S3Error } from './s3-error.js';
import { parseS3Location } from './s3-location.js';
import type { S3Api } from './s3-api.js';
import type { S3Host, S3Params } from './s3-params.js';
import { Trash } from './trash.js';
import { tokenOf, versionOf } from './version-token.js';
import { createS3Api } from './wire/create-s3-api.js';
import type { WriteContext } from './writing/context.js';
import { Limiter } from './writing/limiter.js';
import { clearStalePlaceholder } from './writing/placeholder-steps.js';
import { recordingOf, type RecordParts } from './writing/recording.js';
import { ReusableParts } from './writing/reusable-parts.js';
import { sweepUploads } from './writing/sweep-uploads.js';
import { UploadJournal } from './writing/upload-journal.js';

const TRASH_RETENTION_DAYS = 30;

/** Placeholders looked after at the end of one listing, at most. */
const PLACEHOLDERS_CLEARED = 100;

/**
 * Makes the driver of an S3 storage. Throws `BackendError` (`unsupported`) with a sentence for
 * the user when the params name no bucket or endpoint. `api` is for tests.
 */
export function createS3Backend(params: S3Params, host: S3Host, api?: S3Api): StorageBackend {
  const location = parseS3Location(params);
  if (!location.ok) throw new BackendError('unsupported', { operation: 'use the storage', retryable: false }, { explanation: location.error });
  const { bucket, keyPrefix, displayUrl } = location.value;
  const endpoint = location.value.endpointOrigin ?? `aws:${params.region ?? ''}`;
  const wire = api ?? createS3Api(params, host, location.value);
  const layout = new KeyLayout(keyPrefix);
  const known = new DirectoryKnowledge(host.clock);
  const abilities = new AbilityStore(
    `${endpoint} ${bucket}`,
    host.notes,
    host.clock,
    () => notedProbe(wire, layout.area, randomUUID, host.notes),
    (remembered) => isStillVersioned(wire, remembered),
  );
  const parts = new ReusableParts(host.parts);
  const record: RecordParts = (version) => recordingOf(parts, abilities.known, version);
  const hashes = new HashRecords(wire, layout);
  const observer = new Observer(wire, layout, known, record, hashes);
  const trash = new Trash(wire, layout, host.clock, () => abilities.get(), randomUUID);
  const marker = new RootMarker(wire, layout);
  const context: WriteContext = {
    api: wire,
    abilities: () => abilities.get(),
    clock: host.clock,
    journal: new UploadJournal(host.notes),
    parts,
    hashes,
    limiter: new Limiter(),
    newId: randomUUID,
    keep: (key, etag, signal) => trash.keep(key, etag, signal),
    unkeep: (key, etag) => trash.unkeep(key, etag),
    keyOf: (path) => layout.file(path, 'write'),
    etagOf: (token) => versionOf(token)?.etag,
    tokenOf,
  };
  return new S3Backend({
    backendId: params.backendId,
    isReadOnly: params.readOnly ?? false,
    bucket,
    displayLocation: displayUrl,
    endpoint,
    api: wire,
    layout,
    abilities,
    observer,
    directories: new Directories(wire, layout, observer, known, () => abilities.get()),
    lister: new Lister(wire, layout, observer, known, host.notes, (keys) => clearPlaceholders(context, abilities, keys)),
    marker,
    context,
    record,
    index: params.withIndex === true ? new IndexPages(wire, layout) : undefined,
    housekeeping: async (signal) => {
      const serverNowMs = await marker.serverTimeMs(signal);
      await sweepUploads(context, keyPrefix, serverNowMs, signal);
      await trash.purge(host.trashRetentionDays ?? TRASH_RETENTION_DAYS, serverNowMs, signal);
    },
  });
}

/** Whether the bucket still keeps versions, or still does not; where that cannot be asked, what was proved holds. */
async function isStillVersioned(api: S3Api, { isVersioned }: S3Abilities): Promise<boolean> {
  try {
    return (await api.isVersioned()) === isVersioned;
  } catch (error) {
    if (error instanceof S3Error && error.details.status !== undefined) return true;
    throw error;
  }
}

/** Placeholders that a crash left behind are cleared away by whoever meets them and writes: looking leaves no trace (INV-37, T84). */
async function clearPlaceholders(context: WriteContext, abilities: AbilityStore, keys: readonly string[]): Promise<void> {
  if (!abilities.isInUse) return;
  for (const key of keys.slice(0, PLACEHOLDERS_CLEARED)) {
    await clearStalePlaceholder(context, key).catch((error: unknown) => {
      if (!(error instanceof S3Error)) throw error;
    });
  }
}
