/** Small local files in bulk, on disks that fail and change between any two system calls. */

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, toSha256, type Token } from '@wl/domain';
import type { WholeFiles, WholeRead, WholeReadOutcome, WholeWrite } from '@wl/ports';

import { instrument, type InstrumentedDisk } from './testing/instrumented-disk.js';
import { filesBelow, openLocal, type OpenLocal } from './testing/open-local.js';
import { PathLocks } from './path-locks.js';
import { createDisk, errnoException } from './worker/disk.js';
import { loadNative } from './worker/native.js';

const native = loadNative({ ownsThread: false });
const at = toRelativePath;
const MTIME_MS = 1_600_000_000_123;

let opened: OpenLocal;
let whole: WholeFiles;
let instrumented: InstrumentedDisk;
beforeEach(async () => {
  instrumented = instrument(createDisk(native));
  opened = await openLocal({ deps: { disk: instrumented.disk } });
  whole = opened.backend.wholeFiles;
});
afterEach(async () => {
  instrumented.watch(undefined);
  await opened.close();
});

/** Fails every call of these names. */
function failing(errno: number, ...names: string[]): void {
  instrumented.watch(({ name }) => {
    if (names.includes(name)) throw errnoException(name, errno);
  });
}

function writeOf(path: string, text: string, expected?: Token): WholeWrite {
  const content = Buffer.from(text);
  return { path: at(path), expected, content, sha256: toSha256(createHash('sha256').update(content).digest('hex')), attributes: { mtimeMs: MTIME_MS } };
}

async function readOf(path: string): Promise<WholeRead> {
  const node = await opened.backend.stat(at(path));
  if (node.kind !== 'file') throw new Error(`${path} is ${node.kind}`);
  return { path: at(path), expected: node.token, sizeBytes: node.sizeBytes };
}

async function read(requests: readonly WholeRead[]): Promise<WholeReadOutcome[]> {
  const outcomes: WholeReadOutcome[] = [];
  for await (const results of whole.read(requests)) for (const { index, outcome } of results) outcomes[index] = outcome;
  return outcomes;
}

/** Goes on with a disk that takes no time to flush, for tests of many rounds. */
async function withoutFlushing(): Promise<void> {
  await opened.close();
  instrumented = instrument({ ...createDisk(native), fsync: () => undefined, syncfs: async () => undefined });
  opened = await openLocal({ deps: { disk: instrumented.disk } });
  whole = opened.backend.wholeFiles;
}

/** Nothing of ours is left where nobody looks. */
function expectNoStaging(): void {
  expect(filesBelow(join(opened.location, '.wl/staging'))).toEqual([]);
}

const tenFiles = Array.from({ length: 10 }, (_, i) => `f${String(i)}`);

