import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StatusPlugin } from '@wl/ports/schemas';

import type { NpmRun } from '../plugins/npm.js';
import { TestBench } from '../testing/test-bench.js';

const ended = (stdout: string, code = 0, stderr = ''): NpmRun => ({ kind: 'ended', code, stdout, stderr });
const told = (fields: Partial<StatusPlugin> = {}): StatusPlugin => ({
  name: 'wl-shelf', version: '1.0.0', place: '/base/plugins/node_modules/wl-shelf', state: 'loaded', reasons: [], syncers: ['fast'],
  backends: [{ type: 'shelf', fields: [{ name: 'place', required: true, secret: false, description: 'where' }, { name: 'password', required: false, secret: true }] }],
  ...fields,
});

const BUILT_IN = `built in: syncer generic: any storage with any other; has storages copy among themselves where they can
built in: syncer s3-copy (only with --syncer s3-copy): two places of one S3 endpoint; the server copies, or the file is reported: nothing is sent through this machine instead
built in: syncer rsync (only with --syncer rsync): one way and once; the system's rsync brings the files of a mounted source, and each is verified before it shows
built in: syncer local-copy (only with --syncer local-copy): two directories on one file system that shares blocks (XFS, Btrfs): copies of whatever size take no room
`;

let bench: TestBench;
beforeEach(async () => {
  bench = await TestBench.make();
});
afterEach(() => bench.close());

/** npm that notes what it is asked for, and packs and installs whatever it is given. */
function fakeNpm(name = 'wl-shelf'): { readonly runs: string[][] } {
  const runs: string[][] = [];
  bench.npm = async (args) => {
    runs.push([...args]);
    if (args[0] === 'pack') return ended(JSON.stringify([{ name, version: '1.0.0', filename: `${name}-1.0.0.tgz` }]));
    const file = path.join(bench.baseDirectory, 'plugins/package.json');
    await writeFile(file, JSON.stringify({ dependencies: args[0] === 'install' ? { [name]: `file:packages/${name}-1.0.0.tgz` } : {} }));
    return ended('');
  };
  return { runs };
}

describe('wl plugin add', () => {
  it('packs and installs a folder without running a script of it, and has the daemon use it', async () => {
    const { runs } = fakeNpm();
    const place = await bench.place('work');
    await bench.startDaemon();
    bench.daemon.answers['reload-plugins'] = () => [told()];
    const ran = await bench.wl('plugin', 'add', './work');
    expect(ran).toEqual({ exitCode: 0, stdout: 'Installed wl-shelf 1.0.0.\nwl-shelf 1.0.0 (loaded): syncer fast; storage type shelf\n', stderr: '' });
    const plugins = path.join(bench.baseDirectory, 'plugins');
    expect(runs).toEqual([
      ['pack', '--json', '--pack-destination', path.join(plugins, 'packages'), '--', place],
      ['install', '--prefix', plugins, '--no-package-lock', '--omit=dev', '--', path.join(plugins, 'packages/wl-shelf-1.0.0.tgz')],
    ]);
  });

  it('says why the daemon refuses it, and fails', async () => {
    fakeNpm();
    await bench.startDaemon();
    bench.daemon.answers['reload-plugins'] = () => [told({ state: 'refused', reasons: ['syncer fast has no iter_errors'] })];
    const ran = await bench.wl('plugin', 'add', 'wl-shelf');
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout).toContain('wl-shelf 1.0.0 (refused): syncer fast; storage type shelf\n   syncer fast has no iter_errors\n');
    expect(ran.stderr).toBe('Error: the plugin was refused. `wl plugin remove wl-shelf` takes it out\n');
  });

  it('takes a package that is no plugin out again', async () => {
    const { runs } = fakeNpm('left-pad');
    await bench.startDaemon();
    const ran = await bench.wl('plugin', 'add', 'left-pad');
    expect(ran).toMatchObject({ exitCode: 1, stderr: 'Error: left-pad is no plugin of wl: its package.json has no wildland field. It was taken out again\n' });
    expect(runs.at(-1)?.slice(0, 1)).toEqual(['uninstall']);
  });

  it.each<[string, NpmRun, string]>([
    ['there is no npm', { kind: 'missing' }, 'there is no npm here: install it (it comes with Node.js)'],
    ['npm hangs', { kind: 'timeout' }, 'npm did not pack wl-shelf within the time it has'],
    ['there is no network', ended('', 1, 'npm error code ENOTFOUND\nnpm error errno ENOTFOUND\n'), 'npm cannot reach its registry (ENOTFOUND). A folder, or a tarball with all it needs, can be added without a network'],
    ['the registry has no such package', ended(JSON.stringify({ error: { code: 'E404', summary: '404 Not Found - wl-shelf\nmore' } }), 1), 'npm was unable to pack wl-shelf: 404 Not Found - wl-shelf'],
    ['npm says something odd', ended('[]'), 'did not say how it is called'],
  ])('says so where %s', async (_what, run, message) => {
    bench.npm = async () => run;
    const ran = await bench.wl('plugin', 'add', 'wl-shelf');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain(message);
    expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each([['./nothing', 1, 'there is no file or folder'], ['--', 2, 'missing'], ['x.tgz', 1, 'there is no file or folder']])('refuses %s', async (spec, exitCode, message) => {
    const ran = await bench.wl('plugin', 'add', spec);
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stderr).toContain(message);
  });
});

