/**
 * Framing of the control protocol: a byte stream is cut into documents, each
 * ended by an empty line ("\n\n") or by the end of the stream. Pure: bytes in,
 * frames out; what the documents mean is decided elsewhere.
 *
 * Rule that everything else leans on: how the stream was chunked never shows in
 * the frames. A JSON text cannot hold an empty line unless its writer put one
 * between two tokens, so the separator needs no look into the document.
 * Source: the wire format of the original client, which we keep.
 */

/** One step of the stream: a document, or the news that the next one exceeds the limit. */
export type Frame =
  | { readonly kind: 'document'; readonly bytes: Uint8Array }
  | { readonly kind: 'too-large'; readonly limitBytes: number };

const NEWLINE = 0x0a;
const INITIAL_CAPACITY_BYTES = 1024;

/**
 * Cuts one stream. White space before a document is dropped as it comes, so
 * extra empty lines between messages are no documents and hold no memory. After
 * a `too-large` frame no boundary can be trusted: later bytes are ignored.
 *
 * Holds at most `maxDocumentBytes` plus the chunk at hand, however small the
 * chunks are. Looks at each byte once.
 */
export class MessageSplitter {
  readonly #maxDocumentBytes: number;
  #pending = new Uint8Array(0);
  #pendingBytes = 0;
  #overflowed = false;

  /** `maxDocumentBytes` is the largest document let through; its separator does not count. */
  constructor(maxDocumentBytes: number) {
    this.#maxDocumentBytes = maxDocumentBytes;
  }

  /** Bytes of the document that has begun and not ended; 0 between documents. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Takes the next bytes and returns the frames they complete, in order. A
   * document may be a view into `chunk`; the caller must not reuse that memory.
   */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let start = 0;
    while (!this.#overflowed) {
      if (this.#pendingBytes === 0) start = skipBlank(chunk, start);
      if (start >= chunk.length) break;
      const contentEnd = this.#findSeparator(chunk, start);
      if (contentEnd === undefined) {
        this.#append(chunk.subarray(start));
        this.#checkPending(frames);
        break;
      }
      // -1: the first newline of the separator ended the previous chunk.
      const document =
        contentEnd < start ? this.#takePending(1) : this.#takePendingAnd(chunk.subarray(start, contentEnd));
      start = contentEnd + 2;
      this.#emit(document, frames);
    }
    return frames;
  }

  /** Ends the stream: a document that has begun is complete now. */
  end(): Frame | undefined {
    if (this.#pendingBytes === 0) return undefined;
    const frames: Frame[] = [];
    this.#emit(this.#takePending(this.#pendingEndsInNewline() ? 1 : 0), frames);
    return frames[0];
  }

  /** Index in `chunk` where the content before the next separator ends; `start - 1` if the separator began earlier. */
  #findSeparator(chunk: Uint8Array, start: number): number | undefined {
    if (this.#pendingEndsInNewline() && chunk[start] === NEWLINE) return start - 1;
    let at = chunk.indexOf(NEWLINE, start);
    while (at !== -1 && at + 1 < chunk.length) {
      if (chunk[at + 1] === NEWLINE) return at;
      at = chunk.indexOf(NEWLINE, at + 1);
    }
    return undefined;
  }

  #pendingEndsInNewline(): boolean {
    return this.#pendingBytes > 0 && this.#pending[this.#pendingBytes - 1] === NEWLINE;
  }

  #emit(document: Uint8Array, frames: Frame[]): void {
    if (document.length > this.#maxDocumentBytes) this.#overflow(frames);
    else frames.push({ kind: 'document', bytes: document });
  }

  #checkPending(frames: Frame[]): void {
    // A newline at the very end may be half of the separator, so it does not count yet.
    const contentBytes = this.#pendingBytes - (this.#pendingEndsInNewline() ? 1 : 0);
    if (contentBytes > this.#maxDocumentBytes) this.#overflow(frames);
  }

  #overflow(frames: Frame[]): void {
    this.#overflowed = true;
    this.#pending = new Uint8Array(0);
    this.#pendingBytes = 0;
    frames.push({ kind: 'too-large', limitBytes: this.#maxDocumentBytes });
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#pendingBytes + bytes.length;
    if (needed > this.#pending.length) {
      // Doubling keeps small chunks cheap; more than the limit and half a separator is never of use.
      const doubled = Math.max(this.#pending.length * 2, INITIAL_CAPACITY_BYTES);
      const grown = new Uint8Array(Math.max(needed, Math.min(doubled, this.#maxDocumentBytes + 1)));
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    this.#pending.set(bytes, this.#pendingBytes);
    this.#pendingBytes = needed;
  }

  #takePendingAnd(bytes: Uint8Array): Uint8Array {
    if (this.#pendingBytes === 0) return bytes;
    this.#append(bytes);
    return this.#takePending(0);
  }

  #takePending(dropLast: number): Uint8Array {
    const document = this.#pending.subarray(0, this.#pendingBytes - dropLast);
    this.#pending = new Uint8Array(0);
    this.#pendingBytes = 0;
    return document;
  }
}

/** Index of the first byte from `start` on that is not white space as JSON knows it: space, tab, line feed, carriage return. */
function skipBlank(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === NEWLINE || bytes[at] === 0x0d) at += 1;
  return at;
}
