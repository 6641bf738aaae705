/** SHA-256 of the parts of a content that comes piece by piece. */

import { createHash } from 'node:crypto';

/** Digests of parts of one size. */
export class PartDigests {
  readonly #done: Buffer[] = [];
  #hash = createHash('sha256');
  #hashedBytes = 0;

  constructor(private readonly partBytes: number) {}

  update(bytes: Uint8Array): void {
    for (let taken = 0; taken < bytes.length; ) {
      const piece = bytes.subarray(taken, taken + this.partBytes - this.#hashedBytes);
      this.#hash.update(piece);
      this.#hashedBytes += piece.length;
      taken += piece.length;
      if (this.#hashedBytes === this.partBytes) this.#next();
    }
  }

  /** Of all parts, one after the other, the last one as long as it is. */
  digests(): Uint8Array {
    if (this.#hashedBytes > 0) this.#next();
    return Buffer.concat(this.#done);
  }

  #next(): void {
    this.#done.push(this.#hash.digest());
    this.#hash = createHash('sha256');
    this.#hashedBytes = 0;
  }
}
