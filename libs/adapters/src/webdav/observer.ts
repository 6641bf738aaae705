/** Looks at single paths, and hashes what is there (INV-8, INV-24). */

import { createHash } from 'node:crypto';

import { ABSENT, DIRECTORY, nameOf, parentOf, toSha256, type FileNode, type Node, type RelativePath } from '@wl/domain';
import { isBackendError, type HashOutcome } from '@wl/ports';

import type { DavApi } from './dav-api.js';
import { damaged, type Concern } from './failure.js';
import type { DavFile, DavFound } from './multistatus.js';

const HASH_ATTEMPTS = 3;
/** Files looked at at a time. */
const AT_ONCE = 8;

/** The eyes of one storage. */
export class Observer {
  constructor(
    private readonly api: DavApi,
    private readonly isCaseSensitive: () => boolean,
  ) {}

  async stat(path: RelativePath, concern: Concern, signal?: AbortSignal): Promise<Node> {
    const found = await this.api.look(path, concern, signal);
    if (found === undefined) return ABSENT;
    if (!this.isCaseSensitive() && !(await this.#isSpeltSo(path, concern, signal))) return { kind: 'unknown', reason: 'name-collision' };
    return nodeOf(found);
  }

  /** The file at a path if it is this version. */
  async version(path: RelativePath, expected: string, concern: Concern, signal?: AbortSignal): Promise<DavFile | undefined> {
    const found = await this.api.look(path, concern, signal);
    return found?.kind === 'file' && expected !== '' && found.token === expected ? found : undefined;
  }

  /** One outcome per path, in order. */
  async hashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<HashOutcome[]> {
    const outcomes: HashOutcome[] = [];
    for (let start = 0; start < paths.length; start += AT_ONCE) {
      outcomes.push(...(await Promise.all(paths.slice(start, start + AT_ONCE).map((path) => this.#hash(path, signal)))));
    }
    return outcomes;
  }

  async #hash(path: RelativePath, signal: AbortSignal | undefined): Promise<HashOutcome> {
    const concern = { operation: 'hash', path };
    for (let attempt = 0; attempt < HASH_ATTEMPTS; attempt += 1) {
      const found = await this.api.look(path, concern, signal);
      if (found === undefined) return ABSENT;
      if (found.kind === 'unknown') return { kind: 'unknown', reason: found.reason, message: `unable to read ${path}: ${found.reason}` };
      if (found.kind === 'directory') return { kind: 'unknown', reason: 'vanished', message: `${path} is a directory` };
      const noted = hashOf(found);
      if (noted !== undefined) return { kind: 'hashed', node: { ...fileNodeOf(found), hash: noted } };
      try {
        const hash = await hashContent(this.api, path, found.sizeBytes, concern, signal);
        const after = await this.version(path, found.token, concern, signal);
        if (hash !== undefined && after !== undefined) return { kind: 'hashed', node: { ...fileNodeOf(after), hash: toSha256(hash) } };
      } catch (error) {
        if (!isBackendError(error) || error.code === 'cancelled' || error.code === 'unreachable') throw error;
        if (error.code !== 'damaged') return { kind: 'unknown', reason: error.code === 'permission-denied' ? 'permission-denied' : 'read-error', message: error.message };
      }
    }
    return { kind: 'changing' };
  }

  /** T73: asked for one spelling, a server may answer about another. */
  async #isSpeltSo(path: RelativePath, concern: Concern, signal: AbortSignal | undefined): Promise<boolean> {
    const listed = await this.api.directory(parentOf(path), concern, signal);
    return 'entries' in listed && listed.entries.has(nameOf(path));
  }
}

/** SHA-256 of a file's content, hex; `undefined` when it is not there. Rejects with `damaged` when it is not of the size. */
export async function hashContent(api: DavApi, path: string, sizeBytes: number, concern: Concern, signal?: AbortSignal): Promise<string | undefined> {
  const opened = await api.get(path, concern, signal);
  if (opened === undefined) return undefined;
  const hash = createHash('sha256');
  let count = 0;
  try {
    for await (const chunk of opened.body) {
      count += chunk.length;
      hash.update(chunk);
    }
  } catch (error) {
    throw isBackendError(error) ? error : damaged(concern, 'the server stopped in the middle of the file');
  }
  if (count !== sizeBytes) throw damaged(concern, `the server sent ${String(count)} bytes of ${String(sizeBytes)}`);
  return hash.digest('hex');
}

/** The hash that was noted of this version; a racy one may be another by now. */
export function hashOf(file: DavFile): FileNode['hash'] {
  return file.isRacy ? undefined : file.note?.sha256;
}

/** A file as the port shows it. */
export function fileNodeOf(file: DavFile): FileNode {
  const { token, sizeBytes, mtimeMs, isRacy } = file;
  return { kind: 'file', token, sizeBytes, mtimeMs, hash: hashOf(file), isRacy };
}

function nodeOf(found: DavFound): Node {
  if (found.kind === 'directory') return DIRECTORY;
  return found.kind === 'file' ? fileNodeOf(found) : { kind: 'unknown', reason: found.reason };
}
