/**
 * What makes a sync trustworthy, as tests that every built-in dedicated syncer passes on real
 * storages: however it carries content, conflicts, deletions, halts and the baseline are those of the
 * generic syncer, which takes turns with it on the same pair.
 */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryState } from '@wl/adapters/memory-state';
import { genericSyncer } from '@wl/engine';
import type { Clock, PassReport, StorageBackend, SyncerContext, SyncerDefinition, SyncOptions } from '@wl/ports';
import { SILENT_EVENTS } from '@wl/ports/testing';

/** One storage, from outside. Paths are relative to its root. */
export interface Hands {
  write(path: string, text: string): void;
  read(path: string): string | undefined;
  remove(path: string): void;
  /** Paths of all files, in any order, without the reserved area. */
  files(): readonly string[];
  /** What an unfinished copy has left behind. */
  leftovers(): readonly string[];
  /** Opens it as a start of the daemon does. */
  open(): StorageBackend;
}

/** Two storages and a syncer for them. */
export interface SyncerWorld {
  readonly definition: SyncerDefinition;
  readonly source: Hands;
  readonly target: Hands;
  readonly mounts?: SyncerContext['mounts'];
  /** Runs `act` once, in the middle of the next copy: after the source was first looked at, before the copy shows. */
  readonly inMidCopy: (act: () => void) => void;
  readonly close: () => Promise<void>;
}

/** Real time, in which waits are short: a pass that looks again does so at once. */
export const impatientClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, 5));
      signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    }),
};

/** A pair of storages that jobs come and go on. */
export class SyncerRig {
  readonly #state = new MemoryState();
  readonly #opened: StorageBackend[] = [];

  constructor(readonly world: SyncerWorld) {}

  /** One pass of the dedicated syncer, or of the generic one, by storages that are opened for it. */
  async once(options: SyncOptions = {}, { isGeneric = false }: { readonly isGeneric?: boolean } = {}): Promise<PassReport> {
    const { definition, mounts } = this.world;
    const [source, target] = [this.world.source.open(), this.world.target.open()];
    this.#opened.push(source, target);
    const context: SyncerContext = {
      source,
      target,
      pair: this.#state.openPair({ scope: 'suite', sourceBackendId: 'source', targetBackendId: 'target' }),
      isUnidirectional: definition.traits.UNIDIRECTIONAL && !definition.traits.CONTINUOUS,
      filter: undefined,
      events: SILENT_EVENTS,
      ...(mounts !== undefined && { mounts }),
    };
    const generic = genericSyncer({ cache: this.#state, clock: impatientClock, watch: (storage) => storage.watcher()! });
    const syncer = isGeneric ? generic.create(context) : definition.create({ ...context, generic: (carriers) => generic.create(context, carriers) });
    for (const storage of [source, target]) await storage.open();
    try {
      return await syncer.oneShotSync(options);
    } finally {
      for (const storage of [source, target]) await storage.close();
    }
  }

  async close(): Promise<void> {
    for (const storage of this.#opened) await storage.close();
    await this.world.close();
  }
}

const TREE: Readonly<Record<string, string>> = { a: 'one', 'd/b': 'two', 'd/e/empty': '', 'large file': 'x'.repeat(3_000_000) };

/** Runs all tests of the contract. */
export function describeDedicatedSyncer(name: string, open: () => Promise<SyncerWorld>): void {
  describe(`${name} as a dedicated syncer`, () => {
    let rig: SyncerRig;
    let world: SyncerWorld;
    beforeEach(async () => {
      world = await open();
      rig = new SyncerRig(world);
    });
    afterEach(() => rig.close());

    const fill = (files: Readonly<Record<string, string>> = TREE): void => {
      for (const [path, text] of Object.entries(files)) world.source.write(path, text);
    };
    const expectSame = (): void => {
      expect([...world.target.files()].sort()).toEqual([...world.source.files()].sort());
      for (const path of world.source.files()) expect([path, world.target.read(path) === world.source.read(path)]).toEqual([path, true]);
      expect([world.source.leftovers(), world.target.leftovers()]).toEqual([[], []]);
    };

    it('brings to the target what the source has, under whatever names', async () => {
      fill({ ...TREE, '-rf': 'a dash', 'ends with space ': 's', 'd/äö – “quotes” *?[x]$(x);': 'odd', 'd/#x': 'hash', 'd/two\nlines': 'newline' });
      expect(await rig.once()).toMatchObject({ copiedFiles: 9, conflicts: 0, problems: [], halt: undefined });
      expectSame();
    });

    it('INV-31: leaves nothing to do, for itself and for the generic syncer', async () => {
      fill();
      await rig.once();
      expect(await rig.once()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0, problems: [], files: 4 });
      expect(await rig.once({}, { isGeneric: true })).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0, problems: [], files: 4 });
    });

    it('INV-5, INV-7: leaves a conflict alone on both sides', async () => {
      fill();
      await rig.once();
      world.source.write('a', 'mine');
      world.target.write('a', 'theirs, longer');
      expect(await rig.once()).toMatchObject({ copiedFiles: 0, conflicts: 1 });
      expect([world.source.read('a'), world.target.read('a')]).toEqual(['mine', 'theirs, longer']);
    });

    it('carries deletions over, but not against an edit', async () => {
      fill();
      await rig.once();
      world.source.remove('d/b');
      world.source.remove('a');
      world.target.write('a', 'edited meanwhile');
      expect(await rig.once()).toMatchObject({ deletedFiles: 1, conflicts: 1 });
      expect([world.target.read('d/b'), world.target.read('a')]).toEqual([undefined, 'edited meanwhile']);
    });

    it('INV-39: halts where the source is empty all of a sudden, and touches nothing', async () => {
      fill();
      await rig.once();
      for (const path of world.source.files()) world.source.remove(path);
      expect((await rig.once()).halt).toMatchObject({ reason: 'side-emptied' });
      expect([...world.target.files()].sort()).toEqual(Object.keys(TREE).sort());
    });

    it('INV-38: writes nothing in a dry run', async () => {
      fill();
      expect(await rig.once({ dryRun: true })).toMatchObject({ copiedFiles: 0, planTotal: expect.any(Number) });
      expect(world.target.files()).toEqual([]);
    });

    it.each(['a', 'large file'])('INV-6, INV-27: where %s changes in the middle of its copy, the target gets one whole version of it', async (path) => {
      world.source.write(path, TREE[path]!);
      const later = `later ${TREE[path]!}`;
      world.inMidCopy(() => world.source.write(path, later));
      await rig.once();
      expect([undefined, TREE[path], later].includes(world.target.read(path))).toBe(true);
      await rig.once();
      expect(world.target.read(path) === later).toBe(true);
      expectSame();
    });

    it('INV-5, INV-17: what somebody writes to the target in the middle of a copy is not lost', async () => {
      fill({ a: 'one' });
      world.inMidCopy(() => world.target.write('a', 'theirs'));
      await rig.once();
      expect(world.target.read('a')).toBe('theirs');
      expect(world.source.read('a')).toBe('one');
      expect((await rig.once()).conflicts).toBe(1);
    });

    it('INV-5, INV-17: nor what they write over the version that is being replaced', async () => {
      fill({ a: 'one' });
      await rig.once();
      world.source.write('a', 'two, longer');
      world.inMidCopy(() => world.target.write('a', 'theirs'));
      await rig.once();
      expect(world.target.read('a')).toBe('theirs');
    });
  });
}
