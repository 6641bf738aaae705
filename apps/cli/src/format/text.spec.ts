import { describe, expect, it } from '@jest/globals';

import { formatCount, formatCountdown, formatCounted, formatDuration, formatSize, oneLine } from './text.js';

describe('formatCount', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
  ])('writes %d as %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });
});

describe('formatCounted', () => {
  it('knows one from many', () => {
    expect([formatCounted(0, 'file'), formatCounted(1, 'file'), formatCounted(2, 'entry', 'entries')]).toEqual(['0 files', '1 file', '2 entries']);
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1540, '1.5 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1 MB'],
    [3_000_000_000, '3 GB'],
    [2 ** 60, '1152.9 PB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [250, '250 ms'],
    [3_900, '3 s'],
    [60_000, '1 min'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [93_600_000, '1 d 2 h'],
    [86_400_000 + 5_000, '1 d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatCountdown', () => {
  it.each([
    [0, '0:00'],
    [0.2, '0:01'],
    [65, '1:05'],
    [3723, '1:02:03'],
  ])('writes %d s as %s', (seconds, text) => {
    expect(formatCountdown(seconds)).toBe(text);
  });
});

describe('oneLine', () => {
  it('T75: shows control characters and turns of direction as escapes, and leaves other names as they are', () => {
    expect(oneLine('a\nb\t\u001b[2J\u202egpj.exe "quoted" \u{1f600} é')).toBe('a\\nb\\t\\u001b[2J\\u202egpj.exe "quoted" \u{1f600} é');
  });
});
