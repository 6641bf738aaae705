/**
 * The small object that reserves a name on a server which compares for a `PUT` but not for a
 * `DELETE` or a copy (Ceph; ADR 0011). It is put in place by compare-and-swap and says that one
 * machine is about to remove or to write what has this name. To all others the path is in
 * transition (`unknown: changing`): nobody writes over it.
 *
 * There are 4096 of one size, so that a listing recognises one by ETag and size without a look
 * at it, and so that each placement differs from the one it replaces: with a single text, a
 * swap from placeholder to placeholder would keep the ETag, and two machines that take over
 * the same leftover would both win.
 */

import type { S3Abilities } from '../abilities.js';

import { md5Of } from './digests.js';

const TEXT = 'wl is removing or writing the object of this name. If this stays for ten minutes, it was left behind.';

/** How many differ; as many as three hex digits tell apart. */
const VARIANTS = 4096;

/** Size of every placeholder, in bytes. */
export const PLACEHOLDER_SIZE = TEXT.length + ' 000\n'.length;

/** Content type of placeholders. */
export const PLACEHOLDER_TYPE = 'text/plain';

/** Bytes of one placeholder; `variant` is 0 to 4095. */
export function placeholderBytes(variant: number): Uint8Array {
  return Buffer.from(`${TEXT} ${variant.toString(16).padStart(3, '0')}\n`, 'latin1');
}

let knownTags: ReadonlyMap<string, number> | undefined;

/** ETag → variant; computed when the first object of that size is met. */
function tags(): ReadonlyMap<string, number> {
  knownTags ??= new Map(Array.from({ length: VARIANTS }, (_, variant) => [md5Of(placeholderBytes(variant)), variant]));
  return knownTags;
}

/** Whether an object is a placeholder, from what a listing tells. */
export function isPlaceholder(etag: string, sizeBytes: number): boolean {
  return sizeBytes === PLACEHOLDER_SIZE && tags().has(etag);
}

/** Whether bytes are those of a placeholder: no file may be stored that is taken for one. */
export function isPlaceholderContent(content: Uint8Array): boolean {
  return content.length === PLACEHOLDER_SIZE && tags().has(md5Of(content));
}

/** A variant drawn by `seed`, other than that of the placeholder with the ETag `replaced`, if it is one. */
export function drawVariant(seed: string, replaced: string | undefined): number {
  const drawn = Number.parseInt(md5Of(Buffer.from(seed)).slice(0, 3), 16);
  return replaced !== undefined && tags().get(replaced) === drawn ? (drawn + 1) % VARIANTS : drawn;
}

/** Whether names can be reserved: a `PUT` compares, and a placeholder is told by its ETag. */
export function isPlaceholderUsable({ createsIfAbsent, replacesIfMatch, tagsByMd5, isVersioned }: S3Abilities): boolean {
  return createsIfAbsent && replacesIfMatch !== 'no' && tagsByMd5 && !isVersioned;
}
