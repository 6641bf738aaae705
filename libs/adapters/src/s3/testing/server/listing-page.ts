/**
 * One page of a listing: which keys and rolled-up prefixes are on it, and where the next starts.
 * Keys come in the bucket's order; a prefix counts as one entry, as S3 has it.
 */

import type { Bucket } from './bucket.js';
import { lowerBound } from './key-order.js';
import type { PageTrick } from './page-trick.js';
import type { StoredObject } from './stored-object.js';

/** A key, or a prefix that keys were rolled up into. */
export type PageEntry = { readonly name: string; readonly object: StoredObject | undefined };

/** What is on a page. */
export interface PageQuery {
  readonly prefix: string;
  /** `''` for none. */
  readonly delimiter: string;
  /** Entries up to and with this one were on earlier pages; `''` for none. */
  readonly after: string;
  readonly limit: number;
  /** Whether a prefix that `after` is in counts as listed, as with Ceph; else only where `after` is that prefix. */
  readonly skipsStarted: boolean;
}

/** A page; `next` is the last entry when there are more, `undefined` on the last page. */
export interface Page {
  readonly entries: readonly PageEntry[];
  readonly isTruncated: boolean;
  readonly next: string | undefined;
}

/** The live objects of a bucket, in order, now or as they were some changes ago. */
export function liveObjects(bucket: Bucket, staleBy: number): { readonly keys: readonly string[]; readonly find: (key: string) => StoredObject | undefined } {
  if (staleBy === 0) return { keys: bucket.keys, find: (key) => bucket.current(key) };
  const changed = bucket.changedBefore(staleBy);
  const keys = [...new Set([...bucket.keys, ...changed.keys()])].sort(bucket.order);
  return { keys, find: (key) => (changed.has(key) ? changed.get(key) : bucket.current(key)) };
}

/** Makes a page. */
export function makePage(bucket: Bucket, staleBy: number, query: PageQuery): Page {
  const { prefix, delimiter, after, limit } = query;
  const { keys, find } = liveObjects(bucket, staleBy);
  const entries: PageEntry[] = [];
  if (limit === 0) return { entries, isTruncated: false, next: undefined };
  const rolled = rolledUpTo(query);
  const start = bucket.order(after, prefix) > 0 ? after : prefix;
  for (let index = lowerBound(keys, start, bucket.order); index < keys.length; index++) {
    const key = keys[index] as string;
    if (!key.startsWith(prefix)) break;
    if (key === after || (rolled !== undefined && key.startsWith(rolled))) continue;
    const object = find(key);
    if (object === undefined) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = end < 0 ? key : key.slice(0, end + delimiter.length);
    if (end >= 0 && entries.at(-1)?.name === name) continue;
    if (entries.length === limit) return { entries, isTruncated: true, next: entries.at(-1)?.name };
    entries.push({ name, object: end < 0 ? object : undefined });
  }
  return { entries, isTruncated: false, next: undefined };
}

/** The prefix whose keys were listed already, as one entry, at the end of the page before. */
function rolledUpTo({ prefix, delimiter, after, skipsStarted }: PageQuery): string | undefined {
  if (delimiter === '' || !after.startsWith(prefix)) return undefined;
  const end = after.indexOf(delimiter, prefix.length);
  const isPrefix = end >= 0 && (skipsStarted || end + delimiter.length === after.length);
  return isPrefix ? after.slice(0, end + delimiter.length) : undefined;
}

/** What a lying listing makes of a page (T06). */
export function trickPage(page: Page, trick: PageTrick | undefined, query: PageQuery, bucket: Bucket): Page {
  const { entries } = page;
  const last = entries.at(-1)?.name;
  switch (trick) {
    case undefined:
      return page;
    case 'first-page':
      return makePage(bucket, 0, { ...query, after: '' });
    case 'backwards':
      return { ...page, entries: entries.toReversed() };
    case 'drop-entry':
      return { ...page, entries: entries.filter((_entry, index) => index !== entries.length >> 1) };
    case 'claims-end':
      return { ...page, isTruncated: false, next: undefined };
    case 'claims-more':
      return { ...page, isTruncated: true, next: page.next ?? last ?? query.after };
    case 'more-without-token':
      return { ...page, isTruncated: true, next: undefined };
    case 'repeat-token':
      return { ...page, isTruncated: true, next: query.after };
    case 'duplicates':
      return { ...page, entries: entries.flatMap((entry) => [entry, entry]) };
    case 'foreign-key':
      return { ...page, entries: [...entries, ...entries.slice(-1).map((entry) => ({ ...entry, name: `￮${entry.name}` }))] };
  }
}
