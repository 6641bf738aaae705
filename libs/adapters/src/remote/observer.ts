/** Looks at single paths of a server, and hashes what is there (INV-8, INV-24). */

import { ABSENT, DIRECTORY, toSha256, type FileNode, type Node, type RelativePath, type Token, type UnknownReason } from '@wl/domain';
import { isBackendError, type HashOutcome } from '@wl/ports';

import type { Concern } from './failing.js';

/** A file as a server shows it. */
export interface RemoteFile {
  readonly kind: 'file';
  readonly token: Token;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly isRacy: boolean;
}

/** What is at a path. */
export type Remote<File extends RemoteFile> = File | { readonly kind: 'directory' } | { readonly kind: 'unknown'; readonly reason: UnknownReason };

/** What an observer sees by. */
export interface ObserverHands<File extends RemoteFile> {
  /** `undefined` when nothing is there, below a folder that is there. */
  look(path: string, concern: Concern, signal?: AbortSignal): Promise<Remote<File> | undefined>;
  /** SHA-256 of a file's content, hex; `undefined` when it is not there. Rejects with `damaged` when it is not of the size. */
  hashContent(path: string, sizeBytes: number, concern: Concern, signal?: AbortSignal): Promise<string | undefined>;
  /** The hash that the server keeps of this version. */
  knownHash(file: File): FileNode['hash'];
  /** T73: asked for one spelling, a server may answer about another. */
  isSpeltSo(path: RelativePath, concern: Concern, signal?: AbortSignal): Promise<boolean>;
}

const HASH_ATTEMPTS = 3;
/** Files looked at at a time. */
const AT_ONCE = 8;

/** The eyes of one storage. */
export class Observer<File extends RemoteFile> {
  constructor(private readonly hands: ObserverHands<File>) {}

  async stat(path: RelativePath, concern: Concern, signal?: AbortSignal): Promise<Node> {
    const found = await this.hands.look(path, concern, signal);
    if (found === undefined) return ABSENT;
    if (!(await this.hands.isSpeltSo(path, concern, signal))) return { kind: 'unknown', reason: 'name-collision' };
    if (found.kind === 'directory') return DIRECTORY;
    return found.kind === 'file' ? this.#nodeOf(found) : { kind: 'unknown', reason: found.reason };
  }

  /** The file at a path if it is this version. */
  async version(path: RelativePath, expected: string, concern: Concern, signal?: AbortSignal): Promise<File | undefined> {
    const found = await this.hands.look(path, concern, signal);
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
      const found = await this.hands.look(path, concern, signal);
      if (found === undefined) return ABSENT;
      if (found.kind === 'unknown') return { kind: 'unknown', reason: found.reason, message: `unable to read ${path}: ${found.reason}` };
      if (found.kind === 'directory') return { kind: 'unknown', reason: 'vanished', message: `${path} is a directory` };
      const known = this.hands.knownHash(found);
      if (known !== undefined) return { kind: 'hashed', node: { ...this.#nodeOf(found), hash: known } };
      try {
        const hash = await this.hands.hashContent(path, found.sizeBytes, concern, signal);
        const after = await this.version(path, found.token, concern, signal);
        // What was racy when it was read may have become another since, under the same token.
        if (hash !== undefined && after !== undefined) return { kind: 'hashed', node: { ...this.#nodeOf(after), isRacy: found.isRacy || after.isRacy, hash: toSha256(hash) } };
      } catch (error) {
        if (!isBackendError(error) || error.code === 'cancelled' || error.code === 'unreachable') throw error;
        if (error.code !== 'damaged') return { kind: 'unknown', reason: error.code === 'permission-denied' ? 'permission-denied' : 'read-error', message: error.message };
      }
    }
    return { kind: 'changing' };
  }

  #nodeOf(file: File): FileNode {
    const { token, sizeBytes, mtimeMs, isRacy } = file;
    return { kind: 'file', token, sizeBytes, mtimeMs, hash: this.hands.knownHash(file), isRacy };
  }
}
