import { spawn } from 'node:child_process';
import { lstatSync, type Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ControlServer } from './control-server.js';
import { realSchedule, type Schedule } from './schedule.js';
import { MAX_SOCKET_PATH_BYTES } from './socket-path.js';
import { ManualSchedule } from './testing/manual-schedule.js';
import { RawClient } from './testing/raw-client.js';
import { turns, until } from './testing/test-server.js';

const commands = { ping: { validate: () => undefined, run: async () => 'pong' } };

async function ping(path: string): Promise<string> {
  return (await RawClient.connect(path)).end('{"cmd": "ping"}').rest();
}

/** Leaves a socket file nobody answers on, as a killed daemon does. */
async function leaveStaleSocket(path: string): Promise<void> {
  const child = spawn(process.execPath, ['-e', `require('net').createServer().listen(process.argv[1], () => console.log('up'))`, path]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Permissions say nothing to root, so a test about them hands `directory` to somebody else and acts as them. */
async function asOrdinaryUser(directory: string, act: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return act();
  const nobody = 65534;
  await chown(directory, nobody, nobody);
  process.seteuid?.(nobody);
  try {
    await act();
  } finally {
    process.seteuid?.(0);
  }
}

describe('the socket file of a ControlServer', () => {
  let directory: string;
  let path: string;
  const servers: ControlServer[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wl-socket-'));
    path = join(directory, 'wlsync.sock');
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await rm(directory, { recursive: true });
  });

  function server(at = path, schedule: Schedule = realSchedule): ControlServer {
    const created = new ControlServer({ path: at, commands, schedule });
    servers.push(created);
    return created;
  }

  it('has mode 0600 from the first instant, whatever the umask (W-32)', async () => {
    const before = process.umask(0);
    try {
      const seen: Stats[] = [];
      let isListening = false;
      const listening = server().listen().then(() => {
        isListening = true;
      });
      while (!isListening) {
        const stat = lstatSync(path, { throwIfNoEntry: false });
        if (stat !== undefined) seen.push(stat);
        for (const name of await readdir(directory)) {
          if (name !== basename(path)) expect((await lstat(join(directory, name)).catch(() => ({ mode: 0o700 }))).mode & 0o777).toBe(0o700);
        }
        await nextTurn();
      }
      await listening;
      seen.push(await lstat(path));
      for (const stat of seen) expect([stat.isSocket(), stat.mode & 0o777]).toEqual([true, 0o600]);
    } finally {
      process.umask(before);
    }
  });

  it('leaves nothing else in its directory, and nothing at all after close', async () => {
    await server().listen();
    expect(await readdir(directory)).toEqual(['wlsync.sock']);
    await servers[0]?.close();
    expect(await readdir(directory)).toEqual([]);
    await servers[0]?.close();
  });

  it('gets its missing parent directories, mode 0700', async () => {
    const deep = join(directory, 'a', 'b', 'wlsync.sock');
    await server(deep).listen();
    expect((await lstat(dirname(deep))).mode & 0o777).toBe(0o700);
    expect((await lstat(join(directory, 'a'))).mode & 0o777).toBe(0o700);
    expect(await ping(deep)).toContain('pong');
  });

  it('replaces the socket a killed daemon left', async () => {
    await leaveStaleSocket(path);
    expect((await lstat(path)).isSocket()).toBe(true);
    await server().listen();
    expect(await ping(path)).toContain('pong');
    expect(await readdir(directory)).toEqual(['wlsync.sock']);
  });

  it('refuses a socket on which another daemon answers, and leaves it serving', async () => {
    await server().listen();
    const second = server();
    await expect(second.listen()).rejects.toMatchObject({ name: 'SocketClaimError', code: 'in-use', path });
    await second.close();
    expect(await ping(path)).toContain('pong');
    expect(await readdir(directory)).toEqual(['wlsync.sock']);
  });

  it.each([
    ['a file', (at: string) => writeFile(at, 'precious')],
    ['a directory', (at: string) => mkdir(at)],
    ['a dangling symlink', (at: string) => symlink('/nonexistent/target', at)],
    ['a symlink to a socket', async (at: string) => {
      await leaveStaleSocket(`${at}.real`);
      await symlink(`${at}.real`, at);
    }],
  ])('refuses the name of %s and leaves that alone', async (_name, make) => {
    await make(path);
    const before = await lstat(path);
    await expect(server().listen()).rejects.toMatchObject({ code: 'not-a-socket', path });
    expect((await lstat(path)).ino).toBe(before.ino);
  });

  it('says why it cannot listen when the directory cannot be made', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(server(join(directory, 'file', 'x.sock')).listen()).rejects.toMatchObject({
      code: 'unable-to-listen',
      message: expect.stringMatching(/unable to listen on .*(ENOTDIR|EEXIST)/) as unknown,
    });
  });

  it('does not take a socket it may not ask for a stale one', async () => {
    await leaveStaleSocket(path);
    await chmod(path, 0);
    await asOrdinaryUser(directory, () => expect(server().listen()).rejects.toMatchObject({ code: 'unknown-owner' }));
    expect((await lstat(path)).isSocket()).toBe(true);
  });

  it('lets exactly one of many daemons starting at once have the name', async () => {
    for (const prepare of [async () => undefined, ...Array.from({ length: 4 }, () => () => leaveStaleSocket(path))]) {
      await prepare();
      const contenders = Array.from({ length: 12 }, () => server());
      const outcomes = await Promise.allSettled(contenders.map((contender) => contender.listen()));
      const winners = contenders.filter((_contender, index) => outcomes[index]?.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'in-use' });
      expect(await ping(path)).toContain('pong');
      expect(await readdir(directory)).toEqual(['wlsync.sock']);
      await Promise.all(contenders.map((contender) => contender.close()));
    }
  });

  describe('while another daemon has the claim to the stale one', () => {
    let claim: string;
    beforeEach(async () => {
      await leaveStaleSocket(path);
      const { ino, mtimeNs } = await lstat(path, { bigint: true });
      claim = join(directory, `.wl-socket-${ino}-${mtimeNs}`);
      await mkdir(claim);
    });

    it('waits for it', async () => {
      const time = new ManualSchedule();
      const stale = await lstat(path);
      const waiting = server(path, time.schedule).listen();
      await until(() => time.pending === 1);
      expect((await lstat(path)).ino).toBe(stale.ino);
      await rm(claim, { recursive: true });
      time.pass(10);
      await waiting;
      expect(await ping(path)).toContain('pong');
    });

    it('goes on without it in the end: that daemon was killed (T28)', async () => {
      const time = new ManualSchedule();
      let isListening = false;
      const listening = server(path, time.schedule).listen().then(() => {
        isListening = true;
      });
      while (!isListening) {
        time.pass(10);
        await turns(1);
      }
      await listening;
      expect(await ping(path)).toContain('pong');
      expect(await readdir(directory)).toEqual(['wlsync.sock']);
    });
  });

  it('does not remove the socket of another daemon when it closes', async () => {
    await server().listen();
    await unlink(path);
    const second = server();
    await second.listen();
    await servers[0]?.close();
    expect(await ping(path)).toContain('pong');
  });

  it('closes quietly when its socket file is gone already', async () => {
    await server().listen();
    await rename(path, `${path}.moved`);
    await servers[0]?.close();
    expect(await readdir(directory)).toEqual(['wlsync.sock.moved']);
  });

  it('clears away what a daemon killed while starting left, and only that', async () => {
    const [old, fresh] = [join(directory, '.wl-socket-old'), join(directory, '.wl-socket-new')];
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const leftover of [old, fresh]) await mkdir(leftover);
    await writeFile(join(old, 'draft'), '');
    await utimes(old, longAgo, longAgo);
    await server().listen();
    expect((await readdir(directory)).sort()).toEqual(['.wl-socket-new', 'wlsync.sock']);
  });

  it('closes while listening is under way, and closes its clients', async () => {
    const early = server();
    const listening = early.listen();
    await early.close();
    await listening;
    expect(await readdir(directory)).toEqual([]);

    await server().listen();
    const client = await RawClient.connect(path);
    client.send('{"cmd": "ping"}\n\n');
    await client.take();
    await servers[1]?.close();
    expect(await client.rest()).toBe('');
    await expect(RawClient.connect(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux.each([
    ['one byte too long', (base: string) => join(base, 'd'.repeat(MAX_SOCKET_PATH_BYTES - base.length - '/wlsync.sock'.length), 'wlsync.sock')],
    ['in a deep directory', (base: string) => join(base, 'd'.repeat(200), 'e'.repeat(200), 'wlsync.sock')],
    ['with a long name', (base: string) => join(base, `${'n'.repeat(250)}.sock`)],
    ['with bytes outside ASCII', (base: string) => join(base, 'ž'.repeat(100), 'wlsync.sock')],
  ])('may have a path %s', async (_name, pathIn) => {
    const long = pathIn(directory);
    await mkdir(dirname(long), { recursive: true });
    await server(long).listen();
    const { ControlClient } = await import('./control-client.js');
    const client = await ControlClient.connect(long);
    expect(await client.request('ping')).toBe('pong');
    client.close();
    await expect(server(long).listen()).rejects.toMatchObject({ code: 'in-use' });
    expect((await lstat(long)).mode & 0o777).toBe(0o600);
    await servers[0]?.close();
    expect(await readdir(dirname(long))).toEqual([]);
    expect(await readdir(process.cwd())).not.toContain('wlsync.sock');
    await expect(ControlClient.connect(long)).rejects.toMatchObject({ className: 'ControlClientUnableToConnectError' });
  });

  onLinux('is taken over at a long path too', async () => {
    const inner = join(directory, 'd'.repeat(150));
    await mkdir(inner);
    await leaveStaleSocket(path);
    await rename(path, join(inner, 'wlsync.sock'));
    await server(join(inner, 'wlsync.sock')).listen();
    expect(await readdir(inner)).toEqual(['wlsync.sock']);
  });

  it('must not be empty nor hold a NUL byte', async () => {
    for (const bad of ['', 'a\0b', '\0abstract']) await expect(server(bad).listen()).rejects.toMatchObject({ code: 'unable-to-listen' });
  });

  it('is not taken from a listener of another protocol', async () => {
    const foreign: Server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => foreign.listen(path, resolve));
    await expect(server().listen()).rejects.toMatchObject({ code: 'in-use' });
    await new Promise((resolve) => foreign.close(resolve));
  });
});
