/** `wl status`: the lines of the original, the lines of our own, `--json` against its schema, `--watch`. */

import { renameSync, symlinkSync, truncateSync, unlinkSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { validateStatus, type Status } from '@wl/ports/schemas';

import { itWith, terminal } from './testing/means.js';
import { plant } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

/** Runs `wl status --json`, checks the form of the output, and gives the object. */
async function statusJson(): Promise<Status> {
  const { stdout, stderr } = await world.wl('status', '--json');
  expect(stderr).toBe('');
  // One object in one line.
  expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
  const status: unknown = JSON.parse(stdout);
  expect({ isValid: validateStatus(status), errors: validateStatus.errors ?? null }).toEqual({ isValid: true, errors: null });
  return status as Status;
}

describe('wl status', () => {
  it('shows each job as the original did, then what else there is to know', async () => {
    expect((await world.wl('status')).stdout).toBe('No sync jobs running\n');
    expect((await statusJson()).jobs).toEqual([]);

    const { left, right } = await world.pair('photos', { 'a.txt': 'a', 'sub/b.txt': 'bb' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    plant(left, { 'c.txt': 'ccc' });
    await world.untilJob('has three files', (job) => job.state === 'SYNCED' && job.files === 3);
    const lines = (await world.untilShown(/^photos SYNCED /m)).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'Sync jobs:',
      "photos SYNCED 'local'(backend_id=photos-left) <-> 'local'(backend_id=photos-right)",
      `   ${left} <-> ${right}`,
    ]);
    expect(lines[3]).toMatch(/^ {3}3 files \(6 B\) in sync; SYNCED for (\d+ m?s|\d+ min.*); last pass .* ago: .*; lag \d+ m?s$/);
    expect(lines.slice(4)).toEqual(['']);

    plant(left, { 'a.txt': 'left' });
    plant(right, { 'a.txt': 'right' });
    symlinkSync('/etc', path.join(left, 'link'));
    await world.untilJob('has a conflict and a skipped link', (job) => job.state === 'SYNCED' && job.conflicts.length === 1 && job.skipped.length === 1);
    await world.untilShown(
      /^Sync jobs:\nphotos SYNCED 'local'\(backend_id=photos-left\) <-> 'local'\(backend_id=photos-right\)\n {3}Conflict detected on a\.txt in storages photos-left and photos-right\n {3}Skipped link \(source\): symlink\n/,
    );

    const { jobs, daemon } = await statusJson();
    expect(daemon).toMatchObject({ pid: world.daemonPid() });
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({
      'job-id': expect.stringMatching(/^0x[0-9a-f]{64}\|[0-9a-f-]{36}\|photos-right$/),
      container: 'photos',
      state: 'SYNCED',
      mode: 'continuous',
      unidirectional: false,
      source: { type: 'local', 'backend-id': 'photos-left', location: left, 'read-only': false },
      target: { type: 'local', 'backend-id': 'photos-right', location: right },
      conflicts: [{ path: 'a.txt', reason: 'both-changed', source: { kind: 'file', size: 4 }, target: { kind: 'file', size: 5 } }],
      problems: [],
      skipped: [{ path: 'link', side: 'source', reason: 'symlink' }],
    });
    unlinkSync(path.join(right, 'a.txt'));
    unlinkSync(path.join(left, 'link'));
    await world.untilJob('has nothing left to tell', (job) => job.state === 'SYNCED' && job.conflicts.length === 0 && job.skipped.length === 0);
    expect((await world.wl('status')).stdout).not.toMatch(/Conflict|Skipped|settle/);
  });

  it('shows a halt with its reason and the command that goes on, for the base directory at hand', async () => {
    const { left, right } = await world.pair('photos', Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`${index}.txt`, `${index}`])));
    for (let index = 0; index < 11; index += 1) unlinkSync(path.join(right, `${index}.txt`));
    await world.wl('container', 'sync', 'photos');
    await world.untilHalted('mass-deletion');
    const shown = await world.untilShown(/^Sync jobs:\nphotos ERROR 'local'[^\n]*\n {3}\[!\] [^\n]*11[^\n]*\n/, '--base-dir', world.base);
    const command = /\n {3}To go on: (wl .*)\n/.exec(shown)?.[1] ?? 'none';
    expect(command).toContain(`wl --base-dir ${world.base} container sync --allow-mass-delete`);
    const [job] = (await statusJson()).jobs;
    expect(job?.halt).toMatchObject({ reason: 'mass-deletion', side: expect.stringMatching(/source|target/) });
    expect((await world.shell(command)).code).toBe(0);
    await world.untilTree(left, { '11.txt': '11' });
    expect((await world.untilSynced()).halt).toBeUndefined();
  });

  it('tells of a storage that went away as long as it is away, and no longer', async () => {
    const { left, right } = await world.pair('photos', { 'a.txt': 'a' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    renameSync(right, world.path('away'));
    plant(left, { 'b.txt': 'b' });
    await world.untilHalted('root-missing');
    const away = (await world.wl('status')).stdout;
    expect(away).toMatch(/\n {3}\[!\] [^\n]*photos-right[^\n]*Connect or mount it[^\n]*the sync then goes on by itself\.\n/);
    expect(away).not.toContain('To go on:');
    renameSync(world.path('away'), right);
    await world.untilSynced();
    const back = await world.untilShown(/2 files \(2 B\) in sync; SYNCED/);
    expect(back).not.toMatch(/\[!\]|Note:/);
  });

  it('T21: tells that a damaged state database was set aside, and with it the continuous jobs', async () => {
    await world.pair('photos', { 'a.txt': 'a' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    await world.wl('stop');
    truncateSync(path.join(world.base, 'wl-state.db'), 100);
    const { stdout } = await world.wl('status');
    expect(stdout).toMatch(/^No sync jobs running\n\nNote: The state database .*wl-state\.db was damaged .* Continuous jobs have to be started again\.\n$/);
    expect((await statusJson()).daemon).toHaveProperty('notes');
  });

  it('lets a shell go on that waits for its output, although it started the daemon', async () => {
    const { code, stdout, stderr } = await world.shell('x=$(wl status) && echo "got: $x"; wl status | cat');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'got: No sync jobs running\nNo sync jobs running\n', stderr: '' });
  });

  it('goes on with --watch until Ctrl-C: on a pipe it prints what has changed, and nothing while nothing changes', async () => {
    const { left } = await world.pair('photos', { 'a.txt': 'a' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    const watching = world.startWl('status', '--watch');
    await watching.says("photos SYNCED 'local'");
    plant(left, { 'b.txt': 'b' });
    await watching.says('2 files (2 B) in sync');
    const json = world.startWl('status', '--watch', '--json');
    await json.says('"files":2');
    await world.wl('container', 'stop-sync', 'photos');
    await watching.says('No sync jobs running\n');
    for (const child of [watching, json]) child.kill('SIGINT');
    const { code, stdout, stderr } = await watching.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    expect(stdout.match(/No sync jobs running/g)).toHaveLength(1);
    for (const line of (await json.ended).stdout.trimEnd().split('\n')) expect(validateStatus(JSON.parse(line))).toBe(true);
  });

  itWith(terminal(), 'is painted over and over with --watch on a terminal, in colour', async (onTerminal) => {
    await world.pair('photos', { 'a.txt': 'a' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    const watching = world.start(onTerminal(world.command('status', '--watch')), { env: { ...world.env, TERM: 'xterm' } });
    await until(() => watching.stdout.split('\u001b[H').length > 2, 'the second painting');
    watching.kill('SIGINT');
    await watching.ended;
    expect(watching.stdout).toContain('\u001b[2J');
    expect(watching.stdout).toMatch(/wl status at \d\d:\d\d:\d\d, Ctrl-C ends it/);
    expect(watching.stdout).toMatch(/photos \u001b\[32mSYNCED\u001b\[39m 'local'/);
  });
});
