import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { someJob } from '../testing/fake-daemon.js';
import { TestBench } from '../testing/test-bench.js';

let bench: TestBench;
let id: string;
beforeEach(async () => {
  bench = await TestBench.make();
  ({ id } = await bench.container('photos', 'one', 'two', 'three'));
});
afterEach(() => bench.close());

const conflict = { path: 'a', reason: 'both-changed', source: null, target: null };
const jobTo = (target: string) => someJob({ 'job-id': `${id}|${target}`, 'container-id': id, target: { type: 'local', 'backend-id': target } });

describe('wl container stop-sync', () => {
  it('ends all jobs of the container, starting the daemon for it: its jobs would come back with it', async () => {
    bench.daemon.answers['stop-container'] = () => [`${id}|two`, `${id}|three`];
    expect(await bench.wl('container', 'stop-sync', 'photos')).toEqual({
      exitCode: 0,
      stdout: `Sync for job ${id}|two stopped\nSync for job ${id}|three stopped\n`,
      stderr: '',
    });
    expect(bench.launches).toBe(1);
  });

  it('ends the one job that is named by its target', async () => {
    bench.daemon.jobs = [jobTo('two'), jobTo('three')];
    expect(await bench.wl('container', 'stop-sync', 'photos', '--target-storage', 'three')).toMatchObject({
      exitCode: 0,
      stdout: `Sync for job ${id}|three stopped\n`,
    });
    expect(bench.daemon.argsOf('stop')).toEqual([{ 'job-id': `${id}|three` }]);
  });

  it.each([[[]], [['--target-storage', 'nine']]])('fails when there is nothing to end, options %j', async (options: string[]) => {
    bench.daemon.jobs = [jobTo('two')];
    const ran = await bench.wl('container', 'stop-sync', 'photos', ...options);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toBe(`Error: Sync for job ${id}${options.length === 0 ? '' : '|nine'} is not running\n`);
  });
});

describe('wl container list-conflicts', () => {
  it('compares all pairs of storages and exits with 3 when they differ', async () => {
    bench.daemon.answers['list-conflicts'] = (args) => {
      const target = args['target'] as { readonly 'backend-id': string };
      return target['backend-id'] === 'three' ? [conflict] : [];
    };
    const ran = await bench.wl('container', 'list-conflicts', '--force-scan', 'photos');
    expect(ran).toEqual({
      exitCode: 3,
      stdout:
        'Conflicts detected on:\n' +
        'Conflict detected on a in storages one and three\n' +
        'Conflict detected on a in storages two and three\n',
      stderr: '',
    });
    expect(bench.daemon.argsOf('list-conflicts')).toHaveLength(3);
    expect(bench.daemon.argsOf('list-conflicts')[0]).toMatchObject({ 'force-scan': true, 'container-id': id });
  });

  it('exits with 0 when there are none', async () => {
    expect(await bench.wl('container', 'list-conflicts', 'photos')).toEqual({ exitCode: 0, stdout: 'No conflicts were detected.\n', stderr: '' });
  });

  it('can be interrupted', async () => {
    bench.daemon.answers['list-conflicts'] = () => {
      bench.interrupts.interrupt();
      return new Promise(() => undefined);
    };
    const ran = await bench.wl('container', 'list-conflicts', 'photos');
    expect(ran).toEqual({ exitCode: 130, stdout: '', stderr: 'Interrupted; what is listed is not all.\n' });
  });
});

describe('wl container resolve', () => {
  it.each([
    ['source', 'source'],
    ['one', 'source'],
    ['target', 'target'],
    ['two', 'target'],
  ])('keeps the side that is called %s', async (keep, side) => {
    bench.daemon.jobs = [jobTo('two')];
    expect(await bench.wl('container', 'resolve', 'photos', 'a b.txt', '--keep', keep)).toMatchObject({ exitCode: 0 });
    expect(bench.daemon.argsOf('resolve')).toEqual([{ 'job-id': `${id}|two`, path: 'a b.txt', keep: side }]);
  });

  it('finds the job that has the conflict', async () => {
    bench.daemon.jobs = [jobTo('two'), { ...jobTo('three'), conflicts: [conflict] }];
    await bench.wl('container', 'resolve', 'photos', 'a', '--keep', 'source');
    expect(bench.daemon.argsOf('resolve')).toMatchObject([{ 'job-id': `${id}|three` }]);
  });

  it('asks which job where several have it', async () => {
    bench.daemon.jobs = ['two', 'three'].map((target) => ({ ...jobTo(target), conflicts: [conflict] }));
    const ran = await bench.wl('container', 'resolve', 'photos', 'a', '--keep', 'source');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toContain('name one with --target-storage. There are: two, three');
    expect(await bench.wl('container', 'resolve', 'photos', 'a', '--keep', 'source', '--target-storage', 'two')).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ['a side that does not exist', ['--keep', 'left'], 2],
    ['no side', [], 2],
    ['a target without a job', ['--keep', 'source', '--target-storage', 'nine'], 1],
  ])('refuses %s', async (_, options, exitCode) => {
    bench.daemon.jobs = [jobTo('two')];
    expect(await bench.wl('container', 'resolve', 'photos', 'a', ...options)).toMatchObject({ exitCode, stdout: '' });
  });

  it('needs a running sync', async () => {
    expect((await bench.wl('container', 'resolve', 'photos', 'a', '--keep', 'source')).stderr).toContain('is not syncing');
  });
});
