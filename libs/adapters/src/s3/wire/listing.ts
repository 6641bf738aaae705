/**
 * Listings, checked: keys come in order and from where they were asked, counts agree, and the
 * way to the next page is a new one. Anything else is a failure (T06): a listing that is
 * believed to be complete decides what counts as removed (INV-8).
 */

import { compareKeys } from '@wl/domain';

import { S3Error } from '../s3-error.js';
import type { ListedObject, ListedVersion, ListPage, ListRequest } from '../s3-api.js';

import { damaged, documentOf } from './answer.js';
import { toFailure } from './failures.js';
import { toEtag } from './object-headers.js';
import type { Requester } from './requester.js';
import { decodeListed, type Pair } from './uri-encoding.js';
import { childText, type XmlElement } from '../../http/xml.js';

const MOST_KEYS = 1000;

let lastMinute = { text: '', timeMs: 0 };

/** One page of a listing (ListObjectsV2). */
export async function listPage(requester: Requester, request: ListRequest, signal: AbortSignal | undefined): Promise<ListPage> {
  const continued = request.continuation === undefined ? undefined : parseContinuation(request.continuation);
  const query: Pair[] = [
    ['list-type', '2'],
    ['encoding-type', 'url'],
    ['max-keys', String(Math.min(request.maxKeys ?? MOST_KEYS, MOST_KEYS))],
    ['prefix', request.prefix],
  ];
  if (request.delimiter !== undefined) query.push(['delimiter', request.delimiter]);
  if (continued !== undefined) query.push(['continuation-token', continued.token]);
  else if (request.startAfter !== undefined) query.push(['start-after', request.startAfter]);
  const answer = await requester.perform({ method: 'GET', query }, signal);
  if (answer.failure !== undefined) throw toFailure(answer, requester.concern());
  const page = new Page(documentOf(answer, 'ListBucketResult'));
  page.expectEcho('Name', requester.location.bucket);
  page.expectEcho('Prefix', request.prefix);
  return page.read(request.prefix, continued?.lastName ?? request.startAfter ?? '', continued?.token);
}

/** Reads one answer. */
class Page {
  readonly #root: XmlElement;
  readonly #isEncoded: boolean;

  constructor(root: XmlElement) {
    this.#root = root;
    this.#isEncoded = childText(root, 'EncodingType') === 'url';
  }

