import { describe, expect, it } from '@jest/globals';
import type { StatusJob } from '@wl/ports/schemas';

import { EXIT, exitCodeOf, unsyncedOf } from './exit-codes.js';
import { someJob } from './testing/fake-daemon.js';

const conflict = { path: 'a', reason: 'both-changed', source: null, target: null };
const pass = { started: '2026-11-22T20:15:01Z', finished: '2026-11-22T20:15:02Z', files: 1, bytes: 1, copied: 0, deleted: 0, conflicts: 0 };

describe('exitCodeOf', () => {
  it.each<[string, Partial<StatusJob>, number]>([
    ['0 when both sides agree', {}, EXIT.ok],
    ['3 for a conflict', { conflicts: [conflict] }, EXIT.unsynced],
    ['3 for a conflict that was cut from the list', { 'conflicts-total': 1 }, EXIT.unsynced],
    ['3 for a problem', { problems: [{ path: 'a', side: 'source', reason: 'no-space', message: 'no space' }] }, EXIT.unsynced],
    ['3 for a skipped link', { skipped: [{ path: 'a', side: 'source', reason: 'symlink' }] }, EXIT.unsynced],
    ['1 for an error', { state: 'ERROR', error: 'broken' }, EXIT.failed],
    ['1 for a halt, whatever else there is', { state: 'ERROR', halt: { reason: 'root-missing', message: 'gone' }, conflicts: [conflict] }, EXIT.failed],
    ['3 for a dry run that would leave a conflict', { 'last-pass': { ...pass, conflicts: 1, plan: [{ operation: 'CONFLICT', side: 'both', path: 'a' }] } }, EXIT.unsynced],
    ['0 for a dry run that would copy', { 'last-pass': { ...pass, plan: [{ operation: 'CREATE', side: 'target', path: 'a' }] } }, EXIT.ok],
  ])('is %s', (_, fields, code) => {
    expect(exitCodeOf(someJob({ mode: 'one-shot', ...fields }))).toBe(code);
  });
});

describe('unsyncedOf', () => {
  it('counts what the lists leave out', () => {
    expect(unsyncedOf(someJob({ 'conflicts-total': 5000, 'problems-total': 2, 'skipped-total': 3 }))).toEqual({ conflicts: 5000, problems: 2, skipped: 3 });
  });
});
