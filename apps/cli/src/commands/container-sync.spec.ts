import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StatusJob } from '@wl/ports/schemas';

import { someJob } from '../testing/fake-daemon.js';
import { TestBench } from '../testing/test-bench.js';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

/** Lets the daemon run a one-shot job through these stages, one for each look at it. */
function courseOf(id: string, ...stages: Partial<StatusJob>[]): void {
  const { daemon } = bench;
  daemon.answers['status-json'] = () => {
    const stage = stages.length > 1 ? stages.shift() : stages[0];
    const job = someJob({ 'job-id': id, mode: 'one-shot', ...stage });
    return { version: 1, daemon: { version: 'source', pid: 4711, since: '2026-11-22T20:15:00Z' }, jobs: [job] };
  };
}

describe('wl container sync', () => {
  it('starts a continuous job, the daemon first where none runs, and returns', async () => {
    const { id } = await bench.container('photos', 'one', 'two');
    const ran = await bench.wl('container', 'sync', 'photos');
    expect(ran).toEqual({ exitCode: 0, stdout: 'Using remote backend two of type local.\n', stderr: '' });
    expect(bench.launches).toBe(1);
    expect(bench.daemon.argsOf('start')).toEqual([
      {
        'container-name': 'photos',
        'job-id': `${id}|two`,
        source: expect.objectContaining({ type: 'local', 'backend-id': 'one', 'is-local-owner': true }),
        target: expect.objectContaining({ type: 'local', 'backend-id': 'two' }),
        continuous: true,
        unidirectional: false,
      },
    ]);
  });

  it('passes on direction, patterns and permissions', async () => {
    await bench.container('photos', 'one', 'two');
    await bench.wl('container', 'modify', 'photos', '--add-ignore', '*.tmp');
    await bench.wl('container', 'sync', 'photos', '--unidirectional', '--allow-mass-delete', '--accept-new-root');
    expect(bench.daemon.argsOf('start')).toMatchObject([
      { unidirectional: true, ignore: ['*.tmp'], 'allow-mass-delete': true, 'accept-new-root': true },
    ]);
  });

  it('remembers a named target once the job has started', async () => {
    await bench.container('photos', 'one', 'two', 'three');
    await bench.wl('container', 'sync', 'photos', '--target-storage', 'three');
    await bench.wl('container', 'sync', 'photos');
    expect(bench.daemon.argsOf('start').map((args) => args['target'])).toMatchObject([{ 'backend-id': 'three' }, { 'backend-id': 'three' }]);
  });

  it('W-42: does not remember a target with which no job started', async () => {
    await bench.container('photos', 'one', 'two', 'three');
    bench.daemon.answers.start = () => {
      throw Object.assign(new Error('it is busy'), { className: 'WildlandError' });
    };
    expect(await bench.wl('container', 'sync', 'photos', '--target-storage', 'three')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Error: WildlandError: it is busy\n',
    });
    delete bench.daemon.answers.start;
    await bench.wl('container', 'sync', 'photos');
    expect(bench.daemon.argsOf('start').at(-1)).toMatchObject({ target: { 'backend-id': 'two' } });
  });

  it.each([
    [['--target-storage', 'nine'], 'Storage nine not found in container photos'],
    [['--source-storage', 'one', '--target-storage', 'one'], 'cannot be source and target at once'],
  ])('refuses %j', async (options, message) => {
    await bench.container('photos', 'one', 'two');
    const ran = await bench.wl('container', 'sync', 'photos', ...options);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain(message);
    expect(bench.launches).toBe(0);
  });

  it('T83: refuses a read-only target, and a read-only source unless it is one-way', async () => {
    await bench.container('photos', 'one');
    const place = await bench.place('cd');
    await bench.wl('storage', 'create', 'local', '--container', 'photos', '--location', place, '--read-only', '--backend-id', 'cd');
    const target = await bench.wl('container', 'sync', 'photos', '--target-storage', 'cd');
    expect(target).toMatchObject({ exitCode: 1, stdout: '' });
    expect(target.stderr).toContain('is read-only');
    const source = await bench.wl('container', 'sync', 'photos', '--source-storage', 'cd');
    expect(source.stderr).toContain('add --unidirectional');
    expect(await bench.wl('container', 'sync', 'photos', '--source-storage', 'cd', '--unidirectional')).toMatchObject({ exitCode: 0 });
  });

  it.each([[['--no-wait']], [['--no-wait', '--dry-run']], [['--one-shot', '--no-wait', '-n']]])('takes %j for a mistake', async (options) => {
    await bench.container('photos', 'one', 'two');
    expect(await bench.wl('container', 'sync', 'photos', ...options)).toMatchObject({ exitCode: 2 });
  });

  it('says so when the daemon is of another version', async () => {
    await bench.container('photos', 'one', 'two');
    bench.daemon.version = '9.9.9';
    const ran = await bench.wl('container', 'sync', 'photos');
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toMatch(/^Note: the sync daemon is of version 9\.9\.9, this is wl source\./);
  });
});

