/** What everything that writes to a bucket works with. One per storage, made by the backend. */

import type { RelativePath, Token } from '@wl/domain';
import type { Clock } from '@wl/ports';

import type { S3Abilities } from '../abilities.js';
import type { HashRecords } from '../hash-records.js';
import type { S3Api } from '../s3-api.js';

import type { Limiter } from './limiter.js';
import type { ReusableParts } from './reusable-parts.js';
import type { UploadJournal } from './upload-journal.js';

/** The trash of a storage, as far as writers need it. */
export interface KeptVersions {
  /** Copies the version `etag` of an object to the trash, before it is replaced; `stale` when the object is another one or gone. */
  keep(key: string, etag: string, signal?: AbortSignal): Promise<'kept' | 'stale'>;
  /** Takes the copy out of the trash again: nothing was replaced. Failures are the trash's own affair. */
  unkeep(key: string, etag: string): Promise<void>;
}

/** Between the port's words and those of S3. */
export interface WriteNames {
  /** Key of the file at a path; throws `BackendError` (`name-not-representable`) where there is none. */
  keyOf(path: RelativePath): string;
  /** ETag of the version that a token stands for; `undefined` for a token that no object can have. */
  etagOf(token: Token): string | undefined;
  tokenOf(version: { readonly etag: string; readonly sizeBytes: number; readonly versionId: string | undefined }): Token;
}

/** What writers are given. */
export interface WriteContext extends KeptVersions, WriteNames {
  readonly api: S3Api;
  /** What the endpoint was proved to do (INV-26). */
  abilities(): S3Abilities;
  readonly clock: Clock;
  readonly journal: UploadJournal;
  /** Of objects that are large. */
  readonly parts: ReusableParts;
  /** Likewise. */
  readonly hashes: Pick<HashRecords, 'keep' | 'drop'>;
  /** Shared by all small writes and copies of the storage. */
  readonly limiter: Limiter;
  /** A random id, never the same twice; printable ASCII. */
  newId(): string;
}
