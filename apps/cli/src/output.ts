/**
 * Where a command writes. Results go to standard output, everything about getting them (errors,
 * notices, progress) to standard error, so that `$(wl …)` and pipes hold results alone.
 */

import type { Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** How much to say on standard error. */
export type Verbosity = 'quiet' | 'normal' | 'verbose';

/** Writes for one command. */
export class Output {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(
    readonly stdout: OutputStream,
    readonly stderr: OutputStream,
    env: Readonly<Record<string, string | undefined>>,
    readonly verbosity: Verbosity = 'normal',
  ) {
    this.#env = env;
  }

  /** A line of the result. */
  line(text = ''): void {
    this.stdout.write(`${text}\n`);
  }

  /** Lines of the result. */
  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text);
  }

  /** What the user should know beside the result; `--quiet` leaves it out. */
  notice(text: string): void {
    if (this.verbosity !== 'quiet') this.stderr.write(`${text}\n`);
  }

  /** What only `--verbose` tells. */
  detail(text: string): void {
    if (this.verbosity === 'verbose') this.stderr.write(`${text}\n`);
  }

  /** Why the command failed, or what of it did. */
  error(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** Whether a stream takes colours and a moving cursor. */
  isRich(stream: OutputStream): boolean {
    return stream.isTTY === true && !this.#env['NO_COLOR'] && this.#env['TERM'] !== 'dumb';
  }
}
