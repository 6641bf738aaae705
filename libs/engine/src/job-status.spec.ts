/** How jobs are shown: the status text of the original, byte for byte, and the status object, by its schema. */

import { describe, expect, it } from '@jest/globals';
import { toSha256 } from '@wl/domain';

import { conflictJson, conflictText, haltJson, STATE_NUMBERS, statusText, type StatusTextParts } from './job-status.js';
import { JOB, JobBench, storage } from './testing/job-bench.js';

const PARTS: StatusTextParts = {
  container: 'My photos',
  state: 'SYNCED',
  source: { type: 'local', backendId: 'one' },
  target: { type: 's3', backendId: 'two' },
  isUnidirectional: false,
  isContinuous: true,
  current: undefined,
  conflicts: [],
  error: undefined,
};

describe('the status text of a job', () => {
  it.each([
    [{}, "My photos SYNCED 'local'(backend_id=one) <-> 's3'(backend_id=two)"],
    [{ isUnidirectional: true }, "My photos SYNCED 'local'(backend_id=one) -> 's3'(backend_id=two)"],
    [{ isContinuous: false }, "My photos SYNCED 'local'(backend_id=one) <-> 's3'(backend_id=two) [one-shot]"],
    [{ isContinuous: false, isUnidirectional: true, state: 'STOPPED' }, "My photos STOPPED 'local'(backend_id=one) -> 's3'(backend_id=two) [one-shot]"],
    [
      { state: 'RUNNING', current: 'MODIFY d/x y', conflicts: [conflictText('p', 'one', 'two'), conflictText('q', 'one', 'two')], error: 'no space' },
      "My photos RUNNING 'local'(backend_id=one) <-> 's3'(backend_id=two)\n" +
        '   currently syncing: MODIFY d/x y\n' +
        '   Conflict detected on p in storages one and two\n' +
        '   Conflict detected on q in storages one and two\n' +
        '   [!] no space',
    ],
    [{ state: 'ONE_SHOT', current: 'DELETE x' }, "My photos ONE_SHOT 'local'(backend_id=one) <-> 's3'(backend_id=two)\n   currently syncing: DELETE x"],
    [{ state: 'SYNCED', current: 'CREATE x' }, "My photos SYNCED 'local'(backend_id=one) <-> 's3'(backend_id=two)"],
    [{ state: 'ERROR', current: 'CREATE x', error: 'gone' }, "My photos ERROR 'local'(backend_id=one) <-> 's3'(backend_id=two)\n   [!] gone"],
  ] satisfies [Partial<StatusTextParts>, string][])('of %j is that of the original', (parts, text) => {
    expect(statusText({ ...PARTS, ...parts })).toBe(text);
  });

  it('has the numbers of the original for the states', () => {
    expect(STATE_NUMBERS).toEqual({ STOPPED: 1, RUNNING: 2, SYNCED: 3, ONE_SHOT: 4, ERROR: 5 });
  });
});

describe('the command that a halt names', () => {
  const job = { container: 'photos', targetId: 'two', sourceId: 'one', isContinuous: true, isUnidirectional: false };
  const halt = { reason: 'mass-deletion', message: 'so much', side: 'source', option: '--allow-mass-delete' } as const;

  it.each([
    [{}, 'wl container sync --allow-mass-delete --source-storage one --target-storage two photos'],
    [{ isContinuous: false, isUnidirectional: true }, 'wl container sync --allow-mass-delete --source-storage one --target-storage two --one-shot --unidirectional photos'],
    [{ container: 'my photos' }, "wl container sync --allow-mass-delete --source-storage one --target-storage two 'my photos'"],
    [{ container: "it's; rm -rf $HOME" }, "wl container sync --allow-mass-delete --source-storage one --target-storage two 'it'\\''s; rm -rf $HOME'"],
    [{ sourceId: 'a`b', targetId: '' }, "wl container sync --allow-mass-delete --source-storage 'a`b' --target-storage '' photos"],
    [{ container: '~/Bilder/Höhe' }, "wl container sync --allow-mass-delete --source-storage one --target-storage two '~/Bilder/Höhe'"],
    [{ container: '-x' }, 'wl container sync --allow-mass-delete --source-storage one --target-storage two -- -x'],
  ])('for %j can be pasted into a shell', (more, command) => {
    expect(haltJson(halt, { ...job, ...more })).toEqual({ reason: 'mass-deletion', side: 'source', message: 'so much', command });
  });

  it('is left out where the cause must be mended first', () => {
    expect(haltJson({ reason: 'root-missing', message: 'gone' }, job)).toEqual({ reason: 'root-missing', message: 'gone' });
  });
});

