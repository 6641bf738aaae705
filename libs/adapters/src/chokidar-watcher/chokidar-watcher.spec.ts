import { EventEmitter } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync, type Dirent } from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isWithin, ROOT, type RelativePath } from '@wl/domain';
import type { Clock, Hint } from '@wl/ports';
import { describeWatcher, RecordingListener, type OpenWatcher } from '@wl/ports/testing';
import type { ChokidarOptions, FSWatcher } from 'chokidar';

import { ChokidarWatcher, type ChokidarWatcherOptions } from './chokidar-watcher.js';

/** Real time: the events come from the system. */
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, signal?.aborted === true ? 0 : ms);
      signal?.addEventListener('abort', wake);
    }),
};

async function openTree() {
  const base = await realpath(await mkdtemp(path.join(tmpdir(), 'wl-chokidar-')));
  const root = path.join(base, 'root');
  await mkdir(root);
  const to = (relative: string): string => path.join(root, relative);
  const write = async (relative: string, content: string): Promise<void> => {
    await mkdir(path.dirname(to(relative)), { recursive: true });
    await writeFile(to(relative), content);
  };
  return { base, root, to, write, remove: () => rm(base, { recursive: true, force: true }) };
}

/** Waits for something to become true, no longer than a deadline. */
async function eventually(isTrue: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 1500; turn += 1) {
    if (isTrue()) return true;
    await clock.sleep(20);
  }
  return isTrue();
}

describeWatcher('ChokidarWatcher', async (): Promise<OpenWatcher> => {
  const { base, root, to, write, remove } = await openTree();
  const watcher = new ChokidarWatcher(root, clock);
  await mkdir(path.join(base, 'elsewhere/inner'), { recursive: true });
  await writeFile(path.join(base, 'elsewhere/inner/file'), 'x');
  return {
    watcher,
    close: async () => {
      await watcher.stop();
      await remove();
    },
    writeOutside: write,
    removeOutside: (relative) => rm(to(relative), { recursive: true, force: true }),
    mkdirOutside: async (relative) => void (await mkdir(to(relative), { recursive: true })),
    renameOutside: (from, target) => rename(to(from), to(target)),
    passTime: () => clock.sleep(20),
    moveInOutside: (relative) => rename(path.join(base, 'elsewhere'), to(relative)),
    moveOutOutside: (relative) => rename(to(relative), path.join(base, 'moved-out')),
    openOnMissingRoot: async () => new ChokidarWatcher(path.join(base, 'missing'), clock),
  };
});

