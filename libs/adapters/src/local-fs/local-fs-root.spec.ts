/** The root of a local storage: what it is known by, what belongs to us there, and what is left alone. */

import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath, type Token } from '@wl/domain';
import { ManualClock } from '@wl/ports/testing';

import { createLocalFsBackend } from './create-local-fs-backend.js';
import { instrument } from './testing/instrumented-disk.js';
import { filesBelow, openLocal, type OpenLocal } from './testing/open-local.js';
import { createDisk, errnoException } from './worker/disk.js';
import { createInstanceName } from './worker/instance.js';

const at = toRelativePath;
const DAY_MS = 24 * 60 * 60 * 1000;

let opened: OpenLocal;
beforeEach(async () => {
  opened = await openLocal();
});
afterEach(() => opened.close());

const backendAt = (location: string, deps = {}, readOnly = false) =>
  createLocalFsBackend({ backendId: 'b', type: 'local', location, readOnly }, deps);

describe('the identity of a root', () => {
  it('is a marker and the inode with its time of birth, and survives a move', async () => {
    const { ids, location } = await opened.backend.rootIdentity({ mark: true });
    expect(ids).toEqual([expect.stringMatching(/^marker:[0-9a-f-]{36}$/), expect.stringMatching(/^inode:\d+:\d+$/)]);
    expect(location).toBe(fs.realpathSync(opened.location));
    fs.renameSync(opened.location, `${opened.location}.moved`);
    const moved = backendAt(`${opened.location}.moved`);
    await moved.open();
    expect((await moved.rootIdentity({ mark: false })).ids).toEqual(ids);
    await moved.close();
    fs.renameSync(`${opened.location}.moved`, opened.location);
  });

  it('leads through links to the real place', async () => {
    const link = `${opened.location}.link`;
    fs.symlinkSync(opened.location, link);
    const linked = backendAt(link);
    await linked.open();
    expect(await linked.rootIdentity({ mark: true })).toEqual(await opened.backend.rootIdentity({ mark: true }));
    await linked.close();
    fs.unlinkSync(link);
  });

  it('is given once, also when two ask at the same time', async () => {
    const others = await Promise.all([1, 2, 3, 4].map(async () => {
      const other = backendAt(opened.location);
      await other.open();
      return other;
    }));
    const ids = await Promise.all(others.map(async (other) => (await other.rootIdentity({ mark: true })).ids.join()));
    expect(new Set(ids).size).toBe(1);
    for (const other of others) await other.close();
  });

  it('T05, INV-10: is not guessed when the marker cannot be read', async () => {
    await opened.backend.rootIdentity({ mark: true });
    fs.writeFileSync(join(opened.location, '.wl/root-id'), 'nonsense');
    await expect(opened.backend.rootIdentity({ mark: true })).rejects.toMatchObject({ code: 'damaged' });
    fs.rmSync(join(opened.location, '.wl/root-id'));
    fs.mkdirSync(join(opened.location, '.wl/root-id'));
    await expect(opened.backend.rootIdentity({ mark: false })).rejects.toMatchObject({ code: 'io-error' });
  });

  it('T84: leaves no trace where no mark was asked for', async () => {
    const before = fs.statSync(opened.location, { bigint: true });
    await opened.backend.rootIdentity({ mark: false });
    await opened.backend.open();
    await opened.backend.flush();
    expect(fs.readdirSync(opened.location)).toEqual([]);
    expect(fs.statSync(opened.location, { bigint: true }).ctimeNs).toBe(before.ctimeNs);
  });

  it('T04, T05: refuses to work in a directory that took the place of the one that was checked', async () => {
    await opened.writeOutside('a', Buffer.from('x'));
    const { token } = { token: await opened.backend.getFileToken(at('a')) };
    fs.renameSync(opened.location, `${opened.location}.away`);
    fs.mkdirSync(opened.location);
    const { backend } = opened;
    await expect(backend.makeDirectory(at('d'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(backend.remove(at('a'), token as Token)).rejects.toMatchObject({ code: 'not-found' });
    await expect(backend.stat(at('a'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(backend.list(ROOT)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'not-found' });
    expect(fs.readdirSync(opened.location)).toEqual([]);
    // Looking at it tells which it is; the caller compares the ids, and accepts it by opening it.
    const { ids } = await backend.rootIdentity({ mark: false });
    expect(ids[0]).toContain(String(fs.statSync(opened.location).ino));
    await expect(backend.stat(at('a'))).rejects.toMatchObject({ code: 'not-found' });
    await backend.open();
    expect(await backend.stat(at('a'))).toEqual({ kind: 'absent' });
    fs.rmSync(`${opened.location}.away`, { recursive: true });
  });

  it('rejects to open what is no directory, or not an absolute path', async () => {
    await opened.writeOutside('file', Buffer.from('x'));
    await expect(backendAt(join(opened.location, 'file')).open()).rejects.toMatchObject({ code: 'not-a-directory' });
    await expect(backendAt(join(opened.location, 'missing')).open()).rejects.toMatchObject({ code: 'not-found' });
    await expect(backendAt('relative').open()).rejects.toMatchObject({ code: 'not-found' });
    expect(fs.existsSync(join(opened.location, 'missing'))).toBe(false);
  });
});

describe('the reserved area', () => {
  it('is closed to other users', async () => {
    await opened.backend.rootIdentity({ mark: true });
    expect(fs.statSync(join(opened.location, '.wl')).mode & 0o777).toBe(0o700);
  });

  it('INV-34: is not looked for behind a link', async () => {
    const outside = fs.mkdtempSync(join(tmpdir(), 'wl-outside-'));
    fs.symlinkSync(outside, join(opened.location, '.wl'));
    await expect(opened.backend.rootIdentity({ mark: true })).rejects.toMatchObject({ code: 'not-a-directory' });
    await expect(opened.backend.openForSafeReplace(at('a'), undefined, { mtimeMs: 0 })).rejects.toMatchObject({ code: 'not-a-directory' });
    expect(fs.readdirSync(outside)).toEqual([]);
    fs.rmdirSync(outside);
  });

  it('is not touched through the port', async () => {
    await opened.backend.rootIdentity({ mark: true });
    const inside = '.wl/root-id' as ReturnType<typeof at>;
    await expect(opened.backend.remove(inside, 'x' as Token)).rejects.toMatchObject({ code: 'name-not-representable' });
    await expect(opened.backend.makeDirectory('.wl/d' as ReturnType<typeof at>)).rejects.toMatchObject({ code: 'name-not-representable' });
    expect(await opened.backend.read(inside, 'x' as Token)).toMatchObject({ ok: false });
  });

  it('keeps versions of one path apart, and a file from a directory of its name', async () => {
    const { backend } = opened;
    for (const content of ['1', '2', '3']) {
      await opened.writeOutside('a', Buffer.from(content));
      await backend.remove(at('a'), (await backend.getFileToken(at('a'))) as Token);
    }
    await opened.writeOutside('a/b', Buffer.from('4'));
    await backend.remove(at('a/b'), (await backend.getFileToken(at('a/b'))) as Token);
    const contents = filesBelow(join(opened.location, '.wl/trash')).map((path) => fs.readFileSync(path, 'utf8'));
    expect(contents.sort()).toEqual(['1', '2', '3', '4']);
  });

  it('T49: loses the staging of processes that are gone, and keeps that of others', async () => {
    const staging = join(opened.location, '.wl/staging');
    const mine = createInstanceName();
    const child = spawn(process.execPath, ['-e', '']);
    const parts = mine.split('.');
    const [machine, boot, namespace, , start, random] = parts as [string, string, string, string, string, string];
    await new Promise((resolve) => child.once('exit', resolve));
    const names = {
      mine,
      dead: [machine, boot, namespace, String(child.pid), start, random].join('.'),
      numberGivenAgain: [machine, boot, namespace, String(process.pid), '1', random].join('.'),
      earlierBoot: [machine, '00000000', namespace, String(process.pid), start, random].join('.'),
      otherContainer: [machine, boot, '00000000', '1', start, random].join('.'),
      otherMachine: ['00000000', boot, namespace, '1', start, random].join('.'),
      stranger: 'not-ours',
    };
    for (const name of Object.values(names)) {
      fs.mkdirSync(join(staging, name), { recursive: true });
      fs.writeFileSync(join(staging, name, '0-1'), 'half a file');
    }
    await opened.backend.open();
    const kept = fs.readdirSync(staging).filter((name) => Object.values(names).includes(name));
    expect(kept.sort()).toEqual([names.mine, names.otherContainer, names.otherMachine, names.stranger].sort());

    // Who cannot be asked is taken for gone after a day without a sign of life.
    const tomorrow = backendAt(opened.location, { clock: new ManualClock(Date.now() + 2 * DAY_MS) });
    await tomorrow.open();
    const left = fs.readdirSync(staging).filter((name) => Object.values(names).includes(name));
    expect(left.sort()).toEqual([names.mine, names.stranger].sort());
    await tomorrow.close();
  });

  it('is left as it is by a pass that finds no news, once it is known what the file system offers', async () => {
    const { disk, watch } = instrument(createDisk(undefined));
    const pass = async (): Promise<void> => {
      const backend = backendAt(opened.location, { disk });
      await backend.open();
      await backend.rootIdentity({ mark: true });
      for await (const batch of backend.list(ROOT)) void batch;
      await backend.close();
    };
    await pass();
    const made: string[] = [];
    watch(({ name }) => {
      if (['mkdir', 'rmdir', 'link', 'rename', 'unlink', 'write'].includes(name)) made.push(name);
    });
    await pass();
    expect(made).toEqual([]);
  });

  it('holds no staging of a storage that was closed', async () => {
    const writer = await opened.backend.openForSafeReplace(at('a'), undefined, { mtimeMs: 0 });
    await writer.write(Buffer.from('x'));
    expect(fs.readdirSync(join(opened.location, '.wl/staging'))).toHaveLength(1);
    await opened.backend.close();
    expect(fs.readdirSync(join(opened.location, '.wl/staging'))).toEqual([]);
  });
});

describe('INV-5: the trash', () => {
  const trash = (): string => join(opened.location, '.wl/trash');
  const ageFile = (): string => join(opened.location, '.wl/trash-age');
  const runs = (): string[] => fs.readdirSync(trash()).sort();
  const throwAway = (...names: readonly string[]): void => {
    for (const name of names) {
      fs.mkdirSync(join(trash(), name, 'd'), { recursive: true });
      fs.writeFileSync(join(trash(), name, 'd/file'), name);
      fs.symlinkSync('/', join(trash(), name, 'link'));
    }
  };

  /** A machine whose clock and uptime are moved by hand. */
  function machineAt(startMs: number, boot = 'one'): { nowMs: number; uptimeMs: number; boot: string } {
    return { nowMs: startMs, uptimeMs: 1000, boot };
  }

  /** The beginning of a pass that may write; or of one that may not. */
  async function look(machine: ReturnType<typeof machineAt>, { mark = true, deps = {} } = {}): Promise<void> {
    const clock = new ManualClock(machine.nowMs);
    const backend = backendAt(opened.location, { clock, uptime: () => ({ uptimeMs: machine.uptimeMs, boot: machine.boot }), ...deps });
    await backend.open();
    await backend.rootIdentity({ mark });
    await backend.close();
  }

  const pass = (machine: ReturnType<typeof machineAt>, days: number): void => {
    machine.nowMs += days * DAY_MS;
    machine.uptimeMs += days * DAY_MS;
  };

  it('loses what was in it for longer than 30 days, and nothing that it did not make', async () => {
    const machine = machineAt(Date.parse('2026-05-31T12:00:00Z'));
    throwAway('2026-05-30T12Z-abcd', '2026-05-30T12Z-abcd~2', 'something else', '2020-01-01');
    await look(machine);
    pass(machine, 2);
    throwAway('2026-06-02T11Z-abcd');
    await look(machine);
    pass(machine, 28);
    await look(machine);
    expect(runs()).toHaveLength(5);
    pass(machine, 1);
    await look(machine);
    expect(runs()).toEqual(['2020-01-01', '2026-06-02T11Z-abcd', 'something else']);
    await look(machine, { deps: { trashRetentionDays: 7 } });
    expect(runs()).toEqual(['2020-01-01', 'something else']);
  });

  it('T34, INV-22: is kept when the clock of a running machine steps by years and back, however often', async () => {
    const machine = machineAt(Date.parse('2026-05-31T12:00:00Z'));
    throwAway('2016-05-31T12Z-abcd', '2026-05-31T11Z-abcd', '1996-05-31T12Z-abcd');
    for (let turn = 0; turn < 3; turn += 1) {
      for (const days of [3650, -3650, -10_950, 10_950, 40, -40]) {
        machine.nowMs += days * DAY_MS;
        await look(machine);
      }
    }
    expect(runs()).toHaveLength(3);
    // What really passes is counted all the same.
    machine.nowMs -= 3650 * DAY_MS;
    machine.uptimeMs += 31 * DAY_MS;
    await look(machine);
    expect(runs()).toEqual([]);
  });

  it('T34: loses a week at most when a machine starts with another date, and counts no time while the date is too old', async () => {
    const machine = machineAt(Date.parse('2026-05-31T12:00:00Z'));
    throwAway('2026-05-31T11Z-abcd');
    await look(machine);
    const startAt = (nowMs: number): Promise<void> => look(Object.assign(machine, { nowMs, uptimeMs: 1000, boot: `${machine.boot}+` }));
    await startAt(Date.parse('2036-05-31T12:00:00Z'));
    await startAt(Date.parse('1970-01-01T00:00:00Z'));
    // It learns the date once it runs.
    machine.nowMs = Date.parse('2026-06-01T12:00:00Z');
    await look(machine);
    expect(runs()).toHaveLength(1);
    pass(machine, 22);
    await look(machine);
    expect(runs()).toHaveLength(1);
    pass(machine, 2);
    await look(machine);
    expect(runs()).toEqual([]);
  });

  it('begins anew where its age cannot be read, and keeps everything', async () => {
    const machine = machineAt(Date.parse('2026-05-31T12:00:00Z'));
    throwAway('2026-05-31T11Z-abcd');
    await look(machine);
    for (const damage of ['', '{', '[]', 'null', '{"looked":{"wallMs":0,"uptimeMs":0,"boot":"one"},"ageMs":1,"since":[["2026-05-31T11Z-abcd",2]]}']) {
      pass(machine, 31);
      fs.writeFileSync(ageFile(), damage);
      await look(machine);
      expect(runs()).toHaveLength(1);
    }
    fs.rmSync(ageFile());
    fs.mkdirSync(ageFile());
    pass(machine, 31);
    await look(machine);
    expect(runs()).toHaveLength(1);
  });

  it('keeps a run that a clock which stands still names for months', async () => {
    const machine = machineAt(Date.parse('2026-05-31T12:00:00Z'));
    const backend = backendAt(opened.location, { clock: new ManualClock(machine.nowMs), uptime: () => ({ uptimeMs: machine.uptimeMs, boot: 'one' }) });
    await backend.open();
    await backend.rootIdentity({ mark: true });
    for (const content of ['1', '2']) {
      await opened.writeOutside('a', Buffer.from(content));
      await backend.remove(at('a'), (await backend.getFileToken(at('a'))) as Token);
      machine.uptimeMs += 40 * DAY_MS;
      await backend.rootIdentity({ mark: true });
    }
    expect(filesBelow(trash()).map((path) => fs.readFileSync(path, 'utf8')).sort()).toEqual(['1', '2']);
    await backend.close();
  });

  it('T84, INV-38: is not touched, nor noted, by whoever only looks; and there is no note without a trash', async () => {
    const machine = machineAt(Date.parse('2026-05-31T12:00:00Z'));
    await look(machine);
    expect(fs.existsSync(ageFile())).toBe(false);
    throwAway('2026-05-31T11Z-abcd');
    await look(machine, { mark: false });
    expect(fs.existsSync(ageFile())).toBe(false);
    await look(machine);
    const noted = fs.readFileSync(ageFile(), 'utf8');
    pass(machine, 31);
    await look(machine, { mark: false });
    expect([runs(), fs.readFileSync(ageFile(), 'utf8')]).toEqual([['2026-05-31T11Z-abcd'], noted]);
  });

  it('writes its age once an hour, not at every pass', async () => {
    const machine = machineAt(Date.parse('2026-05-31T12:00:00Z'));
    throwAway('2026-05-31T11Z-abcd');
    await look(machine);
    const written = fs.statSync(ageFile()).ino;
    pass(machine, 1 / 48);
    await look(machine);
    expect(fs.statSync(ageFile()).ino).toBe(written);
    pass(machine, 1 / 48);
    await look(machine);
    expect(JSON.parse(fs.readFileSync(ageFile(), 'utf8'))).toMatchObject({ ageMs: DAY_MS / 24 });
  });
});

describe('a read-only storage', () => {
  it('INV-37: makes, marks and tidies nothing', async () => {
    const run = join(opened.location, '.wl/trash/2000-01-01T00Z-abcd');
    fs.mkdirSync(run, { recursive: true });
    const backend = backendAt(opened.location, {}, true);
    await backend.open();
    const { ids } = await backend.rootIdentity({ mark: true });
    expect(ids).toEqual([expect.stringMatching(/^inode:/)]);
    await backend.flush();
    await backend.close();
    expect(fs.existsSync(run)).toBe(true);
    expect(fs.readdirSync(join(opened.location, '.wl'))).toEqual(['trash']);
  });
});

describe('a user who may only read', () => {
  it('knows the root by its inode, since the marker belongs to its owner', async () => {
    const { ids } = await opened.backend.rootIdentity({ mark: true });
    await opened.writeOutside('a', Buffer.from('x'));
    const disk = createDisk(undefined);
    const closed = {
      ...disk,
      open: (path: string, flags: number, mode?: number) => {
        if (path.endsWith('/.wl')) throw errnoException('open', 13);
        return disk.open(path, flags, mode);
      },
    };
    const reading = backendAt(opened.location, { disk: closed }, true);
    await reading.open();
    expect((await reading.rootIdentity({ mark: true })).ids).toEqual(ids.filter((id) => id.startsWith('inode:')));
    expect(await reading.stat(at('a'))).toMatchObject({ kind: 'file' });
    await reading.close();
    await expect(backendAt(opened.location, { disk: closed }).open()).rejects.toMatchObject({ code: 'permission-denied' });
  });
});

describe('another file system below the root', () => {
  it('INV-34: is listed as a directory that was not entered, and nothing is written there', async () => {
    if (process.getuid?.() !== 0) {
      process.stderr.write('skipped: only root can mount\n');
      return;
    }
    const mount = join(opened.location, 'mounted');
    fs.mkdirSync(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      process.stderr.write('skipped: mounting is not allowed here\n');
      return;
    }
    try {
      fs.writeFileSync(join(mount, 'file'), 'x');
      const { backend } = opened;
      const rows: unknown[] = [];
      for await (const { keys, reasons } of backend.list(ROOT)) rows.push([...keys], [...reasons]);
      expect(rows).toEqual([['mounted/'], [[0, 'other-file-system']]]);
      expect(await backend.stat(at('mounted/file'))).toEqual({ kind: 'unknown', reason: 'other-file-system' });
      await expect(backend.openForSafeReplace(at('mounted/new'), undefined, { mtimeMs: 0 })).rejects.toMatchObject({ code: 'other-file-system' });
      await expect(backend.makeDirectory(at('mounted/new'))).rejects.toMatchObject({ code: 'other-file-system' });
      await expect(backend.removeDirectory(at('mounted'))).rejects.toMatchObject({ code: 'io-error' });
      // Between two operations nothing is held open that would keep a disk from being unmounted.
      expect(fs.readdirSync(mount)).toEqual(['file']);
    } finally {
      execFileSync('umount', [mount]);
    }
  });
});

describe('a storage where case does not matter', () => {
  /** Answers for `Name` what is there for `name`, as such a file system does. */
  function caseless(): ReturnType<typeof createDisk> {
    const disk = createDisk(undefined);
    const real = (path: string): string => {
      const slash = path.lastIndexOf('/');
      const directory = path.slice(0, slash);
      const name = path.slice(slash + 1);
      const found = fs.existsSync(directory) ? fs.readdirSync(directory).find((entry) => entry.toLowerCase() === name.toLowerCase()) : undefined;
      return found === undefined ? path : `${directory}/${found}`;
    };
    return {
      ...disk,
      open: (path, flags, mode) => disk.open(real(path), flags, mode),
      lstat: (path) => disk.lstat(real(path)),
      mkdir: (path, mode) => disk.mkdir(real(path), mode),
      link: (existing, path) => disk.link(real(existing), real(path)),
      unlink: (path) => disk.unlink(real(path)),
      rename: (from, to) => disk.rename(real(from), real(to)),
    };
  }

  it('T73: tells another spelling from the name itself, at every part of a path', async () => {
    await opened.writeOutside('Docs/Readme', Buffer.from('x'));
    const backend = backendAt(opened.location, { disk: caseless() });
    await backend.open();
    expect(backend.capabilities.isCaseSensitive).toBe(false);
    expect(await backend.stat(at('Docs/Readme'))).toMatchObject({ kind: 'file' });
    for (const path of ['Docs/README', 'docs/Readme', 'docs']) {
      expect(await backend.stat(at(path))).toEqual({ kind: 'unknown', reason: 'name-collision' });
      expect(await backend.getFileToken(at(path))).toBeUndefined();
    }
    expect(await backend.makeDirectory(at('docs'))).toEqual({ ok: false, error: 'exists' });
    await expect(backend.openForSafeReplace(at('docs/new'), undefined, { mtimeMs: 0 })).rejects.toMatchObject({ code: 'not-a-directory' });
    expect(await opened.namesOutside()).toEqual(['Docs', 'Docs/Readme']);
    await backend.close();
  });
});
