import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@wl/ports/testing';

import { Output } from '../output.js';
import { CapturedStream } from '../testing/captured-stream.js';
import { createProgressView } from './progress-view.js';

const numbers = (filesDone: number) => ({ 'files-done': filesDone, 'files-total': 10, 'bytes-done': 0 });

function viewOn(options: { isTTY: boolean; env?: Record<string, string>; isQuiet?: boolean }) {
  const stderr = new CapturedStream(options);
  const clock = new ManualClock();
  const output = new Output(new CapturedStream(), stderr, options.env ?? {}, options.isQuiet === true ? 'quiet' : 'normal');
  return { stderr, clock, view: createProgressView(output, clock) };
}

describe('createProgressView', () => {
  it('paints one line over and over on a terminal, and removes it at the end', () => {
    const { stderr, view } = viewOn({ isTTY: true });
    view.update(numbers(1));
    view.update(numbers(1));
    view.update(numbers(2));
    view.end();
    expect(stderr.text.split('\r').slice(1)).toEqual([
      expect.stringContaining('1 of 10 files'),
      expect.stringContaining('2 of 10 files'),
      '\u001b[K',
    ]);
    expect(stderr.text).not.toContain('\n');
  });

  it.each([
    ['no terminal', { isTTY: false }],
    ['NO_COLOR', { isTTY: true, env: { NO_COLOR: '1' } }],
    ['a dumb terminal', { isTTY: true, env: { TERM: 'dumb' } }],
  ])('writes plain lines, at most one in two seconds, with %s', async (_, options) => {
    const { stderr, clock, view } = viewOn(options);
    for (let step = 0; step < 10; step += 1) {
      view.update(numbers(step));
      await clock.advance(500);
    }
    view.end();
    expect(stderr.text).toBe('4 of 10 files, 0 B of 0 B\n8 of 10 files, 0 B of 0 B\n');
  });

  it('is silent with --quiet', async () => {
    const { stderr, clock, view } = viewOn({ isTTY: true, isQuiet: true });
    await clock.advance(5_000);
    view.update(numbers(1));
    view.end();
    expect(stderr.text).toBe('');
  });
});
