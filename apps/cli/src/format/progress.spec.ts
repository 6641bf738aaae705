import { describe, expect, it } from '@jest/globals';

import { progressBar, progressText, type ProgressNumbers } from './progress.js';

const comparing: ProgressNumbers = { 'files-done': 1, 'bytes-done': 2_000, 'bytes-per-second': 1_000, 'entries-seen': 1_234 };
const copying: ProgressNumbers = {
  'files-done': 150,
  'files-total': 300,
  'bytes-done': 1_000_000,
  'bytes-total': 2_000_000,
  'bytes-per-second': 20_000,
  'entries-seen': 400,
};

describe('progressText', () => {
  it.each<[string, ProgressNumbers | undefined, string]>([
    ['before the first numbers', undefined, 'looking at both storages'],
    ['while the total grows', comparing, '1,234 entries compared, 1 file copied, 2 kB, 1 kB/s'],
    ['once the total is known', copying, '150 of 300 files, 1 MB of 2 MB, 20 kB/s, 0:50 left'],
    ['with nothing to copy', { 'files-done': 0, 'files-total': 0, 'bytes-done': 0, 'bytes-total': 0 }, '0 of 0 files, 0 B of 0 B'],
  ])('says how far it is %s', (_, progress, text) => {
    expect(progressText(progress)).toBe(text);
  });
});

describe('progressBar', () => {
  it('is as full as the work is done', () => {
    expect(progressBar(copying, 100, 0)).toBe(`[${'#'.repeat(20)}${'-'.repeat(20)}]  50%  150 of 300 files, 1 MB of 2 MB, 20 kB/s, 0:50 left`);
  });

  it('has a mark that wanders while nobody knows how much there is', () => {
    const at = (frame: number): string => progressBar(comparing, 65, frame);
    expect(at(0)).toBe('[###-------] 1,234 entries compared, 1 file copied, 2 kB, 1 kB/s');
    expect(at(1)).toBe('[-###------] 1,234 entries compared, 1 file copied, 2 kB, 1 kB/s');
    expect(at(7)).toBe('[-------###] 1,234 entries compared, 1 file copied, 2 kB, 1 kB/s');
    expect(at(13)).toBe(at(1));
    expect(at(14)).toBe(at(0));
  });

  it('is full when there was nothing to do', () => {
    expect(progressBar({ 'files-done': 0, 'files-total': 0, 'bytes-done': 0, 'bytes-total': 0 }, 80, 0)).toContain('100%');
  });

  it('leaves out what does not fit, and never reaches the last column', () => {
    for (let columns = 1; columns <= 120; columns += 1) {
      for (const progress of [copying, comparing, undefined]) expect(progressBar(progress, columns, 5).length).toBeLessThan(columns);
    }
    expect(progressBar(copying, 45, 0)).toBe(`[${'#'.repeat(9)}${'-'.repeat(10)}]  50%  150 of 300 files`);
    expect(progressBar(copying, 20, 0)).toBe('50%');
  });
});