  /** What the endpoint says it listed; some leave it out, and some do not encode it. */
  expectEcho(name: string, expected: string): void {
    const echo = childText(this.#root, name);
    if (echo === undefined || echo === '' || echo === expected || this.#decode(echo) === expected) return;
    throw damaged(`The endpoint listed something else than was asked for (${name}).`);
  }

  read(prefix: string, after: string, usedToken: string | undefined): ListPage {
    const objects: ListedObject[] = [];
    const commonPrefixes: string[] = [];
    let lastKey = after;
    let lastPrefix = after;
    for (const element of this.#root.children) {
      if (element.name === 'Contents') {
        const object = this.#object(element);
        this.#expectNext(object.key, lastKey, prefix);
        lastKey = object.key;
        objects.push(object);
      } else if (element.name === 'CommonPrefixes') {
        const common = this.#decode(childText(element, 'Prefix') ?? '');
        this.#expectNext(common, lastPrefix, prefix);
        lastPrefix = common;
        commonPrefixes.push(common);
      }
    }
    this.#expectCount(objects.length, commonPrefixes.length);
    return { objects, commonPrefixes, next: this.#next(usedToken, compareKeys(lastKey, lastPrefix) > 0 ? lastKey : lastPrefix) };
  }

  #object(element: XmlElement): ListedObject {
    let key: string | undefined;
    let etag = '';
    let size = '';
    let modified = '';
    for (const { name, text } of element.children) {
      if (name === 'Key') key = this.#decode(text);
      else if (name === 'ETag') etag = toEtag(text);
      else if (name === 'Size') size = text;
      else if (name === 'LastModified') modified = text;
    }
    return { key: key ?? '', etag, sizeBytes: toSize(size), lastModifiedMs: toTime(modified) };
  }

  #expectNext(name: string, previous: string, prefix: string): void {
    if (name === '' || !name.startsWith(prefix)) throw damaged('The listing has a key that was not asked for.');
    if (compareKeys(name, previous) <= 0) throw damaged('The listing repeats itself or goes backwards.');
  }

  #expectCount(objects: number, prefixes: number): void {
    const count = childText(this.#root, 'KeyCount');
    if (count !== undefined && Number(count) !== objects + prefixes && Number(count) !== objects) throw damaged('The listing has another number of keys than it says.');
  }

  #next(usedToken: string | undefined, lastName: string): string | undefined {
    const isTruncated = childText(this.#root, 'IsTruncated');
    if (isTruncated === 'false') return undefined;
    const token = childText(this.#root, 'NextContinuationToken') ?? '';
    if (isTruncated !== 'true') throw damaged('The listing does not say whether it is complete.');
    if (token === '' || token === usedToken) throw damaged('The listing does not say how it goes on.');
    return JSON.stringify([token, lastName]);
  }

  #decode(text: string): string {
    return this.#isEncoded ? decode(text) : text;
  }
}

/** All versions of one key, latest first. */
export async function listVersions(requester: Requester, key: string, signal: AbortSignal | undefined): Promise<readonly ListedVersion[]> {
  const versions: ListedVersion[] = [];
  let markers: Pair[] = [];
  for (;;) {
    const query: Pair[] = [['versions', ''], ['encoding-type', 'url'], ['prefix', key], ...markers];
    const answer = await requester.perform({ method: 'GET', query }, signal);
    if (answer.failure !== undefined) throw toFailure(answer, requester.concern());
    const root = documentOf(answer, 'ListVersionsResult');
    const isEncoded = childText(root, 'EncodingType') === 'url';
    const decodeIf = (text: string | undefined): string => (isEncoded ? decode(text ?? '') : (text ?? ''));
    let isPast = false;
    for (const element of root.children) {
      if (element.name !== 'Version' && element.name !== 'DeleteMarker') continue;
      // The key itself comes before all that only begin with it.
      if (decodeIf(childText(element, 'Key')) === key) versions.push(toVersion(key, element));
      else isPast = true;
    }
    // What lies below what is told by the order alone.
    if (versions.findIndex((version) => version.isLatest) > 0) throw damaged('The versions of an object are not listed latest first.');
    if (isPast || childText(root, 'IsTruncated') === 'false') return versions;
    const next: Pair[] = [['key-marker', decodeIf(childText(root, 'NextKeyMarker'))], ['version-id-marker', childText(root, 'NextVersionIdMarker') ?? '']];
    if (next[0]?.[1] === '' || JSON.stringify(next) === JSON.stringify(markers)) throw damaged('The list of versions does not say how it goes on.');
    markers = next.filter(([, value]) => value !== '');
  }
}

function toVersion(key: string, element: XmlElement): ListedVersion {
  const isDeleteMarker = element.name === 'DeleteMarker';
  return {
    key,
    versionId: childText(element, 'VersionId') ?? 'null',
    isLatest: childText(element, 'IsLatest') === 'true',
    isDeleteMarker,
    etag: isDeleteMarker ? '' : toEtag(childText(element, 'ETag') ?? ''),
    sizeBytes: isDeleteMarker ? 0 : toSize(childText(element, 'Size') ?? ''),
    lastModifiedMs: toTime(childText(element, 'LastModified') ?? ''),
  };
}

/** Size in a listing, bytes. */
export function toSize(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw damaged('The listing has an entry without a size.');
  return Number(text);
}

/** Date in a listing, milliseconds since the epoch. */
export function toTime(text: string): number {
  // Neighbours were often written within a minute, and reading a date is a good part of reading a page.
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text)) {
    const minute = text.slice(0, 17);
    if (minute !== lastMinute.text) lastMinute = { text: minute, timeMs: Date.parse(`${minute}00Z`) };
    return lastMinute.timeMs + Math.round(Number(text.slice(17, -1)) * 1000);
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw damaged('The listing has an entry without a date.');
  return time;
}

/** A name of a listing that is encoded. */
export function decode(text: string): string {
  const decoded = decodeListed(text);
  if (decoded !== undefined) return decoded;
  throw new S3Error('name-not-representable', `The bucket has an object whose key is not UTF-8: ${text.slice(0, 200)} (percent-encoded). Remove or rename it.`, { isRetryable: false });
}

function parseContinuation(text: string): { readonly token: string; readonly lastName: string } {
  const [token, lastName] = JSON.parse(text) as [string, string];
  return { token, lastName };
}
