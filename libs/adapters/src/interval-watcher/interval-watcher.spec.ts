import { describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree, type MemoryTreeOptions } from '@wl/adapters/memory';
import type { PathFilter } from '@wl/ports';
import { describeWatcher, ManualClock, RecordingListener, type OpenWatcher } from '@wl/ports/testing';

import { IntervalWatcher, type IntervalPace } from './interval-watcher.js';

const INTERVAL_MS = 30_000;

describeWatcher('IntervalWatcher', async (): Promise<OpenWatcher> => {
  const { tree, clock, watcher, backend } = await open();
  return {
    watcher,
    close: () => watcher.stop(),
    writeOutside: async (path, content) => tree.write(path, content),
    removeOutside: async (path) => tree.remove(path),
    mkdirOutside: async (path) => tree.mkdir(path),
    renameOutside: async (from, to) => tree.rename(from, to),
    passTime: () => clock.advance(INTERVAL_MS),
    moveInOutside: async (path) => {
      tree.write(`${path}/inner/file`, 'x');
    },
    moveOutOutside: async (path) => tree.remove(path),
    openOnMissingRoot: async () => {
      tree.unmount();
      return new IntervalWatcher({ backend, clock, intervalMs: INTERVAL_MS });
    },
  };
});

describe('IntervalWatcher', () => {
  const startWith = async (paths: readonly string[], options?: Parameters<typeof open>[0]) => {
    const opened = await open(options);
    for (const path of paths) opened.tree.write(path, 'x');
    const listener = new RecordingListener();
    await opened.watcher.start(listener);
    const told = async (): Promise<string[]> => {
      listener.seen.length = 0;
      await opened.clock.advance(INTERVAL_MS);
      return listener.seen.map(({ scope, path }) => (scope === 'entry' ? path : `${path}/**`));
    };
    return { ...opened, listener, told };
  };

  it('says how often it looks', async () => {
    expect((await open()).watcher.description).toBe('every 30 s');
  });

  it('tells each difference once and is silent while nothing changes', async () => {
    const { tree, told } = await startWith(['a', 'b', 'd/x', 'd/y']);
    expect(await told()).toEqual([]);
    tree.write('a', 'y');
    tree.write('c', 'new');
    tree.remove('d/x');
    tree.mkdir('empty');
    expect(await told()).toEqual(['a', 'c', 'empty', 'd/x']);
    expect(await told()).toEqual([]);
  });

  it('looks at the interval and not before', async () => {
    const { tree, clock, listener } = await startWith([]);
    tree.write('a', 'x');
    await clock.advance(INTERVAL_MS - 1);
    expect(listener.seen).toEqual([]);
    await clock.advance(1);
    expect(listener.covers('a')).toBe(true);
  });

  it('tells a new or removed directory once for all that is in it', async () => {
    const { tree, told } = await startWith(['old/a', 'old/b/c', 'old.txt']);
    tree.remove('old');
    for (const path of ['new/a', 'new/b/c', 'new.txt']) tree.write(path, 'x');
    expect(await told()).toEqual(['new.txt', 'new', 'old']);
  });

  it('T64: tells a file that became a directory, and the other way round', async () => {
    const { tree, told } = await startWith(['a', 'd/x', 'a!', 'd!']);
    tree.remove('a');
    tree.write('a/inner', 'x');
    tree.remove('d');
    tree.write('d', 'x');
    expect(new Set(await told())).toEqual(new Set(['a', 'd']));
  });

  it('INV-8, T01, T06: tells no removals from a listing that failed, says so once, and catches up later', async () => {
    const { tree, backend, told, listener } = await startWith(Array.from({ length: 20 }, (_, i) => `f${String(i)}`));
    tree.remove('f11');
    tree.write('f10', 'y');
    backend.faults.truncateListing(6, { times: 3 });
    for (let i = 0; i < 3; i += 1) expect(await told()).not.toContain('f11');
    expect(listener.messages).toHaveLength(1);
    expect(listener.messages[0]).toContain('unable to list /memory/tree');
    expect(new Set(await told())).toEqual(new Set(['f10', 'f11']));
    backend.faults.fail('list');
    expect(await told()).toEqual([]);
    expect(listener.messages).toHaveLength(2);
    expect(await told()).toEqual([]);
  });

  it('T04: tells no removals when the storage has gone away', async () => {
    const { tree, told, listener } = await startWith(['a', 'd/x']);
    const volume = tree.unmount();
    expect(await told()).toEqual([]);
    expect(listener.messages).toHaveLength(1);
    tree.mount(volume);
    expect(await told()).toEqual([]);
  });

  it('INV-8, T01: tells no removals below a directory that it cannot look into, and those elsewhere', async () => {
    const { tree, backend, told, listener } = await startWith(['d/a', 'd/e/b', 'd!/c', 'x/y', 'x/z']);
    backend.faults.markUnknown('d', 'listing-incomplete', 2);
    backend.faults.markUnknown('d!', 'read-error', 2);
    tree.remove('d/e');
    tree.remove('d!/c');
    tree.remove('x/y');
    const hints = [...(await told()), ...(await told())];
    expect(hints).toContain('x/y');
    expect(hints.filter((path) => path.startsWith('d/') || path.startsWith('d!/'))).toEqual([]);
    expect(listener.messages).toEqual(['unable to look into "d!/" and 1 more (read-error): changes there are not noticed']);
    expect(await told()).toEqual(expect.arrayContaining(['d!/c', 'd/e']));
  });

  it('tells no removals below an entry that it cannot even name the kind of', async () => {
    const { tree, backend, told } = await startWith(['d/a', 'd!', 'e']);
    tree.remove('d');
    tree.special('d');
    backend.faults.markUnknown('d', 'read-error', 1);
    expect(await told()).toEqual(['d']);
  });

  it('T07: says at the start already what it cannot look into', async () => {
    const { tree, backend, watcher } = await open();
    tree.write('d/a', 'x');
    tree.setUnreadable('d', true);
    const listener = new RecordingListener();
    await watcher.start(listener);
    expect(listener.messages).toEqual(['unable to look into "d/" (permission-denied): changes there are not noticed']);
    await backend.close();
    await watcher.stop();
  });

  it('INV-14: neither remembers nor tells what the filter leaves out', async () => {
    const filter: PathFilter = { patterns: ['build/', '*.tmp'], ignores: (path, isDirectory) => (isDirectory ? path.endsWith('build') : path.endsWith('.tmp')) };
    const { tree, told } = await startWith(['build/a', 'src/build/b', 'src/c.tmp', 'src/d'], { filter });
    for (const path of ['build/a', 'src/build/b', 'src/c.tmp', 'src/d', 'src/new.tmp']) tree.write(path, 'changed');
    expect(await told()).toEqual(['src/d']);
  });

  it('T30: tells a file changed within one tick of the clock once more when its token has become safe', async () => {
    const { tree, clock, told, listener } = await startWith([], { tree: { timestampGranularityMs: 60_000 } });
    tree.write('a', 'one');
    await clock.advance(INTERVAL_MS);
    expect(listener.covers('a')).toBe(true);
    tree.write('a', 'two');
    expect([...(await told()), ...(await told())]).toEqual(['a']);
    expect(await told()).toEqual([]);
  });

  it('stops in the middle of a listing', async () => {
    const { tree, backend, clock, watcher, listener } = await startWith(['a', 'b', 'c', 'd', 'e']);
    tree.remove('a');
    backend.faults.delay('list-batch', 1_000_000);
    await clock.advance(INTERVAL_MS);
    const stopped = watcher.stop();
    await clock.advance(1_000_000);
    await stopped;
    expect(listener.seen).toEqual([]);
    expect(listener.messages).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });
});