describe('ChokidarWatcher', () => {
  let tree: Awaited<ReturnType<typeof openTree>>;
  let watcher: ChokidarWatcher;
  let listener: RecordingListener;
  beforeEach(async () => {
    tree = await openTree();
    watcher = new ChokidarWatcher(tree.root, clock);
    listener = new RecordingListener();
  });
  afterEach(async () => {
    await watcher.stop();
    await tree.remove();
  });

  const isHinted = async (...paths: string[]): Promise<void> => {
    await eventually(() => paths.every((one) => listener.covers(one)));
    expect(paths.filter((one) => !listener.covers(one))).toEqual([]);
  };

  it('T62: goes on watching a directory that was exchanged for another of the same name', async () => {
    for (const file of ['d/sub/a', 'e/sub/b', 'f/sub/c']) await tree.write(file, 'x');
    await watcher.start(listener);
    await rm(tree.to('d'), { recursive: true });
    await mkdir(tree.to('d/sub'), { recursive: true });
    await rename(tree.to('e'), tree.to('aside'));
    await rename(tree.to('f'), tree.to('e'));
    await isHinted('d/sub', 'e/sub', 'f/sub', 'aside/sub');
    // Chokidar itself would never see these.
    for (const directory of ['d', 'd/sub', 'e', 'e/sub', 'aside', 'aside/sub']) {
      let isSeen = false;
      for (let attempt = 0; attempt < 200 && !isSeen; attempt += 1) {
        listener.seen.length = 0;
        const file = `${directory}/file ${String(attempt)}`;
        await tree.write(file, 'x');
        await clock.sleep(25);
        isSeen = listener.seen.some((hint) => hint.path === file);
      }
      expect([directory, isSeen]).toEqual([directory, true]);
    }
  });

  it('is silent about the reserved area, and about what lies behind links', async () => {
    await tree.write('.wl/staging/a', 'x');
    await mkdir(path.join(tree.base, 'outside'));
    await symlink(path.join(tree.base, 'outside'), tree.to('link'));
    await watcher.start(listener);
    await tree.write('.wl/staging/b', 'x');
    await tree.write('.wl/c', 'x');
    await writeFile(path.join(tree.base, 'outside/d'), 'x');
    await tree.write('last', 'x');
    await isHinted('last');
    expect(listener.seen.filter((hint) => hint.path !== 'last')).toEqual([]);
  });

  it('T75: hints at the directory of a name that is not Unicode', async () => {
    await mkdir(tree.to('d'));
    await watcher.start(listener);
    await writeFile(Buffer.concat([Buffer.from(`${tree.to('d')}/bad`), Buffer.from([0xff])]), 'x');
    await eventually(() => listener.seen.length > 0);
    expect(listener.seen[0]).toEqual({ scope: 'subtree', path: 'd' });
  });

  it('watches what a link leads to when the root itself is one', async () => {
    await symlink(tree.root, path.join(tree.base, 'link'));
    watcher = new ChokidarWatcher(path.join(tree.base, 'link'), clock);
    await watcher.start(listener);
    await tree.write('d/a', 'x');
    await isHinted('d/a');
  });

  it('hints at everything and says so when the root itself is removed or moved', async () => {
    await tree.write('d/a', 'x');
    await watcher.start(listener);
    await rename(tree.root, path.join(tree.base, 'moved'));
    await eventually(() => listener.messages.length > 0 && listener.covers('d'));
    expect(listener.seen).toContainEqual({ scope: 'subtree', path: ROOT });
    expect(listener.messages).toEqual([expect.stringContaining('was moved or removed')]);
  });

  it('tells two watchers of one root alike, and one of them alone once the other is stopped', async () => {
    const other = new ChokidarWatcher(tree.root, clock);
    const otherListener = new RecordingListener();
    await watcher.start(listener);
    await other.start(otherListener);
    await tree.write('a', 'x');
    await isHinted('a');
    expect(await eventually(() => otherListener.covers('a'))).toBe(true);
    await other.stop();
    const { length } = otherListener.seen;
    await tree.write('b', 'x');
    await isHinted('b');
    expect(otherListener.seen).toHaveLength(length);
  });

  it('T07: rejects to start on a file', async () => {
    await tree.write('file', 'x');
    watcher = new ChokidarWatcher(tree.to('file'), clock);
    await expect(watcher.start(listener)).rejects.toMatchObject({ code: 'not-a-directory' });
  });

  it('rejects a start that is stopped before it is ready', async () => {
    const starting = expect(watcher.start(listener)).rejects.toMatchObject({ code: 'cancelled' });
    await watcher.stop();
    await starting;
  });

  it('T62: covers every change of a storm, and watches every directory afterwards', async () => {
    const seed = Number(process.env.WL_SEED ?? 20_240_607);
    for (let i = 0; i < 30; i += 1) await tree.write(`d${String(i)}/sub/f`, 'x');
    const mirror = new Mirror(tree.root);
    await watcher.start(mirror);
    mirror.look(ROOT);
    await storm(tree.root, 2_000, seed);
    await eventually(() => mirror.difference().length === 0);
    expect({ seed, missed: mirror.difference() }).toEqual({ seed, missed: [] });

    // Two seconds for the last watches, counted from the last change.
    await clock.sleep(2_500);
    const directories = mirror.directories();
    expect([seed, directories.length > 20]).toEqual([seed, true]);
    for (const directory of directories) writeFileSync(tree.to(`${directory}/after the storm`), 'x');
    await eventually(() => mirror.difference().length === 0);
    expect({ seed, missed: mirror.difference() }).toEqual({ seed, missed: [] });
    for (const directory of directories) unlinkSync(tree.to(`${directory}/after the storm`));
    await eventually(() => mirror.difference().length === 0);
    expect({ seed, missed: mirror.difference() }).toEqual({ seed, missed: [] });
    expect(mirror.messages).toEqual([]);
  });
});

