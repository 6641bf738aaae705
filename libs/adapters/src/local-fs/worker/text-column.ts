/**
 * Many short texts one after the other, as bytes that can change hands between threads.
 * Tokens are written digit by digit: making a string of each first costs five times as much.
 */

import { TOKEN_SEPARATOR } from '@wl/ports';

const SEPARATOR = TOKEN_SEPARATOR.charCodeAt(0);
const ZERO = 48;
const DOT = 46;
/** No text that is put digit by digit is longer; a number has 16 digits at most. */
const LONGEST_DIGITS = 128;

/** ASCII texts of a column, in the order they were begun. */
export class TextColumn {
  private bytes: Uint8Array<ArrayBuffer>;
  private length = 0;
  private isFirst = true;

  /** `bytes`: about how many there will be; more are taken as needed. */
  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes + LONGEST_DIGITS);
  }

  /** Begins the next text; what is put from here on belongs to it. */
  beginText(): void {
    this.reserve(LONGEST_DIGITS);
    if (!this.isFirst) this.bytes[this.length++] = SEPARATOR;
    this.isFirst = false;
  }

  /** Adds a whole text of ASCII. */
  add(text: string): void {
    this.beginText();
    this.reserve(text.length + LONGEST_DIGITS);
    this.putText(text);
  }

  /** Puts a whole number from 0 to 2^53 in decimal. */
  putNumber(value: number): void {
    if (value < 1e9) this.putDigits(value, digitsOf(value));
    else {
      // Halves, since whole numbers of 32 bits are divided several times faster.
      const upper = Math.floor(value / 1e9);
      this.putDigits(upper, digitsOf(upper));
      this.putDigits(value - upper * 1e9, 9);
    }
  }

  /** Puts a number of less than 10^9 with leading zeros. */
  putDigits(value: number, digits: number): void {
    const { bytes } = this;
    let rest = value | 0;
    for (let at = this.length + digits - 1; at >= this.length; at -= 1) {
      const next = (rest / 10) | 0;
      bytes[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.length += digits;
  }

  /** Puts a short text of ASCII. */
  putText(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.bytes[this.length++] = text.charCodeAt(i);
  }

  putDot(): void {
    this.bytes[this.length++] = DOT;
  }

  /** The texts, joined; the column is empty again then. */
  take(): Uint8Array<ArrayBuffer> {
    const texts = this.bytes.slice(0, this.length);
    this.length = 0;
    this.isFirst = true;
    return texts;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const larger = new Uint8Array((this.length + bytes) * 2);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit && digits < 9; limit *= 10) digits += 1;
  return digits;
}
