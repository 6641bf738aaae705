/**
 * Writing a file into a memory tree: bytes are staged where nobody sees them, and shown
 * in one step that compares and swaps (INV-6, INV-17).
 */

import { createHash } from 'node:crypto';

import { err, nameOf, ok, parentOf, ROOT, toSha256, type RelativePath, type Result, type Sha256, type Token } from '@wl/domain';
import type { Committed, FileAttributes, FileWriter, StaleToken } from '@wl/ports';

import type { MemoryVolume, StagedFile } from './memory-entry.js';
import type { MemoryFaults } from './memory-faults.js';
import { failure, type MemoryGate } from './memory-gate.js';
import type { MemoryTree } from './memory-tree.js';

/** What a writer needs to know. */
export interface WriterContext {
  readonly tree: MemoryTree;
  readonly gate: MemoryGate;
  readonly faults: MemoryFaults;
  readonly backendId: string;
  readonly path: RelativePath;
  readonly expected: Token | undefined;
  readonly attributes: FileAttributes;
  readonly signal: AbortSignal | undefined;
}

/** A replacement being written. */
export class MemoryWriter implements FileWriter {
  readonly #context: WriterContext;
  readonly #volume: MemoryVolume;
  readonly #stagedName: string;
  readonly #staged: StagedFile = { chunks: [], sizeBytes: 0, sha256: undefined, isAlive: true };
  #isDone = false;

  constructor(context: WriterContext, volume: MemoryVolume) {
    this.#context = context;
    this.#volume = volume;
    this.#stagedName = `${context.backendId}-${String(context.tree.nextSerial())}`;
    volume.staging.set(this.#stagedName, this.#staged);
  }

  /** Leaves what was staged behind, as a crash does: the last bytes of it torn. */
  crash(): void {
    const last = this.#staged.chunks.pop();
    if (last !== undefined) this.#staged.chunks.push(last.subarray(0, last.length >> 1));
    this.#staged.isAlive = false;
    this.#isDone = true;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { tree, gate, path, signal } = this.#context;
    const copy = new Uint8Array(chunk);
    await gate.pass('write', path, signal, () => {
      this.#assertWriting();
      assertSpace(tree, copy.length, path);
      this.#staged.chunks.push(copy);
      this.#staged.sizeBytes += copy.length;
    });
  }

  commit(content: { readonly sha256: Sha256; readonly sizeBytes: number }): Promise<Result<Committed, StaleToken>> {
    const { gate, path, signal } = this.#context;
    return gate.pass('commit', path, signal, (volume) => {
      this.#assertWriting();
      if (volume !== this.#volume) throw failure('not-found', 'replace', path, 'the storage was exchanged meanwhile');
      const bytes = new Uint8Array(Buffer.concat(this.#staged.chunks));
      if (bytes.length !== content.sizeBytes || sha256Of(bytes) !== content.sha256) {
        throw failure('damaged', 'replace', path, 'what was stored is not what was sent');
      }
      const { tree, faults, backendId, expected, attributes } = this.#context;
      const { content: announced } = attributes;
      if (announced !== undefined && (announced.sha256 !== content.sha256 || announced.sizeBytes !== content.sizeBytes)) {
        throw failure('damaged', 'replace', path, 'what was sent is not what was announced');
      }
      const result = swapIn({ tree, faults, backendId, path, expected, attributes }, bytes);
      this.#drop();
      return result;
    });
  }

  async abort(): Promise<void> {
    // The caller cleans up after failures: this must not fail for the same reason, nor after close.
    if (this.#isDone) return;
    this.#drop();
    const { gate, path } = this.#context;
    if (gate.state === 'open') await gate.pass('abort', path, undefined, () => undefined).catch(() => undefined);
  }

  #drop(): void {
    this.#isDone = true;
    this.#volume.staging.delete(this.#stagedName);
  }

  #assertWriting(): void {
    if (this.#isDone) throw failure('unsupported', 'replace', this.#context.path, 'the writer was committed or aborted before');
  }
}

/** Compares and swaps in one step. Shared by writers and server-side copies. */
export function swapIn(
  context: Omit<WriterContext, 'gate' | 'signal'>,
  bytes: Uint8Array,
): Result<Committed, StaleToken> {
  const { tree, faults, backendId, path, expected, attributes } = context;
  const place = tree.locate(path, true);
  const found = place.kind === 'found' && place.entry.kind === 'file' ? place.entry : undefined;
  const isExpected = expected === undefined ? place.kind === 'absent' : found !== undefined && tree.tokenOf(found) === expected;
  if (!isExpected) {
    const isForced = place.kind === 'absent' || found !== undefined ? faults.take('commit', path, 'ignore-precondition') !== undefined : false;
    if (!isForced) {
      const isDisplaced = found !== undefined && faults.take('commit', path, 'displace') !== undefined;
      if (isDisplaced) return err({ kind: 'stale-token', leftover: tree.trashFile(path, backendId, 'displaced') });
      return err({ kind: 'stale-token' });
    }
  }
  if (place.kind === 'absent' && place.parent === undefined) assertParent(tree, path);
  if (found !== undefined) tree.trashFile(path, backendId, 'replaced');
  const isTimeUsable = Number.isFinite(attributes.mtimeMs) && Math.abs(attributes.mtimeMs) <= 8.64e15;
  const file = tree.putFile(path, bytes, isTimeUsable ? attributes.mtimeMs : undefined, attributes.isExecutable ?? false);
  const { token, isRacy } = tree.nodeOf(file);
  return ok({ token, isRacy });
}

/** Rejects names the storage cannot hold and parents that are not there. */
export function assertPlace(tree: MemoryTree, path: RelativePath): void {
  if (!path.split('/').every((name) => tree.canHold(name))) {
    throw failure('name-not-representable', 'replace', path, `a name may have ${String(tree.maxNameBytes)} bytes at most`);
  }
  assertParent(tree, path);
}

/** Rejects when so many bytes more do not fit. */
export function assertSpace(tree: MemoryTree, sizeBytes: number, path: string): void {
  if (tree.capacityBytes !== undefined && tree.usedBytes() + sizeBytes > tree.capacityBytes) {
    throw failure('no-space', 'write', path, `the storage holds ${String(tree.capacityBytes)} bytes`);
  }
}

/** SHA-256 of bytes. */
export function sha256Of(bytes: Uint8Array): Sha256 {
  return toSha256(createHash('sha256').update(bytes).digest('hex'));
}

function assertParent(tree: MemoryTree, path: RelativePath): void {
  const parent = tree.locate(parentOf(path), true);
  if (parent.kind === 'found' && parent.entry.kind === 'directory') {
    if (parent.entry.isUnreadable) throw failure('permission-denied', 'replace', path);
    return;
  }
  if (parent.kind === 'found' || parent.kind === 'unknown') throw failure('not-a-directory', 'replace', path, `${parentOf(path)} is no directory of that name`);
  // Where directories do not exist by themselves, those missing come with the file, unless a file is in the way.
  if (tree.keepsEmptyDirectories) throw failure('not-found', 'replace', path, `the directory ${parentOf(path)} is missing`);
  for (let above = parentOf(path); above !== ROOT; above = parentOf(above)) {
    const place = tree.locate(above, true);
    if (place.kind === 'found' && place.entry.kind !== 'directory') throw failure('not-a-directory', 'replace', path, `${nameOf(above)} is a file`);
  }
}