describe('ChokidarWatcher on a disk that fails', () => {
  it.each(['EIO', 'ENOMEM', 'ESTALE'])('T07: starts although a directory cannot be read (%s), says so, and watches the others', async (code) => {
    const tree = await openTree();
    for (const name of ['bad/x', 'good/x', 'good/deep/x']) await tree.write(name, 'x');
    const readDirectory = async (directory: string): Promise<Dirent[]> => {
      if (directory.endsWith('bad')) throw Object.assign(new Error(code), { code, syscall: 'scandir', path: directory });
      return readdir(directory, { withFileTypes: true });
    };
    const watcher = new ChokidarWatcher(tree.root, clock, { readDirectory });
    const listener = new RecordingListener();
    try {
      await watcher.start(listener);
      expect(listener.messages).toEqual([expect.stringContaining('changes there are found late')]);
      await eventually(() => listener.seen.length > 0);
      await tree.write('good/deep/new', 'x');
      expect(await eventually(() => listener.seen.some(({ path: hinted }) => isWithin('good/deep/new' as RelativePath, hinted)))).toBe(true);
    } finally {
      await watcher.stop();
      await tree.remove();
    }
  });
});

describe('ChokidarWatcher with a chokidar that fails', () => {
  class FakeChokidar extends EventEmitter {
    readonly options = { usePolling: false };
    isClosed = false;
    add(): this {
      return this;
    }
    async close(): Promise<void> {
      this.isClosed = true;
      this.removeAllListeners();
    }
  }

  const open = async (options: Pick<ChokidarWatcherOptions, 'queuedEvents' | 'fileSystemType'> = {}) => {
    const tree = await openTree();
    const fake = new FakeChokidar();
    const asked: ChokidarOptions[] = [];
    const watcher = new ChokidarWatcher(tree.root, clock, {
      ...options,
      watch: (_root, options) => {
        asked.push(options);
        return fake as unknown as FSWatcher;
      },
    });
    const listener = new RecordingListener();
    const started = async (): Promise<void> => {
      const starting = watcher.start(listener);
      await eventually(() => fake.listenerCount('ready') > 0);
      fake.emit('addDir', tree.root, lstatSync(tree.root));
      fake.emit('ready');
      await starting;
    };
    return { tree, fake, watcher, listener, started, asked };
  };
  const failure = (code: string, where: string): Error => Object.assign(new Error(`${code}: watch`), { code, path: where });

  it.each([
    ['INV-30: says that other machines may change a network file system unheard', 0xff534d42 | 0, 1],
    ['says nothing of the kind on a disk of this machine', 0xef53, 0],
  ])('%s', async (_what, fileSystemType, messages) => {
    const { tree, watcher, listener, started } = await open({ fileSystemType });
    await started();
    expect(listener.messages).toEqual(Array.from({ length: messages }, () => expect.stringContaining('network file system (SMB)')));
    await watcher.stop();
    await tree.remove();
  });

  it('says once which limit to raise, and hints at everything', async () => {
    const { tree, fake, watcher, listener, started } = await open();
    await started();
    for (const name of ['a', 'b']) fake.emit('error', failure('ENOSPC', path.join(tree.root, name)));
    fake.emit('error', failure('EMFILE', path.join(tree.root, 'c')));
    await eventually(() => listener.seen.length > 0);
    expect(listener.seen).toContainEqual({ scope: 'subtree', path: ROOT });
    expect(listener.messages).toEqual([expect.stringContaining('fs.inotify.max_user_watches'), expect.stringContaining('fs.inotify.max_user_instances')]);
    listener.seen.length = 0;
    fake.emit('error', failure('ENOSPC', path.join(tree.root, 'd')));
    await eventually(() => listener.seen.length > 0);
    expect(listener.seen).toEqual([{ scope: 'subtree', path: 'd' }]);
    await watcher.stop();
    await tree.remove();
  });

  it('T07: rejects to start when not even the root can be watched, and closes', async () => {
    const { tree, fake, watcher, listener } = await open();
    const starting = watcher.start(listener);
    await eventually(() => fake.listenerCount('ready') > 0);
    fake.emit('error', failure('ENOSPC', tree.root));
    await expect(starting).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('max_user_watches') as unknown });
    expect(fake.isClosed).toBe(true);
    await tree.remove();
  });

  it.each([
    ['about as many as the kernel keeps', 50, true],
    ['few', 10, false],
  ])('T62: takes %s events in one turn for an overflow, and hints at everything', async (_what, events, isOverflow) => {
    const { tree, fake, watcher, listener, started } = await open({ queuedEvents: 100 });
    await started();
    for (let index = 0; index < events; index += 1) fake.emit('raw', 'change', `f${index}`, { watchedPath: path.join(tree.root, 'd') });
    await eventually(() => listener.seen.length > 0);
    await clock.sleep(20);
    expect(listener.seen.some(({ path: hinted }) => hinted === ROOT)).toBe(isOverflow);
    await watcher.stop();
    await tree.remove();
  });

  it('hints at the directory when an event has no name, and at everything when it has no directory', async () => {
    const { tree, fake, watcher, listener, started } = await open();
    await started();
    fake.emit('raw', 'change', null, { watchedPath: path.join(tree.root, 'd') });
    await eventually(() => listener.seen.length === 1);
    fake.emit('raw', 'change', path.join(tree.root, 'd/x'), { curr: {}, prev: {} });
    await eventually(() => listener.seen.length === 2);
    expect(listener.seen).toEqual([{ scope: 'subtree', path: 'd' }, { scope: 'subtree', path: ROOT }]);
    await watcher.stop();
    await tree.remove();
  });

  it('tells what the kernel reports at once as one batch, without what is covered anyway', async () => {
    const { tree, fake, watcher, started, listener } = await open();
    await started();
    const batches: (readonly Hint[])[] = [];
    listener.hints = (hints) => void batches.push(hints);
    const directory = path.join(tree.root, 'd');
    for (let i = 0; i < 5; i += 1) fake.emit('raw', 'change', 'x', { watchedPath: directory });
    fake.emit('addDir', path.join(directory, 'new'), lstatSync(tree.root));
    fake.emit('raw', 'rename', 'y', { watchedPath: path.join(directory, 'new') });
    await eventually(() => batches.length > 0);
    expect(batches).toEqual([[{ scope: 'subtree', path: 'd/new' }, { scope: 'entry', path: 'd/x' }]]);
    await watcher.stop();
    await tree.remove();
  });

  it('survives an error that comes after stop', async () => {
    const { tree, fake, watcher, listener, started } = await open();
    await started();
    await watcher.stop();
    fake.emit('error', failure('EIO', tree.root));
    expect(listener.messages).toEqual([]);
    await tree.remove();
  });

  it('T71: follows no links and watches neither files nor the reserved area', async () => {
    const { tree, watcher, started, asked } = await open();
    await started();
    const [options] = asked;
    expect(options).toMatchObject({ followSymlinks: false, atomic: false, persistent: false });
    const ignored = options?.ignored as (candidate: string, stats?: unknown) => boolean;
    await tree.write('file', 'x');
    await symlink('file', tree.to('link'));
    expect(['file', 'link'].map((name) => ignored(tree.to(name), lstatSync(tree.to(name))))).toEqual([true, true]);
    expect([ignored(tree.to('.wl')), ignored(tree.to('d/.wl')), ignored(tree.root)]).toEqual([true, false, false]);
    await watcher.stop();
    await tree.remove();
  });
});

