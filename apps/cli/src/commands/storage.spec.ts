import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StatusJob } from '@wl/ports/schemas';

import { someJob } from '../testing/fake-daemon.js';
import { TestBench } from '../testing/test-bench.js';

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

const manifest = (name: string): string => path.join(bench.baseDirectory, 'containers', `${name}.container.yaml`);
const storagesOf = async (name: string): Promise<unknown> => {
  const container = await bench.setup.containers.load(name);
  return container.ok && container.value.data.backends.storage;
};

describe('wl storage create local', () => {
  const create = (...options: string[]) => bench.wl('storage', 'create', 'local', '--container', 'photos', ...options);

  it('adds a directory and says what it did', async () => {
    const { id } = await bench.container('photos');
    await bench.place('a');
    expect(await create('--location', 'a', '--backend-id', 'disk')).toEqual({
      exitCode: 0,
      stdout:
        `Using container: ${manifest('photos')} (/.uuid/${id.split('|')[1]})\n` +
        'Adding storage disk to container.\n' +
        `Saved container ${manifest('photos')}\n` +
        'Skipping initial sync of the storage: it is the only storage of its container.\n',
      stderr: '',
    });
    expect(await storagesOf('photos')).toEqual([{ object: 'storage', type: 'local', location: path.join(bench.directory, 'a'), 'backend-id': 'disk' }]);
    expect(bench.launches).toBe(0);
  });

  it.each([
    [['--skip-sync'], 'as asked for'],
    [[], 'it is local'],
  ])('does not fill a second local storage, with %j', async (options: string[], why) => {
    await bench.container('photos', 'a');
    const location = await bench.place('b');
    expect((await create('--location', location, ...options)).stdout).toContain(`Skipping initial sync of the storage: ${why}.\n`);
  });

  it('keeps every option', async () => {
    await bench.container('photos');
    const location = await bench.place('a');
    await bench.wl('storage', 'create', 'local-cached', '--container', 'photos', '--location', location, '--watcher-interval', '30', '--read-only', '--trusted');
    expect(await storagesOf('photos')).toMatchObject([{ type: 'local-cached', 'watcher-interval': 30, 'read-only': true, trusted: true }]);
  });

  it('writes a manifest of its own when asked to', async () => {
    await bench.container('photos');
    const location = await bench.place('a');
    const ran = await create('--location', location, '--no-inline', 'disk');
    expect(ran.stdout).toContain(`Created: ${path.join(bench.baseDirectory, 'storage', 'disk.storage.yaml')}\n`);
    expect(await storagesOf('photos')).toEqual([expect.stringMatching(/^file:\/\/.*disk\.storage\.yaml$/)]);
  });

  it('says that a name has no meaning for a storage inside its container', async () => {
    await bench.container('photos');
    const ran = await create('--location', await bench.place('a'), 'disk');
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toContain('the name disk is not used');
  });

  it.each([
    [['--location', 'a', '--watcher-interval', 'often'], 2, '--watcher-interval needs a number of seconds'],
    [['--location', 'a', '--watcher-interval', '0'], 2, '--watcher-interval needs a number of seconds'],
    [['--location', ''], 2, '--location needs a directory'],
    [[], 2, 'a required option is missing'],
    [['--location', 'nowhere'], 1, 'mkdir -p'],
    [['--location', 'a', '--backend-id', 'local'], 1, 'cannot be a backend-id'],
    [['--location', 'b/c'], 1, 'are in one another'],
  ])('refuses %j', async (options, exitCode, message) => {
    await bench.container('photos', 'b');
    await bench.place('a');
    await bench.place('b/c');
    const ran = await create(...options);
    expect(ran).toMatchObject({ exitCode, stdout: '' });
    expect(ran.stderr).toContain(message);
  });

  it('needs a container that exists', async () => {
    await bench.place('a');
    expect((await create('--location', 'a')).stderr).toContain('container not found: photos');
  });

  it('tells where to see the types there are when another is asked for', async () => {
    const ran = await bench.wl('storage', 'create', 'dropbox', '--container', 'photos');
    expect(ran).toMatchObject({ exitCode: 2, stderr: "Error: there is no command 'wl storage create dropbox'; see: wl storage create --help\n" });
  });
});

describe('wl storage list', () => {
  it('shows standalone storages, then those inside containers', async () => {
    await bench.container('photos', 'a');
    const location = await bench.place('b');
    await bench.wl('storage', 'create', 'local', '--container', 'photos', '--location', location, '--backend-id', 'b', '--no-inline', 'disk');
    expect((await bench.wl('s', 'ls')).stdout).toBe(
      `${path.join(bench.baseDirectory, 'storage', 'disk.storage.yaml')}\n  type: local\n  backend_id: b\n  location: ${location}\n` +
        `${manifest('photos')} (inline)\n  type: local backend_id: a location: ${path.join(bench.directory, 'a')}\n`,
    );
  });
});

