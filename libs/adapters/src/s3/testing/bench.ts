/**
 * A server that misbehaves by script and machines that use a bucket of it, each with connections
 * of its own: what the driver is tormented on. Time passes without waiting: a pause ends at once
 * and shows in `clock.pausesMs`, and server and machines have the same time.
 */

import { createHash } from 'node:crypto';

import { ROOT, toRelativePath, toSha256, type RelativePath, type Sha256, type Token, type UnknownReason } from '@wl/domain';
import { EntryKind, type Clock, type ContentIdentity, type UnrepresentableName, type WholeWriteOutcome } from '@wl/ports';

import { createS3Backend } from '../create-s3-backend.js';
import type { S3Backend } from '../s3-backend.js';
import type { S3Host, S3Notes, S3Params } from '../s3-params.js';

import { memoryNotes } from './open-s3.js';
import { abilitiesOn } from './open-test-server.js';
import { startS3Server, type BucketHands, type S3ServerOptions, type S3TestServer } from './server/index.js';

/** Longer sleeps are no pauses but limits: they end when they are called off. In milliseconds. */
const LONGEST_PAUSE_MS = 60_000;

/** The system's time, further on by what was slept. */
export class SkippingClock implements Clock {
  /** Pauses that ended at once. */
  readonly pausesMs: number[] = [];
  #skippedMs = 0;

  nowMs(): number {
    return Date.now() + this.#skippedMs;
  }

  monotonicMs(): number {
    return performance.now() + this.#skippedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    if (ms > LONGEST_PAUSE_MS) return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
    this.pausesMs.push(ms);
    this.skip(ms);
    return new Promise((resolve) => void setImmediate(resolve));
  }

  /** Lets time pass. */
  skip(ms: number): void {
    this.#skippedMs += ms;
  }
}

/** What a machine is opened with. */
export interface MachineOptions {
  readonly params?: Partial<S3Params>;
  readonly notes?: S3Notes;
  readonly host?: Partial<S3Host>;
  /** Nothing is known of the server; default: what it can do was proved before. */
  readonly isNew?: boolean;
  /** Default: the storage is opened. */
  readonly isClosed?: boolean;
}

/** A server, a bucket named `bucket` with a storage below `photos/`, and hands on it. */
export class Bench {
  readonly prefix = 'photos/';
  readonly #machines: S3Backend[] = [];

  constructor(
    readonly server: S3TestServer,
    readonly clock: SkippingClock,
    private readonly kind: string,
  ) {}

  get hands(): BucketHands {
    return this.server.bucket('bucket');
  }

  /** Another machine. */
  async machine({ params = {}, notes = memoryNotes(), host = {}, isNew = false, isClosed = false }: MachineOptions = {}): Promise<S3Backend> {
    const { endpointUrl, accessKey, secretKey } = this.server;
    if (!isNew) await this.#note(notes);
    const backend = createS3Backend(
      { backendId: 's3', url: `s3://bucket/${this.prefix}`, endpointUrl, credentials: { accessKey, secretKey }, ...params },
      { clock: this.clock, notes, env: {}, ...host },
    ) as S3Backend;
    this.#machines.push(backend);
    if (!isClosed) await backend.open();
    this.server.log.clear();
    return backend;
  }

  /** What others put there, by path. */
  put(path: string, content: string | Uint8Array = path): string {
    return this.hands.put(this.prefix + path, content);
  }

  text(path: string): string | undefined {
    return this.hands.text(this.prefix + path);
  }

  /** Paths of all objects outside our own area. */
  paths(): readonly string[] {
    return this.hands.keys(this.prefix).map((key) => key.slice(this.prefix.length)).filter((path) => !path.startsWith('.wl/'));
  }

  /** Keys in our own area, below `within`. */
  area(within = ''): readonly string[] {
    return this.hands.keys(`${this.prefix}.wl/${within}`);
  }

  async close(): Promise<void> {
    for (const machine of this.#machines) await machine.close();
    await this.server.close();
  }

  /** As though it had been proved a moment ago. */
  async #note(notes: S3Notes): Promise<void> {
    if (notes.get('abilities') !== undefined) return;
    const abilities = await abilitiesOn(this.server, this.kind);
    notes.put('abilities', { version: 1, place: `${this.server.endpointUrl} bucket`, provedMs: this.clock.nowMs(), abilities });
  }
}

