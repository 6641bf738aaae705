/**
 * `FileWriter` of a bucket: what stays small is one `PUT` at commit, what grows larger goes
 * over the wire as it comes, in the safest way that the endpoint offers.
 */

import { err, ok, type RelativePath, type Result } from '@wl/domain';
import { BackendError, type Committed, type ContentIdentity, type FileAttributes, type FileWriter, type StaleToken } from '@wl/ports';

import { S3Error, toBackendError } from '../s3-error.js';

import { isWrittenInParts } from './conditions.js';
import type { WriteContext } from './context.js';
import { sha256Of } from './digests.js';
import { notAsAnnounced, withSignal, type LargeParts, type LargeUpload } from './large-upload.js';
import { PartsUpload } from './parts-upload.js';
import { SIZES, type Sizes } from './sizes.js';
import { StreamUpload } from './stream-upload.js';
import type { SwapOutcome } from './swap.js';
import { writeObject } from './write-object.js';

/** What is to be written. */
export interface WriterTarget {
  readonly path: RelativePath;
  readonly key: string;
  /** ETag of the version to be replaced; `undefined`: nothing may be there. */
  readonly expected: string | undefined;
  readonly attributes: FileAttributes;
}

/** A file being written. */
export class ObjectWriter implements FileWriter {
  readonly #own = new AbortController();
  readonly #parts: LargeParts;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #large: LargeUpload | undefined;
  #state: 'writing' | 'committing' | 'over' = 'writing';
  /** What was called last. */
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly context: WriteContext,
    private readonly target: WriterTarget,
    signal?: AbortSignal,
    private readonly sizes: Sizes = SIZES,
  ) {
    this.#parts = { context, target, sizes, signal: withSignal(this.#own, signal) };
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#guarded(() => this.#take(chunk));
  }

  commit(content: ContentIdentity): Promise<Result<Committed, StaleToken>> {
    return this.#guarded(async () => {
      this.#state = 'committing';
      try {
        const outcome = await (this.#large?.commit(content) ?? this.#commitSmall(content));
        if (outcome.kind === 'stale') return err({ kind: 'stale-token' });
        await this.context.hashes.keep(this.target.key, outcome.etag, content, this.#parts.signal);
        return ok({ token: this.context.tokenOf({ ...outcome, sizeBytes: content.sizeBytes }), isRacy: false });
      } finally {
        this.#drop();
      }
    });
  }

  abort(): Promise<void> {
    return this.#stop((large) => large.abort());
  }

  /** The storage closes: stops, and keeps what a later writer of the same content can go on with. */
  suspend(): Promise<void> {
    return this.#stop((large) => large.suspend());
  }

  async #stop(end: (large: LargeUpload) => Promise<void>): Promise<void> {
    if (this.#state === 'over') return;
    const isCommitting = this.#state === 'committing';
    this.#state = 'over';
    this.#chunks = [];
    // A commit under way decides by itself what is to be kept.
    if (!isCommitting && this.#large !== undefined) await end(this.#large);
    this.#own.abort();
    await this.#running;
  }

  async #take(chunk: Uint8Array): Promise<void> {
    if (this.#large !== undefined) return this.#large.write(chunk);
    this.#chunks.push(new Uint8Array(chunk));
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes <= this.sizes.small) return;
    const buffered = this.#chunks;
    this.#chunks = [];
    this.#large = this.#startLarge();
    for (const piece of buffered) await this.#large.write(piece);
  }

  #startLarge(): LargeUpload {
    const { content } = this.target.attributes;
    const abilities = this.context.abilities();
    if (isWrittenInParts(content?.sizeBytes, this.target.expected, abilities, this.sizes)) return new PartsUpload(this.#parts);
    if (content !== undefined && content.sizeBytes <= this.sizes.single) return new StreamUpload(this.#parts, content);
    throw new S3Error('unsupported', 'the endpoint takes no uploads in parts, and the file is too large for one request', { isRetryable: false });
  }

  async #commitSmall({ sha256, sizeBytes }: ContentIdentity): Promise<SwapOutcome> {
    const content = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    if (content.length !== sizeBytes || sha256Of(content) !== sha256) throw notAsAnnounced('what was handed over is not what was to be written');
    const { key, expected, attributes } = this.target;
    const announced = attributes.content;
    if (announced !== undefined && (announced.sha256 !== sha256 || announced.sizeBytes !== sizeBytes)) throw notAsAnnounced('what was handed over is not what was announced');
    return writeObject(this.context, { key, content, sha256, attributes, expected }, this.#parts.signal);
  }

  #guarded<T>(act: () => Promise<T>): Promise<T> {
    if (this.#state !== 'writing') {
      const details = { operation: 'replace', path: this.target.path, retryable: false };
      return Promise.reject(new BackendError('cancelled', details, { explanation: 'this writer was committed or aborted before' }));
    }
    const running = act().catch((error: unknown) => {
      throw toBackendError(error, 'replace', this.target.path);
    });
    // Whoever called sees the failure; `abort` only waits for the end.
    this.#running = running.catch(() => undefined);
    return running;
  }

  #drop(): void {
    this.#state = 'over';
    this.#chunks = [];
  }
}
