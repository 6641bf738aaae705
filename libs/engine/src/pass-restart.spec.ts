/** Crashes wherever a pass can be interrupted: in the storages, in the state, in passes over points, with other rules after (T14, T22, T49, T88). */

import { describe, expect, it } from '@jest/globals';

import { files, synced, type Rig, type RigOptions } from './testing/rig.js';

const FILES = { a: 'old a', b: 'old b', 'gone/x': 'x', 'gone/y': 'y', kept: 'k', 'd/e': 'e', both: 'base' };

/** Kills the process at one moment of its life; storages and state go down together. */
class Killer {
  at = Infinity;
  moments = 0;
  #rig: Rig | undefined;

  /** Options for the rig to be killed. */
  readonly options: RigOptions = { backend: { chunkBytes: 4 }, state: { onOperation: () => this.#strike() } };

  arm(rig: Rig, at: number): void {
    this.#rig = rig;
    this.at = at;
    this.moments = 0;
    for (const { faults } of [rig.source, rig.target]) for (const phase of ['before', 'after'] as const) faults.on('*', phase, () => this.#strike());
  }

  #strike(): void {
    this.moments += 1;
    if (this.moments !== this.at) return;
    this.#rig!.crash();
    throw new Error('killed');
  }
}

function diverge(rig: Rig): void {
  rig.sourceTree.write('a', 'a new and longer text');
  rig.targetTree.write('b', 'another new text');
  rig.sourceTree.remove('gone');
  rig.targetTree.remove('d/e');
  rig.sourceTree.write('n/m/file', 'in new directories');
  rig.targetTree.write('t', 'of the target');
  rig.sourceTree.rename('kept', 'moved');
  rig.sourceTree.write('both', 'left');
  rig.targetTree.write('both', 'right');
}

const POINTS = ['a', 'b', 'gone', 'd', 'n/m/file', 't', 'kept', 'moved', 'both'];

/** Every moment of a pass over everything; of its variants, every third: each takes a while. */
const VARIANTS: [string, 'all' | string[], boolean, number][] = [
  ['over everything', 'all', false, 1],
  ['over everything, copying within the medium', 'all', true, 3],
  ['over points', POINTS, false, 3],
];

describe('a process killed in the middle of a pass', () => {
  it.each(VARIANTS)('T88, INV-6, INV-15: %s, ends where an undisturbed one ends, and shows whole files in between', async (_, scope, copiesWithin, step) => {
    const killer = new Killer();
    const options: RigOptions = { ...killer.options, backend: { chunkBytes: 4, copiesWithin } };
    const make = async (): Promise<Rig> => {
      const rig = await synced(FILES, options);
      diverge(rig);
      return rig;
    };
    const undisturbed = await make();
    await undisturbed.pass();
    const expected = undisturbed.snapshots();
    const written = new Set([...Object.values(FILES), ...Object.values(files(undisturbed.sourceTree)), ...Object.values(files(undisturbed.targetTree))]);
    let at = 1;
    for (let isKilled = true; isKilled; at += step) {
      const rig = await make();
      killer.arm(rig, at);
      await rig.pass(scope).catch(() => undefined);
      isKilled = killer.moments >= at;
      killer.at = Infinity;
      for (const tree of [rig.sourceTree, rig.targetTree]) {
        for (const text of Object.values(files(tree))) expect([at, written.has(text)]).toEqual([at, true]);
      }
      rig.restart();
      await rig.pass();
      expect([at, rig.snapshots()]).toEqual([at, expected]);
      expect([at, rig.pair.conflicts().map(({ path, reason }) => `${reason} ${path}`)]).toEqual([at, ['both-changed both']]);
      expect([at, rig.sourceTree.staging.size, rig.targetTree.staging.size]).toEqual([at, 0, 0]);
      rig.events.operations.length = 0;
      await rig.clock.advance(60_000);
      await rig.pass();
      expect([at, rig.events.operations]).toEqual([at, []]);
    }
    expect(at).toBeGreaterThan(100);
  });
});

describe('a process killed', () => {
  it('T49: in the middle of writing leaves nothing visible, and what it staged is cleared away and never taken for a user’s', async () => {
    for (let chunk = 1; chunk <= 5; chunk += 1) {
      const rig = await synced({ a: 'old' }, { backend: { chunkBytes: 4 } });
      rig.sourceTree.write('a', 'twenty characters ok');
      let writes = 0;
      rig.target.faults.on('write', 'after', () => void ((writes += 1) === chunk && rig.crash()));
      await rig.pass().catch(() => undefined);
      expect(rig.targetTree.staging.size).toBe(1);
      expect(files(rig.targetTree)).toEqual({ a: 'old' });
      rig.restart();
      expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0 });
      expect(rig.targetTree.staging.size).toBe(0);
      expect(rig.snapshots()).toEqual([{ a: 'twenty characters ok' }, { a: 'twenty characters ok' }]);
    }
  });

  it('T14, INV-14: while rules take effect, at any moment, neither deletes what they leave out nor forgets what they do not', async () => {
    const killer = new Killer();
    const rules = (names: readonly string[]) => ({ patterns: names, ignores: (path: string) => names.includes(path) });
    let at = 1;
    for (let isKilled = true; isKilled; at += 1) {
      const rig = await synced(FILES, killer.options);
      rig.restart({ filter: rules(['gone', 'a']) });
      rig.sourceTree.remove('gone/x');
      rig.targetTree.remove('a');
      rig.targetTree.remove('b');
      killer.arm(rig, at);
      await rig.pass().catch(() => undefined);
      isKilled = killer.moments >= at;
      killer.at = Infinity;
      rig.restart({ filter: rules(['gone', 'a']) });
      await rig.pass();
      expect([at, rig.targetTree.text('gone/x'), rig.sourceTree.text('a'), rig.sourceTree.text('b')]).toEqual([at, 'x', 'old a', undefined]);
      // Left out no longer: merged as at a first sync.
      rig.restart({ filter: rules([]) });
      await rig.pass();
      expect([at, rig.sourceTree.text('gone/x'), rig.targetTree.text('a')]).toEqual([at, 'x', 'old a']);
      expect([at, rig.snapshots()[0]]).toEqual([at, rig.snapshots()[1]]);
    }
  });
});
