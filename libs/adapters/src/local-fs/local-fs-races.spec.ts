/**
 * Somebody else acts before every single system call of an operation, one after the other:
 * whatever they saved must be found again (INV-5, INV-17), in place or, where it could not
 * be left in place, in the trash and reported.
 */

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, toSha256, type FileNode, type Token } from '@wl/domain';
import { isBackendError, type CopyOutcome, type CopyRequest } from '@wl/ports';
import koffi from 'koffi';

import { instrument, type InstrumentedDisk } from './testing/instrumented-disk.js';
import { filesBelow, openLocal, type OpenLocal } from './testing/open-local.js';
import { createDisk } from './worker/disk.js';
import { loadNative } from './worker/native.js';

const native = loadNative({ ownsThread: false });
const path = toRelativePath('d/file');
const OLD = 'the old version';
const OURS = 'our new version, longer';
const THEIRS = 'theirs';

interface World {
  readonly target: OpenLocal;
  readonly source: OpenLocal;
  readonly disk: InstrumentedDisk;
  /** Absolute path of the contested file. */
  readonly place: string;
}

/** What somebody does to the contested file, and whether it leaves a version of theirs. */
const ACTIONS: Readonly<Record<string, { readonly act: (place: string) => void; readonly saves: boolean }>> = {
  'saves by rename': {
    act: (place) => {
      fs.writeFileSync(`${place}.tmp`, THEIRS);
      fs.renameSync(`${place}.tmp`, place);
    },
    saves: true,
  },
  'saves in place': { act: (place) => fs.writeFileSync(place, THEIRS), saves: true },
  'deletes and creates': {
    act: (place) => {
      fs.rmSync(place, { force: true, recursive: true });
      fs.writeFileSync(place, THEIRS);
    },
    saves: true,
  },
  'makes a directory of it': {
    act: (place) => {
      fs.rmSync(place, { force: true, recursive: true });
      fs.mkdirSync(place);
      fs.writeFileSync(join(place, 'inner'), THEIRS);
    },
    saves: true,
  },
  'makes a link of it': {
    act: (place) => {
      fs.rmSync(place, { force: true, recursive: true });
      fs.symlinkSync('elsewhere', place);
    },
    saves: false,
  },
  'deletes it': { act: (place) => fs.rmSync(place, { force: true, recursive: true }), saves: false },
};

/** Ways to have a file open for writing without doing it; each answers how to let go. */
const WRITERS: Readonly<Record<string, (place: string) => () => void>> = {
  'with a descriptor': (place) => {
    const fd = fs.openSync(place, 'r+');
    return () => fs.closeSync(fd);
  },
  'with a mapping': (place) => mapForWriting(place),
};

/** Maps a file for writing, and keeps no descriptor. */
function mapForWriting(place: string): () => void {
  const library = koffi.load(null);
  const mmap = library.func('intptr_t mmap(intptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)') as (...values: unknown[]) => number | bigint;
  const munmap = library.func('int munmap(intptr_t address, size_t length)') as (...values: unknown[]) => number;
  const [PROT_WRITE, MAP_SHARED] = [2, 1];
  const fd = fs.openSync(place, 'r+');
  const address = mmap(0, OLD.length, PROT_WRITE, MAP_SHARED, fd, 0);
  fs.closeSync(fd);
  return () => expect(munmap(address, OLD.length)).toBe(0);
}

async function openWorld(withKoffi: boolean): Promise<World> {
  const disk = instrument(createDisk(withKoffi ? native : undefined));
  const target = await openLocal({ deps: { disk: disk.disk } });
  const source = await openLocal();
  await target.backend.rootIdentity({ mark: true });
  return { target, source, disk, place: join(target.location, path) };
}

/** Puts the old version in place, with a time of long ago, so that any save shows. */
async function prepare({ target, place }: World, content: string | undefined): Promise<FileNode | undefined> {
  fs.rmSync(target.location + '/d', { recursive: true, force: true });
  fs.rmSync(join(target.location, '.wl/trash'), { recursive: true, force: true });
  await target.mkdirOutside('d');
  if (content === undefined) return undefined;
  fs.writeFileSync(place, content);
  fs.utimesSync(place, 1_500_000_000, 1_500_000_000);
  const node = await target.backend.stat(path);
  if (node.kind !== 'file') throw new Error(node.kind);
  return node;
}

async function copyRequest({ source }: World, replaces: FileNode | undefined): Promise<CopyRequest> {
  await source.writeOutside(path, Buffer.from(OURS));
  await source.touchOutside?.(path, 1_600_000_000_000);
  const from = await source.backend.stat(path);
  if (from.kind !== 'file') throw new Error(from.kind);
  return { path, from, replaces };
}

