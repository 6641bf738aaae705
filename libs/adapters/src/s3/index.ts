/** S3 storages. */

import { BackendError, type StorageBackend } from '@wl/ports';

import type { S3Host, S3Params } from './s3-params.js';

export { createFileNotes } from './file-notes.js';
export type { S3Host, S3Notes, S3Params } from './s3-params.js';

/** Makes the driver of an S3 storage; `open` it before use. */
export function createS3Backend(params: S3Params, _host: S3Host): StorageBackend {
  throw new BackendError('unsupported', { operation: `use the S3 storage ${params.backendId}`, retryable: false });
}
