import { describe, expect, it } from '@jest/globals';
import type { StatusJob, StatusPlanned } from '@wl/ports/schemas';

import { someJob } from '../testing/fake-daemon.js';
import { interruptedText, planSummary, summaryOf } from './summary.js';

const same = (command: string): string => command;
const pass: NonNullable<StatusJob['last-pass']> = {
  started: '2026-11-22T20:15:01Z',
  finished: '2026-11-22T20:15:02Z',
  files: 7,
  bytes: 122_500,
  copied: 2,
  'copied-bytes': 1_000,
  deleted: 1,
  conflicts: 0,
};

describe('summaryOf', () => {
  it('ends with success when both sides agree', () => {
    expect(summaryOf(someJob({ 'last-pass': pass }), same)).toEqual({
      lines: ['Copied 2 files (1 kB), deleted 1 file; 7 files (122.5 kB) in sync.', 'Sync successful.'],
      errors: [],
    });
  });

  it('says of how many files only the permissions changed', () => {
    expect(summaryOf(someJob({ 'last-pass': { ...pass, permissions: 1 } }), same).lines[0]).toBe('Copied 2 files (1 kB), deleted 1 file, changed the permissions of 1 file; 7 files (122.5 kB) in sync.');
  });

  it('lists what is not in sync and counts it at the end', () => {
    const job = someJob({
      conflicts: [{ path: 'a', reason: 'both-changed', source: null, target: null }],
      problems: [{ path: 'b', side: 'target', reason: 'no-space', message: 'no space left' }],
      skipped: [{ path: 'c', side: 'source', reason: 'symlink' }],
    });
    expect(summaryOf(job, same).lines).toEqual([
      'Conflict detected on a in storages one and two',
      'Problem with b (target): no space left',
      'Skipped c (source): symlink',
      'Sync successful. Not in sync: 1 conflict, 1 problem, 1 skipped.',
    ]);
  });

  it('says on standard error why a sync failed', () => {
    expect(summaryOf(someJob({ state: 'ERROR', error: 'the state is damaged' }), same)).toEqual({ lines: [], errors: ['Sync error: the state is damaged'] });
  });

  it('gives the command that goes on after a halt', () => {
    const halt = { reason: 'side-emptied', message: 'the target is empty', command: 'wl container sync --allow-mass-delete photos' };
    expect(summaryOf(someJob({ state: 'ERROR', halt }), same).errors).toEqual([
      'Sync error: the target is empty',
      'To go on: wl container sync --allow-mass-delete photos',
    ]);
  });
});

describe('planSummary', () => {
  it('says that there is nothing to do', () => {
    expect(planSummary(someJob({ 'last-pass': pass }), same).lines).toEqual(['Nothing to do. Nothing was changed.']);
  });

  it('prints the plan in order and what it comes to', () => {
    const plan: StatusPlanned[] = [
      { operation: 'CREATE', side: 'target', path: 'd', directory: true, size: 0 },
      { operation: 'CREATE', side: 'target', path: 'd/new', size: 2_000 },
      { operation: 'MODIFY', side: 'source', path: 'old', size: 500 },
      { operation: 'DELETE', side: 'source', path: 'gone', size: 12 },
      { operation: 'CONFLICT', side: 'both', path: 'both' },
    ];
    expect(planSummary(someJob({ 'last-pass': { ...pass, plan, 'plan-total': 5 } }), same).lines).toEqual([
      'CREATE target d/',
      'CREATE target d/new (2 kB)',
      'MODIFY source old (500 B)',
      'DELETE source gone',
      'CONFLICT both both',
      'This would create 2, change 1, delete 1 (2.5 kB to copy) and leave 1 conflict. Nothing was changed.',
    ]);
  });

  it('does not pretend that a cut plan is all', () => {
    const plan: StatusPlanned[] = [{ operation: 'DELETE', side: 'target', path: 'a' }];
    expect(planSummary(someJob({ 'last-pass': { ...pass, plan, 'plan-total': 1_001 } }), same).lines.slice(1)).toEqual([
      '… and 1,000 more operations',
      'The operations shown would create 0, change 0, delete 1. Nothing was changed.',
    ]);
  });
});

describe('interruptedText', () => {
  it('says what had been copied and that the next run goes on', () => {
    expect(interruptedText(someJob({ progress: { 'files-done': 12, 'bytes-done': 3_400_000 } }))).toBe(
      'Interrupted. 12 files (3.4 MB) had been copied. Every file is whole; the same command goes on from here.',
    );
    expect(interruptedText(undefined)).toBe('Interrupted. Every file is whole; the same command goes on from here.');
  });
});
