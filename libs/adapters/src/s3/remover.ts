/**
 * Removes objects, each only if it still is the version expected (INV-17), by the best way that
 * the endpoint was proved to have (INV-26):
 *
 * | the endpoint | how |
 * |---|---|
 * | keeps versions | delete, then look at what was hidden; give it back if it was another version |
 * | compares when it deletes | `DELETE` with `If-Match` |
 * | compares when it writes only | a placeholder takes the version's place by `If-Match`, and is deleted (ADR 0011) |
 * | compares nothing | look, delete: a write in between is lost to sight; what we saw is in the trash |
 */

import { err, ok, ROOT, type RelativePath, type Result, type Token } from '@wl/domain';
import type { StaleToken } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import { toBackendError } from './s3-error.js';
import { versionOf } from './version-token.js';
import type { WriteContext } from './writing/context.js';
import { isPlaceholderUsable } from './writing/placeholder.js';
import { placeholderDelete } from './writing/placeholder-steps.js';
import { mayHaveTakenEffect } from './writing/swap.js';
import { versionedDelete } from './writing/versioned-delete.js';

const STALE = { kind: 'stale-token' } as const;

/** How well `remove` is guarded with these abilities; see `StorageCapabilities.remove`. */
export function removalOf(abilities: S3Abilities): 'atomic' | 'checked' | 'window' {
  if (abilities.isVersioned) return 'checked';
  return abilities.deletesIfMatch ? 'atomic' : 'window';
}

/** Removes the file at `path` if it still is version `expected`. */
export async function removeObject(
  context: WriteContext,
  key: string,
  path: RelativePath,
  expected: Token,
  signal?: AbortSignal,
): Promise<Result<void, StaleToken>> {
  const version = versionOf(expected);
  if (version === undefined || path === ROOT) return err(STALE);
  try {
    if ((await remove(context, key, version.etag, signal)) !== 'done') return err(STALE);
    await context.hashes.drop(key, version.sizeBytes, signal);
    return ok(undefined);
  } catch (error) {
    throw toBackendError(error, 'remove', path);
  }
}

async function remove(context: WriteContext, key: string, etag: string, signal?: AbortSignal): Promise<'done' | 'stale'> {
  const abilities = context.abilities();
  if (abilities.isVersioned) return versionedDelete(context, key, etag, signal);
  if ((await context.keep(key, etag, signal)) === 'stale') return 'stale';
  const removed = await removeKept(context, abilities, key, etag, signal);
  if (removed === 'stale') await context.unkeep(key, etag);
  return removed === 'done' ? 'done' : 'stale';
}

/** Removes a version that is in the trash already. */
async function removeKept(context: WriteContext, abilities: S3Abilities, key: string, etag: string, signal?: AbortSignal): Promise<'done' | 'stale' | 'overtaken'> {
  const { api } = context;
  if (abilities.deletesIfMatch) {
    const answer = await api.deleteObject(key, { kind: 'etag', etag, isBare: abilities.replacesIfMatch === 'bare' }, undefined, signal);
    if (answer.kind === 'done') return 'done';
    return answer.mayBeOurs ? nowAt(context, key, signal) : 'stale';
  }
  if (isPlaceholderUsable(abilities)) return placeholderDelete(context, key, etag, signal);
  if ((await api.headObject(key, signal))?.etag !== etag) return 'stale';
  return deleteOnce(context, key, etag, signal);
}

/** A removal without a condition is sent once: a repetition could hit what others wrote meanwhile (T36). */
async function deleteOnce(context: WriteContext, key: string, etag: string, signal?: AbortSignal): Promise<'done' | 'overtaken'> {
  try {
    await context.api.deleteObject(key, { kind: 'none', isOnce: true }, undefined, signal);
    return 'done';
  } catch (error) {
    if (!mayHaveTakenEffect(error) || signal?.aborted === true) throw error;
    const head = await context.api.headObject(key, signal);
    if (head?.etag === etag) throw error;
    return head === undefined ? 'done' : 'overtaken';
  }
}

/** A removal that may have been carried out: what is there now, if anything, is of others. What is in the trash stays there. */
async function nowAt({ api }: WriteContext, key: string, signal?: AbortSignal): Promise<'done' | 'overtaken'> {
  return (await api.headObject(key, signal)) === undefined ? 'done' : 'overtaken';
}
