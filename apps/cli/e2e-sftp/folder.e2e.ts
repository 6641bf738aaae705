/** A folder and a folder on an SFTP server kept in sync, both ways, with the built programs and OpenSSH's server. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { Run } from '../e2e/testing/child.js';
import { plant, treeOf } from '../e2e/testing/tree.js';
import { World } from '../e2e/testing/world.js';

const PASSPHRASE = 'hunter2 hunter2';
const [port, login, identity, hostKey, files] = ['PORT', 'LOGIN', 'IDENTITY', 'HOST_KEY', 'FILES'].map((name) => {
  const value = process.env[`WL_SFTP_${name}`];
  if (value === undefined) throw new Error('WL_SFTP_PORT and its like are not set: eval "$(tools/sftp-server/start.sh DIR)"');
  return value;
}) as [string, string, string, string, string];

let world: World;
let folder: string;
/** The folder on the server, by its path on this machine. */
let remote: string;
beforeEach(async () => {
  world = new World();
  folder = world.folder('photos');
  remote = path.join(files, randomUUID());
  mkdirSync(remote);
  await world.wl('container', 'create', 'photos');
  await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', folder, '--backend-id', 'folder', '--skip-sync');
});
afterEach(async () => {
  await world.close();
  rmSync(remote, { recursive: true });
});

/** Adds the folder of the server, with a key of one's own that has a passphrase; its end, whatever it is. */
function addServer(...more: string[]): Promise<Run> {
  const key = world.path('key');
  copyFileSync(identity, key);
  chmodSync(key, 0o600);
  execFileSync('ssh-keygen', ['-q', '-p', '-a', '1', '-P', '', '-N', PASSPHRASE, '-f', key], { stdio: 'ignore' });
  const place = ['--host', '127.0.0.1', '--port', port, '--login', login, '--path', remote, '--identity', key, '--passphrase', '-'];
  const command = world.command('storage', 'create', 'sftp', '--container', 'photos', '--backend-id', 'server', '--watcher-interval', '1', ...place, ...more);
  return world.start(command, { stdin: `${PASSPHRASE}\n` }).ended;
}

describe('a folder and a folder on an SFTP server', () => {
  it('are brought to the same, both ways, and stay so while a job runs, also after a restart of the daemon', async () => {
    plant(folder, { 'a.txt': 'a', 'dir/b.txt': 'b', 'large.bin': Buffer.alloc(5 << 20, 'large') });
    const added = await addServer('--host-key', hostKey);
    expect(added).toMatchObject({ code: 0 });
    expect(treeOf(remote)).toEqual(treeOf(folder));

    plant(folder, { 'a.txt': 'A, longer' });
    plant(remote, { 'dir/b.txt': 'B, longer', 'new/c.txt': 'c' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSame(folder, remote);
    expect(treeOf(folder)).toMatchObject({ 'a.txt': 'A, longer', 'dir/b.txt': 'B, longer', 'new/c.txt': 'c' });

    plant(remote, { 'd.txt': 'd' });
    rmSync(path.join(folder, 'new'), { recursive: true });
    await world.untilTree(folder, { 'a.txt': 'A, longer', 'd.txt': 'd', 'dir/': 'dir', 'dir/b.txt': 'B, longer', 'large.bin': treeOf(remote)['large.bin']! });
    await world.untilSame(folder, remote);

    await world.crashDaemon();
    plant(folder, { 'meanwhile.txt': 'folder' });
    plant(remote, { 'd.txt': 'D, longer' });
    await world.wl('status');
    await world.untilSame(folder, remote);
    expect(treeOf(folder)).toMatchObject({ 'd.txt': 'D, longer', 'meanwhile.txt': 'folder' });

    const { stdout } = await world.wl('status');
    expect(stdout).toContain(`sftp://${login}@127.0.0.1:${port}${remote}`);
    const check = await world.wl('storage', 'check', 'server');
    expect(check.stdout).toMatch(/replace in one step/);
    const shown = [added.stdout, added.stderr, stdout, check.stdout, (await world.wl('status', '--json')).stdout, (await world.wl('storage', 'list')).stdout, world.log()];
    for (const text of shown) expect(text).not.toContain('hunter2');
    expect(await world.untilSynced()).toMatchObject({ conflicts: [], problems: [] });
  });

  it('are not when both changed one file: that is a conflict, and neither is touched', async () => {
    plant(folder, { 'a.txt': 'a' });
    await addServer('--host-key', hostKey);
    plant(folder, { 'a.txt': 'mine' });
    plant(remote, { 'a.txt': 'theirs' });
    const run = await world.wlEnds(3, 'container', 'sync', '--one-shot', 'photos');
    expect(run.stdout).toContain('Conflict detected on a.txt');
    expect([treeOf(folder), treeOf(remote)]).toEqual([{ 'a.txt': 'mine' }, { 'a.txt': 'theirs' }]);
  });

  it('are not synced with a server whose key is not known, which is told with what to do', async () => {
    plant(folder, { 'a.txt': 'a' });
    const added = await addServer();
    const { stdout, stderr } = await world.startWl('container', 'sync', '--one-shot', 'photos').ended;
    expect(added.stdout + added.stderr + stdout + stderr).toMatch(/is not known.*known_hosts/s);
    expect(treeOf(remote)).toEqual({});
    expect(readFileSync(path.join(folder, 'a.txt'), 'utf8')).toBe('a');
  });
});
