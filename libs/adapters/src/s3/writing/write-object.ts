/**
 * Writes one object whose content is in memory: one `PUT`, under the condition that the key still
 * holds what was expected (INV-6, INV-17), verified (INV-27), at most once (INV-18).
 */

import type { Sha256 } from '@wl/domain';
import type { FileAttributes } from '@wl/ports';

import { S3Error } from '../s3-error.js';

import { conditionFor } from './conditions.js';
import type { WriteContext } from './context.js';
import { md5Of } from './digests.js';
import { isOfWrite, propertiesFor } from './object-properties.js';
import { isPlaceholderContent } from './placeholder.js';
import { swapIn, type SwapOutcome } from './swap.js';
import { verifyStored } from './verification.js';

/** One object to be written. */
export interface ObjectWrite {
  readonly key: string;
  readonly content: Uint8Array;
  /** Of `content`. */
  readonly sha256: Sha256;
  readonly attributes: Pick<FileAttributes, 'mtimeMs' | 'isExecutable'>;
  /** ETag of the version to be replaced; `undefined`: nothing may be there. */
  readonly expected: string | undefined;
}

/** Writes, or answers `stale` with nothing of it left to see. Rejects with `S3Error`. */
export async function writeObject(context: WriteContext, write: ObjectWrite, signal?: AbortSignal): Promise<SwapOutcome> {
  const { key, content, sha256, expected } = write;
  if (isPlaceholderContent(content)) throw unwritable();
  const abilities = context.abilities();
  const md5 = abilities.tagsByMd5 ? md5Of(content) : undefined;
  const writeId = context.newId();
  const properties = propertiesFor(key, { attributes: write.attributes, sha256, etag: md5, writeId });

  const outcome = await swapIn(context, {
    key,
    expected,
    ...conditionFor(expected, abilities),
    // Programs that keep metadata over new bytes keep our id as well: size and ETag have to agree with it.
    isOurs: (head) => isOfWrite(head, writeId) && head.sizeBytes === content.length && (md5 === undefined || head.etag === md5),
    perform: (condition) => context.api.putObject(key, content, sha256, properties, condition, signal),
    signal,
  });
  if (outcome.kind === 'stale') return outcome;
  const sent = { key, sha256, sizeBytes: content.length, md5 };
  return (await verifyStored(context, sent, outcome, signal)) === 'stale' ? { kind: 'stale' } : outcome;
}

/** A file of these very bytes would be taken for a leftover and be removed. */
function unwritable(): S3Error {
  return new S3Error('unsupported', 'the file has the content that marks an object about to be removed, and cannot be stored in a bucket', { isRetryable: false });
}
