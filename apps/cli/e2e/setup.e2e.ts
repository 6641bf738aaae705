/** Making, showing and removing containers and storages with the built `wl`; mistakes and their exit codes. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { CHECKOUT } from './testing/programs.js';
import { plant, treeOf } from './testing/tree.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const containerFile = (name: string): string => path.join(world.base, 'containers', `${name}.container.yaml`);
const containerFiles = (): string[] => (existsSync(path.join(world.base, 'containers')) ? readdirSync(path.join(world.base, 'containers')) : []);

describe('wl container create', () => {
  it('makes a default user with a private key first, and signs the manifest', async () => {
    const { stdout, stderr } = await world.wl('container', 'create', 'photos');
    expect(stdout).toBe(`Created: ${containerFile('photos')}\n`);
    expect(stderr).toBe('');
    const manifest = readFileSync(containerFile('photos'), 'utf8');
    expect(manifest).toMatch(/^signature: \|\n {2}0x[0-9a-f]{64}:[A-Za-z0-9+/]+=*\n---\n/);
    expect(manifest).toContain('object: container');

    const keys = path.join(world.base, 'keys');
    expect(statSync(keys).mode & 0o777).toBe(0o700);
    const secret = readdirSync(keys).find((name) => name.endsWith('.sec')) ?? 'none';
    expect(statSync(path.join(keys, secret)).mode & 0o777).toBe(0o600);
    expect(manifest).toContain(secret.replace('.sec', ''));
    expect(readdirSync(path.join(world.base, 'users'))).toEqual(['default.user.yaml']);
    const config = readFileSync(path.join(world.base, 'config.yaml'), 'utf8');
    for (const key of ["'@default'", "'@default-owner'", 'local-owners']) expect(config).toContain(key);

    await world.wl('container', 'create', 'photos');
    expect(containerFiles().sort()).toEqual(['photos.1.container.yaml', 'photos.container.yaml']);
    expect(readdirSync(path.join(world.base, 'users'))).toHaveLength(1);
  });

  it('takes storages by path and URL in one go', async () => {
    const [docs, backup, third] = [world.folder('Docs'), world.folder('usb disk', 'docs'), world.folder('third')];
    await world.wl('container', 'create', 'docs', '--storage', 'Docs/', '--storage', backup, '--storage', `file://localhost${third}`);
    const { stdout } = await world.wl('storage', 'list');
    const locations = [...stdout.matchAll(/ {2}type: local backend_id: [0-9a-f-]{36} location: (.*)\n/g)].map((match) => match[1]);
    expect(locations).toEqual([docs, backup, third]);
    expect(stdout).toContain(`${containerFile('docs')} (inline)\n`);
  });

  it('refuses a folder that is missing, is no folder, or overlaps another, also through links, and makes nothing then', async () => {
    const data = world.folder('data', 'inner');
    symlinkSync(world.path('data'), world.path('link'));
    symlinkSync(world.path('link', 'inner'), world.path('far-link'));
    writeFileSync(world.path('file'), '');
    const refused = async (why: RegExp, ...storages: string[]): Promise<void> => {
      const { stderr, stdout } = await world.wlEnds(1, 'container', 'create', 'docs', ...storages.flatMap((storage) => ['--storage', storage]));
      expect(stderr).toMatch(why);
      expect(stderr).toMatch(/^Error: /);
      expect(stdout).toBe('');
      expect(containerFiles()).toEqual([]);
    };
    await refused(/there is no directory .*missing\. Make it first: mkdir -p .*missing/, data, world.path('missing'));
    await refused(/file is no directory/, world.path('file'));
    await refused(/are the same directory/, data, `${data}/../inner/`);
    await refused(/are the same directory/, data, world.path('far-link'));
    await refused(/are in one another/, world.path('data'), data);
    await refused(/are in one another/, data, world.path('link'));
    await refused(/no storage type is known for ftp:/, data, 'ftp://example.org/docs');
  });
});

describe('wl storage create', () => {
  it('adds a storage with all that was asked for, and says each step', async () => {
    await world.wl('container', 'create', 'photos');
    const photos = world.folder('Photos');
    const first = await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', photos);
    const id = /Adding storage ([0-9a-f-]{36}) to container\./.exec(first.stdout)?.[1];
    const uuid = /\/\.uuid\/[0-9a-f-]{36}/.exec(first.stdout)?.[0];
    expect(first.stdout).toBe(
      `Using container: ${containerFile('photos')} (${uuid})\nAdding storage ${id} to container.\nSaved container ${containerFile('photos')}\n` +
        'Skipping initial sync of the storage: it is the only storage of its container.\n',
    );

    const usb = world.folder('usb');
    const options = ['--backend-id', 'usb-stick', '--watcher-interval', '30', '--read-only', '--skip-sync'];
    const second = await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', usb, ...options);
    expect(second.stdout).toContain('Adding storage usb-stick to container.\n');
    expect(second.stdout).toMatch(/Skipping initial sync/);
    const { stdout } = await world.wl('container', 'info', 'photos');
    expect(stdout).toContain(`- type: local\n    backend-id: usb-stick\n    location: ${usb}\n    read-only: true\n    watcher-interval: 30\n`);
    expect((await world.wl('storage', 'list')).stdout).toContain(`  type: local backend_id: usb-stick location: ${usb} read-only\n`);
  });

  it('accepts the other local types of the original', async () => {
    await world.wl('container', 'create', 'photos');
    for (const type of ['local-cached', 'local-dir-cached']) {
      await world.wl('storage', 'create', type, '--container', 'photos', '--location', world.folder(type));
    }
    expect((await world.wl('storage', 'list')).stdout).toMatch(/type: local-cached .*\n.*type: local-dir-cached /);
  });

  it('refuses what cannot work, with exit code 1 or 2, and changes nothing then', async () => {
    const left = world.folder('left');
    await world.wl('container', 'create', 'photos');
    await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', left, '--backend-id', 'one');
    symlinkSync(left, world.path('link'));
    const before = readFileSync(containerFile('photos'), 'utf8');
    const refused = async (code: number, why: RegExp, ...options: string[]): Promise<void> => {
      expect((await world.wlEnds(code, 'storage', 'create', 'local', ...options)).stderr).toMatch(why);
      expect(readFileSync(containerFile('photos'), 'utf8')).toBe(before);
    };
    const to = (location: string): string[] => ['--container', 'photos', '--location', location];
    await refused(1, /there is no directory .* mkdir -p/, ...to(world.path('missing')));
    await refused(1, /are the same directory/, ...to(world.path('link')));
    await refused(1, /are in one another/, ...to(world.folder('left', 'inner')));
    await refused(1, /are in one another/, ...to(world.home));
    await refused(1, /backend-id/, ...to(world.folder('right')), '--backend-id', 'one');
    await refused(1, /container not found: fotos\. Did you mean photos\?/, '--container', 'fotos', '--location', left);
    await refused(2, /--watcher-interval needs a number of seconds/, ...to(world.folder('right')), '--watcher-interval', '0');
    await refused(2, /required option is missing: --container and --location/);
  });
});

describe('wl container list, info, delete and wl storage list, delete', () => {
  it('shows what there is without secrets, and removes manifests but no data', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'a.txt': 'a' });
    await world.wl('container', 'create', 'empty', '--title', 'Nothing yet', '--category', '/things');

    const listed = (await world.wl('container', 'list')).stdout;
    expect(listed).toMatch(/^Sensitive fields are hidden\.\n/);
    for (const part of [containerFile('photos'), containerFile('empty'), 'backend-id: photos-left', `location: ${right}`]) expect(listed).toContain(part);
    const info = (await world.wl('container', 'info', 'empty')).stdout;
    expect(info).toContain(`local-path: ${containerFile('empty')}`);
    expect(info).toContain('title: Nothing yet');
    expect(info).not.toContain('photos');

    expect((await world.wl('container', 'delete', 'empty')).stdout).toBe(`Deleted: ${containerFile('empty')}\n`);
    expect((await world.wlEnds(1, 'container', 'info', 'empty')).stderr).toBe('Error: container not found: empty. There are: photos\n');

    const removed = await world.wl('storage', 'delete', 'photos-right', '--container', 'photos', '--force');
    expect(removed.stdout).toContain(`Removed storage photos-right from container ${containerFile('photos')}\n`);
    expect((await world.wl('storage', 'list')).stdout).not.toContain('photos-right');
    expect((await world.wlEnds(1, 'storage', 'delete', 'photos-right')).stderr).toMatch(/storage not found: photos-right\. wl storage list/);
    await world.wl('container', 'delete', 'photos');
    expect(containerFiles()).toEqual([]);
    expect(treeOf(left)).toEqual({ 'a.txt': 'a' });
  });

  it('brings over what only the storage to be deleted has, and deletes it from one container or all', async () => {
    const { left, right } = await world.pair('photos', { 'both.txt': 'both' });
    plant(right, { 'only-here.txt': 'rescued' });
    expect((await world.wl('storage', 'delete', 'photos-right')).stdout).toMatch(/^Outdated storage for container [0-9a-f-]{36}\n[^]*Removed storage photos-right/);
    expect(treeOf(left)).toEqual({ 'both.txt': 'both', 'only-here.txt': 'rescued' });
    expect(treeOf(right)).toEqual({ 'both.txt': 'both', 'only-here.txt': 'rescued' });

    await world.wl('container', 'create', 'other', '--storage', world.folder('other'));
    expect((await world.wlEnds(1, 'storage', 'delete', 'photos-left', '--container', 'other')).stderr).toMatch(/storage not found: photos-left/);
    await world.wl('storage', 'delete', 'photos-left', '--container', 'photos');
    expect((await world.wl('container', 'info', 'photos')).stdout).toContain('storage: []');
  });

  it('leaves a storage whose content is in conflict with the others, and ends the jobs of one that goes', async () => {
    const { left, right } = await world.pair('photos', { 'a.txt': 'a' });
    plant(left, { 'a.txt': 'left' });
    plant(right, { 'a.txt': 'right' });
    const { stdout, stderr } = await world.wlEnds(1, 'storage', 'delete', 'photos-right');
    expect(stdout).toContain('Conflict detected on a.txt');
    expect(stderr).toMatch(/not deleted, since not everything in it is elsewhere too/);
    expect((await world.wl('storage', 'list')).stdout).toContain('photos-right');

    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    expect((await world.wlEnds(1, 'storage', 'delete', 'photos-right')).stderr).toMatch(/1 conflict/);
    plant(left, { 'a.txt': 'right' });
    await world.untilJob('has no conflict', (job) => job.state === 'SYNCED' && job.conflicts.length === 0);
    expect((await world.wl('storage', 'delete', 'photos-right')).stdout).toMatch(/Sync for job .* stopped\nRemoved storage photos-right/);
    expect((await world.wl('status')).stdout).toBe('No sync jobs running\n');
  });

  it('keeps a storage in a manifest of its own with --no-inline', async () => {
    await world.wl('container', 'create', 'photos');
    const { stdout } = await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', world.folder('left'), '--no-inline', 'disk');
    const file = path.join(world.base, 'storage', 'disk.storage.yaml');
    expect(stdout).toContain(`Created: ${file}\n`);
    expect((await world.wl('storage', 'list')).stdout).toMatch(new RegExp(`^${file}\n  type: local\n  backend_id: .*\n  location: ${world.path('left')}\n$`));
    await world.wl('storage', 'delete', 'disk');
    expect(existsSync(file)).toBe(false);
  });

  it('ends the jobs of a container that is deleted', async () => {
    await world.pair('photos', { 'a.txt': 'a' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    expect((await world.wl('container', 'delete', 'photos')).stdout).toMatch(/^Sync for job .* stopped\nDeleted: /);
    expect((await world.wl('status')).stdout).toBe('No sync jobs running\n');
  });
});

describe('wl', () => {
  it('takes --base-dir before and behind the command', async () => {
    const base = world.path('elsewhere');
    expect((await world.wl('--base-dir', base, 'container', 'create', 'photos')).stdout).toBe(`Created: ${base}/containers/photos.container.yaml\n`);
    expect((await world.wl('container', 'list', '--base-dir', 'elsewhere')).stdout).toContain('photos.container.yaml');
    expect((await world.wl('container', 'list')).stdout).toBe('');
    expect(existsSync(world.base)).toBe(false);
  });

  it('ends with 2 where nothing was tried: no such command or option, an argument too few or too many', async () => {
    const usage = async (why: RegExp, ...args: string[]): Promise<void> => {
      const { stdout, stderr } = await world.wlEnds(2, ...args);
      expect(stderr).toMatch(why);
      expect(stdout).toBe('');
    };
    await usage(/there is no command 'wl frobnicate'; see: wl --help/, 'frobnicate');
    await usage(/did you mean: wl container/, 'contianer', 'create');
    await usage(/did you mean: wl container sync/, 'container', 'snyc', 'photos');
    await usage(/'s' may mean|needs one of these commands/, 'storage');
    await usage(/there is no option --one-shoot; did you mean --one-shot\?/, 'container', 'sync', '--one-shoot', 'photos');
    await usage(/an argument is missing/, 'container', 'sync');
    await usage(/no place for the argument 'b'/, 'container', 'info', 'a', 'b');
    await usage(/--no-wait goes with --one-shot/, 'container', 'sync', '--no-wait', 'photos');
    await usage(/--no-wait and --dry-run do not go together/, 'container', 'sync', '--no-wait', '--one-shot', '--dry-run', 'photos');
    await usage(/required option is missing: --keep/, 'container', 'resolve', 'photos', 'a.txt');
    await usage(/--base-dir needs a value/, '--base-dir');
    expect(existsSync(world.base)).toBe(false);
  });

  it('ends with 1 for a container that there is not, in every command that takes one', async () => {
    for (const command of ['info', 'delete', 'sync', 'stop-sync', 'list-conflicts', 'modify']) {
      const { stderr } = await world.wlEnds(1, 'container', command, 'nothing', ...(command === 'modify' ? ['--title', 'x'] : []));
      expect(stderr).toMatch(/^Error: container not found: nothing/);
    }
    expect((await world.wlEnds(1, 'container', 'resolve', 'nothing', 'a', '--keep', 'source')).stderr).toMatch(/container not found: nothing/);
  });

  it('understands aliases and beginnings of words, and shows help and version', async () => {
    await world.wl('c', 'create', 'photos');
    expect((await world.wl('containers', 'ls')).stdout).toContain('photos.container.yaml');
    const short = await world.wl('cont', 'inf', 'photos');
    expect(short.stderr).toBe("Understood 'cont' as 'container'\nUnderstood 'inf' as 'info'\n");
    expect(short.stdout).toContain('photos.container.yaml');

    const help = (await world.wl('--help')).stdout;
    const commands = [...help.matchAll(/^ {2}(wl [a-z -]*[a-z]) {2,}/gm)].map((match) => match[1] ?? '');
    for (const name of ['container sync', 'container stop-sync', 'container list-conflicts', 'storage create local', 'status', 'stop']) expect(commands).toContain(`wl ${name}`);
    for (const code of ['0 ', '1 ', '2 ', '3 ', '130 ']) expect(help).toContain(`\n  ${code}`);
    const texts = await Promise.all(commands.map((name) => world.wl(...name.split(' ').slice(1), '--help')));
    texts.forEach(({ stdout, stderr }, index) => {
      expect(stdout).toContain(commands[index] ?? 'a command');
      expect(stderr).toBe('');
    });
    const { version } = JSON.parse(readFileSync(path.join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
    expect((await world.wl('--version')).stdout).toBe(`wl ${version}\n`);
  }, 90_000);

  it('refuses a manifest or a configuration that was damaged or changed without a signature', async () => {
    await world.unsyncedPair('photos');
    const file = containerFile('photos');
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, good.replace('photos-left', 'photos-lefd'));
    expect((await world.wlEnds(1, 'container', 'sync', 'photos')).stderr).toMatch(/signature/);
    writeFileSync(file, good.slice(0, good.length / 2));
    expect((await world.wlEnds(1, 'container', 'sync', 'photos')).stderr).toMatch(/^Error: /);
    writeFileSync(file, good);
    await world.wl('container', 'sync', '--one-shot', 'photos');
    await world.wl('stop');
    mkdirSync(world.base, { recursive: true });
    writeFileSync(path.join(world.base, 'config.yaml'), 'sync-socket-path: 5\nno-such-key: 1\n');
    expect((await world.wlEnds(1, 'status')).stderr).toMatch(/config\.yaml/);
  });

  it('keeps compiled code by command, none for words that are no command, and nothing for ever', async () => {
    const folder = world.path('cache', 'wl');
    // Without the part that tells Node.js and the bundle apart; the daemon's has no command.
    const kept = (): string[] => readdirSync(folder).filter((name) => name.startsWith('cli-')).map((name) => name.replace(/^cli-v[\d.]+-\w+-\d+-\d+/, 'cli')).sort();
    await world.wl('container', 'list');
    await world.wlEnds(2, 'container', 'lisst');
    await world.wl('--quiet', 'container', 'list');
    await world.wl('storage', 'list');
    expect(kept()).toEqual(['cli-container-list.v8', 'cli-storage-list.v8', 'cli.v8']);

    const old = ['cli-of-an-old-version.v8', 'cli-that-was-cut-off.v8.4711', 'of-somebody-else'].map((name) => path.join(folder, name));
    const lately = path.join(folder, 'cli-of-another-version.v8');
    for (const [file, days] of [...old.map((file) => [file, 100] as const), [lately, 50] as const]) {
      writeFileSync(file, '');
      utimesSync(file, new Date(), new Date(Date.now() - days * 86_400_000));
    }
    await world.wl('storage', 'list');
    expect(old.map((file) => existsSync(file))).toEqual([true, true, true]);
    await world.wl('version');
    expect([...old, lately].map((file) => existsSync(file))).toEqual([false, false, true, true]);
  });

  it('is linked as node_modules/.bin/wl in a built checkout, beside wl-sync-daemon', () => {
    for (const [name, text] of [['wl', /^wl \d/], ['wl-sync-daemon', /^wl-sync-daemon \d/]] as const) {
      const run = spawnSync(path.join(CHECKOUT, 'node_modules/.bin', name), ['--version'], { env: world.env, encoding: 'utf8' });
      expect(`${run.stdout}${run.stderr}`).toMatch(text);
      expect(run.status).toBe(0);
    }
  });
});
