/**
 * Reads the answers to `PROPFIND`. INV-8: a document that is cut short, no XML, or of another kind is
 * no listing; an entry that the server says nothing certain of is one that could not be observed.
 * Source: RFC 4918, 9.1, 13.
 */

import { NO_TOKEN, type Token, type UnknownReason } from '@wl/domain';

import { parseXml, toText, type XmlElement } from '../http/xml.js';
import { damaged, type Concern } from './failure.js';
import { NOTE_NAME, NOTE_NAMESPACE, parseNote, type VersionNote } from './version-note.js';

/** One entry of an answer. */
export interface DavEntry {
  /** As the server wrote it. */
  readonly href: string;
  readonly found: DavFound;
}

/** What the server says of an entry. */
export type DavFound =
  /** `modifiedMs`: when names in it last changed, by the server's clock; `undefined` where it does not tell. */
  | { readonly kind: 'directory'; readonly modifiedMs: number | undefined }
  | DavFile
  /** `status`: what the server answered about it, 0 where it left out what makes a file. */
  | { readonly kind: 'unknown'; readonly reason: UnknownReason; readonly status: number };

/** A file. */
export interface DavFile {
  readonly kind: 'file';
  readonly token: Token;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly isRacy: boolean;
  /** As the server wrote it, for conditions; `undefined` where it gives none. */
  readonly etag: string | undefined;
  /** Of this very version. */
  readonly note: VersionNote | undefined;
}

/** Body of the requests. */
export const PROPFIND_BODY = Buffer.from(
  `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:" xmlns:w="${NOTE_NAMESPACE}"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/><w:${NOTE_NAME}/></prop></propfind>`,
);

/** Times are told in whole seconds: within this time a second change may show in nothing. */
const RACY_MS = 2000;

/** The entries of an answer, in the server's order. `serverMs`: its clock when it answered. */
export function parseMultistatus(bytes: Buffer, serverMs: number, concern: Concern): DavEntry[] {
  const text = toText(bytes);
  const document = text === undefined ? undefined : parseXml(text);
  if (document?.ok !== true || document.value.name !== 'multistatus') {
    const found = document === undefined ? 'it is no text' : document.ok ? `it is <${document.value.name.slice(0, 40)}>` : document.error;
    throw damaged(concern, `the answer of the server is not the one of WebDAV: ${found}; a proxy or a login page may have answered instead, or the connection was cut`);
  }
  return document.value.children.filter(({ name }) => name === 'response').map((response) => entryOf(response, serverMs, concern));
}

function entryOf(response: XmlElement, serverMs: number, concern: Concern): DavEntry {
  const href = childOf(response, 'href')?.text.trim();
  if (href === undefined || href === '') throw damaged(concern, 'an entry of the listing has no name');
  const own = statusOf(response);
  if (own !== undefined && (own < 200 || own >= 300)) return { href, found: unknown(own) };
  const parts = response.children.filter(({ name }) => name === 'propstat');
  const properties = new Map<string, XmlElement>();
  for (const part of parts) {
    if (statusOf(part) !== 200) continue;
    for (const property of childOf(part, 'prop')?.children ?? []) properties.set(property.name, property);
  }
  const type = properties.get('resourcetype');
  // Without its type nobody knows what it is; the status of the property says why.
  if (type === undefined) return { href, found: unknown(parts.map(statusOf).find((status) => status !== undefined && status !== 200 && status !== 404) ?? 0) };
  if (childOf(type, 'collection') !== undefined) return { href, found: { kind: 'directory', modifiedMs: timeOf(properties) } };
  return { href, found: fileOf(properties, serverMs) };
}

function fileOf(properties: ReadonlyMap<string, XmlElement>, serverMs: number): DavFound {
  const size = properties.get('getcontentlength')?.text.trim() ?? '';
  // A file without a length is a name that is locked before anything was written to it.
  if (!/^\d{1,16}$/.test(size)) return unknown(0);
  const sizeBytes = Number(size);
  const etag = properties.get('getetag')?.text.trim();
  const modifiedMs = timeOf(properties) ?? NaN;
  const plain = normalizeEtag(etag ?? '');
  const noted = parseNote(properties.get(NOTE_NAME)?.text ?? '');
  const note = plain !== '' && noted?.etag === plain && noted.sizeBytes === sizeBytes ? noted : undefined;
  const hasTime = Number.isFinite(modifiedMs);
  return {
    kind: 'file',
    token: tokenOf(plain, modifiedMs, sizeBytes),
    sizeBytes,
    mtimeMs: note?.mtimeMs ?? (hasTime ? modifiedMs : 0),
    // A time in the future says nothing either. Only the server's own clock is asked (INV-22).
    isRacy: (plain === '' && !hasTime) || (hasTime && !(serverMs - modifiedMs >= RACY_MS)),
    etag: etag === undefined || etag === '' ? undefined : etag,
    note,
  };
}

function timeOf(properties: ReadonlyMap<string, XmlElement>): number | undefined {
  const modifiedMs = Date.parse(properties.get('getlastmodified')?.text ?? '');
  return Number.isFinite(modifiedMs) ? modifiedMs : undefined;
}

/** One token wherever a version is seen; none where the server tells neither ETag nor time. */
function tokenOf(etag: string, modifiedMs: number, sizeBytes: number): Token {
  if (etag !== '') return `e${etag}:${String(sizeBytes)}` as Token;
  return Number.isFinite(modifiedMs) ? (`m${String(modifiedMs)}:${String(sizeBytes)}` as Token) : NO_TOKEN;
}

/**
 * T37: an ETag without what changes while the content stays: weakness (Apache calls an ETag weak
 * for a second after a change) and the suffix of a packed answer.
 */
export function normalizeEtag(etag: string): string {
  return etag.trim().replace(/^W\//i, '').replace(/^"(.*)"$/, '$1').replace(/[-;](?:gzip|br|deflate|zstd)$/i, '');
}

function unknown(status: number): DavFound {
  const reason: UnknownReason = status === 401 || status === 403 ? 'permission-denied' : status === 404 || status === 410 ? 'vanished' : status === 0 || status === 423 ? 'changing' : 'read-error';
  return { kind: 'unknown', reason, status };
}

function statusOf(element: XmlElement): number | undefined {
  const line = childOf(element, 'status')?.text;
  if (line === undefined) return undefined;
  const digits = /^HTTP\/\S+\s+(\d{3})/i.exec(line.trim())?.[1];
  // A status that is none is no success.
  return digits === undefined ? 500 : Number(digits);
}

function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}
