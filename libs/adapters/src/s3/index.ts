/** The driver for S3 buckets. */

export { createS3Backend } from './create-s3-backend.js';
export { createFileNotes } from './file-notes.js';
export { createFileParts } from './parts-files.js';
export type { KnownParts, PartsMemory } from './known-parts.js';
export { s3CopySyncer } from './s3-copy-syncer.js';
export type { S3Host, S3Notes, S3Params } from './s3-params.js';