describe('wl plugin list and doctor', () => {
  it('show what the daemon says', async () => {
    await bench.startDaemon();
    const plugins = [told(), told({ name: 'wl-bad', state: 'refused', reasons: ['it throws', 'it hangs'], syncers: [], backends: [] })];
    bench.daemon.answers.plugins = () => plugins;
    bench.daemon.answers['reload-plugins'] = () => plugins;
    const listed = await bench.wl('plugin', 'list');
    expect(listed).toMatchObject({ exitCode: 0, stdout: `wl-shelf 1.0.0 (loaded): syncer fast; storage type shelf\nwl-bad 1.0.0 (refused): nothing\n   it throws\n   it hangs\n${BUILT_IN}` });
    expect((await bench.wl('plugin', 'list', '--json')).stdout).toBe(`${plugins.map((plugin) => JSON.stringify(plugin)).join('\n')}\n`);
    const doctor = await bench.wl('plugin', 'doctor');
    expect(doctor.exitCode).toBe(1);
    expect(doctor.stdout).toContain('   in /base/plugins/node_modules/wl-shelf\n   field of shelf: place (required; where)\n   field of shelf: password (optional; secret)\n');
  });

  it('show what is installed where no daemon runs, without starting one', async () => {
    const place = path.join(bench.baseDirectory, 'plugins/node_modules/wl-fast');
    await mkdir(place, { recursive: true });
    await writeFile(path.join(place, 'package.json'), JSON.stringify({ name: 'wl-fast', version: '2.0.0', wildland: { 'api-version': 1, storage_sync: [{ name: 'fast', module: './x.js' }] } }));
    expect(await bench.wl('plugin', 'list')).toEqual({ exitCode: 0, stdout: `wl-fast 2.0.0 (not tried: the sync daemon is not running): syncer fast\n${BUILT_IN}`, stderr: '' });
    expect(bench.launches).toBe(0);
  });

  it('say that there are none', async () => {
    expect((await bench.wl('plugin', 'list')).stdout).toBe(`There are no plugins.\n${BUILT_IN}`);
  });
});

describe('wl plugin remove', () => {
  it('takes it out, and the daemon lets go of it', async () => {
    const { runs } = fakeNpm();
    await bench.startDaemon();
    bench.daemon.answers['reload-plugins'] = () => [told()];
    await bench.wl('plugin', 'add', 'wl-shelf');
    const ran = await bench.wl('plugin', 'remove', 'wl-shelf');
    expect(ran).toEqual({ exitCode: 0, stdout: 'Removed wl-shelf.\n', stderr: '' });
    expect(runs.at(-1)).toEqual(['uninstall', '--prefix', path.join(bench.baseDirectory, 'plugins'), '--no-package-lock', '--', 'wl-shelf']);
    expect(bench.daemon.argsOf('reload-plugins')).toHaveLength(2);
  });

  it('knows what it can take out', async () => {
    expect(await bench.wl('plugin', 'remove', 'wl-shelf')).toMatchObject({ exitCode: 1, stderr: 'Error: there is no plugin wl-shelf in this base directory. There are none\n' });
  });
});