describe('reading whole', () => {
  it('INV-27, T30: of a file that may change and keep its token, two readings must agree', async () => {
    // A file system that keeps no fractions of seconds: two writes within one have one token.
    const disk = createDisk(native);
    const second = 1_000_000_000n;
    const fstat = (fd: number): fs.BigIntStats => {
      const stats = disk.fstat(fd);
      return Object.assign(stats, { ctimeNs: stats.ctimeNs - (stats.ctimeNs % second), mtimeNs: stats.mtimeNs - (stats.mtimeNs % second) });
    };
    const coarse = instrument({ ...disk, fstat, lstat: (path) => disk.lstat(path) });
    const storage = await openLocal({ deps: { disk: coarse.disk } });
    const place = join(storage.location, 'a');
    fs.writeFileSync(place, 'first');
    const [hashed] = await storage.backend.getHashes([at('a')]);
    if (hashed?.kind !== 'hashed') throw new Error('the file was not hashed');
    let reads = 0;
    coarse.watch(({ name }) => {
      if (name === 'read' && (reads += 1) === 2) fs.writeFileSync(place, 'other');
    });
    const results: WholeReadOutcome[] = [];
    for await (const batch of storage.backend.wholeFiles.read([{ path: at('a'), expected: hashed.node.token, sizeBytes: 5 }])) results.push(...batch.map(({ outcome }) => outcome));
    coarse.watch(undefined);
    expect(results).toEqual([{ kind: 'changed' }]);
    expect(reads).toBe(2);
    await storage.close();
  });

  it('T42: a file that changes before any of its system calls is read in one version or answers changed', async () => {
    const changes: [string, (place: string) => void][] = [
      ['appended to', (place) => fs.appendFileSync(place, 'more')],
      ['cut', (place) => fs.truncateSync(place, 2)],
      ['replaced', (place) => (fs.writeFileSync(`${place}.tmp`, 'other'), fs.renameSync(`${place}.tmp`, place))],
      ['removed', (place) => fs.rmSync(place)],
    ];
    for (const [gesture, change] of changes) {
      for (let call = 0; ; call += 1) {
        await opened.writeOutside('a', Buffer.from('first'));
        await opened.writeOutside('b', Buffer.from('beside'));
        fs.utimesSync(join(opened.location, 'a'), 1_600_000_000, 1_600_000_000);
        const requests = [await readOf('a'), await readOf('b')];
        instrumented.watch(({ index }) => {
          if (index === call) change(join(opened.location, 'a'));
        });
        const [outcome, beside] = await read(requests);
        expect(beside?.kind).toBe('read');
        const text = outcome?.kind === 'read' ? Buffer.from(outcome.content).toString() : outcome?.kind;
        expect([gesture, call, ['first', 'changed'].includes(text ?? '')]).toEqual([gesture, call, true]);
        if (instrumented.watch(undefined) <= call) break;
      }
    }
  });

  it('INV-16: a file that the disk cannot read has failed, with the path and nothing of this machine', async () => {
    for (const name of ['a', 'b']) await opened.writeOutside(name, Buffer.from(name));
    const requests = [await readOf('a'), await readOf('b')];
    let reads = 0;
    instrumented.watch(({ name }) => {
      if (name === 'read' && (reads += 1) === 1) throw errnoException('read', 5);
    });
    const [failed, good] = await read(requests);
    expect(failed).toMatchObject({ kind: 'failed', error: { code: 'io-error', details: { operation: 'read', path: 'a' } } });
    expect(failed?.kind === 'failed' && failed.error.message).not.toContain(opened.location);
    expect(good?.kind).toBe('read');
  });

  it('INV-8: when the root is gone every file has failed, none is changed', async () => {
    await opened.writeOutside('a', Buffer.from('x'));
    const request = await readOf('a');
    await opened.removeRoot?.();
    expect(await read([request])).toMatchObject([{ kind: 'failed', error: { code: 'not-found', details: { operation: 'read' } } }]);
  });
});

