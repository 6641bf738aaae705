/**
 * Runs of rows as joined text. Most passes find that nothing has changed: then two listings and
 * the baseline hold the same names and tokens, and comparing a thousand of them takes as long
 * as comparing one, if nobody has to take them apart (ADR 0015).
 *
 * Runs can only be equal if all three begin and end with the same keys. So a run ends where its
 * last key says so: whatever was added or removed before it, the ends behind it stay.
 */

import type { Key } from '@wl/domain';

import { EntryKind, type ListingBatch } from './storage-backend.js';
import type { BaselineBatch } from './sync-state.js';

/** Stands between two keys: no key holds it, since no part of a path is `.`; a line break can be in a key. */
export const KEY_SEPARATOR = '/./';

/** Stands between two tokens; a run of which a token holds a line break is not joined. */
export const TOKEN_SEPARATOR = '\n';

/** Keys and tokens of a listing's run, each joined. */
export interface JoinedRows {
  readonly keys: string;
  readonly tokens: string;
}

/** The same of a run of baseline rows. */
export interface JoinedBaseline {
  readonly keys: string;
  readonly sourceTokens: string;
  readonly targetTokens: string;
}

/** Where a row stands in a run of the baseline: its number in it, from 0, and where it begins in each text. */
export interface JoinedPlace {
  readonly index: number;
  readonly key: number;
  readonly sourceToken: number;
  readonly targetToken: number;
}

/** The batch with its rows joined as well, where they can be; for storages that have them as arrays. */
export function withJoinedRows(batch: Omit<ListingBatch, 'joined'>): ListingBatch {
  const { keys, tokens, kinds, reasons } = batch;
  const isPlain = keys.length > 0 && reasons.size === 0 && !kinds.includes(EntryKind.unknown) && !tokens.some((token) => token.includes(TOKEN_SEPARATOR));
  return isPlain ? { ...batch, joined: { keys: keys.join(KEY_SEPARATOR), tokens: tokens.join(TOKEN_SEPARATOR) } } : batch;
}

/** The same of rows of the baseline. */
export function withJoinedBaseline(batch: Omit<BaselineBatch, 'joined'>): BaselineBatch {
  const { keys, sourceTokens, targetTokens } = batch;
  if ([...sourceTokens, ...targetTokens].some((token) => token.includes(TOKEN_SEPARATOR))) return batch;
  const joined = { keys: keys.join(KEY_SEPARATOR), sourceTokens: sourceTokens.join(TOKEN_SEPARATOR), targetTokens: targetTokens.join(TOKEN_SEPARATOR) };
  return { ...batch, joined };
}

/** The first key of joined ones. */
export function firstJoined(keys: string): Key {
  const end = keys.indexOf(KEY_SEPARATOR);
  return (end < 0 ? keys : keys.slice(0, end)) as Key;
}

/** The last key of joined ones. */
export function lastJoined(keys: string): Key {
  return keys.slice(startOfJoined(keys, KEY_SEPARATOR, keys.length)) as Key;
}

/** Where that of joined texts begins which ends at `end`. */
export function startOfJoined(text: string, separator: string, end: number): number {
  const found = end < separator.length ? -1 : text.lastIndexOf(separator, end - separator.length);
  return found < 0 ? 0 : found + separator.length;
}

/** Of so many keys one ends a run. */
const MEAN_RUN = 1024;

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** A number of 32 bits from a text (FNV-1a); from that of a beginning, the one of the whole. */
export function runHash(text: string, beginning = OFFSET_BASIS): number {
  let hash = beginning;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return hash;
}

/** Whether a key of this `runHash` is the last of its run. */
export function endsRun(hash: number): boolean {
  // The upper bits of the sum depend on every unit of the text, the lowest ones hardly.
  return (hash >>> 16) % MEAN_RUN === 0;
}
