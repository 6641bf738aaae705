/** What a local storage makes of disks that fail, fill up, or hold odd things. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { constants as osConstants, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath, type FileNode } from '@wl/domain';
import { EntryKind, isBackendError, type CopyOutcome, type CopyRequest, type StorageBackend, type UnrepresentableName } from '@wl/ports';

import { instrument, type BeforeCall, type InstrumentedDisk } from './testing/instrumented-disk.js';
import { filesBelow, openLocal, type OpenLocal } from './testing/open-local.js';
import { createDisk, errnoException } from './worker/disk.js';
import { loadNative } from './worker/native.js';

const native = loadNative({ ownsThread: false });
const at = toRelativePath;
const { errno } = osConstants;

let opened: OpenLocal;
let instrumented: InstrumentedDisk;
beforeEach(async () => {
  instrumented = instrument(createDisk(native));
  opened = await openLocal({ deps: { disk: instrumented.disk } });
});
afterEach(async () => {
  instrumented.watch(undefined);
  await opened.close();
});

/** Makes calls fail that a test picks. */
function failing(code: keyof typeof errno, picks: (call: Parameters<BeforeCall>[0]) => boolean): void {
  instrumented.watch((call) => {
    if (picks(call)) throw errnoException(call.name, errno[code]);
  });
}

/** Rows of a listing as `key reason`. */
async function rows(backend: StorageBackend): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of backend.list(ROOT)) {
    for (const [i, key] of batch.keys.entries()) {
      const kind = batch.kinds[i] === EntryKind.unknown ? '?' : '';
      lines.push([kind + key, batch.reasons.get(i)].filter(Boolean).join(' '));
    }
  }
  return lines;
}

async function fileAt(backend: StorageBackend, path: string): Promise<FileNode> {
  const node = await backend.stat(at(path));
  if (node.kind !== 'file') throw new Error(`${path} is ${node.kind}`);
  return node;
}

async function copyAll(target: StorageBackend, source: StorageBackend, requests: readonly CopyRequest[]): Promise<CopyOutcome[]> {
  const outcomes: CopyOutcome[] = [];
  for await (const results of target.copyFrom?.(source, requests) ?? []) for (const { index, outcome } of results) outcomes[index] = outcome;
  return outcomes;
}

/** Makes directories in each other, a file beside each, by relative steps: the whole path is longer than the system takes. */
function makeDeep(name: string, levels: number): void {
  const script = `
    const fs = require('node:fs');
    process.chdir(process.argv[1]);
    for (let i = 0; i < ${String(levels)}; i += 1) {
      fs.mkdirSync('${name}');
      fs.writeFileSync('${name}.txt', 'x');
      process.chdir('${name}');
    }
    fs.writeFileSync('file', 'deep');`;
  execFileSync(process.execPath, ['-e', script, opened.location]);
}

