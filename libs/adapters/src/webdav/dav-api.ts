/**
 * The operations of a WebDAV folder, by path: what was asked and what came of it, without any rule
 * of syncing. Paths are those of the storage, or of our area in it.
 */

import type { BodyStream } from '../http/body-stream.js';
import type { RawAnswer } from '../http/transport.js';
import type { FolderPage } from '../remote/folder-walk.js';
import { headerOf, type DavClient, type DavRequest } from './dav-client.js';
import type { DavLocation } from './dav-location.js';
import { damaged, failure, statusFailure, type Concern } from './failure.js';
import { parseMultistatus, PROPFIND_BODY, type DavFound } from './multistatus.js';
import { formatNote, NOTE_NAME, NOTE_NAMESPACE, type VersionNote } from './version-note.js';

/** A directory's content, and when the server told it. */
export interface DatedDirectory extends FolderPage<DavFound> {
  /** The server's clock when it answered, milliseconds since the epoch; `NaN` where it does not tell. */
  readonly serverMs: number;
}

/** A file that is being read. */
export interface DavBody {
  readonly sizeBytes: number | undefined;
  readonly body: BodyStream;
}

/** Conditions of a move or copy. */
export interface TransferOptions {
  readonly overwrite: boolean;
  /** The ETag, as the server writes it, that the destination must have. */
  readonly destinationEtag?: string | undefined;
  /** As `what` is: a directory's names end in a slash. */
  readonly isDirectory?: boolean;
}

/** What became of a move or copy. */
export type Transferred = 'done' | 'refused' | 'no-source' | 'no-parent';

/** One storage's folder. */
export class DavApi {
  constructor(
    private readonly client: DavClient,
    private readonly location: DavLocation,
  ) {}

  /** What is at a path; `undefined` when nothing is, below a folder that is there. */
  async look(path: string, concern: Concern, signal?: AbortSignal): Promise<DavFound | undefined> {
    const answer = await this.#propfind(this.location.file(path), '0', concern, signal);
    if (isMissing(answer.status)) {
      // INV-8: a storage that is gone has no absent files.
      await this.assertRoot(concern, signal);
      return undefined;
    }
    const entries = this.#entries(answer, concern);
    const [entry] = entries;
    if (entry === undefined || entries.length !== 1 || !this.location.isAbout(path, entry.href)) throw damaged(concern, 'the server answers about something else than was asked for');
    if (entry.found.kind === 'unknown' && (entry.found.status === 404 || entry.found.status === 410)) return undefined;
    return entry.found;
  }

  /** Rejects with `not-found` when the storage's folder is not there. */
  async assertRoot(concern: Concern, signal?: AbortSignal): Promise<void> {
    const answer = await this.#propfind(this.location.basePath, '0', concern, signal);
    if (isMissing(answer.status)) throw failure('not-found', concern, `there is no folder ${this.location.display}`);
    const [entry] = this.#entries(answer, concern);
    if (entry?.found.kind === 'unknown') throw statusFailure(entry.found.status, concern);
    if (entry?.found.kind !== 'directory') throw failure('not-a-directory', concern, `${this.location.display} is no WebDAV folder`);
  }

  /** The entries of a directory; `undefined` when it is not there, a status where the server does not list it. */
  async directory(path: string, concern: Concern, signal?: AbortSignal): Promise<DatedDirectory | { readonly status: number }> {
    const answer = await this.#propfind(this.location.directory(path), '1', concern, signal);
    if (answer.status !== 207) return { status: answer.status };
    const entries = new Map<string, DavFound>();
    const notUnicode: string[] = [];
    let own: DavFound | undefined;
    let isIncomplete = false;
    for (const { href, found } of this.#entries(answer, concern)) {
      const name = this.location.nameIn(path, href);
      if (!name.ok) {
        if (name.error === 'outside') throw damaged(concern, 'the listing names something that is not in the directory');
        notUnicode.push(displayOf(href));
      } else if (name.value === '') {
        // RFC 4918 9.1: a server that stops early says so with a status of the directory itself.
        if (found.kind === 'unknown' && own !== undefined) isIncomplete = true;
        else if (found.kind === 'unknown') return { status: found.status };
        own ??= found;
      } else if (entries.has(name.value)) {
        throw damaged(concern, 'the listing names an entry twice');
      } else {
        entries.set(name.value, found);
      }
    }
    if (own === undefined) throw damaged(concern, 'the listing does not tell of the directory itself');
    if (own.kind !== 'directory') return { status: 404 };
    return { entries, notUnicode, isIncomplete, serverMs: serverMsOf(answer) };
  }

  /** Opens a file; `undefined` when it is not there. */
  async get(path: string, concern: Concern, signal?: AbortSignal): Promise<DavBody | undefined> {
    const answer = await this.#send({ method: 'GET', target: this.location.file(path), isStreamed: true, concern, signal });
    if (isMissing(answer.status) || answer.status === 405) return undefined;
    if (answer.status !== 200 || answer.body === undefined) throw statusFailure(answer.status, concern);
    const length = headerOf(answer, 'content-length');
    return { sizeBytes: length === undefined ? undefined : Number(length), body: answer.body };
  }