describe('wl storage delete', () => {
  let id: string;
  beforeEach(async () => {
    ({ id } = await bench.container('photos', 'a', 'b'));
  });
  const remaining = async (): Promise<unknown[]> => ((await storagesOf('photos')) as { 'backend-id': string }[]).map((storage) => storage['backend-id']);
  const job = (fields: Partial<StatusJob> = {}): StatusJob =>
    someJob({ 'job-id': `${id}|b`, 'container-id': id, source: { type: 'local', 'backend-id': 'a' }, target: { type: 'local', 'backend-id': 'b' }, ...fields });

  it('takes out a storage whose sync is complete, after ending that sync', async () => {
    bench.daemon.jobs = [job()];
    expect(await bench.wl('storage', 'rm', 'b')).toEqual({
      exitCode: 0,
      stdout: `Sync for job ${id}|b stopped\nRemoved storage b from container ${manifest('photos')}\n`,
      stderr: '',
    });
    expect(await remaining()).toEqual(['a']);
  });

  it.each<[string, Partial<StatusJob>, string]>([
    ['is in progress', { state: 'RUNNING' }, 'is in progress (RUNNING)'],
    ['left conflicts (W-45)', { conflicts: [{ path: 'x', reason: 'both-changed', source: null, target: null }] }, '1 conflict, see wl status'],
  ])('keeps a storage whose sync %s', async (_, fields, message) => {
    bench.daemon.jobs = [job(fields)];
    const ran = await bench.wl('storage', 'delete', 'b');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toContain(message);
    expect(await remaining()).toEqual(['a', 'b']);
  });

  it('brings the content of a storage without a sync to another one first', async () => {
    bench.daemon.answers.start = () => {
      bench.daemon.jobs = [job({ mode: 'one-shot', 'job-id': `${id}|a` })];
      return 'Using remote backend a of type local.';
    };
    const ran = await bench.wl('storage', 'delete', 'b');
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toMatch(new RegExp(`^Outdated storage for container ${id.split('|')[1]}\nUsing remote backend a .*\nSync successful\\.\n`));
    expect(bench.daemon.argsOf('start')).toMatchObject([{ source: { 'backend-id': 'b' }, target: { 'backend-id': 'a' }, unidirectional: true, continuous: false }]);
    expect(await remaining()).toEqual(['a']);
  });

  it('keeps it when that fails', async () => {
    bench.daemon.answers.start = () => {
      throw Object.assign(new Error('the disk is gone'), { className: 'WildlandError' });
    };
    const ran = await bench.wl('storage', 'delete', 'b');
    expect(ran).toMatchObject({ exitCode: 1, stderr: 'Error: WildlandError: the disk is gone\n' });
    expect(await remaining()).toEqual(['a', 'b']);
  });

  it('asks nobody with --force, but still ends the sync', async () => {
    bench.daemon.jobs = [job({ state: 'ERROR' })];
    expect(await bench.wl('storage', 'delete', '--force', 'b')).toMatchObject({ exitCode: 0 });
    expect(bench.daemon.argsOf('stop')).toEqual([{ 'job-id': `${id}|b` }]);
    expect(await remaining()).toEqual(['a']);
  });

  it('takes the last storage of a container without asking: its data has nowhere to go', async () => {
    await bench.container('docs', 'c');
    expect(await bench.wl('storage', 'delete', 'c')).toMatchObject({ exitCode: 0 });
    expect(bench.launches).toBe(0);
  });

  it('deletes a manifest of its own too, or only that', async () => {
    const location = await bench.place('d');
    const create = () => bench.wl('storage', 'create', 'local', '--container', 'photos', '--location', location, '--backend-id', 'd', '--no-inline', 'disk');
    await create();
    expect((await bench.wl('storage', 'delete', '-f', 'disk')).stdout).toMatch(/Removed storage d from container .*\nDeleted: .*disk\.storage\.yaml\n/);
    await create();
    expect((await bench.wl('storage', 'delete', '--no-cascade', 'disk')).stdout).toMatch(/^Deleted: .*disk\.storage\.yaml\n$/);
    expect((await bench.wl('storage', 'delete', '--no-cascade', 'a')).stderr).toContain('has no manifest of its own');
  });

  it('W-42: forgets it as the default target', async () => {
    await bench.wl('container', 'sync', 'photos', '--target-storage', 'b');
    await bench.wl('storage', 'delete', '--force', 'b');
    const config = await bench.setup.config.load();
    expect(config.ok && config.value.saved['default-remote-for-container']).toEqual({});
  });

  it.each([[['nine']], [['a', '--container', 'docs']]])('says so when there is no such storage: %j', async (words) => {
    await bench.container('docs');
    const ran = await bench.wl('storage', 'delete', ...words);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain(`storage not found: ${words[0]}`);
  });
});
