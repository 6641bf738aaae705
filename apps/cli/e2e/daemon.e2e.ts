/** The daemon as a process: its options, where it listens and logs, how it starts and ends, one for each base directory. */

import { existsSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { itWith, shellWord, terminal } from './testing/means.js';
import { isRunning, openFilesOf, sessionOf } from './testing/processes.js';
import { plant, treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const isSocket = (file: string): boolean => existsSync(file) && statSync(file).isSocket();

describe('wl-sync-daemon', () => {
  it('takes base directory, log and socket as options, short and long', async () => {
    const base = world.path('base');
    const short = world.startDaemon('-b', base, '-l', world.path('logs', 'daemon.log'), '-s', world.path('short.sock'));
    await until(() => isSocket(world.path('short.sock')), 'the socket');
    expect(statSync(world.path('short.sock')).mode & 0o777).toBe(0o600);
    const client = await world.connect(world.path('short.sock'));
    expect((await client.ask('version'))['result']).toMatchObject({ pid: short.pid, 'base-dir': base });
    expect(existsSync(path.join(base, 'wl-state.db'))).toBe(true);
    const log = readFileSync(world.path('logs', 'daemon.log'), 'utf8');
    expect(log).toContain('started');
    expect(statSync(world.path('logs', 'daemon.log')).mode & 0o777).toBe(0o600);
    expect(existsSync(world.socket)).toBe(false);
    short.kill('SIGTERM');
    expect(await short.ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(existsSync(world.path('short.sock'))).toBe(false);

    const long = world.startDaemon('--base-dir', 'base', '--log-path', '-', '--socket-path', world.path('long.sock'));
    await until(() => isSocket(world.path('long.sock')), 'the socket');
    await long.says('started');
    long.kill('SIGINT');
    const ended = await long.ended;
    expect(ended).toMatchObject({ code: 0, stdout: '' });
    for (const line of ended.stderr.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String), time: expect.any(String) });
  });

  it('listens where config.yaml says, and logs where WL_SYNC_LOG_PATH says', async () => {
    await world.wl('container', 'create', 'photos');
    const config = path.join(world.base, 'config.yaml');
    const socket = world.path('my own.sock');
    writeFileSync(config, `${readFileSync(config, 'utf8')}sync-socket-path: ${JSON.stringify(socket)}\n`);
    world.env['WL_SYNC_LOG_PATH'] = world.path('my.log');
    expect((await world.wl('status')).stdout).toBe('No sync jobs running\n');
    expect(isSocket(socket)).toBe(true);
    expect(existsSync(world.socket)).toBe(false);
    expect(readFileSync(world.path('my.log'), 'utf8')).toContain(socket);
    await world.wl('stop');
  });

  it('says how it is used, and ends with 2 for what it does not know', async () => {
    const help = await world.startDaemon('--help').ended;
    expect(help.code).toBe(0);
    for (const option of ['-b, --base-dir', '-l, --log-path', '-s, --socket-path']) expect(help.stdout).toContain(option);
    const wrong = await world.startDaemon('--frobnicate').ended;
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/^Error: .*--frobnicate[^]*usage: wl-sync-daemon/);
    const extra = await world.startDaemon('extra').ended;
    expect(extra.code).toBe(2);
    expect((await world.startDaemon('--version').ended).stdout).toMatch(/^wl-sync-daemon \d+\.\d+\.\d+\n$/);
  });

  it('ends with 1 and a sentence when it cannot work: a broken configuration, a base directory that is a file', async () => {
    world.write('broken/config.yaml', 'no-such-key: 1\n');
    world.write('file', '');
    for (const [base, why] of [['broken', /^Error: .*config\.yaml.*no-such-key/], ['file', /^Error: .*file/]] as const) {
      const { code, stderr } = await world.startDaemon('-b', world.path(base), '-l', '-').ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(why);
      expect(stderr).not.toMatch(/\n {4}at /);
    }
    const { stderr } = await world.wlEnds(1, 'status', '--base-dir', world.path('file'));
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe('wl start and wl stop', () => {
  it('start it when it is not running, end it, and say so', async () => {
    expect((await world.wl('stop')).stdout).toBe('The sync daemon is not running.\n');
    const started = (await world.wl('start')).stdout;
    const pid = Number(/^Started the sync daemon \(process (\d+)\)\.\n$/.exec(started)?.[1]);
    expect(pid).toBe(world.daemonPid());
    expect((await world.wl('start')).stdout).toBe(`The sync daemon is already running (process ${pid}).\n`);
    expect(isSocket(world.socket)).toBe(true);
    expect((await world.wl('stop')).stdout).toBe('Stopped the sync daemon.\n');
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(world.socket)).toBe(false);
  });

  it('keep continuous jobs over it, but not those that were stopped, even with no daemon running', async () => {
    const { left, right } = await world.pair('photos', { 'a.txt': 'a' });
    const docs = await world.pair('docs', { 'd.txt': 'd' });
    await world.wl('container', 'sync', 'photos');
    await world.wl('container', 'sync', 'docs');
    await world.wl('container', 'sync', '--one-shot', '--dry-run', 'docs');
    expect((await world.wl('stop')).stdout).toBe('Stopped the sync daemon. 2 continuous jobs will go on when it is started again.\n');
    expect((await world.wl('container', 'stop-sync', 'docs')).stdout).toMatch(/^Sync for job .*\|docs-right stopped\n$/);
    await world.wl('stop');
    plant(left, { 'b.txt': 'b' });
    plant(docs.left, { 'e.txt': 'e' });
    await world.wl('start');
    await world.untilTree(right, { 'a.txt': 'a', 'b.txt': 'b' });
    expect((await world.status()).jobs.map((job) => job.container)).toEqual(['photos']);
    expect(treeOf(docs.right)).toEqual({ 'd.txt': 'd' });
  });

  it('leave a daemon alone that holds nothing of the command that started it', async () => {
    await world.wl('start');
    const pid = world.daemonPid();
    expect(sessionOf(pid)).toBe(pid);
    if (process.platform === 'linux') {
      const open = openFilesOf(pid, (file) => (existsSync(file) ? readlinkSync(file) : ''));
      expect(open.filter((name) => name.startsWith('/dev/pts') || name.startsWith('/dev/tty'))).toEqual([]);
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
    }
  });

  itWith(terminal(), 'leave it running when the terminal it was started from closes', async (onTerminal) => {
    const { left, right } = await world.unsyncedPair('photos');
    const line = `${world.command('container', 'sync', 'photos').map(shellWord).join(' ')}; kill -HUP -$$`;
    await world.start(onTerminal(['sh', '-c', line])).ended;
    plant(left, { 'a.txt': 'a' });
    await world.untilTree(right, { 'a.txt': 'a' });
  });
});

describe('base directories', () => {
  it('have a daemon each, which know nothing of each other, and reach each their own', async () => {
    const [one, two] = [world.path('one'), world.path('two')];
    for (const base of [one, two]) {
      const name = path.basename(base);
      const [left, right] = [world.folder(`${name}-left`), world.folder(`${name}-right`)];
      await world.wl('--base-dir', base, 'container', 'create', name, '--storage', left, '--storage', right);
      await world.wl('--base-dir', base, 'container', 'sync', name);
      plant(left, { [`${name}.txt`]: name });
    }
    for (const name of ['one', 'two']) await world.untilTree(world.path(`${name}-right`), { [`${name}.txt`]: name });
    expect(world.daemonPid(one)).not.toBe(world.daemonPid(two));
    const status = async (base: string): Promise<string> => (await world.wl('--base-dir', base, 'status')).stdout;
    expect(await status(one)).toMatch(/^Sync jobs:\none /);
    expect(await status(two)).toMatch(/^Sync jobs:\ntwo /);
    expect((await world.wl('status')).stdout).toBe('No sync jobs running\n');

    const pidOfTwo = world.daemonPid(two);
    expect((await world.wl('--base-dir', one, 'stop')).stdout).toContain('1 continuous job');
    expect(isRunning(pidOfTwo)).toBe(true);
    await world.wl('--base-dir', two, 'container', 'stop-sync', 'two');
  });

  it('have the socket in them where there is no XDG_RUNTIME_DIR, also when their path is long', async () => {
    delete world.env['XDG_RUNTIME_DIR'];
    rmSync(world.path('run'), { recursive: true });
    expect((await world.wl('status')).stdout).toBe('No sync jobs running\n');
    expect(isSocket(path.join(world.base, 'wlsync.sock'))).toBe(true);
    await world.wl('stop');
    const deep = world.path('d'.repeat(60), 'e'.repeat(60));
    const { code, stdout, stderr } = await world.startWl('--base-dir', deep, 'status').ended;
    // Where the system takes no such path, the message says what to do instead.
    if (code === 0) expect(stdout).toBe('No sync jobs running\n');
    else expect(stderr).toMatch(/^Error: .*too long|^Error: the socket path .* set XDG_RUNTIME_DIR/);
  });
});