describe('wl plugin new', () => {
  const putKit = async (): Promise<void> => {
    const kit = path.join(bench.directory, 'kit');
    await mkdir(path.join(kit, 'template/src'), { recursive: true });
    await writeFile(path.join(kit, 'wl-plugin-kit-1.0.0.tgz'), 'kit');
    await writeFile(path.join(kit, 'template/package.json'), '{ "name": "@@NAME@@", "kit": "@@KIT@@" }');
    await writeFile(path.join(kit, 'template/src/backend.js'), "TYPE: '@@TYPE@@', '@@other@@'");
  };

  it('fills a new folder from the template, with the kit beside it', async () => {
    await putKit();
    expect(await bench.wl('plugin', 'new', 'wl-shelf', '--type', 'shelf')).toMatchObject({ exitCode: 0 });
    const place = path.join(bench.directory, 'wl-shelf');
    expect((await readdir(place, { recursive: true })).sort()).toEqual(['package.json', 'src', 'src/backend.js', 'vendor', 'vendor/wl-plugin-kit-1.0.0.tgz']);
    expect(await readFile(path.join(place, 'package.json'), 'utf8')).toBe('{ "name": "wl-shelf", "kit": "wl-plugin-kit-1.0.0.tgz" }');
    expect(await readFile(path.join(place, 'src/backend.js'), 'utf8')).toBe("TYPE: 'shelf', '@@other@@'");
  });

  it('overwrites nothing, and takes no name that could be none', async () => {
    await putKit();
    await writeFile(path.join(await bench.place('mine'), 'x'), 'mine');
    expect(await bench.wl('plugin', 'new', 'mine')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not empty') });
    expect(await bench.wl('plugin', 'new', 'Shelf')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"Shelf" cannot be a name') });
    expect(existsSync(path.join(bench.directory, 'Shelf'))).toBe(false);
  });

  it('says where the kit is missing', async () => {
    expect(await bench.wl('plugin', 'new', 'shelf')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the kit for plugins is missing') });
  });
});

describe('wl storage create other', () => {
  const create = (...more: string[]) => bench.wl('storage', 'create', 'other', '--container', 'photos', '--type', 'shelf', '--skip-sync', ...more);
  beforeEach(async () => {
    await bench.container('photos', 'one');
    await bench.startDaemon();
    bench.daemon.answers.plugins = () => [told(), told({ name: 'bad', state: 'refused', backends: [{ type: 'box', fields: [] }] })];
  });

  it('adds a storage of a type of a plugin, with its fields', async () => {
    expect(await create('--field', 'place=/mnt/a=b', '--backend-id', 'two')).toMatchObject({ exitCode: 0, stderr: '' });
    const container = await bench.setup.containers.load('photos');
    expect(container.ok && container.value.data.backends.storage[1]).toMatchObject({ type: 'shelf', place: '/mnt/a=b', 'backend-id': 'two' });
  });

  it('reads a secret from standard input, and takes none from the command line', async () => {
    expect(await create('--field', 'place=/mnt', '--field', 'password=swordfish')).toMatchObject({
      exitCode: 2,
      stderr: 'Error: the field password is a secret, which has no place on a command line: use --secret-field password\n',
    });
    (bench.stdin as unknown as NodeJS.WritableStream).end('swordfish\n');
    expect(await create('--field', 'place=/mnt', '--secret-field', 'password')).toMatchObject({ exitCode: 0 });
    const container = await bench.setup.containers.load('photos');
    expect(container.ok && container.value.data.backends.storage[1]).toMatchObject({ password: 'swordfish' });
  });

  it.each([
    [[], 1, 'a storage of type shelf needs the field place: add --field place=…'],
    [['--field', 'place'], 2, '--field needs KEY=VALUE'],
    [['--field', 'owner=0xaa'], 2, 'owner is no field of a type'],
    [['--type', 'box'], 1, 'storages of type box are not supported by this version, and by no plugin of yours. Supported: shelf'],
  ])('refuses %j', async (more, exitCode, message) => {
    const ran = await create(...more);
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stderr).toContain(message);
  });
});
