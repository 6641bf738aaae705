/**
 * Shows the progress of a sync on standard error: a line that is painted over on a terminal,
 * else plain lines, seldom enough for a log.
 */

import type { Clock } from '@wl/ports';

import { progressBar, progressText, type ProgressNumbers } from '../format/progress.js';
import type { Output, OutputStream } from '../output.js';

/** Shows numbers as they change. */
export interface ProgressView {
  update(progress: ProgressNumbers | undefined): void;
  /** Removes what was painted; nothing is shown after this. */
  end(): void;
}

/** Time between two plain lines, in milliseconds. */
const PLAIN_PAUSE_MS = 2_000;
const DEFAULT_COLUMNS = 80;
const BEGINNING_OF_LINE = '\r';
const CLEAR_TO_END = '\u001b[K';

/** The view that fits the output. */
export function createProgressView(output: Output, clock: Clock): ProgressView {
  if (output.verbosity === 'quiet') return { update: () => undefined, end: () => undefined };
  return output.isRich(output.stderr) ? new PaintedProgress(output.stderr) : new PlainProgress(output.stderr, clock);
}

class PaintedProgress implements ProgressView {
  #painted = '';
  #frame = 0;

  constructor(private readonly stream: OutputStream) {}

  update(progress: ProgressNumbers | undefined): void {
    // Asked each time: the window may have been resized. A terminal that does not know its size says 0.
    const text = progressBar(progress, this.stream.columns || DEFAULT_COLUMNS, this.#frame);
    this.#frame += 1;
    if (text === this.#painted) return;
    this.#painted = text;
    this.stream.write(BEGINNING_OF_LINE + text + CLEAR_TO_END);
  }

  end(): void {
    if (this.#painted !== '') this.stream.write(BEGINNING_OF_LINE + CLEAR_TO_END);
    this.#painted = '';
  }
}

class PlainProgress implements ProgressView {
  #writtenMs: number;
  #written = '';

  constructor(
    private readonly stream: OutputStream,
    private readonly clock: Clock,
  ) {
    this.#writtenMs = clock.monotonicMs();
  }

  update(progress: ProgressNumbers | undefined): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#writtenMs < PLAIN_PAUSE_MS) return;
    const text = progressText(progress);
    if (text === this.#written) return;
    this.#writtenMs = nowMs;
    this.#written = text;
    this.stream.write(`${text}\n`);
  }

  end(): void {
    // Each line stands for itself.
  }
}
