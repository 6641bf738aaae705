/** The continuous job on memory storages: hints, waits, failures, halts and stops, on a clock driven by hand. */

import { afterEach, describe, expect, it } from '@jest/globals';
import type { Clock, Hint, StorageBackend, SyncOptions, Watcher } from '@wl/ports';
import { ROOT, toRelativePath } from '@wl/domain';

import { DEFAULT_PACE } from './continuous-job.js';
import { genericSyncer } from './generic-syncer.js';
import { files, Rig, synced, trashed } from './testing/rig.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Longer than any wait after a hint. */
const SOON = 2 * DEFAULT_PACE.quietLimitMs;

/** A continuous job on a rig, and what it was seen doing. */
class Runner {
  readonly rig: Rig;
  /** Listings, looks and reads, as `left list d`, oldest first. */
  readonly looks: string[] = [];
  sleeps = 0;
  readonly #syncer;

  constructor(rig: Rig, watch: (storage: StorageBackend) => Watcher = watcherOf) {
    this.rig = rig;
    const { clock } = rig;
    const counting: Clock = {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: (ms, signal) => {
        this.sleeps += 1;
        return clock.sleep(ms, signal);
      },
    };
    for (const backend of [rig.source, rig.target]) {
      for (const operation of ['list', 'stat', 'getHashes'] as const) {
        backend.faults.on(operation, 'before', ({ path }) => void this.looks.push(`${backend.backendId} ${operation} ${path}`));
      }
    }
    this.#syncer = genericSyncer({ cache: rig.state, clock: counting, watch }).create(rig.context());
    running.add(this);
  }

  async start(options: SyncOptions = {}): Promise<void> {
    await this.#syncer.startSync(options);
  }

  /** Starts, and waits until both sides agree and all echoes have been looked at. */
  async settle(options: SyncOptions = {}): Promise<this> {
    await this.start(options);
    await this.rig.clock.advance(10 * SECOND);
    expect(this.state).toBe('SYNCED');
    this.forget();
    return this;
  }

  /** Forgets what was seen and told so far. */
  forget(): void {
    const { events } = this.rig;
    for (const list of [this.looks, events.states, events.operations, events.reports, events.halts, events.errors]) list.length = 0;
    this.sleeps = 0;
  }

  get state(): string | undefined {
    return this.rig.events.states.at(-1);
  }

  get isRunning(): boolean {
    return this.#syncer.isRunning();
  }

  /** How many watchers run on either side. */
  get watching(): [number, number] {
    return [this.rig.source.events.watching, this.rig.target.events.watching];
  }

  /** Listings of everything on the source: one for each full pass that got so far. */
  get fullListings(): number {
    return this.looks.filter((look) => look === 'left list ').length;
  }

