import { describe, expect, it } from '@jest/globals';
import type { StatusJob } from '@wl/ports/schemas';

import { someJob } from '../testing/fake-daemon.js';
import { createColors } from './colors.js';
import { jobLines, statusLines, type StatusView } from './status-text.js';

const view: StatusView = { nowMs: Date.parse('2026-11-22T20:20:00Z'), colors: createColors(false), toCommand: (command) => command };
const statusOf = (...jobs: StatusJob[]) => ({ version: 1 as const, daemon: { version: 'source', pid: 1, since: '2026-11-22T20:00:00Z' }, jobs });

describe('statusLines', () => {
  it('says that no job is running', () => {
    expect(statusLines(statusOf(), view)).toEqual(['No sync jobs running']);
  });

  it('T21: tells what happened to the files of the daemon, with which jobs may have gone', () => {
    const status = statusOf();
    const damaged = { ...status, daemon: { ...status.daemon, notes: ['The state database was damaged.'] } };
    expect(statusLines(damaged, view)).toEqual(['No sync jobs running', '', 'Note: The state database was damaged.']);
  });

  it('shows each job with the text of the original first', () => {
    expect(statusLines(statusOf(someJob(), someJob({ container: 'docs', mode: 'one-shot', unidirectional: true })), view)).toEqual([
      'Sync jobs:',
      "photos SYNCED 'local'(backend_id=one) <-> 'local'(backend_id=two)",
      '   7 files (122.5 kB) in sync',
      "docs SYNCED 'local'(backend_id=one) -> 'local'(backend_id=two) [one-shot]",
      '   7 files (122.5 kB) in sync',
    ]);
  });

  it('INV-36: lists the conflicts there are now, and how to settle one', () => {
    const conflicts = [{ path: 'notes.txt', reason: 'both-changed', source: null, target: null }];
    const lines = statusLines(statusOf(someJob({ conflicts })), view);
    expect(lines[2]).toBe('   Conflict detected on notes.txt in storages one and two');
    expect(lines.at(-1)).toContain('wl container resolve');
    expect(statusLines(statusOf(someJob()), view).join('\n')).not.toContain('onflict');
  });
});

describe('jobLines', () => {
  it('tells what a running job does', () => {
    const running = someJob({
      state: 'RUNNING',
      current: { operation: 'CREATE', path: 'trip/1.jpg' },
      progress: { 'files-done': 3, 'files-total': 10, 'bytes-done': 1_000 },
      source: { type: 'local', 'backend-id': 'one', location: '/home/ann/Photos' },
      target: { type: 's3', 'backend-id': 'two', location: 's3://bucket/photos/', watching: 'every 30 s' },
      since: '2026-11-22T20:19:00Z',
      'lag-ms': 250,
      'last-pass': { started: '2026-11-22T20:15:01Z', finished: '2026-11-22T20:15:00Z', files: 7, bytes: 1, copied: 4, 'copied-bytes': 1_000, deleted: 2, conflicts: 0 },
      notes: ['the target compares and then replaces'],
    });
    expect(jobLines(running, view)).toEqual([
      "photos RUNNING 'local'(backend_id=one) <-> 's3'(backend_id=two)",
      '   currently syncing: CREATE trip/1.jpg',
      '   /home/ann/Photos <-> s3://bucket/photos/ (looked at every 30 s)',
      '   7 files (122.5 kB) in sync; RUNNING for 1 min; copied 3 of 10 files (1 kB) so far; last pass 5 min ago: 4 copied (1 kB), 2 deleted; lag 250 ms',
      '   [i] the target compares and then replaces',
    ]);
  });

  it('shows a halt with its reason and the command that goes on', () => {
    const halted = someJob({
      state: 'ERROR',
      error: '600 of 1000 files would be deleted',
      halt: { reason: 'mass-deletion', message: '600 of 1000 files would be deleted', command: 'wl container sync --allow-mass-delete photos' },
    });
    const withBase = { ...view, toCommand: (command: string) => command.replace('wl ', 'wl --base-dir /b ') };
    expect(jobLines(halted, withBase).slice(1, 3)).toEqual([
      '   [!] 600 of 1000 files would be deleted',
      '   To go on: wl --base-dir /b container sync --allow-mass-delete photos',
    ]);
  });

  it('tells what helps where credentials are refused', () => {
    const error = "the target storage 's3'(backend_id=two) cannot be used: unable to list: unauthorized (no such key). Nothing was changed on the source.";
    expect(jobLines(someJob({ state: 'ERROR', error }), view)[2]).toMatch(/^ {3}Hint: .*`wl stop`.*wl storage create s3/);
    expect(jobLines(someJob({ state: 'ERROR', error: error.replace('unauthorized', 'unreachable') }), view).join('\n')).not.toContain('Hint');
  });

  it('lists problems and skipped places per path, counting what the daemon left out', () => {
    const job = someJob({
      problems: [{ path: 'locked.txt', side: 'source', reason: 'permission-denied', message: 'permission denied' }],
      'problems-total': 3,
      skipped: [{ path: 'link', side: 'target', reason: 'symlink' }],
    });
    expect(jobLines(job, view).slice(1, 4)).toEqual([
      '   Problem with locked.txt (source): permission denied',
      '   … and 2 more problems',
      '   Skipped link (target): symlink',
    ]);
  });

  it('T75: keeps one line a path, whatever its name', () => {
    const conflicts = [{ path: 'a\nb\u001b[31m', reason: 'both-changed', source: null, target: null }];
    expect(jobLines(someJob({ conflicts }), view)[1]).toBe('   Conflict detected on a\\nb\\u001b[31m in storages one and two');
  });

  it('leaves ages out where a text is printed when it changes', () => {
    const job = someJob({ since: '2026-11-22T20:19:00Z' });
    expect(jobLines(job, { ...view, nowMs: undefined }).join('\n')).not.toContain('SYNCED for');
  });

  it('colours states only where colours are wanted', () => {
    expect(jobLines(someJob(), { ...view, colors: createColors(true) })[0]).toContain('\u001b[32mSYNCED');
  });
});
