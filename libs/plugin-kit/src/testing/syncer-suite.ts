/**
 * The contract of a plugin's syncer, as tests: whatever way it carries content, what makes a sync
 * trustworthy stays. Storages are in memory, time is made by hand.
 */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pluginSyncer } from '@wl/adapters/plugins';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import { MemoryState } from '@wl/adapters/memory-state';
import { genericSyncer } from '@wl/engine';
import type { PassReport, PluginHost, PluginSyncerClass, Syncer, SyncerContext, SyncOptions } from '@wl/ports';
import { ManualClock, SILENT_EVENTS } from '@wl/ports/testing';

import * as kit from '../index.js';

/** Two storages, a state, and syncers of the class made on them as a daemon would. */
class SyncerBench {
  readonly clock = new ManualClock();
  readonly source = new MemoryTree({ id: 'source', clock: this.clock });
  readonly target = new MemoryTree({ id: 'target', clock: this.clock });
  readonly #state = new MemoryState();
  readonly #syncers: Syncer[] = [];

  constructor(readonly syncerClass: PluginSyncerClass) {}

  make({ isUnidirectional = this.syncerClass.UNIDIRECTIONAL ?? false } = {}): Syncer {
    const [sourceType, targetType] = [this.syncerClass.SOURCE_TYPES[0], this.syncerClass.TARGET_TYPES[0]];
    const backend = (tree: MemoryTree, type: string | undefined) => new MemoryBackend(tree, { backendId: tree.id, type: type === '*' || type === undefined ? 'memory' : type });
    const host: PluginHost = { clock: this.clock, log: () => undefined, kit };
    const context: SyncerContext = {
      source: backend(this.source, sourceType),
      target: backend(this.target, targetType),
      pair: this.#state.openPair({ scope: 'suite', sourceBackendId: 'source', targetBackendId: 'target' }),
      isUnidirectional,
      filter: undefined,
      events: SILENT_EVENTS,
    };
    const generic = genericSyncer({ cache: this.#state, clock: this.clock, watch: (storage) => storage.watcher()! });
    const syncer = pluginSyncer(this.syncerClass, 'suite', host).create({ ...context, generic: (carriers) => generic.create(context, carriers) });
    this.#syncers.push(syncer);
    return syncer;
  }

  async once(options: SyncOptions = {}, how: { readonly isUnidirectional?: boolean } = {}): Promise<PassReport> {
    // What was written a moment ago may still be written to.
    await this.clock.advance(60_000);
    return this.clock.runUntil(this.make(how).oneShotSync(options));
  }

  async close(): Promise<void> {
    for (const syncer of this.#syncers) await syncer.stopSync();
  }
}

/** Time in which a continuous syncer has to have noticed a change. Milliseconds. */
const NOTICE_MS = 120_000;

/** Runs all tests of the contract on a syncer class; those of abilities it lacks are left out. */
export function describeSyncer(name: string, syncerClass: PluginSyncerClass): void {
  describe(`${name} as a syncer`, () => {
    let bench: SyncerBench;
    beforeEach(() => {
      bench = new SyncerBench(syncerClass);
    });
    afterEach(() => bench.close());

    const isTwoWay = !(syncerClass.UNIDIRECTIONAL ?? false);

    it('has a name, types and an ability', () => {
      expect(syncerClass.SYNCER_NAME).toMatch(/^[a-z0-9][a-z0-9._-]{0,63}$/);
      for (const types of [syncerClass.SOURCE_TYPES, syncerClass.TARGET_TYPES]) expect(types.length).toBeGreaterThan(0);
      expect([syncerClass.ONE_SHOT, syncerClass.CONTINUOUS]).toContain(true);
    });

    if (syncerClass.ONE_SHOT === true) describeOneShot(() => bench, isTwoWay);
    if (syncerClass.CONTINUOUS === true) describeContinuous(() => bench);
  });
}

function describeOneShot(current: () => SyncerBench, isTwoWay: boolean): void {
  it('brings to the target what the source has', async () => {
    const bench = current();
    bench.source.write('a', 'one');
    bench.source.write('d/b', 'two');
    const report = await bench.once();
    expect(bench.target.snapshot()).toEqual({ a: 'one', 'd/': '', 'd/b': 'two' });
    expect(report.problems).toEqual([]);
    expect([...bench.make().iterErrors()]).toEqual([]);
  });

  it('brings back what the target has, in a two-way sync, and never in a one-way one (INV-37)', async () => {
    const bench = current();
    bench.source.write('a', 'one');
    bench.target.write('b', 'two');
    await bench.once();
    expect(bench.source.text('b')).toBe(isTwoWay ? 'two' : undefined);
    expect(bench.target.snapshot()).toEqual({ a: 'one', b: 'two' });
  });

  it('INV-31: does nothing when nothing has changed', async () => {
    const bench = current();
    bench.source.write('a', 'one');
    await bench.once();
    const [source, target] = [bench.source.snapshot(), bench.target.snapshot()];
    expect(await bench.once()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0 });
    expect([bench.source.snapshot(), bench.target.snapshot()]).toEqual([source, target]);
  });

  it('brings over a change, and keeps it when it has been brought', async () => {
    const bench = current();
    bench.source.write('a', 'one');
    await bench.once();
    bench.source.write('a', 'changed');
    await bench.once();
    expect(bench.target.text('a')).toBe('changed');
    expect(bench.source.text('a')).toBe('changed');
  });

  it('INV-12: deletes what both knew, and nothing that they did not', async () => {
    const bench = current();
    for (const path of ['known', 'stays', 'stays too']) bench.source.write(path, path);
    await bench.once();
    bench.source.remove('known');
    bench.target.write('new', 'new');
    await bench.once();
    expect(Object.keys(bench.target.snapshot())).toEqual(['new', 'stays', 'stays too']);
  });

  it('INV-7: touches neither side of a conflict', async () => {
    const bench = current();
    bench.source.write('a', 'ours');
    bench.target.write('a', 'theirs');
    bench.source.write('b', 'other');
    const report = await bench.once();
    expect([bench.source.text('a'), bench.target.text('a')]).toEqual(['ours', 'theirs']);
    expect(bench.target.text('b')).toBe('other');
    expect(report.conflicts).toBe(1);
  });

  it('INV-39: halts where nearly everything would be deleted, and changes nothing', async () => {
    const bench = current();
    for (let i = 0; i < 40; i += 1) bench.source.write(`f${String(i)}`, 'x');
    await bench.once();
    for (let i = 0; i < 39; i += 1) bench.source.remove(`f${String(i)}`);
    const report = await bench.once();
    expect(report.halt).toBeDefined();
    expect(Object.keys(bench.target.snapshot())).toHaveLength(40);
  });

  it('INV-10: halts where a root is another than before', async () => {
    const bench = current();
    bench.source.write('a', 'one');
    await bench.once();
    bench.target.unmount('empty-directory');
    const report = await bench.once();
    expect(report.halt).toBeDefined();
    expect(bench.source.text('a')).toBe('one');
  });

  it('INV-38: a dry run changes nothing', async () => {
    const bench = current();
    bench.source.write('a', 'one');
    await bench.once({ dryRun: true });
    expect(bench.target.snapshot()).toEqual({});
  });
}

function describeContinuous(current: () => SyncerBench): void {
  it('keeps the target like the source until it is stopped', async () => {
    const bench = current();
    bench.source.write('a', 'one');
    const syncer = bench.make();
    await bench.clock.runUntil(syncer.startSync({}));
    expect(syncer.isRunning()).toBe(true);
    await bench.clock.advance(NOTICE_MS);
    expect(bench.target.text('a')).toBe('one');
    bench.source.write('b', 'two');
    await bench.clock.advance(NOTICE_MS);
    expect(bench.target.text('b')).toBe('two');
    await bench.clock.runUntil(syncer.stopSync());
    expect(syncer.isRunning()).toBe(false);
    bench.source.write('c', 'three');
    await bench.clock.advance(NOTICE_MS);
    expect(bench.target.text('c')).toBeUndefined();
  });
}
