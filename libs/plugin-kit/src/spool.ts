/**
 * Content on its way, kept until all of it is there and is what it was to be: in memory while it
 * is small, else in a file of the system's temporary directory that only its owner can read.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Content above this is kept in a file. Bytes. */
const MEMORY_BYTES = 4 * 1024 * 1024;

/** Bytes that are written once and read any number of times. */
export class Spool {
  readonly #hash = createHash('sha256');
  #chunks: Uint8Array[] = [];
  #size = 0;
  #directory: string | undefined;
  #file: FileHandle | undefined;
  #digest: string | undefined;

  get size(): number {
    return this.#size;
  }

  /** Of all that was written; nothing can be added afterwards. */
  get sha256(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }

  /** Takes a copy: the caller may reuse its buffer. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    if (this.#file === undefined) this.#chunks.push(new Uint8Array(chunk));
    else await this.#file.writeFile(chunk);
    if (this.#file === undefined && this.#size > MEMORY_BYTES) await this.#toFile();
  }

  /** The bytes, in order. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    if (this.#directory === undefined) yield* this.#chunks;
    else yield* createReadStream(this.#place(this.#directory)) as AsyncIterable<Uint8Array>;
  }

  /** Forgets everything. Idempotent. */
  async close(): Promise<void> {
    const [file, directory] = [this.#file, this.#directory];
    this.#chunks = [];
    this.#file = undefined;
    this.#directory = undefined;
    await file?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }

  async #toFile(): Promise<void> {
    this.#directory = await mkdtemp(path.join(tmpdir(), 'wl-spool-'));
    this.#file = await open(this.#place(this.#directory), 'wx', 0o600);
    for (const chunk of this.#chunks) await this.#file.writeFile(chunk);
    this.#chunks = [];
  }

  #place(directory: string): string {
    return path.join(directory, 'content');
  }
}
