/** Small steps that the tests of `StorageBackend` are made of. */

import { createHash } from 'node:crypto';

import { expect } from '@jest/globals';
import { compareKeys, ROOT, toRelativePath, toSha256, type FileNode, type RelativePath, type Result, type Sha256, type Token } from '@wl/domain';

import { isBackendError } from '../../errors.js';
import {
  EntryKind,
  type Committed,
  type FileAttributes,
  type FileReader,
  type ListingBatch,
  type ListOptions,
  type StaleToken,
  type StorageBackend,
} from '../../storage-backend.js';
import type { OpenBackend } from './open-backend.js';

/** Bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Text of bytes. */
export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Hash of bytes. */
export function sha256Of(bytes: Uint8Array): Sha256 {
  return toSha256(createHash('sha256').update(bytes).digest('hex'));
}

/** Bytes that repeat nowhere, the same each time. */
export function patternOf(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < sizeBytes; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** Shorthand for a path. */
export const at = toRelativePath;

/** One row of a listing. */
export interface ListedRow {
  readonly key: string;
  readonly kind: 'file' | 'directory' | 'unknown';
  readonly token: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly isRacy: boolean;
  readonly reason: string | undefined;
}

/** Lists to the end, checking what holds for every listing: arrays of one length, strict key order, no repeats. */
export async function listRows(backend: StorageBackend, directory: RelativePath = ROOT, options?: ListOptions): Promise<ListedRow[]> {
  const rows: ListedRow[] = [];
  for await (const batch of backend.list(directory, options)) rows.push(...rowsOf(batch));
  for (let i = 1; i < rows.length; i += 1) {
    const [before, after] = [rows[i - 1]?.key ?? '', rows[i]?.key ?? ''];
    if (compareKeys(before, after) >= 0) throw new Error(`${JSON.stringify(after)} is listed after ${JSON.stringify(before)}`);
  }
  return rows;
}

/** The rows of one batch, after checking its shape. */
export function rowsOf(batch: ListingBatch): ListedRow[] {
  const { length } = batch.keys;
  for (const column of [batch.kinds, batch.tokens, batch.sizes, batch.mtimes, batch.racy]) expect(column).toHaveLength(length);
  for (const index of batch.reasons.keys()) expect(index < length).toBe(true);
  return batch.keys.map((key, index) => {
    const kindValue = batch.kinds[index];
    const kind = kindValue === EntryKind.file ? 'file' : kindValue === EntryKind.directory ? 'directory' : 'unknown';
    const row: ListedRow = {
      key,
      kind,
      token: batch.tokens[index] ?? 'missing',
      sizeBytes: batch.sizes[index] ?? NaN,
      mtimeMs: batch.mtimes[index] ?? NaN,
      isRacy: batch.racy[index] === 1,
      reason: batch.reasons.get(index),
    };
    if (kind !== 'unknown') expect(key.endsWith('/')).toBe(kind === 'directory');
    if (kind === 'file') expect(row.token).not.toBe('');
    else expect([row.token, row.sizeBytes, row.mtimeMs, row.isRacy]).toEqual(['', 0, 0, false]);
    if (kind === 'unknown') expect(row.reason).toBeDefined();
    return row;
  });
}

/** The keys of a whole listing. */
export async function listKeys(backend: StorageBackend, directory: RelativePath = ROOT): Promise<string[]> {
  return (await listRows(backend, directory)).map((row) => row.key);
}

/** The file at a path; fails when there is none. */
export async function fileAt(backend: StorageBackend, path: string): Promise<FileNode> {
  const node = await backend.stat(at(path));
  if (node.kind !== 'file') throw new Error(`${path} is ${node.kind}, not a file`);
  return node;
}

/** The file at a path once its token is no longer racy, so that any further change must show in the token. */
export async function settledFileAt(opened: OpenBackend, path: string): Promise<FileNode> {
  for (let turn = 0; turn < 500; turn += 1) {
    const node = await fileAt(opened.backend, path);
    if (!node.isRacy) return node;
    await letPass(opened, 20);
  }
  throw new Error(`the token of ${path} stays racy`);
}

/** Lets time pass on the clock of the backend. */
export async function letPass(opened: OpenBackend, ms: number): Promise<void> {
  if (opened.passTime !== undefined) return opened.passTime(ms);
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Opens a version for reading; fails when it is stale. */
export async function openReader(backend: StorageBackend, path: string, token: Token): Promise<FileReader> {
  const opened = await backend.read(at(path), token);
  if (!opened.ok) throw new Error(`${path} is stale`);
  return opened.value;
}

/** Reads what is left of a reader's bytes. */
export async function drain(reader: FileReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  // A reader may reuse its buffer for the next chunk.
  for await (const chunk of reader.chunks()) chunks.push(new Uint8Array(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

/** The whole content of a file. */
export async function readFile(backend: StorageBackend, path: string): Promise<Uint8Array> {
  const reader = await openReader(backend, path, (await fileAt(backend, path)).token);
  try {
    return await drain(reader);
  } finally {
    await reader.close();
  }
}

/** How to write a file through the backend. */
export interface PutOptions {
  readonly expected?: Token;
  readonly attributes?: FileAttributes;
  readonly signal?: AbortSignal;
  readonly chunkBytes?: number;
}

/** Writes a whole file by `openForSafeReplace`, aborting when it fails. */
export async function put(
  backend: StorageBackend,
  path: string,
  bytes: Uint8Array,
  options: PutOptions = {},
): Promise<Result<Committed, StaleToken>> {
  const writer = await backend.openForSafeReplace(at(path), options.expected, options.attributes ?? { mtimeMs: 1_700_000_000_123 }, options.signal);
  try {
    const step = options.chunkBytes ?? 1 << 20;
    for (let start = 0; start < bytes.length; start += step) await writer.write(bytes.subarray(start, start + step));
    return await writer.commit({ sha256: sha256Of(bytes), sizeBytes: bytes.length });
  } finally {
    await writer.abort();
  }
}

/** `put`, which must succeed. */
export async function putOrFail(backend: StorageBackend, path: string, bytes: Uint8Array, options?: PutOptions): Promise<Committed> {
  const result = await put(backend, path, bytes, options);
  if (!result.ok) throw new Error(`${path} could not be written: its version is stale`);
  return result.value;
}

/** The code an operation fails with, or `undefined` when it succeeds; throws on errors that are no `BackendError`. */
export async function failureOf(operation: Promise<unknown>): Promise<string | undefined> {
  try {
    await operation;
    return undefined;
  } catch (error) {
    if (isBackendError(error)) return error.code;
    throw error;
  }
}