describe('a listing', () => {
  beforeEach(async () => {
    for (const file of ['a/x', 'bad/inner/y', 'bad/z', 'c']) await opened.writeOutside(file, Buffer.from(file));
  });

  it('INV-8, T01: marks a directory that cannot be opened or read, and goes on', async () => {
    for (const [code, reason] of [['EACCES', 'permission-denied'], ['EIO', 'read-error'], ['ESTALE', 'read-error']] as const) {
      failing(code, ({ name, path }) => name === 'open' && path.endsWith('/bad'));
      expect(await rows(opened.backend)).toEqual(['a/', 'a/x', `bad/ ${reason}`, 'c']);
      let badDirectory = '';
      failing(code, ({ name, path }) => {
        // Reading names goes by descriptor; it is the one opened right before.
        if (name === 'open') badDirectory = path;
        return name === 'readDirectory' && badDirectory.endsWith('/bad');
      });
      expect(await rows(opened.backend)).toEqual(['a/', 'a/x', `bad/ ${reason}`, 'c']);
    }
  });

  it('INV-8: marks a directory that vanished between the names of its parent and its own', async () => {
    instrumented.watch(({ name, path }) => {
      if (name === 'open' && path.endsWith('/bad')) fs.rmSync(join(opened.location, 'bad'), { recursive: true, force: true });
    });
    expect(await rows(opened.backend)).toEqual(['a/', 'a/x', 'bad/ vanished', 'c']);
  });

  it('leaves out a file that is gone by now, and marks one that cannot be looked at', async () => {
    instrumented.watch(({ name, path }) => {
      if (name === 'lstat' && path.endsWith('/x')) fs.rmSync(join(opened.location, 'a/x'), { force: true });
    });
    expect(await rows(opened.backend)).toEqual(['a/', 'bad/', 'bad/inner/', 'bad/inner/y', 'bad/z', 'c']);
    failing('EIO', ({ name, path }) => name === 'lstat' && path.endsWith('/z'));
    expect(await rows(opened.backend)).toEqual(['a/', 'bad/', 'bad/inner/', 'bad/inner/y', '?bad/z read-error', 'c']);
  });

  it('rejects when the root itself cannot be read', async () => {
    failing('EIO', ({ name }) => name === 'readDirectory');
    await expect(rows(opened.backend)).rejects.toMatchObject({ code: 'io-error' });
    failing('EACCES', ({ name, path }) => name === 'open' && path === opened.location);
    await expect(rows(opened.backend)).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('INV-8: sees a name that a rename moves past the reading position', async () => {
    let readings = 0;
    const disk = createDisk(native);
    const other = await openLocal({
      deps: {
        disk: {
          ...disk,
          readDirectory: (path) => {
            const entries = disk.readDirectory(path);
            readings += 1;
            if (readings > 1) return entries;
            // What a directory may answer while somebody saves `kept` by rename: the name is in neither half.
            fs.writeFileSync(join(other.location, 'kept.tmp'), 'new');
            fs.renameSync(join(other.location, 'kept.tmp'), join(other.location, 'kept'));
            return entries.filter(({ name }) => name !== 'kept');
          },
        },
      },
    });
    await other.writeOutside('kept', Buffer.from('old'));
    readings = 0;
    expect(await rows(other.backend)).toEqual(['kept']);
    await other.close();
  });

  it('T89: walks 600 levels and paths beyond PATH_MAX, and finds its way back up', async () => {
    const name = 'n'.repeat(5);
    makeDeep(name, 600);
    const directory = Array.from({ length: 600 }, () => name).join('/');
    const keys = await rows(opened.backend);
    expect(keys).toHaveLength(600 + 600 + 1 + 7);
    expect(keys).toContain(`${directory}/file`);
    const deep = at(`${directory}/file`);
    expect(await opened.backend.stat(deep)).toMatchObject({ kind: 'file', sizeBytes: 4 });
    expect(await opened.backend.getHashes([deep])).toMatchObject([{ kind: 'hashed' }]);
    expect(await opened.backend.remove(deep, (await fileAt(opened.backend, deep)).token)).toEqual({ ok: true, value: undefined });
  });

  it('T75: reports names whose path would be too long', async () => {
    makeDeep('0'.repeat(250), 20);
    const names: UnrepresentableName[] = [];
    let count = 0;
    for await (const batch of opened.backend.list(ROOT, { onUnrepresentable: (name) => names.push(name) })) count += batch.keys.length;
    expect(count).toBe(16 + 16 + 7);
    expect(names.map(({ display }) => display)).toEqual([`${'0'.repeat(250)}.txt`, '0'.repeat(250)]);
  });

  it('T75: keeps a name that really holds U+FFFD', async () => {
    await opened.writeOutside('a/\ufffd', Buffer.from('x'));
    fs.writeFileSync(Buffer.concat([Buffer.from(`${opened.location}/a/`), Buffer.from([0xed, 0xa0, 0x80])]), 'lone surrogate');
    const names: UnrepresentableName[] = [];
    const keys: string[] = [];
    for await (const batch of opened.backend.list(at('a'), { onUnrepresentable: (name) => names.push(name) })) keys.push(...batch.keys);
    expect(keys).toEqual(['a/x', 'a/\ufffd']);
    expect(names).toHaveLength(1);
  });
});

describe('a file', () => {
  it('T30: has another token after an edit that restored size and time', async () => {
    await opened.writeOutside('a', Buffer.from('one'));
    fs.utimesSync(join(opened.location, 'a'), 1_600_000_000, 1_600_000_000);
    const before = await fileAt(opened.backend, 'a');
    await new Promise((resolve) => setTimeout(resolve, 25));
    await opened.writeOutside('a', Buffer.from('two'));
    fs.utimesSync(join(opened.location, 'a'), 1_600_000_000, 1_600_000_000);
    const after = await fileAt(opened.backend, 'a');
    expect([after.sizeBytes, after.mtimeMs]).toEqual([before.sizeBytes, before.mtimeMs]);
    expect(after.token).not.toBe(before.token);
  });

  it('T34: is listed, hashed and copied whatever its modification time', async () => {
    const source = await openLocal();
    const times = [0, -1, -1_000_000, 3_344_444_444, 2 ** 31, 2 ** 33];
    for (const [i, time] of times.entries()) {
      await source.writeOutside(`f${String(i)}`, Buffer.from(String(i)));
      fs.utimesSync(join(source.location, `f${String(i)}`), new Date(time * 1000), new Date(time * 1000));
    }
    const requests: CopyRequest[] = [];
    for (const i of times.keys()) requests.push({ path: at(`f${String(i)}`), from: await fileAt(source.backend, `f${String(i)}`), replaces: undefined });
    const outcomes = await copyAll(opened.backend, source.backend, requests);
    expect(outcomes.map(({ kind }) => kind)).toEqual(times.map(() => 'copied'));
    for (const i of times.keys()) {
      const [copied, original] = [await fileAt(opened.backend, `f${String(i)}`), requests[i]?.from];
      expect(copied.mtimeMs).toBe(original?.mtimeMs);
    }
    await source.close();
  });

  it('T42: that changes at every reading answers changing', async () => {
    await opened.writeOutside('a', Buffer.from('0'));
    let version = 0;
    instrumented.watch(({ name }) => {
      if (name === 'read') fs.writeFileSync(join(opened.location, 'a'), String((version += 1) % 10).padStart(50, 'x'));
    });
    expect(await opened.backend.getHashes([at('a')])).toEqual([{ kind: 'changing' }]);
  });

  it('T42: that changes once while it is read is read again', async () => {
    await opened.writeOutside('a', Buffer.from('first'));
    let isFirst = true;
    instrumented.watch(({ name }) => {
      if (name !== 'read' || !isFirst) return;
      isFirst = false;
      fs.writeFileSync(join(opened.location, 'a'), 'second');
    });
    expect(await opened.backend.getHashes([at('a')])).toMatchObject([{ kind: 'hashed', node: { sizeBytes: 6 } }]);
  });

  it('T42: that changes while it is copied is not copied', async () => {
    const source = await openLocal({ deps: { disk: instrumented.disk } });
    await source.writeOutside('a', Buffer.alloc(3 << 20, 'x'));
    fs.utimesSync(join(source.location, 'a'), 1_600_000_000, 1_600_000_000);
    const request = { path: at('a'), from: await fileAt(source.backend, 'a'), replaces: undefined };
    for (const change of [
      () => fs.appendFileSync(join(source.location, 'a'), 'more'),
      () => fs.truncateSync(join(source.location, 'a'), 1 << 20),
      () => fs.rmSync(join(source.location, 'a')),
    ]) {
      let reads = 0;
      instrumented.watch(({ name }) => {
        if (name === 'read' && (reads += 1) === 3) change();
      });
      expect(await copyAll(opened.backend, source.backend, [request])).toEqual([{ kind: 'source-changed' }]);
      instrumented.watch(undefined);
      expect(await opened.namesOutside()).toEqual([]);
      await source.writeOutside('a', Buffer.alloc(3 << 20, 'x'));
    }
    await source.close();
  });

  it('INV-27, T51: is not copied when its bytes are not those its token stood for', async () => {
    const source = await openLocal();
    await source.writeOutside('a', Buffer.from('x'));
    const from = await fileAt(source.backend, 'a');
    const hash = '0'.repeat(64) as NonNullable<FileNode['hash']>;
    expect(await copyAll(opened.backend, source.backend, [{ path: at('a'), from: { ...from, hash }, replaces: undefined }])).toEqual([{ kind: 'source-changed' }]);
    await source.close();
  });

  it('INV-27: is not shown when what was written reads back differently', async () => {
    const source = await openLocal();
    await source.writeOutside('a', Buffer.from('content'));
    await source.writeOutside('b', Buffer.from('content'));
    const disk = createDisk(native);
    const target = await openLocal({
      deps: {
        disk: {
          ...disk,
          write: (fd, buffer, offset, length, position) => {
            const wrong = Buffer.from(buffer);
            wrong[0] = (wrong[0] ?? 0) ^ 1;
            return disk.write(fd, wrong, offset, length, position);
          },
        },
      },
    });
    const request = { path: at('a'), from: await fileAt(source.backend, 'a'), replaces: undefined };
    expect(await copyAll(target.backend, source.backend, [request])).toMatchObject([{ kind: 'failed', error: { code: 'damaged' } }]);
    expect(await target.namesOutside()).toEqual([]);
    await target.close();
    await source.close();
  });

  it('keeps its holes', async () => {
    const source = await openLocal();
    const file = fs.openSync(join(source.location, 'image'), 'w');
    fs.ftruncateSync(file, 64 << 20);
    fs.writeSync(file, 'in the middle', 30 << 20);
    fs.closeSync(file);
    const request = { path: at('image'), from: await fileAt(source.backend, 'image'), replaces: undefined };
    expect(await copyAll(opened.backend, source.backend, [request])).toMatchObject([{ kind: 'copied', sizeBytes: 64 << 20 }]);
    const copied = join(opened.location, 'image');
    expect(fs.readFileSync(copied).equals(fs.readFileSync(join(source.location, 'image')))).toBe(true);
    expect(fs.statSync(copied).blocks * 512).toBeLessThan(2 << 20);
    await source.close();
  });

  it('is copied by sharing its blocks where the file system can, and byte by byte elsewhere', async () => {
    const source = await openLocal();
    await source.writeOutside('large', Buffer.alloc(3 << 20, 'large '));
    for (const canClone of [true, false]) {
      const disk = createDisk(native);
      const calls: string[] = [];
      const target = await openLocal({
        deps: {
          disk: {
            ...disk,
            clone: (from, to) => {
              calls.push('clone');
              if (canClone) fs.writeSync(to, fs.readFileSync(`/proc/self/fd/${String(from)}`));
              return canClone;
            },
            write: (...values) => {
              calls.push('write');
              return disk.write(...values);
            },
          },
        },
      });
      const request = { path: at('large'), from: await fileAt(source.backend, 'large'), replaces: undefined };
      expect(await copyAll(target.backend, source.backend, [request])).toMatchObject([{ kind: 'copied', sizeBytes: 3 << 20 }]);
      expect(new Set(calls)).toEqual(new Set(canClone ? ['clone'] : ['clone', 'write']));
      expect(fs.readFileSync(join(target.location, 'large')).equals(Buffer.alloc(3 << 20, 'large '))).toBe(true);
      await target.close();
    }
    await source.close();
  });

  it.each([3 << 20, 5000])('INV-15: of %i bytes that is written to within the tick of its cloning is not taken for what was cloned', async (sizeBytes) => {
    const source = await openLocal();
    await source.writeOutside('a', Buffer.alloc(sizeBytes, 'old'));
    const file = join(source.location, 'a');
    const first = fs.statSync(file, { bigint: true });
    const disk = createDisk(loadNative({ ownsThread: false }));
    const target = await openLocal({
      deps: {
        disk: {
          ...disk,
          // Somebody has it open, and his write gives it no other time.
          isOpenForWriting: () => true,
          fstat: (fd) => {
            const stats = disk.fstat(fd);
            return stats.ino === first.ino ? first : stats;
          },
          clone: (from, to) => {
            fs.writeSync(to, fs.readFileSync(`/proc/self/fd/${String(from)}`));
            fs.writeFileSync(file, Buffer.alloc(sizeBytes, 'new'));
            return true;
          },
        },
      },
    });
    const request = { path: at('a'), from: await fileAt(source.backend, 'a'), replaces: undefined };
    const outcomes: CopyOutcome[] = [];
    for await (const batch of target.backend.copySharing(source.backend, [request])) outcomes.push(...batch.map(({ outcome }) => outcome));
    expect(outcomes).toEqual([{ kind: 'source-changed' }]);
    expect(await target.namesOutside()).toEqual([]);
    await target.close();
    await source.close();
  });

  it('shares the blocks of small files too where that is asked for, and copies where they cannot be shared, asking once a batch', async () => {
    const source = await openLocal();
    const names = ['a', 'b', 'c', 'empty'];
    for (const name of names) await source.writeOutside(name, Buffer.from(name === 'empty' ? '' : `content of ${name}`));
    for (const canClone of [true, false]) {
      const disk = createDisk(loadNative({ ownsThread: false }));
      let asked = 0;
      const clone = (from: number, to: number): boolean => {
        asked += 1;
        if (canClone) fs.writeSync(to, fs.readFileSync(`/proc/self/fd/${String(from)}`));
        return canClone;
      };
      const target = await openLocal({ deps: { disk: { ...disk, clone } } });
      const requests = await Promise.all(names.map(async (name) => ({ path: at(name), from: await fileAt(source.backend, name), replaces: undefined })));
      const outcomes: CopyOutcome[] = [];
      for await (const batch of target.backend.copySharing(source.backend, requests)) outcomes.push(...batch.map(({ outcome }) => outcome));
      expect(outcomes.map(({ kind }) => kind)).toEqual(names.map(() => 'copied'));
      for (const name of names) expect(fs.readFileSync(join(target.location, name), 'utf8')).toBe(name === 'empty' ? '' : `content of ${name}`);
      expect(asked).toBe(canClone ? 3 : 1);
      await target.close();
    }
    await source.close();
  });

  it('T72: that becomes a FIFO keeps nobody waiting', async () => {
    execFileSync('mkfifo', [join(opened.location, 'fifo')]);
    expect(await opened.backend.getHashes([at('fifo')])).toMatchObject([{ kind: 'unknown', reason: 'special-file' }]);
    expect(await opened.backend.read(at('fifo'), 'token' as FileNode['token'])).toMatchObject({ ok: false });
    expect(await opened.backend.stat(at('fifo'))).toEqual({ kind: 'unknown', reason: 'special-file' });
  });

  it('T72: with two names is a file like any other', async () => {
    await opened.writeOutside('a', Buffer.from('x'));
    fs.linkSync(join(opened.location, 'a'), join(opened.location, 'b'));
    expect(await rows(opened.backend)).toEqual(['a', 'b']);
    expect(await opened.backend.remove(at('a'), (await fileAt(opened.backend, 'a')).token)).toMatchObject({ ok: true });
    expect(await rows(opened.backend)).toEqual(['b']);
  });

  it('keeps who may read it: a private file is copied as a private one, a replaced one keeps its own permissions', async () => {
    const source = await openLocal();
    const modeOf = (name: string): number => fs.statSync(join(opened.location, name)).mode & 0o777;
    for (const [name, mode] of [['private', 0o600], ['program', 0o755], ['shared', 0o664]] as const) {
      await source.writeOutside(name, Buffer.from(name));
      fs.chmodSync(join(source.location, name), mode);
      await copyAll(opened.backend, source.backend, [{ path: at(name), from: await fileAt(source.backend, name), replaces: undefined }]);
      expect(modeOf(name)).toBe(mode);
    }
    fs.chmodSync(join(opened.location, 'shared'), 0o640);
    fs.chmodSync(join(source.location, 'shared'), 0o755);
    await source.writeOutside('shared', Buffer.from('changed'));
    const request = { path: at('shared'), from: await fileAt(source.backend, 'shared'), replaces: await fileAt(opened.backend, 'shared') };
    expect(await copyAll(opened.backend, source.backend, [request])).toMatchObject([{ kind: 'copied' }]);
    expect(modeOf('shared')).toBe(0o750);
    await source.close();
  });

  it('INV-33: copied within the storage for a file from elsewhere, is as that file would be: not as private as what it was copied from', async () => {
    const modeOf = (name: string): number => fs.statSync(join(opened.location, name)).mode & 0o777;
    await opened.writeOutside('private', Buffer.from('content'));
    fs.chmodSync(join(opened.location, 'private'), 0o600);
    const common = { fromPath: at('private'), from: await fileAt(opened.backend, 'private'), replaces: undefined };
    const requests = ['plain', 'program'].map((name) => ({ ...common, path: at(name), attributes: { mtimeMs: 1e12, isExecutable: name === 'program' } }));
    expect(await copyAll(opened.backend, opened.backend, requests)).toMatchObject([{ kind: 'copied' }, { kind: 'copied' }]);
    const mask = process.umask();
    expect([modeOf('plain'), modeOf('program')]).toEqual([0o666 & ~mask, 0o777 & ~mask]);
    expect(fs.statSync(join(opened.location, 'plain')).mtimeMs).toBe(1e12);
  });
});

describe('what a file system can do', () => {
  const CALLS = ['renameNoReplace', 'exchange', 'link', 'unlink'] as const;

  /** The first copies meet a failure while it is tried; which renames are used afterwards. */
  async function callsAfter(code: keyof typeof errno, name: (typeof CALLS)[number], nth: number): Promise<Set<string>> {
    const { disk, watch } = instrument(createDisk(native));
    const [source, target] = [await openLocal(), await openLocal({ deps: { disk } })];
    try {
      for (const [side, file] of [[source, 'one'], [source, 'two'], [source, 'new'], [target, 'one']] as const) await side.writeOutside(file, Buffer.from(`${file} of ${side.location}`));
      const replaces = await fileAt(target.backend, 'one');
      const copy = async (path: string): Promise<CopyOutcome[]> =>
        copyAll(target.backend, source.backend, [{ path: at(path), from: await fileAt(source.backend, path), replaces: path === 'one' ? replaces : undefined }]);
      let seen = 0;
      watch((call) => {
        if (call.name === name && (seen += 1) === nth) throw errnoException(call.name, errno[code]);
      });
      await copy('two').catch(() => undefined);
      const calls = new Set<string>();
      watch((call) => void calls.add(call.name));
      expect([code, name, nth, await copy('new'), await copy('one')]).toMatchObject([code, name, nth, [{ kind: 'copied' }], [{ kind: 'copied' }]]);
      return calls;
    } finally {
      for (const side of [source, target]) await side.close();
    }
  }

  it.each(CALLS)('INV-26, T53: is not given up for a failure of %s while it is tried', async (name) => {
    const wanted = native?.renameat2 === undefined ? ['link'] : ['renameNoReplace', 'exchange'];
    for (const [code, nth] of [['ENOSPC', 1], ['ENOSPC', 2], ['EACCES', 2]] as const) {
      expect([...(await callsAfter(code, name, nth))]).toEqual(expect.arrayContaining(wanted));
    }
  });

  it('INV-26: is remembered where the system says that it cannot', async () => {
    if (native?.renameat2 === undefined) return expect([...(await callsAfter('EINVAL', 'link', 4))]).toContain('link');
    expect([...(await callsAfter('EINVAL', 'exchange', 1))]).not.toContain('exchange');
  });
});

describe('a full disk', () => {
  it('INV-16, T52: fails file by file, leaves nothing half-written and goes on with what fits', async () => {
    if (process.getuid?.() !== 0) {
      process.stderr.write('skipped: only root can mount a small file system\n');
      return;
    }
    const mount = fs.mkdtempSync(join(tmpdir(), 'wl-small-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      process.stderr.write('skipped: mounting is not allowed here\n');
      fs.rmdirSync(mount);
      return;
    }
    const [source, target] = [await openLocal(), await openLocal({ parent: mount })];
    try {
      const sizes = [100_000, 2_000_000, 100_000, 3_000_000, 100_000, 100_000];
      const requests: CopyRequest[] = [];
      for (const [i, size] of sizes.entries()) {
        await source.writeOutside(`f${String(i)}`, Buffer.alloc(size, i));
        requests.push({ path: at(`f${String(i)}`), from: await fileAt(source.backend, `f${String(i)}`), replaces: undefined });
      }
      const outcomes = await copyAll(target.backend, source.backend, requests);
      expect(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.error.code : outcome.kind))).toEqual([
        'copied', 'no-space', 'copied', 'no-space', 'copied', 'copied',
      ]);
      expect((await target.namesOutside()).length).toBe(4);
      expect(filesBelow(join(target.location, '.wl/staging'))).toEqual([]);
      const writer = await target.backend.openForSafeReplace(at('big'), undefined, { mtimeMs: NaN });
      await expect((async () => {
        for (let i = 0; i < 3; i += 1) await writer.write(Buffer.alloc(1 << 20));
      })()).rejects.toMatchObject({ code: 'no-space' });
      await writer.abort();
      expect(filesBelow(join(target.location, '.wl/staging'))).toEqual([]);
    } finally {
      await target.close();
      await source.close();
      execFileSync('umount', [mount]);
      fs.rmdirSync(mount);
    }
  });

  it('INV-15, T52: reports no file of a batch as copied when the common flush fails', async () => {
    const source = await openLocal();
    const requests: CopyRequest[] = [];
    for (let i = 0; i < 10; i += 1) {
      await source.writeOutside(`f${String(i)}`, Buffer.from('x'));
      requests.push({ path: at(`f${String(i)}`), from: await fileAt(source.backend, `f${String(i)}`), replaces: undefined });
    }
    failing('EIO', ({ name }) => name === 'syncfs' || name === 'fsync');
    const outcomes = await copyAll(opened.backend, source.backend, requests);
    expect(outcomes.every((outcome) => outcome.kind === 'failed' && outcome.error.code === 'io-error')).toBe(true);
    expect(await opened.namesOutside()).toEqual([]);
    instrumented.watch(undefined);
    expect(filesBelow(join(opened.location, '.wl/staging'))).toEqual([]);
    await source.close();
  });

  it('INV-15, T50: shows nothing before it is durable, one by one or as a batch', async () => {
    // Marks the root, which tries out renames once.
    await opened.backend.rootIdentity({ mark: true });
    for (const count of [2, 20]) {
      const source = await openLocal();
      const requests: CopyRequest[] = [];
      for (let i = 0; i < count; i += 1) {
        await source.writeOutside(`${String(count)}-${String(i)}`, Buffer.from('x'));
        requests.push({ path: at(`${String(count)}-${String(i)}`), from: await fileAt(source.backend, `${String(count)}-${String(i)}`), replaces: undefined });
      }
      let [written, flushed] = [0, 0];
      const flushedAtShow: number[] = [];
      instrumented.watch(({ name }) => {
        if (name === 'write') written += 1;
        if (name === 'fsync') flushed += 1;
        if (name === 'syncfs') flushed = written;
        if (name === 'renameNoReplace' || name === 'link') flushedAtShow.push(flushed);
      });
      expect((await copyAll(opened.backend, source.backend, requests)).every(({ kind }) => kind === 'copied')).toBe(true);
      expect(flushedAtShow).toEqual(requests.map(() => count));
      instrumented.watch(undefined);
      await source.close();
    }
  });

  it('INV-15: flushes what a copy shows while an earlier flush is under way with the next one', async () => {
    const source = await openLocal();
    await source.writeOutside('d/f', Buffer.from('x'));
    await opened.backend.makeDirectory(at('d'));
    let earlier: Promise<void> | undefined;
    instrumented.watch(({ name }) => {
      // The copy is staged, but not shown.
      if (name === 'fsync') earlier ??= opened.backend.flush();
    });
    const request = { path: at('d/f'), from: await fileAt(source.backend, 'd/f'), replaces: undefined };
    // The flush has what was noted by the time it began, and is done when the copy is.
    const copied = copyAll(opened.backend, source.backend, [request]);
    expect(await copied).toMatchObject([{ kind: 'copied' }]);
    await earlier;
    let flushed = 0;
    instrumented.watch(({ name }) => {
      if (name === 'fsync') flushed += 1;
    });
    await opened.backend.flush();
    expect(flushed).toBe(1);
    await source.close();
  });

  it('keeps what was not flushed for the next flush', async () => {
    await opened.backend.makeDirectory(at('d'));
    failing('EIO', ({ name }) => name === 'fsync');
    await expect(opened.backend.flush()).rejects.toMatchObject({ code: 'io-error' });
    let flushed = 0;
    instrumented.watch(({ name }) => {
      if (name === 'fsync') flushed += 1;
    });
    await opened.backend.flush();
    expect(flushed).toBe(1);
    await opened.backend.flush();
    expect(flushed).toBe(1);
  });
});

describe('a target that cannot be written at all', () => {
  it('INV-16: fails each file with the reason', async () => {
    const source = await openLocal();
    const requests: CopyRequest[] = [];
    for (const name of ['a', 'b']) {
      await source.writeOutside(name, Buffer.from('x'));
      requests.push({ path: at(name), from: await fileAt(source.backend, name), replaces: undefined });
    }
    failing('ENOSPC', ({ name }) => name === 'mkdir');
    expect(await copyAll(opened.backend, source.backend, requests)).toMatchObject(requests.map(() => ({ kind: 'failed', error: { code: 'no-space' } })));
    instrumented.watch(undefined);
    await opened.removeRoot?.();
    expect(await copyAll(opened.backend, source.backend, requests)).toMatchObject(requests.map(() => ({ kind: 'failed', error: { code: 'not-found' } })));
    await source.close();
  });
});

describe('an error', () => {
  it('speaks of paths below the root only, in plain words', async () => {
    failing('EACCES', ({ name, path }) => name === 'open' && path.endsWith('/d'));
    const error = await opened.backend.openForSafeReplace(at('d/a'), undefined, { mtimeMs: 0 }).catch((caught: unknown) => caught);
    if (!isBackendError(error)) throw new Error('no BackendError');
    expect(error.message).toBe('unable to replace d/a: permission-denied (the user this runs as may not enter d)');
    expect(error.details).toEqual({ operation: 'replace', path: 'd/a', retryable: false });
  });
});