/** Does what an engine does with hints, at once and without mercy: looks again where it is told to, and nowhere else. */
class Mirror extends RecordingListener {
  readonly #root: string;
  readonly #entries = new Map<RelativePath, string>();

  constructor(root: string) {
    super();
    this.#root = root;
  }

  override hints(hints: readonly Hint[]): void {
    for (const hint of hints) this.look(hint.path);
  }

  look(at: RelativePath): void {
    for (const entry of this.#entries.keys()) if (isWithin(entry, at)) this.#entries.delete(entry);
    for (const [entry, state] of walk(this.#root, at)) this.#entries.set(entry, state);
  }

  difference(): RelativePath[] {
    const real = new Map(walk(this.#root, ROOT));
    return [...new Set([...real.keys(), ...this.#entries.keys()])].filter((entry) => real.get(entry) !== this.#entries.get(entry));
  }

  directories(): RelativePath[] {
    return [...this.#entries].filter(([, state]) => state === 'directory').map(([entry]) => entry);
  }
}

function* walk(root: string, at: RelativePath): Generator<[RelativePath, string]> {
  const stats = lstatSync(path.join(root, at), { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    yield [at, `${String(stats.ino)} ${String(stats.size)} ${String(stats.mtimeMs)}`];
    return;
  }
  if (at !== ROOT) yield [at, 'directory'];
  for (const name of readdirSync(path.join(root, at))) yield* walk(root, (at === ROOT ? name : `${at}/${name}`) as RelativePath);
}

/**
 * So many creations, rewrites, renames, deletions and moves of trees, in an order given by
 * the seed. What is there is looked up now and then only, so some of them fail.
 */
async function storm(root: string, operations: number, seed: number): Promise<void> {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  let directories: string[] = [];
  let files: string[] = [];
  const pick = (from: readonly string[]): string => path.join(root, from[random(from.length)] ?? '');
  const operate = (fresh: string): void => {
    switch (random(10)) {
      case 0:
      case 1:
      case 2:
        return writeFileSync(path.join(pick(directories), fresh), fresh);
      case 3:
      case 4:
        return writeFileSync(pick(files), `changed ${fresh}`);
      case 5:
        return renameSync(pick(files), path.join(pick(directories), fresh));
      case 6:
        return unlinkSync(pick(files));
      case 7: {
        const made = path.join(pick(directories), fresh, 'a', 'b');
        mkdirSync(made, { recursive: true });
        writeFileSync(path.join(made, 'inner'), fresh);
        return writeFileSync(path.join(path.dirname(made), 'middle'), fresh);
      }
      case 8:
        return renameSync(pick(directories), path.join(pick(directories), fresh));
      default: {
        // Now and then a directory goes, and sometimes another comes in its place at once.
        if (random(4) > 0) return;
        const gone = pick(directories);
        rmSync(gone, { recursive: true });
        if (random(2) === 0) mkdirSync(path.join(gone, 'again'), { recursive: true });
      }
    }
  };
  for (let i = 0; i < operations; i += 1) {
    if (i % 25 === 0) {
      const entries = [...walk(root, ROOT)];
      directories = entries.filter(([, one]) => one === 'directory').map(([entry]) => entry);
      files = entries.filter(([, one]) => one !== 'directory').map(([entry]) => entry);
    }
    try {
      operate(`n${String(i)}`);
    } catch {
      // Somebody else was faster, as in life.
    }
    // Bursts of many lengths, with the watcher at work in between.
    if (random(30) === 0) await clock.sleep(random(4));
  }
}
