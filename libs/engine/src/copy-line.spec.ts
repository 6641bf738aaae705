/** Chunks on their way: side by side as told, rows behind them, no failure unnoticed. */

import { describe, expect, it } from '@jest/globals';

import { CopyLine } from './copy-line.js';

/** Steps that end when told to, and a record of what began and ended. */
class Steps {
  readonly log: string[] = [];
  readonly #ends = new Map<string, (error?: Error) => void>();

  begin(name: string): Promise<void> {
    this.log.push(`begin ${name}`);
    return new Promise((resolve, reject) => {
      this.#ends.set(name, (error) => {
        this.log.push(`end ${name}`);
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** Ends a step and lets everything run that follows from it. */
  async end(name: string, error?: Error): Promise<void> {
    this.#ends.get(name)!(error);
    this.#ends.delete(name);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function lineOver(steps: Steps): CopyLine {
  let writings = 0;
  return new CopyLine(() => steps.begin(`rows ${String((writings += 1))}`));
}

describe('a line of copies', () => {
  it('INV-40: begins a chunk once there is room, beside the writing of rows', async () => {
    const steps = new Steps();
    const line = lineOver(steps);
    await line.begin(2, () => steps.begin('a'));
    await line.begin(2, () => steps.begin('b'));
    const third = line.begin(2, () => steps.begin('c'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(steps.log).toEqual(['begin a', 'begin b']);
    await steps.end('b');
    await third;
    expect(steps.log).toEqual(['begin a', 'begin b', 'end b', 'begin rows 1', 'begin c']);
  });

  it('writes the rows of one chunk after the other, never two at a time', async () => {
    const steps = new Steps();
    const line = lineOver(steps);
    await line.begin(2, () => steps.begin('a'));
    await line.begin(2, () => steps.begin('b'));
    await steps.end('b');
    await steps.end('a');
    expect(steps.log).toEqual(['begin a', 'begin b', 'end b', 'begin rows 1', 'end a']);
    // A chunk begins beside one writing, but the one behind it waits for that.
    await line.begin(2, () => steps.begin('c'));
    let isBegun = false;
    const next = line.begin(2, () => steps.begin('d')).then(() => (isBegun = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isBegun).toBe(false);
    await steps.end('rows 1');
    await steps.end('rows 2');
    await next;
    expect(steps.log.slice(5)).toEqual(['begin c', 'end rows 1', 'begin rows 2', 'end rows 2', 'begin d']);
  });

  it('where one chunk is copied at a time, writes its rows before the next', async () => {
    const steps = new Steps();
    const line = lineOver(steps);
    await line.begin(1, () => steps.begin('a'));
    const second = line.begin(1, () => steps.begin('b'));
    await steps.end('a');
    await steps.end('rows 1');
    await second;
    await steps.end('b');
    await steps.end('rows 2');
    await line.settle();
    expect(steps.log).toEqual(['begin a', 'end a', 'begin rows 1', 'end rows 1', 'begin b', 'end b', 'begin rows 2', 'end rows 2']);
  });

  it.each(['a', 'b', 'rows 1'])('begins nothing more after %s failed, and settles only when all has ended', async (failing) => {
    const steps = new Steps();
    const line = lineOver(steps);
    const error = new Error(failing);
    await line.begin(2, () => steps.begin('a'));
    await line.begin(2, () => steps.begin('b'));
    await steps.end('a', failing === 'a' ? error : undefined);
    if (failing === 'b') await steps.end('b', error);
    await steps.end('rows 1', failing === 'rows 1' ? error : undefined);
    await expect(line.begin(2, () => steps.begin('c'))).rejects.toBe(error);
    let isSettled = false;
    const settled = line.settle().finally(() => (isSettled = true));
    settled.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isSettled).toBe(false);
    if (failing !== 'b') await steps.end('b');
    await steps.end('rows 2');
    await expect(settled).rejects.toBe(error);
    expect(steps.log).not.toContain('begin c');
  });
});