  /** Writes a file; `refused` by `isNew` when it is there. */
  async put(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: { readonly isNew: boolean }, concern: Concern, signal?: AbortSignal): Promise<'done' | 'refused'> {
    const headers = { 'content-type': 'application/octet-stream', ...(options.isNew && { 'if-none-match': '*' }) };
    const answer = await this.#send({ method: 'PUT', target: this.location.file(path), headers, body, concern, signal });
    if (answer.status === 412) return 'refused';
    if (!isSuccess(answer.status)) throw statusFailure(answer.status, concern);
    return 'done';
  }

  move(from: string, to: string, options: TransferOptions, concern: Concern, signal?: AbortSignal): Promise<Transferred> {
    return this.#transfer('MOVE', from, to, options, concern, signal);
  }

  copy(from: string, to: string, options: TransferOptions, concern: Concern, signal?: AbortSignal): Promise<Transferred> {
    return this.#transfer('COPY', from, to, options, concern, signal);
  }

  /** Makes a directory; `exists` when something of that name is there. */
  async makeDirectory(path: string, concern: Concern, signal?: AbortSignal): Promise<'made' | 'exists' | 'no-parent'> {
    const answer = await this.#send({ method: 'MKCOL', target: this.location.directory(path), concern, signal });
    if (answer.status === 201 || answer.status === 200) return 'made';
    if (answer.status === 405) return 'exists';
    // Apache takes a file for a parent in vain, nginx calls a directory that is there a conflict.
    if (answer.status === 409 || answer.status === 404 || answer.status === 400) return (await this.look(path, concern, signal)) === undefined ? 'no-parent' : 'exists';
    throw statusFailure(answer.status, concern);
  }

  /** Removes a file, or a directory with everything in it. Missing already is success. */
  async delete(path: string, kind: 'file' | 'directory', concern: Concern, signal?: AbortSignal): Promise<void> {
    const target = kind === 'file' ? this.location.file(path) : this.location.directory(path);
    const answer = await this.#send({ method: 'DELETE', target, concern, signal });
    if (answer.status === 207 || (!isSuccess(answer.status) && !isMissing(answer.status))) throw statusFailure(answer.status === 207 ? 500 : answer.status, concern);
  }

  /** Notes something at a file; `false` where the server keeps no such properties. */
  async setNote(path: string, note: VersionNote, concern: Concern, signal?: AbortSignal): Promise<boolean> {
    const body = `<?xml version="1.0" encoding="utf-8"?><propertyupdate xmlns="DAV:"><set><prop><w:${NOTE_NAME} xmlns:w="${NOTE_NAMESPACE}">${formatNote(note)}</w:${NOTE_NAME}></prop></set></propertyupdate>`;
    const headers = { 'content-type': 'application/xml; charset=utf-8' };
    const answer = await this.#send({ method: 'PROPPATCH', target: this.location.file(path), headers, body: Buffer.from(body), concern, signal });
    // What came of it is seen by whoever looks next: many a server says yes and keeps nothing.
    return isSuccess(answer.status);
  }

  async #transfer(method: 'MOVE' | 'COPY', from: string, to: string, options: TransferOptions, concern: Concern, signal?: AbortSignal): Promise<Transferred> {
    const target = (path: string): string => (options.isDirectory === true ? this.location.directory(path) : this.location.file(path));
    const destination = this.location.absolute(target(to));
    const { overwrite, destinationEtag } = options;
    const headers = {
      destination,
      overwrite: overwrite ? 'T' : 'F',
      ...(destinationEtag !== undefined && { if: `<${destination}> ([${destinationEtag}])` }),
    };
    const answer = await this.#send({ method, target: target(from), headers, concern, signal });
    if (answer.status === 201 || answer.status === 204 || answer.status === 200) return 'done';
    if (answer.status === 412) return 'refused';
    if (answer.status === 404) return 'no-source';
    if (answer.status === 409) return 'no-parent';
    throw statusFailure(answer.status === 207 ? 500 : answer.status, concern);
  }

  async #propfind(target: string, depth: '0' | '1', concern: Concern, signal: AbortSignal | undefined): Promise<RawAnswer> {
    const headers = { depth, 'content-type': 'application/xml; charset=utf-8' };
    const send = (at: string): Promise<RawAnswer> => this.#send({ method: 'PROPFIND', target: at, headers, body: PROPFIND_BODY, concern, signal });
    const answer = await send(target);
    // Some servers send away who asks for a directory without its slash.
    const isRedirect = answer.status >= 301 && answer.status <= 308;
    return isRedirect && !target.endsWith('/') && isSameWithSlash(headerOf(answer, 'location'), this.location, target) ? send(`${target}/`) : answer;
  }

  #entries(answer: RawAnswer, concern: Concern) {
    if (answer.status !== 207) throw statusFailure(answer.status, concern);
    return parseMultistatus(answer.bytes, serverMsOf(answer), concern);
  }

  #send(request: DavRequest): Promise<RawAnswer> {
    return this.client.send(request);
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.client.close();
  }
}

function serverMsOf(answer: RawAnswer): number {
  return Date.parse(headerOf(answer, 'date') ?? '');
}

/** `400`: how Apache calls a place below a file. */
function isMissing(status: number): boolean {
  return status === 404 || status === 410 || status === 400;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function isSameWithSlash(to: string | undefined, location: DavLocation, target: string): boolean {
  return to === `${target}/` || to === location.absolute(`${target}/`);
}

function displayOf(href: string): string {
  const name = href.replace(/\/$/, '').split('/').at(-1) ?? href;
  return Buffer.from(name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1').toString('utf8');
}