describe('writing whole', () => {
  it('INV-15, T52: nothing of a batch is shown when the common flush fails', async () => {
    failing(5, 'syncfs', 'fsync');
    const outcomes = await whole.write(tenFiles.map((name) => writeOf(name, name)));
    expect(outcomes).toMatchObject(tenFiles.map((path) => ({ kind: 'failed', error: { code: 'io-error', details: { path } } })));
    instrumented.watch(undefined);
    expect(await opened.namesOutside()).toEqual([]);
    expectNoStaging();
  });

  it('INV-16, T52: a full disk fails file by file and leaves nothing half-written', async () => {
    let writes = 0;
    instrumented.watch(({ name }) => {
      if (name === 'write' && (writes += 1) % 2 === 0) throw errnoException('write', 28);
    });
    const outcomes = await whole.write(tenFiles.map((name) => writeOf(name, name)));
    instrumented.watch(undefined);
    expect(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.error.code : outcome.kind))).toEqual(tenFiles.map((_, i) => (i % 2 === 0 ? 'written' : 'no-space')));
    expect((await opened.namesOutside()).length).toBe(5);
    expectNoStaging();
  });

  it('INV-27: what reads back differently is damaged and not shown', async () => {
    const disk = createDisk(native);
    const bad = await openLocal({
      deps: {
        disk: {
          ...disk,
          write: (fd, buffer, offset, length, position) => {
            const wrong = Buffer.from(buffer);
            wrong[offset]! ^= 1;
            return disk.write(fd, wrong, offset, length, position);
          },
        },
      },
    });
    expect(await bad.backend.wholeFiles.write([writeOf('a', 'content')])).toMatchObject([{ kind: 'failed', error: { code: 'damaged' } }]);
    expect(await bad.namesOutside()).toEqual([]);
    await bad.close();
  });

  it('INV-6: stopped before any system call, shows whole files and leaves no staging', async () => {
    await withoutFlushing();
    for (let call = 0; ; call += 7) {
      const abort = new AbortController();
      instrumented.watch(({ index }) => {
        if (index === call) abort.abort();
      });
      const requests = tenFiles.map((name) => writeOf(`${String(call)}-${name}`, name));
      const outcome = await whole.write(requests, abort.signal).then(
        (outcomes) => outcomes.every(({ kind }) => kind === 'written'),
        (error: unknown) => (error as { code: string }).code,
      );
      const calls = instrumented.watch(undefined);
      expect([true, 'cancelled']).toContain(outcome);
      const names = (await opened.namesOutside()).filter((name) => name.startsWith(`${String(call)}-`));
      expect(names.length).toBe(outcome === true ? 10 : 0);
      expectNoStaging();
      if (calls <= call) break;
    }
  });

  it('T55, INV-17: a file that somebody edits before any system call of its replacement is never lost', async () => {
    await withoutFlushing();
    for (const gesture of ['in-place', 'by-rename']) {
      for (let call = 0; ; call += 1) {
        const name = `${gesture}-${String(call)}`;
        await opened.writeOutside(name, Buffer.from('old'));
        const { expected } = await readOf(name);
        const theirs = `theirs, ${gesture}, at ${String(call)}`;
        const place = join(opened.location, name);
        instrumented.watch(({ index }) => {
          if (index !== call) return;
          if (gesture === 'in-place') fs.writeFileSync(place, theirs);
          else {
            fs.writeFileSync(`${place}.tmp`, theirs);
            fs.renameSync(`${place}.tmp`, place);
          }
        });
        const [outcome] = await whole.write([writeOf(name, 'ours', expected)]);
        const calls = instrumented.watch(undefined);
        if (calls <= call) break;
        const inPlace = fs.readFileSync(place, 'utf8');
        const kept = ((await opened.trashOutside?.()) ?? []).map((bytes) => Buffer.from(bytes).toString());
        expect([gesture, call, [inPlace, ...kept].includes(theirs)]).toEqual([gesture, call, true]);
        expect([gesture, call, outcome?.kind]).toEqual([gesture, call, expect.stringMatching(/written|stale/)]);
      }
    }
  });

  it('keeps the permissions of what it replaces, with the choice of whether it is a program', async () => {
    const place = join(opened.location, 'a');
    const permissions = async (isExecutable: boolean | undefined): Promise<number> => {
      fs.writeFileSync(place, 'old');
      fs.chmodSync(place, 0o664);
      const write = writeOf('a', 'new', (await readOf('a')).expected);
      const attributes = { mtimeMs: MTIME_MS, ...(isExecutable !== undefined && { isExecutable }) };
      expect(await whole.write([{ ...write, attributes }])).toMatchObject([{ kind: 'written' }]);
      return fs.statSync(place).mode & 0o777;
    };
    expect(await permissions(undefined)).toBe(0o664);
    expect(await permissions(true)).toBe(0o775);
    expect(await permissions(false)).toBe(0o664);
  });

  it('flushes the directories it has written into', async () => {
    for (const name of ['d', 'e']) await opened.backend.makeDirectory(at(name));
    await opened.backend.flush();
    await whole.write([writeOf('d/a', '1'), writeOf('e/b', '2'), writeOf('e/c', '3')]);
    let flushed = 0;
    instrumented.watch(({ name }) => {
      if (name === 'fsync') flushed += 1;
    });
    await opened.backend.flush();
    expect(flushed).toBe(2);
  });

  it('rejects with cancelled once the storage is closed', async () => {
    const writing = whole.write(tenFiles.map((name) => writeOf(name, name)));
    const closing = opened.backend.close();
    const outcome = await writing.then(() => 'written', (error: unknown) => (error as { code: string }).code);
    await closing;
    expect(['written', 'cancelled']).toContain(outcome);
    expect([0, 10]).toContain((await opened.namesOutside()).length);
    await expect(whole.write([writeOf('late', 'x')])).rejects.toMatchObject({ code: 'cancelled' });
    await expect(read([{ path: at('a'), expected: '' as Token, sizeBytes: 0 }])).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('locks of several paths', () => {
  it('are taken together, so that opposite orders do not wait for each other', async () => {
    const locks = new PathLocks();
    const order: string[] = [];
    const step = (name: string) => async (): Promise<void> => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
    };
    await Promise.all([locks.runAll(['a', 'b', 'a'], step('first')), locks.runAll(['b', 'a'], step('second')), locks.run('b', step('third')), locks.run('c', step('fourth'))]);
    expect(order.filter((line) => !line.startsWith('fourth'))).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
    expect(order.indexOf('fourth begins')).toBeLessThan(order.indexOf('second begins'));
  });
});
