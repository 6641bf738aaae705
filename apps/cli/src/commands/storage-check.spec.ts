import { PassThrough } from 'node:stream';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { TestBench } from '../testing/test-bench.js';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
  await bench.startDaemon();
});
afterEach(() => bench.close());

const ABILITIES = [
  { ability: 'list', outcome: 'works', detail: '3 pages in order' },
  { ability: 'create only if absent', outcome: 'missing', detail: 'looks right before and after instead' },
  { ability: 'copy', outcome: 'not-tried', detail: '' },
];

const bucket = async (container: string, ...options: string[]): Promise<void> => {
  await bench.wl('storage', 'create', 's3', '--container', container, '--s3-url', `s3://bucket/${container}`, '--skip-sync', ...options);
};

describe('wl storage check', () => {
  it('prints a line for each ability of a storage', async () => {
    await bench.container('photos');
    await bucket('photos', '--backend-id', 'two');
    bench.daemon.answers['check-storage'] = () => ABILITIES;
    expect(await bench.wl('storage', 'check', 'two')).toEqual({
      exitCode: 0,
      stdout:
        "'s3'(backend_id=two) at s3://bucket/photos\n" +
        '   list                   works      3 pages in order\n' +
        '   create only if absent  missing    looks right before and after instead\n' +
        '   copy                   not tried\n',
      stderr: '',
    });
    expect(bench.daemon.argsOf('check-storage')).toMatchObject([{ storage: { type: 's3', 's3_url': 's3://bucket/photos/', 'backend-id': 'two' } }]);
  });

  it('looks at all storages of a container, and at the others when one cannot be used', async () => {
    await bench.container('photos', 'a', 'b');
    bench.daemon.answers['check-storage'] = ({ storage }) => {
      if ((storage as { 'backend-id': string })['backend-id'] === 'b') return ABILITIES.slice(0, 1);
      throw Object.assign(new Error('Storage a cannot be used: unable to open: not-found'), { className: 'WildlandError' });
    };
    expect(await bench.wl('storage', 'check', 'photos')).toEqual({
      exitCode: 1,
      stdout: `'local'(backend_id=a) at ${bench.directory}/a\n'local'(backend_id=b) at ${bench.directory}/b\n   list  works      3 pages in order\n`,
      stderr: 'Error: Storage a cannot be used: unable to open: not-found\n',
    });
  });

  it('prints JSON, one object a storage, also of one that cannot be used', async () => {
    await bench.container('photos', 'a');
    await bucket('photos', '--backend-id', 'two');
    bench.daemon.answers['check-storage'] = ({ storage }) => {
      if ((storage as { type: string }).type === 's3') return ABILITIES;
      throw Object.assign(new Error('it is gone'), { className: 'WildlandError' });
    };
    const ran = await bench.wl('storage', 'check', '--json', 'photos');
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      { storage: { type: 'local', 'backend-id': 'a', location: `${bench.directory}/a` }, abilities: [], error: 'it is gone' },
      { storage: { type: 's3', 'backend-id': 'two', location: 's3://bucket/photos' }, abilities: ABILITIES },
    ]);
  });

  it.each([
    [[], /^Error: .*unauthorized.*\nHint: .*wl stop/],
    [['--access-key', 'AKIA', '--secret-key', '-'], /^Error: .*unauthorized.*\nHint: the credentials stored with this storage were used/],
  ])('tells what to do about refused credentials, with %j', async (options, message) => {
    await bench.container('photos');
    const stdin = new PassThrough();
    stdin.end('hunter2\n');
    bench.stdin = stdin;
    await bucket('photos', '--backend-id', 'two', ...options);
    bench.daemon.answers['check-storage'] = () => {
      throw Object.assign(new Error('Storage two at s3://bucket/photos cannot be used: unable to list: unauthorized (no such key)'), { className: 'WildlandError' });
    };
    expect((await bench.wl('storage', 'check', 'two')).stderr).toMatch(message);
  });

  it('takes a manifest by its name', async () => {
    await bench.container('photos');
    await bucket('photos', '--no-inline', '--backend-id', 'two', 'disk');
    bench.daemon.answers['check-storage'] = () => ABILITIES;
    expect((await bench.wl('storage', 'check', 'disk')).stdout).toMatch(/^'s3'\(backend_id=two\)/);
  });

  it('does not choose among storages that share an id', async () => {
    await bench.container('photos');
    await bench.container('docs');
    await bucket('photos', '--backend-id', 'two');
    await bucket('docs', '--backend-id', 'two');
    expect(await bench.wl('storage', 'check', 'two')).toMatchObject({
      exitCode: 1,
      stderr: 'Error: several storages have the backend-id two: name the container instead, to look at all of its storages\n',
    });
  });

  it.each([
    ['nowhere', 'there is no storage and no container called nowhere. `wl storage list` shows the storages there are'],
    ['empty', 'container empty has no storage that can be used'],
  ])('says so where there is nothing to check: %s', async (name, message) => {
    await bench.container('empty');
    expect(await bench.wl('storage', 'check', name)).toEqual({ exitCode: 1, stdout: '', stderr: `Error: ${message}\n` });
  });

  it('ends at Ctrl-C, and the daemon hears of it', async () => {
    await bench.container('photos', 'a');
    const isGone = new Promise<boolean>((resolve) => {
      bench.daemon.answers['check-storage'] = (_args, connection) => {
        bench.interrupts.interrupt();
        return new Promise((answer) => {
          connection.onGone(() => {
            answer([]);
            resolve(true);
          });
        });
      };
    });
    expect(await bench.wl('storage', 'check', 'photos')).toMatchObject({ exitCode: 130, stderr: 'Interrupted; what is shown is not all.\n' });
    expect(await isGone).toBe(true);
    expect(bench.interrupts.isHeard).toBe(false);
  });

  it('does not believe an answer that makes no sense', async () => {
    await bench.container('photos', 'a');
    bench.daemon.answers['check-storage'] = () => [{ ability: 'list' }];
    expect((await bench.wl('storage', 'check', 'photos')).stderr).toContain("the sync daemon's answer to 'check-storage' makes no sense");
  });
});