describe('wl container sync --one-shot', () => {
  it('waits for the end, prints a summary and clears the job', async () => {
    const { id } = await bench.container('photos', 'one', 'two');
    courseOf(`${id}|two`, { state: 'STOPPED' }, { state: 'ONE_SHOT' }, { state: 'SYNCED' });
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran).toEqual({ exitCode: 0, stdout: 'Using remote backend two of type local.\nSync successful.\n', stderr: '' });
    expect(bench.daemon.argsOf('start')).toMatchObject([{ continuous: false }]);
    expect(bench.daemon.argsOf('stop')).toEqual([{ 'job-id': `${id}|two` }]);
  });

  it('shows how far it is in plain lines where there is no terminal', async () => {
    const { id } = await bench.container('photos', 'one', 'two');
    const running = (done: number) => ({ state: 'ONE_SHOT' as const, progress: { 'files-done': done, 'files-total': 99, 'bytes-done': 0 } });
    courseOf(`${id}|two`, ...Array.from({ length: 20 }, (_, step) => running(step)), { state: 'SYNCED' });
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran.stderr).toBe('8 of 99 files, 0 B of 0 B\n16 of 99 files, 0 B of 0 B\n');
  });

  it('paints a bar on a terminal and removes it', async () => {
    bench.isTTY = true;
    const { id } = await bench.container('photos', 'one', 'two');
    courseOf(`${id}|two`, { state: 'ONE_SHOT', progress: { 'files-done': 1, 'files-total': 2, 'bytes-done': 0 } }, { state: 'SYNCED' });
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran.stderr).toMatch(/^\r\[#+-+\] {2}50% .*\u001b\[K\r\u001b\[K$/);
    expect(ran.stdout).not.toContain('\u001b');
  });

  it('exits with 3 when conflicts remain, each in one line', async () => {
    const { id } = await bench.container('photos', 'one', 'two');
    courseOf(`${id}|two`, { conflicts: [{ path: 'a', reason: 'both-changed', source: null, target: null }] });
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran.exitCode).toBe(3);
    expect(ran.stdout).toContain('\nConflict detected on a in storages one and two\nSync successful. Not in sync: 1 conflict.\n');
  });

  it('W-40: exits with 1 when it halted, and says how to go on', async () => {
    const { id } = await bench.container('photos', 'one', 'two');
    const halt = { reason: 'mass-deletion', message: '9 of 10 files would be deleted', command: 'wl container sync --allow-mass-delete photos' };
    courseOf(`${id}|two`, { state: 'ERROR', halt });
    expect(await bench.wl('container', 'sync', '--one-shot', 'photos')).toMatchObject({
      exitCode: 1,
      stderr: 'Sync error: 9 of 10 files would be deleted\nTo go on: wl container sync --allow-mass-delete photos\n',
    });
    expect(bench.daemon.argsOf('stop')).toHaveLength(1);
  });

  it('exits with 1 when somebody else stopped it', async () => {
    await bench.container('photos', 'one', 'two');
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('stopped by another command');
  });

  it('W-38: ends with an error when the daemon goes away', async () => {
    await bench.container('photos', 'one', 'two');
    bench.daemon.answers['status-json'] = () => {
      void bench.daemon.stop();
      return new Promise(() => undefined);
    };
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('the sync daemon ended while it was syncing');
  });

  it('does not wait with --no-wait', async () => {
    await bench.container('photos', 'one', 'two');
    const ran = await bench.wl('container', 'sync', '--one-shot', '--no-wait', 'photos');
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toContain('`wl status` shows it, `wl container stop-sync photos` ends or clears it.');
    expect(bench.daemon.argsOf('stop')).toEqual([]);
  });

  it('stops cleanly on Ctrl-C, says what was done, and exits with 130', async () => {
    const { id } = await bench.container('photos', 'one', 'two');
    courseOf(`${id}|two`, { state: 'ONE_SHOT', progress: { 'files-done': 12, 'bytes-done': 3_400_000 } });
    bench.daemon.answers.start = () => {
      bench.interrupts.interrupt();
      return 'Using remote backend two of type local.';
    };
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran.exitCode).toBe(130);
    expect(ran.stderr).toContain('12 files (3.4 MB) had been copied. Every file is whole; the same command goes on from here.');
    expect(bench.daemon.argsOf('stop')).toEqual([{ 'job-id': `${id}|two` }]);
  });

  it('leaves at once on a second Ctrl-C', async () => {
    const { id } = await bench.container('photos', 'one', 'two');
    courseOf(`${id}|two`, { state: 'ONE_SHOT' });
    bench.daemon.answers.start = () => {
      bench.interrupts.interrupt();
      return 'Using remote backend two of type local.';
    };
    bench.daemon.answers.stop = () => {
      bench.interrupts.interrupt();
      return new Promise(() => undefined);
    };
    const ran = await bench.wl('container', 'sync', '--one-shot', 'photos');
    expect(ran.exitCode).toBe(130);
    expect(ran.stderr).toContain('Left without waiting');
    expect(bench.interrupts.isHeard).toBe(false);
  });
});