describe('the pace of an IntervalWatcher', () => {
  /** When it looks in the next `spanMs`, in milliseconds from now. */
  const looksWithin = async ({ backend, clock }: Awaited<ReturnType<typeof open>>, spanMs: number): Promise<number[]> => {
    const startMs = clock.monotonicMs();
    const looks: number[] = [];
    const list = backend.list.bind(backend);
    backend.list = (...args) => {
      looks.push(clock.monotonicMs() - startMs);
      return list(...args);
    };
    await clock.advance(spanMs);
    backend.list = list;
    return looks;
  };
  const restsOf = (looks: readonly number[]): number[] => looks.map((look, index) => Math.round(look - (looks[index - 1] ?? 0)));
  const started = async (pace: IntervalPace) => {
    const opened = await open({ pace });
    await opened.watcher.start(new RecordingListener());
    return opened;
  };

  it.each([
    [0, [0, 27_000, 27_000]],
    [0.5, [15_000, 30_000, 30_000]],
    [0.999, [29_970, 32_994, 32_994]],
  ])('begins after a random part of the interval and then varies by a tenth (chance %d)', async (chance, rests) => {
    const opened = await started({ random: () => chance });
    expect(restsOf(await looksWithin(opened, 100_000)).slice(0, 3)).toEqual(rests);
    expect(opened.watcher.description).toBe('every 30 s');
    await opened.watcher.stop();
  });

  it('of two watchers of one place is not in step', async () => {
    const chances = [0.1, 0.9];
    const looks = await Promise.all(chances.map(async (chance) => looksWithin(await started({ random: () => chance }), 200_000)));
    expect(looks[0]!.filter((look) => looks[1]!.includes(look))).toEqual([]);
  });

  it('slows down while nothing changes, up to four intervals, and says so', async () => {
    const opened = await started({ slowsDown: true });
    const rests = restsOf(await looksWithin(opened, 40 * INTERVAL_MS));
    expect(rests.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => INTERVAL_MS));
    expect(rests.slice(10, 16)).toEqual([30_000, 45_000, 67_500, 101_250, 120_000, 120_000]);
    expect(opened.watcher.description).toBe('every 120 s while nothing changes');
    await opened.watcher.stop();
  });

  it('is as at first again once something changed', async () => {
    const opened = await started({ slowsDown: true });
    await opened.clock.advance(40 * INTERVAL_MS);
    opened.tree.write('a', 'x');
    await looksWithin(opened, 120_000);
    expect(opened.watcher.description).toBe('every 30 s');
    opened.tree.remove('a');
    expect(restsOf(await looksWithin(opened, 3 * INTERVAL_MS)).slice(1)).toEqual([30_000, 30_000]);
    await opened.watcher.stop();
  });

  it('does not count looks that failed', async () => {
    const opened = await started({ slowsDown: true });
    opened.backend.faults.fail('list', { times: 30 });
    expect(restsOf(await looksWithin(opened, 30 * INTERVAL_MS))).toEqual(Array.from({ length: 30 }, () => INTERVAL_MS));
    expect(opened.watcher.description).toBe('every 30 s');
    await opened.watcher.stop();
  });

  it('is kept to the millisecond where nothing else is asked for', async () => {
    const opened = await started({});
    expect(restsOf(await looksWithin(opened, 30 * INTERVAL_MS))).toEqual(Array.from({ length: 30 }, () => INTERVAL_MS));
    await opened.watcher.stop();
  });
});

async function open({ tree: treeOptions, filter, pace }: { tree?: Partial<MemoryTreeOptions>; filter?: PathFilter; pace?: IntervalPace } = {}) {
  const clock = new ManualClock();
  const tree = new MemoryTree({ id: 'tree', clock, ...treeOptions });
  const backend = new MemoryBackend(tree, { backendId: 'memory' });
  await backend.open();
  const watcher = new IntervalWatcher({ backend, clock, intervalMs: INTERVAL_MS, filter, ...pace });
  return { clock, tree, backend, watcher };
}
