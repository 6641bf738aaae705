/**
 * Whether what a server stored is what was sent (INV-27). The best witness there is: the server
 * compared the hash that was signed; the ETag it answered is the MD5 of what was sent; else the
 * object is read back. What turns out damaged is taken away again, as far as that can be done
 * without touching what others wrote.
 */

import { createHash } from 'node:crypto';

import type { Sha256 } from '@wl/domain';

import { S3Error } from '../s3-error.js';

import { conditionFor } from './conditions.js';
import type { WriteContext } from './context.js';
import { placeholderDelete } from './placeholder-steps.js';
import { isPlaceholderUsable } from './placeholder.js';
import type { Stored } from './swap.js';

/** What was sent. */
export interface Sent {
  readonly key: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** MD5 of the bytes, where it was computed; only for objects written in one piece. */
  readonly md5: string | undefined;
}

/** Answers `stale` when the version is gone before it could be read back; rejects with `damaged` when it is not what was sent. */
export async function verifyStored(context: WriteContext, sent: Sent, stored: Stored, signal?: AbortSignal): Promise<'intact' | 'stale'> {
  const { tagsByMd5, verifiesContent } = context.abilities();
  if (tagsByMd5 && sent.md5 !== undefined) {
    if (stored.etag === sent.md5) return 'intact';
    throw await damaged(context, sent.key, stored);
  }
  return verifiesContent ? 'intact' : verifyByReading(context, sent, stored, signal);
}

/** The same where nobody vouches for what was stored: it is read back. */
export async function verifyByReading(context: WriteContext, sent: Omit<Sent, 'md5'>, stored: Stored, signal?: AbortSignal): Promise<'intact' | 'stale'> {
  const readBack = await readHash(context, sent.key, stored.etag, signal);
  if (readBack === 'stale') return 'stale';
  if (readBack.sha256 === sent.sha256 && readBack.sizeBytes === sent.sizeBytes) return 'intact';
  throw await damaged(context, sent.key, stored);
}

/** Takes a damaged object away and says what to reject with. */
export async function damaged(context: WriteContext, key: string, stored: Stored): Promise<S3Error> {
  const isRemoved = await removeOurs(context, key, stored).catch(() => false);
  const rest = isRemoved ? 'it was removed again' : 'it could not be removed again';
  return new S3Error('damaged', `the server stored other bytes than it was sent; ${rest}`, { isRetryable: true });
}

/** Removes a version that this attempt wrote, only if it still is the current one; whether it is gone. */
export async function removeOurs(context: WriteContext, key: string, { etag, versionId }: Stored): Promise<boolean> {
  const abilities = context.abilities();
  if (abilities.isVersioned && versionId !== undefined) {
    return (await context.api.deleteObject(key, { kind: 'none' }, versionId)).kind === 'done';
  }
  const { condition, isChecked } = conditionFor(etag, abilities);
  if (abilities.deletesIfMatch && isChecked) return (await context.api.deleteObject(key, condition)).kind === 'done';
  if (!isPlaceholderUsable(abilities)) return false;
  return (await placeholderDelete(context, key, etag)) === 'done';
}

async function readHash(context: WriteContext, key: string, etag: string, signal: AbortSignal | undefined): Promise<{ sha256: string; sizeBytes: number } | 'stale'> {
  const opened = await context.api.getObject(key, etag, 0, signal);
  if (opened === 'stale') return 'stale';
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of opened.body) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