describe('wl container sync --dry-run', () => {
  it('T84: prints the plan, and neither remembers a target nor gets in the way of a running job', async () => {
    const { id } = await bench.container('photos', 'one', 'two', 'three');
    const pass = { started: '2026-11-22T20:15:01Z', finished: '2026-11-22T20:15:02Z', files: 0, bytes: 0, copied: 0, deleted: 0, conflicts: 0 };
    courseOf(`${id}|three|dry-run`, { 'last-pass': { ...pass, plan: [{ operation: 'CREATE', side: 'target', path: 'a', size: 5 }], 'plan-total': 1 } });
    const ran = await bench.wl('container', 'sync', '-n', '--target-storage', 'three', 'photos');
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain('\nCREATE target a (5 B)\nThis would create 1, change 0, delete 0 (5 B to copy). Nothing was changed.\n');
    expect(bench.daemon.argsOf('start')).toMatchObject([{ 'job-id': `${id}|three|dry-run`, 'dry-run': true, continuous: false }]);
    const config = await bench.setup.config.load();
    expect(config.ok && config.value.saved['default-remote-for-container']).toBeUndefined();
  });
});

describe('wl container sync --explain and --syncer', () => {
  const SYNCERS = [
    { name: 'generic', chosen: false, reason: 'could serve, but fast names more of the types' },
    { name: 'fast', chosen: true, reason: 'names both types', origin: 'wl-fast@1.0.0' },
  ];

  it('tells which syncer would be used and why no other, and starts nothing', async () => {
    await bench.container('photos', 'one', 'two');
    await bench.startDaemon();
    bench.daemon.answers['explain-syncer'] = () => SYNCERS;
    const ran = await bench.wl('container', 'sync', '--explain', '--unidirectional', 'photos');
    expect(ran).toEqual({
      exitCode: 0,
      stdout: '* fast (plugin wl-fast@1.0.0): names both types\n  generic (built in): could serve, but fast names more of the types\n',
      stderr: '',
    });
    expect(bench.daemon.argsOf('explain-syncer')).toMatchObject([{ continuous: true, unidirectional: true, source: { 'backend-id': 'one' } }]);
    expect(bench.daemon.argsOf('start')).toEqual([]);
  });

  it('fails where nobody can serve, or nobody has that name', async () => {
    await bench.container('photos', 'one', 'two');
    await bench.startDaemon();
    bench.daemon.answers['explain-syncer'] = () => [{ name: 'generic', chosen: false, reason: 'cannot run once' }];
    expect(await bench.wl('container', 'sync', '--explain', 'photos')).toMatchObject({ exitCode: 1, stderr: 'Error: no syncer can serve these storages so\n' });
    expect(await bench.wl('container', 'sync', '--explain', '--syncer', 'rsync', 'photos')).toMatchObject({ exitCode: 1, stderr: 'Error: there is no syncer rsync\n' });
  });

  it('asks the daemon for the syncer that is named', async () => {
    await bench.container('photos', 'one', 'two');
    await bench.wl('container', 'sync', '--syncer', 'generic', 'photos');
    expect(bench.daemon.argsOf('start')).toMatchObject([{ syncer: 'generic' }]);
  });
});
