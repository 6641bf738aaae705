/** Standard input that passes for a terminal, and knows whether it shows what is typed. */

import { PassThrough } from 'node:stream';

/** What is written to it is typed. */
export class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  /** Raw: nothing is shown, and Ctrl-C is a key. */
  isRaw = false;

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
}
