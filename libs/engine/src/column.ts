/**
 * One column of a run of rows, read from the front: texts in a list, or joined ones, of which none
 * is cut out before it is asked for (ADR 0015).
 */

import { startOfJoined } from '@wl/ports';

/** A column; the first text is at hand after the first `next`. */
export interface Column {
  /** The text at hand. */
  readonly value: string;
  /** Moves on to the next text; `false` behind the last one. */
  next(): boolean;
}

/** A column of texts in a list. */
export class ListColumn implements Column {
  readonly #texts: readonly string[];
  #index = -1;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  get value(): string {
    return this.#texts[this.#index]!;
  }

  next(): boolean {
    this.#index += 1;
    return this.#index < this.#texts.length;
  }
}

/** The column of a batch that is not there yet. */
export const NO_COLUMN: Column = new ListColumn([]);

/** A column of texts that a separator joins. */
export class JoinedColumn implements Column {
  readonly text: string;
  readonly separator: string;
  #start: number;
  #end: number;

  constructor(text: string, separator: string) {
    this.text = text;
    this.separator = separator;
    this.#start = this.#end = -separator.length;
  }

  /** Where the text at hand begins; behind the last one, where another would. */
  get start(): number {
    return this.#start;
  }

  get value(): string {
    return this.text.slice(this.#start, this.#end);
  }

  next(): boolean {
    const start = (this.#start = this.#end + this.separator.length);
    const end = this.text.indexOf(this.separator, start);
    this.#end = end < 0 ? this.text.length : end;
    return start <= this.text.length;
  }

  /** Moves on to the last of the texts in the next `length` units, from the one at hand on and each with the separator behind it. */
  passOver(length: number): void {
    this.#end = this.#start + length - this.separator.length;
    this.#start = startOfJoined(this.text, this.separator, this.#end);
  }
}