async function copy({ target, source }: World, request: CopyRequest): Promise<CopyOutcome> {
  for await (const [result] of target.backend.copyFrom(source.backend, [request]) ?? []) if (result !== undefined) return result.outcome;
  throw new Error('no outcome');
}

/** Every content that can be found again: in place, and in the trash. */
function retrievable({ target, place }: World): string[] {
  const files = [...filesBelow(join(target.location, 'd')), ...filesBelow(join(target.location, '.wl/trash'))];
  return files.map((file) => fs.readFileSync(file, 'utf8')).concat(fs.existsSync(place) ? [] : ['']);
}

function inPlace({ place }: World): string | undefined {
  const stats = fs.lstatSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return stats.isFile() ? fs.readFileSync(place, 'utf8') : stats.isDirectory() ? 'a directory' : 'a link';
}

function stagedFiles({ target }: World): string[] {
  return filesBelow(join(target.location, '.wl/staging'));
}

describe.each([
  ['with exchanges', true],
  ['with links only', false],
])('a local storage %s', (_, withKoffi) => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(withKoffi);
  });
  afterEach(async () => {
    await world.target.close();
    await world.source.close();
  });

  /** Runs `operation` once for every system call, with somebody acting before that call. Answers how many saves were lost. */
  async function interleave(
    old: string | undefined,
    action: (typeof ACTIONS)[string],
    operation: (node: FileNode | undefined) => Promise<{ readonly isDone: boolean; readonly leftover: string | undefined }>,
    doneContent: string | undefined,
  ): Promise<number> {
    let lost = 0;
    for (let moment = 0; ; moment += 1) {
      const node = await prepare(world, old);
      let hasActed = false;
      world.disk.watch(({ index }) => {
        if (index !== moment) return;
        hasActed = true;
        action.act(world.place);
      });
      const { isDone, leftover } = await operation(node);
      world.disk.watch(undefined);
      const found = retrievable(world);
      const where = `moment ${String(moment)}, in place ${String(inPlace(world))}`;
      if (!hasActed) {
        // Nobody acted any more: the operation has no further moment, and went through undisturbed.
        expect([where, isDone, inPlace(world)]).toEqual([where, true, doneContent]);
        return lost;
      }
      if (action.saves && !found.includes(THEIRS)) lost += 1;
      // What was not carried out is not to be seen; where names cannot be exchanged back, it is reported.
      if (!isDone && leftover === undefined) expect([where, inPlace(world)]).not.toEqual([where, OURS]);
      // A version is whole wherever it is (INV-6).
      for (const content of found) expect([OLD, OURS, THEIRS, '']).toContain(content);
      if (leftover !== undefined) expect(fs.existsSync(join(world.target.location, leftover))).toBe(true);
      expect([where, stagedFiles(world)]).toEqual([where, []]);
    }
  }

  for (const [name, action] of Object.entries(ACTIONS)) {
    it(`T56: keeps everybody's version when somebody ${name} during a replacement`, async () => {
      const lost = await interleave(
        OLD,
        action,
        async (node) => {
          const outcome = await copy(world, await copyRequest(world, node));
          return { isDone: outcome.kind === 'copied', leftover: outcome.kind === 'target-changed' ? outcome.leftover : undefined };
        },
        OURS,
      );
      // Without exchanges, one moment remains, as capabilities say.
      expect(lost).toBeLessThanOrEqual(withKoffi ? 0 : 1);
    });

    it(`T57: keeps everybody's version when somebody ${name} during a creation`, async () => {
      const lost = await interleave(
        undefined,
        action,
        async () => {
          const outcome = await copy(world, await copyRequest(world, undefined));
          return { isDone: outcome.kind === 'copied', leftover: outcome.kind === 'target-changed' ? outcome.leftover : undefined };
        },
        OURS,
      );
      expect(lost).toBe(0);
    });

    it(`T55: keeps their version when somebody ${name} during a removal`, async () => {
      const lost = await interleave(
        OLD,
        action,
        async (node) => {
          const result = await world.target.backend.remove(path, node?.token ?? ('' as Token));
          return { isDone: result.ok, leftover: result.ok ? undefined : result.error.leftover };
        },
        undefined,
      );
      expect(lost).toBe(0);
    });
  }

  it('T56: gives a writer the same guarantee as a copy', async () => {
    const sha256 = toSha256(createHash('sha256').update(OURS).digest('hex'));
    const lost = await interleave(
      OLD,
      ACTIONS['saves by rename'] as (typeof ACTIONS)[string],
      async (node) => {
        const writer = await world.target.backend.openForSafeReplace(path, node?.token, { mtimeMs: 1_600_000_000_000 });
        await writer.write(Buffer.from(OURS));
        const result = await writer.commit({ sha256, sizeBytes: OURS.length });
        return { isDone: result.ok, leftover: result.ok ? undefined : result.error.leftover };
      },
      OURS,
    );
    expect(lost).toBeLessThanOrEqual(withKoffi ? 0 : 1);
  });

  it('T56: keeps the versions of two others who save at different moments of a replacement', async () => {
    if (!withKoffi) return;
    const count = await countCalls();
    // Before, the operation has only looked at things.
    for (let first = count - 16; first < count; first += 1) {
      for (let second = first + 1; second < count; second += 1) {
        const request = await copyRequest(world, await prepare(world, OLD));
        let isFirstOverwritten = false;
        const save = (content: string): void => {
          isFirstOverwritten = inPlace(world) === 'theirs, first';
          fs.writeFileSync(`${world.place}.tmp`, content);
          fs.renameSync(`${world.place}.tmp`, world.place);
        };
        world.disk.watch(({ index }) => {
          if (index === first) save('theirs, first');
          else if (index === second) save('theirs, second');
        });
        await copy(world, request);
        world.disk.watch(undefined);
        const found = retrievable(world);
        expect([first, second, found]).toEqual([first, second, expect.arrayContaining(['theirs, second'])]);
        if (!isFirstOverwritten) expect([first, second, found]).toEqual([first, second, expect.arrayContaining(['theirs, first'])]);
      }
    }
  });

  it('T55, T56: tells of a save through a descriptor that was open before, as long as it can be seen', async () => {
    const operations = {
      replace: async (node: FileNode) => (await copy(world, await copyRequest(world, node))).kind === 'copied',
      remove: async (node: FileNode) => (await world.target.backend.remove(path, node.token)).ok,
    };
    for (const [name, operation] of Object.entries(operations)) {
      for (let moment = 0; ; moment += 1) {
        const node = (await prepare(world, OLD)) as FileNode;
        const editor = fs.openSync(world.place, 'r+');
        let hasActed = false;
        let isLookedAtAfter = false;
        world.disk.watch(({ index, name: call, path: callPath }) => {
          // A save after the last look, by somebody whom nobody asked about, cannot be told, but is kept.
          if (hasActed && call === 'lstat' && callPath.endsWith('/file')) isLookedAtAfter = true;
          if (index !== moment) return;
          hasActed = true;
          fs.writeSync(editor, THEIRS, 0);
        });
        const isDone = await operation(node);
        world.disk.watch(undefined);
        fs.closeSync(editor);
        const edited = THEIRS + OLD.slice(THEIRS.length);
        if (hasActed) expect([name, moment, retrievable(world)]).toEqual([name, moment, expect.arrayContaining([edited])]);
        if (hasActed && isLookedAtAfter) expect([name, moment, isDone]).toEqual([name, moment, false]);
        if (withKoffi && hasActed && isLookedAtAfter) expect([name, moment, inPlace(world)]).toEqual([name, moment, edited]);
        if (!hasActed) break;
      }
    }
  });

  it('T56: neither replaces nor removes a file while somebody has it open or mapped for writing', async () => {
    if (!withKoffi) return;
    const operations = {
      replace: async (node: FileNode) => (await copy(world, await copyRequest(world, node))).kind === 'copied',
      remove: async (node: FileNode) => (await world.target.backend.remove(path, node.token)).ok,
    };
    for (const [name, operation] of Object.entries(operations)) {
      for (const [way, begin] of Object.entries(WRITERS)) {
        const node = (await prepare(world, OLD)) as FileNode;
        const end = begin(world.place);
        expect([name, way, await operation(node), inPlace(world)]).toEqual([name, way, false, OLD]);
        end();
        // Taken away and put back it has another time of change: whoever wants to replace it looks again.
        const again = (await world.target.backend.stat(path)) as FileNode;
        expect([name, way, await operation(again), inPlace(world)]).toEqual([name, way, true, name === 'replace' ? OURS : undefined]);
      }
    }
  });

  it('T55, T56: lets nobody who opens the file at any moment write into the trash', async () => {
    if (!withKoffi) return;
    const operations = {
      replace: async (node: FileNode) => (await copy(world, await copyRequest(world, node))).kind === 'copied',
      remove: async (node: FileNode) => (await world.target.backend.remove(path, node.token)).ok,
    };
    for (const [name, operation] of Object.entries(operations)) {
      for (let moment = 0; ; moment += 1) {
        const node = (await prepare(world, OLD)) as FileNode;
        let editor: number | undefined;
        let hasActed = false;
        world.disk.watch(({ index }) => {
          if (index !== moment) return;
          hasActed = true;
          if (fs.existsSync(world.place)) editor = fs.openSync(world.place, 'r+');
        });
        const isDone = await operation(node);
        world.disk.watch(undefined);
        if (!hasActed) {
          expect([name, moment, isDone]).toEqual([name, moment, true]);
          break;
        }
        if (editor === undefined) continue;
        // The save comes long after the operation.
        fs.writeSync(editor, THEIRS, 0);
        fs.closeSync(editor);
        expect([name, moment, inPlace(world)?.slice(0, THEIRS.length)]).toEqual([name, moment, THEIRS]);
      }
    }
  });

  it('T30, INV-24: does not trust the token of a file that somebody has open or mapped for writing', async () => {
    if (!withKoffi) return;
    const isRacy = async (): Promise<boolean | undefined> => {
      const [outcome] = await world.target.backend.getHashes([path]);
      return outcome?.kind === 'hashed' ? outcome.node.isRacy : undefined;
    };
    await prepare(world, OLD);
    // What just changed would be racy for this alone.
    const untilOld = async (): Promise<void> => {
      while ((await world.target.backend.stat(path) as FileNode).isRacy) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await untilOld();
    expect(await isRacy()).toBe(false);
    for (const [way, begin] of Object.entries(WRITERS)) {
      const end = begin(world.place);
      expect([way, await isRacy()]).toEqual([way, true]);
      end();
      expect([way, await isRacy()]).toEqual([way, false]);
    }
  });

  async function countCalls(): Promise<number> {
    const request = await copyRequest(world, await prepare(world, OLD));
    world.disk.watch(() => undefined);
    await copy(world, request);
    return world.disk.watch(undefined);
  }

  describe('T71, INV-34: when a directory on the way becomes a link to somewhere else', () => {
    let outside: string;
    beforeEach(() => {
      outside = fs.mkdtempSync(join(tmpdir(), 'wl-outside-'));
      fs.writeFileSync(join(outside, 'file'), OLD);
      fs.utimesSync(join(outside, 'file'), 1_500_000_000, 1_500_000_000);
      fs.writeFileSync(join(outside, 'secret'), 'secret');
      fs.mkdirSync(join(outside, 'empty'));
    });
    afterEach(() => fs.rmSync(outside, { recursive: true }));

    const swap = (): void => {
      const directory = join(world.target.location, 'd');
      fs.renameSync(directory, `${directory}.moved`);
      fs.symlinkSync(outside, directory);
    };

    const operations: Readonly<Record<string, (node: FileNode | undefined) => Promise<unknown>>> = {
      'replacing a file': async (node) => copy(world, await copyRequest(world, node)),
      'creating a file': async () => {
        const request = await copyRequest(world, undefined);
        return copy(world, { ...request, path: toRelativePath('d/file') });
      },
      'removing a file': async (node) => world.target.backend.remove(path, node?.token ?? ('' as Token)),
      'making a directory': async () => world.target.backend.makeDirectory(toRelativePath('d/new')),
      'removing a directory': async () => world.target.backend.removeDirectory(toRelativePath('d/empty')),
      'writing a file': async (node) => {
        const writer = await world.target.backend.openForSafeReplace(path, node?.token, { mtimeMs: NaN });
        await writer.write(Buffer.from(OURS));
        const sha256 = toSha256(createHash('sha256').update(OURS).digest('hex'));
        return writer.commit({ sha256, sizeBytes: OURS.length }).finally(() => writer.abort());
      },
      'reading and listing': async () => {
        const { backend } = world.target;
        const keys: string[] = [];
        for await (const batch of backend.list(toRelativePath('d'))) keys.push(...batch.keys);
        expect(keys).not.toContain('d/secret');
        const [hashed] = await backend.getHashes([toRelativePath('d/secret')]);
        expect(hashed?.kind).not.toBe('hashed');
        expect((await backend.stat(toRelativePath('d/secret'))).kind).not.toBe('file');
      },
    };

    for (const [name, operation] of Object.entries(operations)) {
      it(`${name} stays inside, whenever that happens`, async () => {
        for (let moment = 0; ; moment += 1) {
          fs.rmSync(join(world.target.location, 'd.moved'), { recursive: true, force: true });
          const node = await prepare(world, name.startsWith('creating') ? undefined : OLD);
          fs.mkdirSync(join(world.target.location, 'd/empty'));
          let hasActed = false;
          world.disk.watch(({ index }) => {
            if (index !== moment) return;
            hasActed = true;
            swap();
          });
          await operation(node).catch((error: unknown) => {
            if (!isBackendError(error)) throw error;
          });
          world.disk.watch(undefined);
          expect([moment, fs.readdirSync(outside).sort()]).toEqual([moment, ['empty', 'file', 'secret']]);
          expect(fs.readFileSync(join(outside, 'file'), 'utf8')).toBe(OLD);
          if (!hasActed) return;
        }
      });
    }
  });
});