describe('a conflict in the status object', () => {
  it('W-27: shows both versions, null for one that is not there, and since when', () => {
    const sha256 = toSha256('0'.repeat(64));
    expect(
      conflictJson({ path: 'p', reason: 'changed-and-deleted', source: { kind: 'file', sizeBytes: 3, sha256 }, target: { kind: 'absent' }, sinceMs: 0 }),
    ).toEqual({ path: 'p', reason: 'changed-and-deleted', source: { kind: 'file', size: 3, sha256 }, target: null, since: '1970-01-01T00:00:00.000Z' });
    expect(conflictJson({ path: 'p', reason: 'file-against-directory', source: { kind: 'directory' }, target: { kind: 'file', sizeBytes: 0, sha256: undefined } })).toEqual({
      path: 'p',
      reason: 'file-against-directory',
      source: { kind: 'directory' },
      target: { kind: 'file', size: 0 },
    });
  });
});

describe('the status of jobs, as its schema wants it', () => {
  it('is that of an idle daemon', () => {
    expect(new JobBench().status()).toEqual({ version: 1, daemon: { version: '1.2.3', pid: 42, since: '2026-01-01T00:00:00.000Z' }, jobs: [] });
  });

  it('shows a pass at work, with totals once they are known, and what it did afterwards', async () => {
    const bench = new JobBench();
    for (let i = 0; i < 12; i += 1) bench.tree('a').write(`f${String(i)}`, 'text');
    bench.onBackend = (backend) => backend.faults.delay('commit', 1000, { times: Infinity });
    await bench.start({ continuous: false });
    expect(bench.job()).toMatchObject({ state: 'ONE_SHOT', mode: 'one-shot', files: 0, since: '2026-01-01T00:00:00.000Z' });
    const seen = [];
    for (let second = 0; second < 14; second += 1) {
      await bench.clock.advance(1000);
      seen.push(bench.job());
      if (bench.job().state === 'SYNCED') break;
    }
    const working = seen.filter(({ state }) => state === 'ONE_SHOT');
    expect(working.some(({ current }) => current?.operation === 'CREATE')).toBe(true);
    expect(working.at(-1)?.progress?.['bytes-per-second']).toBeGreaterThan(0);
    expect(bench.manager.jobState(JOB)?.[0]).toBe(3);
    const done = bench.job();
    expect(done.current).toBeUndefined();
    expect(done.progress).toMatchObject({ 'files-done': 12, 'files-total': 12, 'bytes-done': 48, 'bytes-total': 48, 'entries-seen': 12 });
    expect(done).toMatchObject({ files: 12, bytes: 48, 'last-pass': { started: '2026-01-01T00:00:00.000Z', copied: 12, 'copied-bytes': 48, deleted: 0, conflicts: 0 } });
    expect(Date.parse(done['last-pass']!.finished)).toBeGreaterThan(Date.parse(done['last-pass']!.started));
  });

  it('shows what is running while it runs, in the text too', async () => {
    const bench = new JobBench();
    await bench.start();
    await bench.clock.advance(5000);
    bench.backends[1]!.faults.delay('flush', 1000);
    bench.tree('a').write('d/x', '1');
    await bench.clock.advance(500);
    expect(bench.job()).toMatchObject({ state: 'RUNNING', current: { operation: 'CREATE', path: 'd/x' } });
    expect(bench.manager.statusTexts()).toEqual(["photos RUNNING 'memory'(backend_id=a) <-> 'memory'(backend_id=b)\n   currently syncing: CREATE d/x"]);
    await bench.clock.advance(5000);
    expect(bench.manager.statusTexts()).toEqual(["photos SYNCED 'memory'(backend_id=a) <-> 'memory'(backend_id=b)"]);
    expect(bench.job()['lag-ms']).toBeGreaterThanOrEqual(1000);
  });

  it('W-23: lists the conflicts that exist now: once each, again after a restart, and no longer once they ended', async () => {
    const bench = new JobBench();
    await bench.synced({ p: 'base', q: '2' });
    const since = new Date(bench.clock.nowMs()).toISOString();
    bench.tree('a').write('p', 'left');
    bench.tree('b').write('p', 'right!');
    for (let i = 0; i < 3; i += 1) {
      await bench.clock.advance(16 * 60_000);
      expect(bench.job()).toMatchObject({ state: 'SYNCED', files: 1, bytes: 1, 'conflicts-total': 1 });
      expect(bench.job().conflicts).toMatchObject([{ path: 'p', reason: 'both-changed', source: { size: 4 }, target: { size: 6 } }]);
      expect(bench.job().conflicts[0]!.since! >= since).toBe(true);
      expect(bench.manager.statusTexts()).toEqual([
        "photos SYNCED 'memory'(backend_id=a) <-> 'memory'(backend_id=b)\n   Conflict detected on p in storages a and b",
      ]);
      await bench.restart('killed');
    }
    bench.tree('b').write('p', 'left');
    await bench.clock.advance(5000);
    expect(bench.job()).toMatchObject({ conflicts: [], 'conflicts-total': 0, files: 2, 'last-pass': { conflicts: 0 } });
  });

  it('names the storages of the text in the order of the job, also where the pair was begun the other way round', async () => {
    const bench = new JobBench();
    bench.tree('a').write('p', 'left');
    bench.tree('b').write('p', 'right!');
    await bench.start({ continuous: false });
    await bench.clock.advance(5000);
    await bench.start({ 'job-id': '0xaa|c1|a', source: storage('b'), target: storage('a'), continuous: false });
    await bench.clock.advance(5000);
    expect(bench.manager.statusTexts()[1]).toContain('Conflict detected on p in storages b and a');
    expect(bench.job('0xaa|c1|a').conflicts).toMatchObject([{ source: { size: 6 }, target: { size: 4 } }]);
  });

  it('lists problems until they are gone, also past passes over other paths, and what is skipped', async () => {
    const bench = new JobBench();
    bench.tree('a').symlink('link', '/etc/passwd');
    bench.tree('a').special('pipe');
    bench.tree('a').write('secret', '1');
    bench.tree('a').setUnreadable('secret', true);
    await bench.start();
    await bench.clock.advance(5000);
    bench.tree('a').write('other', '1');
    await bench.clock.advance(5000);
    const job = bench.job();
    expect(job.problems).toMatchObject([{ path: 'secret', side: 'source', reason: 'permission-denied' }]);
    expect(job.skipped.map(({ path, reason }) => `${path} ${reason}`).sort()).toEqual(['link symlink', 'pipe special-file']);
    expect(job).toMatchObject({ state: 'SYNCED', files: 1, 'problems-total': 1, 'skipped-total': 2 });
    bench.tree('a').setUnreadable('secret', false);
    await bench.clock.advance(16 * 60_000);
    expect(bench.job()).toMatchObject({ problems: [], files: 2 });
  });

  it('shows a halt with its reason, its message and the command that goes on, and a halt in one-shot mode', async () => {
    const bench = new JobBench();
    await bench.synced(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${String(i)}`, 'x'])), { continuous: false });
    for (let i = 0; i < 30; i += 1) bench.tree('a').remove(`f${String(i)}`);
    await bench.start({ continuous: false, 'container-name': 'my photos' });
    await bench.clock.advance(5000);
    const job = bench.job();
    expect(job).toMatchObject({
      state: 'ERROR',
      files: 30,
      halt: { side: 'source', command: "wl container sync --allow-mass-delete --source-storage a --target-storage b --one-shot 'my photos'" },
    });
    expect(job.error).toBe(job.halt?.message);
    expect(bench.manager.statusTexts()[0]).toBe(`my photos ERROR 'memory'(backend_id=a) <-> 'memory'(backend_id=b) [one-shot]\n   [!] ${job.halt!.message}`);
  });

  it('tells a halt that stays once, however often the job tries', async () => {
    const bench = new JobBench();
    await bench.synced({ x: '1' });
    bench.tree('a').unmount();
    await bench.clock.advance(3_600_000);
    expect(bench.log.filter(({ message }) => message === 'halted')).toHaveLength(1);
    expect(bench.job()).toMatchObject({ state: 'ERROR', halt: { reason: 'root-missing' } });
  });

  it('shows an error of a whole storage until the job works again', async () => {
    const bench = new JobBench();
    await bench.synced({ x: '1' });
    bench.backends[1]!.faults.fail('*', { code: 'unauthorized', times: 20 });
    bench.tree('a').write('x', '2');
    await bench.clock.advance(300);
    expect(bench.job()).toMatchObject({ state: 'ERROR', error: expect.stringContaining('unauthorized') as unknown });
    bench.backends[1]!.faults.clear();
    await bench.clock.advance(120_000);
    expect(bench.job()).toMatchObject({ state: 'SYNCED', files: 1 });
    expect(bench.job().error).toBeUndefined();
    expect(bench.tree('b').text('x')).toBe('2');
  });

  it('shows the plan of a dry run, in order, and that nothing was done', async () => {
    const bench = new JobBench();
    await bench.synced({ gone: '1', keep: '2', p: '3' }, { continuous: false });
    bench.tree('a').remove('gone');
    bench.tree('a').write('d/new', 'four');
    bench.tree('a').write('p', 'left');
    bench.tree('b').write('p', 'right');
    await bench.start({ 'job-id': `${JOB}|dry-run`, continuous: false, 'dry-run': true });
    await bench.clock.advance(5000);
    const pass = bench.job(`${JOB}|dry-run`)['last-pass']!;
    expect(pass.plan).toHaveLength(pass['plan-total']!);
    expect(pass.plan).toEqual(
      expect.arrayContaining([
        { operation: 'CREATE', side: 'target', path: 'd', directory: true, size: 0 },
        { operation: 'CREATE', side: 'target', path: 'd/new', directory: false, size: 4 },
        { operation: 'DELETE', side: 'target', path: 'gone', directory: false, size: 1 },
        expect.objectContaining({ operation: 'CONFLICT', side: 'both', path: 'p' }),
      ]),
    );
    expect(bench.tree('b').snapshot()).toEqual({ gone: '1', keep: '2', p: 'right' });
  });

  it('notes what a watcher tells of itself', async () => {
    const bench = new JobBench();
    await bench.start();
    bench.backends[0]!.events.degrade('no more watches; looking every 30 s');
    await bench.clock.advance(1000);
    expect(bench.job().notes).toEqual(['memory(a): no more watches; looking every 30 s']);
  });

  it('cuts long lists and counts all', async () => {
    const bench = new JobBench();
    for (let i = 0; i < 1100; i += 1) {
      bench.tree('a').write(`f${String(i)}`, 'left');
      bench.tree('b').write(`f${String(i)}`, 'right');
      bench.tree('a').symlink(`l${String(i)}`, 'x');
    }
    await bench.start({ continuous: false });
    await bench.clock.advance(5000);
    const job = bench.job();
    expect([job.conflicts.length, job['conflicts-total'], job.skipped.length, job['skipped-total']]).toEqual([1000, 1100, 1000, 1100]);
    expect(bench.manager.statusTexts()[0]!.split('\n')).toHaveLength(1002);
    expect(bench.manager.statusTexts()[0]).toMatch(/\n {3}… and 100 more conflicts$/);
  });
});