  stop(): Promise<void> {
    return this.rig.clock.runUntil(this.#syncer.stopSync());
  }
}

const running = new Set<Runner>();
afterEach(async () => {
  for (const runner of running) await runner.stop();
  running.clear();
});

function watcherOf(storage: StorageBackend): Watcher {
  const watcher = storage.watcher();
  if (watcher === undefined) throw new Error('no watcher');
  return watcher;
}

/** `count` files that differ. */
function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${String(i).padStart(3, '0')}`, `text ${i}`]));
}

/** A running job on two sides that agree on these files. */
async function settled(agreed: Record<string, string>): Promise<Runner> {
  return new Runner(await synced(agreed)).settle();
}

/** Every text a file on the target ever shows from now on. */
function history(rig: Rig, path: string): (string | undefined)[] {
  const texts: (string | undefined)[] = [];
  rig.targetTree.observe((change) => {
    if (change.path === path) texts.push(rig.targetTree.text(path));
  });
  return texts;
}

/** Lets a file grow on the source in the middle of each reading; returns how to end that. */
function growWhenRead(rig: Rig, log: string, seen: () => void = () => undefined): () => void {
  return rig.source.faults.on('chunk', 'after', ({ path }) => {
    if (path !== log) return;
    seen();
    rig.sourceTree.append(log, '.');
  });
}

/** One file changes and is brought over: what comes next comes after no calm. */
async function newsJustNow(rig: Rig): Promise<void> {
  rig.sourceTree.write('news', 'x');
  await rig.clock.advance(DEFAULT_PACE.promptMs + 2 * DEFAULT_PACE.quietMs);
  expect(rig.targetTree.text('news')).toBe('x');
  rig.events.reports.length = 0;
}

describe('deletions that keep coming', () => {
  it('T85, INV-39: are judged together once the news ends, so that a tree removed bit by bit halts before it is gone', async () => {
    const runner = await settled(many(30));
    const { rig } = runner;
    for (let i = 0; i < 26; i += 1) {
      rig.sourceTree.remove(`f${String(i).padStart(3, '0')}`);
      // A little more than the quiet time: each is news of its own.
      await rig.clock.advance(DEFAULT_PACE.quietMs + 5);
    }
    await rig.clock.advance(5 * SECOND);
    expect(rig.events.halts[0]).toMatchObject({ reason: 'mass-deletion' });
    expect(Object.keys(files(rig.targetTree))).toHaveLength(30);
  });
});

describe('a continuous job', () => {
  it('begins with a full pass while it already watches', async () => {
    const rig = new Rig();
    rig.sourceTree.write('d/a', 'left');
    rig.targetTree.write('b', 'right');
    const runner = new Runner(rig);
    let watching: unknown;
    rig.source.faults.on('list', 'before', () => void (watching ??= runner.watching));
    await runner.start();
    await rig.clock.advance(0);
    expect(watching).toEqual([1, 1]);
    expect(rig.events.states).toEqual(['ONE_SHOT', 'SYNCED']);
    expect(files(rig.targetTree)).toEqual({ 'd/a': 'left', b: 'right' });
    expect(files(rig.sourceTree)).toEqual(files(rig.targetTree));
    expect(runner.isRunning).toBe(true);
  });

  it('is not SYNCED as long as deletions are put off, which its own copies cause', async () => {
    const rig = await synced({ gone: '1', kept: '2' });
    rig.targetTree.remove('gone');
    rig.sourceTree.write('new', '3');
    const runner = new Runner(rig);
    const claimed: unknown[] = [];
    rig.sourceTree.observe(({ path }) => void (path === 'gone' && claimed.push(...rig.events.states)));
    await runner.start();
    await rig.clock.advance(10 * SECOND);
    expect(claimed).toContain('ONE_SHOT');
    expect(claimed).not.toContain('SYNCED');
    expect(runner.state).toBe('SYNCED');
    expect(rig.snapshots()).toEqual([{ kept: '2', new: '3' }, { kept: '2', new: '3' }]);
  });

  it('looks at nothing but the paths that a hint names', async () => {
    const runner = await settled({ 'd/a': '1', 'd/b': '2', 'e/c': '3' });
    const { rig } = runner;
    rig.targetTree.write('d/a', 'new');
    await rig.clock.advance(SOON);
    expect(rig.sourceTree.text('d/a')).toBe('new');
    expect(runner.looks.filter((look) => look.includes(' list '))).toEqual([]);
    expect([...new Set(runner.looks.map((look) => look.split(' ')[2]))].sort()).toEqual(['d', 'd/a']);
    expect(rig.events.reports[0]).toMatchObject({ scope: ['d/a'], copiedFiles: 1, lagMs: DEFAULT_PACE.promptMs });
    expect(rig.events.states).toEqual(['RUNNING', 'SYNCED', 'RUNNING', 'SYNCED']);
  });

  it('looks through a directory that a hint names, and through no other', async () => {
    const runner = await settled({ 'd/a': '1', 'e/c': '3' });
    const { rig } = runner;
    rig.source.events.lose();
    rig.sourceTree.write('d/new', 'x');
    rig.source.events.emit([{ scope: 'subtree', path: toRelativePath('d') }]);
    await rig.clock.advance(SOON);
    expect(files(rig.targetTree)).toEqual({ 'd/a': '1', 'd/new': 'x', 'e/c': '3' });
    expect([...new Set(runner.looks.filter((look) => look.startsWith('left list ')))]).toEqual(['left list d']);
  });

  it('takes hints together that come within the quiet time', async () => {
    const { rig } = await settled({});
    await newsJustNow(rig);
    for (const path of ['a', 'b', 'c']) {
      rig.sourceTree.write(path, path);
      await rig.clock.advance(DEFAULT_PACE.quietMs - 5);
    }
    await rig.clock.advance(SOON);
    expect(rig.events.reports[0]).toMatchObject({ scope: ['a', 'b', 'c'], lagMs: 2 * (DEFAULT_PACE.quietMs - 5) + DEFAULT_PACE.quietMs });
    // One more for the echo of the three copies.
    expect(rig.events.reports).toHaveLength(2);
  });

  it('T42, INV-28: is prompt with the first news after a calm, and patient with what goes on changing after it', async () => {
    const { rig } = await settled({ calm: '1' });
    rig.sourceTree.write('calm', '2');
    await rig.clock.advance(DEFAULT_PACE.promptMs + 1);
    expect(rig.targetTree.text('calm')).toBe('2');
    for (let piece = 0; piece < 5; piece += 1) {
      rig.sourceTree.append('calm', String(piece));
      await rig.clock.advance(DEFAULT_PACE.quietMs - 5);
      expect(rig.targetTree.text('calm')).toBe('2');
    }
    await rig.clock.advance(SOON);
    expect(rig.targetTree.text('calm')).toBe('201234');
    expect(rig.events.operations).toEqual(['MODIFY calm', 'MODIFY calm']);
  });

  it('waits no longer than the limit while hints come without end', async () => {
    const { rig } = await settled({});
    let worstMs = 0;
    for (let ms = 0; ms < 5 * SECOND; ms += 10) {
      rig.sourceTree.write(String(ms), 'x');
      await rig.clock.advance(10);
      const oldest = Array.from({ length: ms / 10 + 1 }, (_, i) => i * 10).find((at) => rig.targetTree.text(String(at)) === undefined);
      if (oldest !== undefined) worstMs = Math.max(worstMs, ms + 10 - oldest);
    }
    expect(worstMs).toBeLessThanOrEqual(DEFAULT_PACE.quietLimitMs + 20);
    expect(rig.events.reports.length).toBeLessThan(3 * ((5 * SECOND) / DEFAULT_PACE.quietLimitMs));
  });

  it('brings over a file that is written without end once per limit at most', async () => {
    const { rig } = await settled({ a: '' });
    const texts = history(rig, 'a');
    for (let ms = 0; ms < 4 * SECOND; ms += 10) {
      rig.sourceTree.append('a', '.');
      await rig.clock.advance(10);
    }
    expect(texts.length).toBeGreaterThanOrEqual(8);
    expect(texts.length).toBeLessThanOrEqual(11);
  });

  it('still groups the hints of other paths while one that keeps changing waits for its turn', async () => {
    const { rig } = await settled({ log: '0' });
    const stop = growWhenRead(rig, 'log');
    rig.sourceTree.append('log', '.');
    await rig.clock.advance(20 * SECOND);
    expect(rig.targetTree.text('log')).toBe('0');
    // It grows on, and waits: this is no news.
    rig.sourceTree.append('log', '.');
    await rig.clock.advance(SECOND);
    await newsJustNow(rig);
    for (const path of ['a', 'b', 'c']) {
      rig.sourceTree.write(path, path);
      await rig.clock.advance(10);
    }
    await rig.clock.advance(SOON);
    expect(rig.events.reports[0]).toMatchObject({ scope: ['a', 'b', 'c'], lagMs: 35 });
    stop();
  });

  it('sleeps through an hour of silence but for the verify passes', async () => {
    const runner = await settled(many(20));
    await runner.rig.clock.advance(HOUR);
    expect(runner.fullListings).toBe(2);
    expect(runner.sleeps).toBeLessThanOrEqual(8);
  });

  it('INV-30: verifies every hour at last while all is quiet, and soon again after a hint or a change that no hint told of', async () => {
    const runner = await settled(many(20));
    const { rig } = runner;
    await rig.clock.advance(24 * HOUR);
    expect(runner.fullListings).toBeLessThanOrEqual(26);

    runner.forget();
    rig.sourceTree.write('f000', 'told');
    await rig.clock.advance(DEFAULT_PACE.verifyMs + SOON);
    expect(runner.fullListings).toBe(1);

    await rig.clock.advance(24 * HOUR);
    rig.source.events.lose(Infinity);
    rig.target.events.lose(Infinity);
    rig.sourceTree.write('f001', 'not told');
    for (let waitedMs = 0; waitedMs < DEFAULT_PACE.verifyLimitMs && rig.targetTree.text('f001') !== 'not told'; waitedMs += SECOND) await rig.clock.advance(SECOND);
    expect(rig.targetTree.text('f001')).toBe('not told');
    runner.forget();
    await rig.clock.advance(DEFAULT_PACE.verifyMs);
    expect(runner.fullListings).toBe(1);
  });
});

describe('T39, INV-28: what editors do on the way', () => {
  it('deletes nothing that is back within the deletion delay', async () => {
    const { rig } = await settled({ a: 'old', b: 'other' });
    rig.sourceTree.remove('a');
    await rig.clock.advance(DEFAULT_PACE.promptMs + DEFAULT_PACE.deletionDelayMs - 1);
    rig.sourceTree.write('a', 'new');
    await rig.clock.advance(10 * SECOND);
    expect(rig.targetTree.text('a')).toBe('new');
    expect(rig.events.operations).toEqual(['MODIFY a']);
    expect(rig.events.conflicts).toEqual([]);
  });

  it('nor when everything is looked at meanwhile', async () => {
    const { rig } = await settled({ a: 'old', b: 'other' });
    rig.source.events.overflow();
    await rig.clock.advance(DEFAULT_PACE.quietLimitMs - 1);
    rig.sourceTree.remove('a');
    await rig.clock.advance(DEFAULT_PACE.deletionDelayMs - 5);
    rig.sourceTree.write('a', 'new');
    await rig.clock.advance(10 * SECOND);
    expect(rig.events.operations).toEqual(['MODIFY a']);
  });

  it('deletes what stays away', async () => {
    const { rig } = await settled({ a: 'old', b: 'other' });
    rig.sourceTree.remove('a');
    await rig.clock.advance(DEFAULT_PACE.promptMs + DEFAULT_PACE.deletionDelayMs);
    expect(files(rig.targetTree)).toEqual({ b: 'other' });
    expect(trashed(rig.targetTree)).toEqual(['old']);
  });

  it.each([20, 50, 150, 400, 1500])('never brings over the emptied file that is written again %d ms later', async (pauseMs) => {
    const { rig } = await settled({ a: 'old' });
    const texts = history(rig, 'a');
    for (let save = 0; save < 5; save += 1) {
      rig.sourceTree.write('a', '');
      await rig.clock.advance(pauseMs);
      rig.sourceTree.write('a', `new ${save}`);
      await rig.clock.advance(2 * SECOND);
    }
    await rig.clock.advance(10 * SECOND);
    expect(texts).not.toContain('');
    expect(texts.at(-1)).toBe('new 4');
    expect(rig.events.conflicts).toEqual([]);
  });

  it('brings over a file that was emptied for good', async () => {
    const { rig } = await settled({ a: 'old' });
    rig.sourceTree.write('a', '');
    await rig.clock.advance(SECOND);
    expect(rig.targetTree.text('a')).toBe('old');
    await rig.clock.advance(5 * SECOND);
    expect(rig.targetTree.text('a')).toBe('');
  });

  it('brings over saves by rename through a temporary file, without a conflict', async () => {
    const { rig } = await settled({ a: 'old' });
    for (let save = 0; save < 10; save += 1) {
      rig.sourceTree.write('.a.tmp', `new ${save}`);
      await rig.clock.advance(save * 7);
      rig.sourceTree.rename('.a.tmp', 'a');
      await rig.clock.advance(2 * SECOND);
    }
    await rig.clock.advance(10 * SECOND);
    expect(rig.snapshots()).toEqual([{ a: 'new 9' }, { a: 'new 9' }]);
    expect(rig.events.conflicts).toEqual([]);
    expect(rig.events.operations).not.toContain('DELETE a');
  });
});

describe('T42: a file that changes whenever it is read', () => {
  it('is tried ever more patiently, keeps nothing else from being synced, and comes over when it is quiet', async () => {
    const { rig } = await settled({ log: '0' });
    const readsMs: number[] = [];
    const stop = growWhenRead(rig, 'log', () => readsMs.push(rig.clock.monotonicMs()));
    rig.sourceTree.append('log', '.');
    for (let second = 0; second < 300; second += 1) {
      await rig.clock.advance(SECOND);
      rig.sourceTree.append('log', '.');
    }
    const pauses = [...new Set(readsMs)].map((ms, i, all) => ms - (all[i - 1] ?? ms)).slice(1);
    expect(pauses.slice(0, 10)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200]);
    expect(Math.max(...pauses)).toBe(DEFAULT_PACE.retryLimitMs);
    expect(rig.targetTree.text('log')).toBe('0');
    rig.sourceTree.write('other', 'x');
    await rig.clock.advance(SOON);
    expect(rig.targetTree.text('other')).toBe('x');
    stop();
    await rig.clock.advance(DEFAULT_PACE.retryLimitMs);
    expect(rig.targetTree.text('log')).toBe(rig.sourceTree.text('log'));
    // The next change is news again, and patience begins anew.
    readsMs.length = 0;
    const stopAgain = growWhenRead(rig, 'log', () => readsMs.push(rig.clock.monotonicMs()));
    rig.sourceTree.append('log', '.');
    await rig.clock.advance(500);
    stopAgain();
    expect([...new Set(readsMs)].map((ms) => ms - readsMs[0]!)).toEqual([0, 100, 300]);
    await rig.clock.advance(SECOND);
    expect(rig.targetTree.text('log')).toBe(rig.sourceTree.text('log'));
    expect(rig.events.conflicts).toEqual([]);
  });
});

describe('INV-30: events are hints only', () => {
  const edit = (rig: Rig): void => {
    rig.sourceTree.write('a', 'new');
    rig.sourceTree.rename('d', 'moved');
    rig.targetTree.remove('b');
    rig.targetTree.write('e/f/g', 'deep');
  };
  const expected = { a: 'new', c: '3', 'e/': '', 'e/f/': '', 'e/f/g': 'deep', 'moved/': '', 'moved/x': '4', 'moved/y': '5' };
  const agreed = { a: '1', b: '2', c: '3', 'd/x': '4', 'd/y': '5' };

  it('T62: finds with the verify pass what no event told', async () => {
    const { rig } = await settled(agreed);
    for (const { events } of [rig.source, rig.target]) events.lose(Infinity);
    edit(rig);
    await rig.clock.advance(DEFAULT_PACE.verifyMs / 2);
    expect(rig.events.operations).toEqual([]);
    await rig.clock.advance(DEFAULT_PACE.verifyMs / 2 + SOON);
    expect(rig.snapshots()).toEqual([expected, expected]);
  });

  it.each(['in-order', 'reversed'] as const)('T60: comes to the same with events held back and told %s', async (order) => {
    const { rig } = await settled(agreed);
    for (const { events } of [rig.source, rig.target]) events.hold();
    edit(rig);
    await rig.clock.advance(MINUTE);
    for (const { events } of [rig.source, rig.target]) events.release(order);
    await rig.clock.advance(10 * SECOND);
    expect(rig.snapshots()).toEqual([expected, expected]);
  });

  it('T60: comes to the same with events that are repeated and late', async () => {
    const { rig } = await settled(agreed);
    for (const { events } of [rig.source, rig.target]) {
      events.repeat(Infinity);
      events.delayMs = 3 * SECOND;
    }
    edit(rig);
    await rig.clock.advance(10 * SECOND);
    expect(rig.snapshots()).toEqual([expected, expected]);
  });

  it('T60: does nothing about events that are not true', async () => {
    const { rig } = await settled(agreed);
    const paths = ['a', 'd', 'nowhere', 'd/nothing', 'a/below-a-file'].map(toRelativePath);
    rig.source.events.emit(paths.map((path) => ({ scope: 'entry' as const, path })));
    rig.target.events.emit(paths.map((path) => ({ scope: 'subtree' as const, path })));
    await rig.clock.advance(10 * SECOND);
    expect(rig.events.operations).toEqual([]);
    expect(rig.events.states.at(-1)).toBe('SYNCED');
  });

  it('T62: makes a full pass soon after an overflow', async () => {
    const runner = await settled(agreed);
    const { rig } = runner;
    for (const { events } of [rig.source, rig.target]) events.hold();
    edit(rig);
    rig.source.events.overflow();
    await rig.clock.advance(SOON);
    expect(runner.fullListings).toBe(1);
    expect(rig.snapshots()).toEqual([expected, expected]);
  });

  it.each<[string, Hint[]]>([
    ['an overflow', [{ scope: 'subtree', path: ROOT }]],
    ['more hints than are kept', Array.from({ length: 20_001 }, (_, i) => ({ scope: 'entry', path: toRelativePath(`x${i}`) }))],
  ])('T62: %s in the middle of a full pass leads to another one', async (_, hints) => {
    const rig = await synced(agreed);
    rig.sourceTree.write('z', 'last');
    const runner = new Runner(rig);
    const stop = rig.target.faults.on('commit', 'before', () => {
      stop();
      rig.source.events.lose();
      rig.sourceTree.write('a', 'new');
      rig.source.events.emit(hints);
    });
    await runner.start();
    await rig.clock.advance(10 * SECOND);
    expect(rig.targetTree.text('a')).toBe('new');
    expect(runner.fullListings).toBe(2);
  });

  it('T07, T62: looks at everything at intervals while a watcher does not see everything', async () => {
    const { rig } = await settled({ a: '1' });
    rig.source.events.lose(Infinity);
    rig.source.events.degrade('some folders are not watched');
    for (const text of ['2', '3', '4']) {
      rig.sourceTree.write('a', text);
      await rig.clock.advance(DEFAULT_PACE.degradedVerifyMs + SOON);
      expect(files(rig.targetTree)).toEqual({ a: text });
    }
  });

  it('says so when a watcher sees less than before', async () => {
    const { rig } = await settled(agreed);
    rig.target.events.degrade('some folders are not watched');
    await rig.clock.advance(0);
    expect(rig.events.notes).toEqual(['memory(right): some folders are not watched']);
  });

  it('does not say so any more once the root went away, and others watch the one that is back', async () => {
    const { rig } = await settled(agreed);
    rig.target.events.degrade('it was moved away');
    const volume = rig.targetTree.unmount();
    await rig.clock.advance(SOON);
    expect(rig.events.notes).toEqual([]);
    rig.targetTree.mount(volume);
    await rig.clock.advance(MINUTE);
    expect(rig.events.states.at(-1)).toBe('SYNCED');
    expect(rig.events.notes).toEqual([]);
  });
});

describe('T61, INV-31: the echo of its own writes', () => {
  it('leads to no operation, and after it to no look either', async () => {
    const runner = await settled({ a: '1', 'd/b': '2' });
    const { rig } = runner;
    rig.sourceTree.write('a', 'new');
    rig.sourceTree.write('d/new', 'new');
    rig.targetTree.remove('d/b');
    await rig.clock.advance(SECOND);
    expect([...rig.events.operations].sort()).toEqual(['CREATE d/new', 'DELETE d/b', 'MODIFY a']);
    await rig.clock.advance(5 * SECOND);
    runner.forget();
    await rig.clock.advance(DEFAULT_PACE.verifyMs / 2);
    expect(runner.looks).toEqual([]);
    await rig.clock.advance(24 * HOUR);
    expect(rig.events.operations).toEqual([]);
    expect(rig.events.reports.every(({ scope }) => scope === undefined)).toBe(true);
    // One an hour, and sooner at first.
    expect(runner.fullListings).toBe(26);
  });
});

describe('T07: a watcher that cannot start', () => {
  it.each(['source', 'target'] as const)('on the %s: removes nothing, tries again ever later, and goes on when it can', async (side) => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.remove('a');
    rig[side].events.refuse('no more watches');
    const runner = new Runner(rig);
    const triesMs: number[] = [];
    rig.events.error = ({ message }) => {
      expect(message).toContain('no more watches');
      triesMs.push(rig.clock.monotonicMs());
    };
    await runner.start();
    await rig.clock.advance(20 * SECOND);
    expect(triesMs.map((ms) => ms - triesMs[0]!)).toEqual([0, 1000, 3000, 7000, 15_000]);
    expect(runner.state).toBe('ERROR');
    expect(runner.watching).toEqual([0, 0]);
    expect(rig.events.operations).toEqual([]);
    rig[side].events.refuse(undefined);
    await rig.clock.advance(MINUTE);
    expect(runner.state).toBe('SYNCED');
    expect(runner.watching).toEqual([1, 1]);
    expect(files(rig.targetTree)).toEqual({ b: '2' });
  });
});

describe('T63: a pass that fails', () => {
  it('is made again, waiting twice as long each time up to a limit, and from the start after it went well', async () => {
    const runner = await settled({ a: '1', b: '2' });
    const { rig } = runner;
    const triesMs: number[] = [];
    rig.events.error = () => triesMs.push(rig.clock.monotonicMs());
    rig.source.faults.fail('stat', { code: 'unreachable' });
    rig.source.faults.fail('list', { code: 'unreachable', times: 9 });
    rig.sourceTree.write('a', 'new');
    await rig.clock.advance(SECOND);
    expect(runner.state).toBe('ERROR');
    await rig.clock.advance(5 * MINUTE);
    const waits = triesMs.slice(1).map((ms, i) => ms - triesMs[i]!);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(runner.state).toBe('ERROR');
    await rig.clock.advance(MINUTE);
    expect(runner.state).toBe('SYNCED');
    expect(rig.targetTree.text('a')).toBe('new');
    triesMs.length = 0;
    rig.source.faults.fail('stat', { code: 'unreachable' });
    rig.sourceTree.write('b', 'new');
    await rig.clock.advance(DEFAULT_PACE.quietMs + DEFAULT_PACE.retryMs);
    expect(triesMs).toHaveLength(1);
    expect(runner.state).toBe('SYNCED');
    expect(rig.targetTree.text('b')).toBe('new');
  });

  it('is not made more often than once a while for overflows and hints without end', async () => {
    const runner = await settled({ a: '1' });
    const { rig } = runner;
    let tries = 0;
    rig.events.error = () => void (tries += 1);
    for (const operation of ['stat', 'list'] as const) rig.source.faults.fail(operation, { code: 'unreachable', times: Infinity });
    for (let ms = 0; ms < 2 * MINUTE; ms += 50) {
      rig.source.events.emit([{ scope: 'entry', path: toRelativePath('a') }, { scope: 'subtree', path: ROOT }]);
      await rig.clock.advance(50);
    }
    expect(tries).toBeLessThanOrEqual(10);
    expect(rig.events.states).not.toContain('SYNCED');
  });

  it('leaves nothing to look at twice: the next full pass sees what was hinted at meanwhile', async () => {
    const { rig } = await settled({ a: '1', b: '2' });
    rig.source.faults.fail('stat', { code: 'unreachable' });
    rig.target.events.lose(Infinity);
    rig.sourceTree.write('a', 'new');
    await rig.clock.advance(500);
    rig.sourceTree.write('b', 'new');
    await rig.clock.advance(5 * SECOND);
    expect(files(rig.targetTree)).toEqual({ a: 'new', b: 'new' });
    expect(rig.events.reports.map(({ scope }) => scope)).toEqual([undefined]);
  });

  it('of one path disturbs no other', async () => {
    const { rig } = await settled({ a: '1', b: '2', c: '3' });
    rig.source.faults.fail('read', { path: 'b', code: 'permission-denied', times: Infinity });
    for (const path of ['a', 'b', 'c']) rig.sourceTree.write(path, 'new');
    await rig.clock.advance(SOON);
    expect(files(rig.targetTree)).toEqual({ a: 'new', b: '2', c: 'new' });
    expect(rig.events.reports[0]?.problems).toMatchObject([{ path: 'b', reason: 'permission-denied' }]);
    expect(rig.events.errors).toEqual([]);
  });

  it.each(['no-space', 'permission-denied', 'io-error', 'read-only'] as const)('T52, INV-30: of one path is over soon after its cause is (%s), though no event tells of that', async (code) => {
    const runner = await settled({ a: '1', b: '2', 'd/c': '3' });
    const { rig } = runner;
    rig.target.faults.fail('openForSafeReplace', { path: 'b', code, times: Infinity });
    rig.sourceTree.write('b', 'new');
    await rig.clock.advance(5 * MINUTE);
    expect(rig.events.reports.at(-1)?.problems).toMatchObject([{ path: 'b', reason: code }]);
    // Looking again costs one path a minute, and nothing else.
    expect(rig.events.reports.length).toBeLessThan(20);
    expect(runner.fullListings).toBe(0);
    rig.target.faults.clear();
    await rig.clock.advance(DEFAULT_PACE.retryLimitMs);
    expect(files(rig.targetTree)).toMatchObject({ b: 'new' });
    expect(rig.events.reports.at(-1)?.problems).toEqual([]);
    runner.forget();
    await rig.clock.advance(5 * MINUTE);
    expect(rig.events.reports).toEqual([]);
  });

  it('T01: of a directory is over soon after it can be read', async () => {
    const { rig } = await settled({ 'd/c': '3' });
    rig.source.faults.markUnknown('d', 'permission-denied');
    rig.sourceTree.write('d/new', 'x');
    await rig.clock.advance(3 * SECOND);
    expect(files(rig.targetTree)).toEqual({ 'd/c': '3' });
    rig.source.faults.clear();
    await rig.clock.advance(DEFAULT_PACE.retryLimitMs);
    expect(files(rig.targetTree)).toEqual({ 'd/c': '3', 'd/new': 'x' });
  });

  it('T52: of very many paths is over soon after its cause is, too', async () => {
    const { rig } = await settled({ a: '1' });
    rig.target.faults.fail('openForSafeReplace', { code: 'no-space', times: Infinity });
    for (let index = 0; index < 1001; index += 1) rig.sourceTree.write(`f${index}`, 'x');
    await rig.clock.advance(SECOND);
    expect(Object.keys(files(rig.targetTree))).toHaveLength(1);
    rig.target.faults.clear();
    await rig.clock.advance(5 * SECOND);
    expect(Object.keys(files(rig.targetTree))).toHaveLength(1002);
  });
});

describe('a root that goes away', () => {
  it.each([
    ['source', 'nothing', 'root-missing'],
    ['target', 'nothing', 'root-missing'],
    ['source', 'empty-directory', 'root-changed'],
    ['target', 'empty-directory', 'root-changed'],
  ] as const)('(%s, leaving %s) halts with %s and without watchers, until it is back', async (side, leaving, reason) => {
    const agreed = { a: '1', 'd/b': '2' };
    const runner = await settled(agreed);
    const { rig } = runner;
    const volume = rig.tree(side).unmount(leaving);
    await rig.clock.advance(SOON);
    expect(rig.events.halts[0]).toMatchObject({ reason, side });
    expect(runner.state).toBe('ERROR');
    expect(runner.watching).toEqual([0, 0]);
    const other = side === 'source' ? 'target' : 'source';
    rig.tree(other).write('meanwhile', 'x');
    await rig.clock.advance(HOUR);
    expect(new Set(rig.events.halts.map((halt) => halt.reason))).toEqual(new Set([reason]));
    expect(rig.events.halts.length).toBeLessThan(75);
    expect(rig.events.states).not.toContain('SYNCED');
    expect(files(rig.tree(other))).toEqual({ ...agreed, meanwhile: 'x' });
    expect(trashed(rig.tree(other))).toEqual([]);
    rig.tree(side).mount(volume);
    await rig.clock.advance(DEFAULT_PACE.retryLimitMs + SECOND);
    expect(runner.state).toBe('SYNCED');
    expect(runner.watching).toEqual([1, 1]);
    expect(files(rig.tree(side))).toEqual({ ...agreed, meanwhile: 'x' });
    rig.tree(side).write('a', 'new');
    await rig.clock.advance(SOON);
    expect(rig.tree(other).text('a')).toBe('new');
  });

  it('is told as such when it is missing from the start', async () => {
    const rig = await synced({ a: '1' });
    const volume = rig.sourceTree.unmount();
    const runner = new Runner(rig);
    await runner.start();
    await rig.clock.advance(SECOND);
    expect(rig.events.halts[0]).toMatchObject({ reason: 'root-missing', side: 'source' });
    expect(rig.events.errors).toEqual([]);
    rig.sourceTree.mount(volume);
    await rig.clock.advance(MINUTE);
    expect(runner.state).toBe('SYNCED');
  });
});

describe('a mass deletion', () => {
  it('halts, stays halted without spinning, and is over when the files are back', async () => {
    const agreed = many(30);
    const runner = await settled(agreed);
    const { rig } = runner;
    const gone = Object.keys(agreed).slice(0, 20);
    for (const path of gone) rig.sourceTree.remove(path);
    await rig.clock.advance(SECOND);
    expect(rig.events.halts[0]).toMatchObject({ reason: 'mass-deletion' });
    await rig.clock.advance(HOUR);
    expect(runner.state).toBe('ERROR');
    expect(rig.events.states).not.toContain('SYNCED');
    expect(runner.fullListings).toBeLessThan(75);
    expect(runner.sleeps).toBeLessThan(150);
    expect(files(rig.targetTree)).toEqual(agreed);
    for (const path of gone) rig.sourceTree.write(path, agreed[path]!);
    await rig.clock.advance(5 * SECOND);
    expect(runner.state).toBe('SYNCED');
    expect(rig.events.operations).toEqual([]);
  });

  it.each([300, 5 * SECOND])('is not taken in small portions for hints that come one by one every %d ms', async (everyMs) => {
    const agreed = many(30);
    const runner = await settled(agreed);
    const { rig } = runner;
    const gone = Object.keys(agreed).slice(0, 20);
    for (const path of gone) rig.sourceTree.remove(path);
    await rig.clock.advance(SECOND);
    for (const path of gone) {
      rig.source.events.emit([{ scope: 'entry', path: toRelativePath(path) }]);
      await rig.clock.advance(everyMs);
    }
    expect(rig.events.reports.slice(1).every(({ scope }) => scope === undefined)).toBe(true);
    expect(files(rig.targetTree)).toEqual(agreed);
    expect(rig.events.states).not.toContain('SYNCED');
    expect(runner.state).toBe('ERROR');
  });

  it('keeps other changes from being brought over for a moment only', async () => {
    const agreed = many(30);
    const { rig } = await settled(agreed);
    for (const path of Object.keys(agreed).slice(0, 20)) rig.sourceTree.remove(path);
    await rig.clock.advance(HOUR);
    rig.sourceTree.write('new', 'x');
    await rig.clock.advance(2 * DEFAULT_PACE.retryMs);
    expect(rig.targetTree.text('new')).toBe('x');
    expect(rig.events.states.at(-1)).toBe('ERROR');
  });
});

describe('options of the first pass', () => {
  it('allow a mass deletion once', async () => {
    const agreed = many(60);
    const paths = Object.keys(agreed);
    const rig = await synced(agreed);
    for (const path of paths.slice(0, 40)) rig.sourceTree.remove(path);
    const runner = await new Runner(rig).settle({ allowMassDelete: true });
    expect(Object.keys(files(rig.targetTree))).toEqual(paths.slice(40));
    for (const path of paths.slice(40, 59)) rig.sourceTree.remove(path);
    await rig.clock.advance(MINUTE);
    expect(rig.events.halts[0]).toMatchObject({ reason: 'mass-deletion' });
    expect(runner.state).toBe('ERROR');
    expect(Object.keys(files(rig.targetTree))).toEqual(paths.slice(40));
  });

  it('accept a new root once', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.unmount('empty-directory');
    rig.sourceTree.write('c', '3');
    const runner = await new Runner(rig).settle({ acceptNewRoot: true });
    const merged = { a: '1', b: '2', c: '3' };
    expect(files(rig.sourceTree)).toEqual(merged);
    rig.sourceTree.unmount('empty-directory');
    await rig.clock.advance(MINUTE);
    expect(rig.events.halts[0]).toMatchObject({ reason: 'root-changed', side: 'source' });
    expect(runner.state).toBe('ERROR');
    expect(files(rig.targetTree)).toEqual(merged);
    expect(files(rig.sourceTree)).toEqual({});
  });
});

describe('stopping', () => {
  it('at any moment of a pass leaves whole files, nothing staged and nothing running', async () => {
    let moments = 0;
    for (let at = 1; at === 1 || moments >= at - 1; at += 1) {
      const rig = await synced({ a: 'old', 'd/b': 'old', c: 'old' });
      rig.sourceTree.write('a', 'a longer text');
      rig.sourceTree.write('e/f', 'another text');
      rig.sourceTree.remove('d');
      const runner = new Runner(rig);
      let stopped: Promise<void> | undefined;
      moments = 0;
      for (const { faults } of [rig.source, rig.target]) {
        for (const phase of ['before', 'after'] as const) {
          faults.on('*', phase, () => {
            moments += 1;
            if (moments === at) stopped = runner.stop();
          });
        }
      }
      await runner.start();
      await rig.clock.advance(SECOND);
      await (stopped ?? runner.stop());
      const afterwards = moments;
      for (const [path, text] of Object.entries(files(rig.targetTree))) {
        expect({ at, path, text: [files(rig.sourceTree)[path], 'old'].includes(text) }).toEqual({ at, path, text: true });
      }
      expect(rig.targetTree.staging.size).toBe(0);
      expect(runner.watching).toEqual([0, 0]);
      expect(runner.isRunning).toBe(false);
      expect(rig.events.errors).toEqual([]);
      rig.sourceTree.write('later', 'x');
      await rig.clock.advance(HOUR);
      expect(moments).toBe(afterwards);
      expect(rig.clock.sleeping).toBe(0);
      await rig.pass();
      expect(files(rig.targetTree)).toEqual({ a: 'a longer text', c: 'old', 'e/f': 'another text', later: 'x' });
    }
    expect(moments).toBeGreaterThan(20);
  });

  it('while the watchers start makes no pass', async () => {
    const rig = await synced({ a: '1' });
    const slow = (storage: StorageBackend): Watcher => {
      const watcher = watcherOf(storage);
      return {
        description: watcher.description,
        start: async (listener) => {
          await rig.clock.sleep(SECOND);
          await watcher.start(listener);
        },
        stop: () => watcher.stop(),
      };
    };
    const runner = new Runner(rig, slow);
    rig.events.states.length = 0;
    await runner.start();
    await rig.clock.advance(10);
    await runner.stop();
    expect(runner.looks).toEqual([]);
    expect(runner.watching).toEqual([0, 0]);
    expect(rig.events.states).toEqual([]);
    expect(rig.events.errors).toEqual([]);
  });

  it('while it waits to delete deletes nothing', async () => {
    const runner = await settled({ a: '1', b: '2' });
    const { rig } = runner;
    rig.sourceTree.remove('a');
    await rig.clock.advance(DEFAULT_PACE.quietMs + 10);
    await runner.stop();
    expect(files(rig.targetTree)).toEqual({ a: '1', b: '2' });
  });

  it('while it waits after a failure takes no time', async () => {
    const rig = await synced({ a: '1' });
    rig.source.events.refuse('no more watches');
    const runner = new Runner(rig);
    await runner.start();
    await rig.clock.advance(10 * MINUTE);
    const startMs = rig.clock.monotonicMs();
    await runner.stop();
    expect(rig.clock.monotonicMs()).toBe(startMs);
    expect(rig.clock.sleeping).toBe(0);
  });
});