const opened: Bench[] = [];

/** Sets one up; `closeBenches` after each test. */
export async function openBench(options: S3ServerOptions = {}): Promise<Bench> {
  const clock = new SkippingClock();
  const server = await startS3Server({ buckets: ['bucket'], nowMs: () => clock.nowMs(), ...options });
  const bench = new Bench(server, clock, JSON.stringify(options));
  opened.push(bench);
  return bench;
}

/** Closes all machines and servers. */
export async function closeBenches(): Promise<void> {
  for (const bench of opened.splice(0)) await bench.close();
}

/** What a listing said. */
export interface Listed {
  /** Paths of files, and of directories with a `/` behind them. */
  readonly keys: readonly string[];
  readonly tokens: ReadonlyMap<string, Token>;
  readonly reasons: Readonly<Record<string, UnknownReason>>;
  readonly unrepresentable: readonly UnrepresentableName[];
}

/** Lists a storage to its end. */
export async function listed(backend: S3Backend, directory: RelativePath = ROOT): Promise<Listed> {
  const keys: string[] = [];
  const tokens = new Map<string, Token>();
  const reasons: Record<string, UnknownReason> = {};
  const unrepresentable: UnrepresentableName[] = [];
  for await (const batch of backend.list(directory, { onUnrepresentable: (name) => void unrepresentable.push(name) })) {
    batch.keys.forEach((key, index) => {
      keys.push(key);
      if (batch.kinds[index] === EntryKind.file) tokens.set(key, batch.tokens[index] as Token);
      const reason = batch.reasons.get(index);
      if (reason !== undefined) reasons[key] = reason;
    });
  }
  return { keys, tokens, reasons, unrepresentable };
}

/** Hash and size of bytes. */
export function identityOf(content: string | Uint8Array): ContentIdentity {
  const bytes = Buffer.from(content as Uint8Array);
  return { sha256: sha256(bytes), sizeBytes: bytes.length };
}

/** SHA-256. */
export function sha256(content: string | Uint8Array): Sha256 {
  return toSha256(createHash('sha256').update(content).digest('hex'));
}

/** Writes a small file in one request. */
export async function write(backend: S3Backend, path: string, content: string, expected?: Token): Promise<WholeWriteOutcome> {
  const request = { path: toRelativePath(path), expected, content: Buffer.from(content), sha256: sha256(content), attributes: { mtimeMs: 1_000 } };
  return (await backend.wholeFiles.write([request]))[0]!;
}

/** As `write`, where it is to succeed; the token. */
export async function written(backend: S3Backend, path: string, content: string, expected?: Token): Promise<Token> {
  const outcome = await write(backend, path, content, expected);
  if (outcome.kind !== 'written') throw new Error(`${path} was not written: ${outcome.kind === 'failed' ? outcome.error.message : outcome.kind}`);
  return outcome.token;
}

/** Token of a file that is there. */
export async function tokenAt(backend: S3Backend, path: string): Promise<Token> {
  const token = await backend.getFileToken(toRelativePath(path));
  if (token === undefined) throw new Error(`there is no ${path}`);
  return token;
}

/** Reads a file to its end: its bytes, or why not. */
export async function read(backend: S3Backend, path: string, expected: Token): Promise<string> {
  const opened = await backend.read(toRelativePath(path), expected);
  if (!opened.ok) return opened.error.kind;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of opened.value.chunks()) chunks.push(chunk);
    return (await opened.value.isUnchanged()) ? Buffer.concat(chunks).toString() : 'changed';
  } finally {
    await opened.value.close();
  }
}

/** Opens a writer, hands it the bytes and commits. `pieces` of so many bytes. */
export async function streamed(backend: S3Backend, path: string, content: Uint8Array, { expected, isAnnounced = true, pieceBytes = 1 << 20 }: { readonly expected?: Token; readonly isAnnounced?: boolean; readonly pieceBytes?: number } = {}) {
  const identity = identityOf(content);
  const writer = await backend.openForSafeReplace(toRelativePath(path), expected, { mtimeMs: 1_000, ...(isAnnounced && { content: identity }) });
  try {
    for (let at = 0; at < content.length; at += pieceBytes) await writer.write(content.subarray(at, at + pieceBytes));
    return await writer.commit(identity);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
