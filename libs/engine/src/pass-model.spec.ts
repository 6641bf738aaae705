/**
 * Random lives of a pair: people at both sides between passes and in the middle of them, passes
 * over everything and over points, crashes, and storages of several kinds. `WL_SEED` repeats a
 * run; a failure prints its own seed and the smallest life that shows it.
 */

import { describe, it } from '@jest/globals';
import type { SideName } from '@wl/domain';
import fc from 'fast-check';

import { files, Rig, trashed, type RigOptions } from './testing/rig.js';

const NAMES = ['a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/c', 'd.txt', 'x/y', 'x/z'];

interface Edit {
  readonly side: SideName;
  readonly gesture: 'write' | 'save' | 'empty' | 'remove' | 'rename' | 'mkdir' | 'touch' | 'same' | 'link';
  readonly path: string;
  readonly to: string;
}

interface Step {
  readonly edits: readonly Edit[];
  readonly waitMs: number;
  readonly scope: 'all' | readonly string[];
  /** Edits in the middle: before the so-many-th operation of either storage. */
  readonly meanwhile: readonly { readonly at: number; readonly edit: Edit }[];
  readonly crashAt: number | undefined;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  side: fc.constantFrom<SideName>('source', 'target'),
  gesture: fc.constantFrom<Edit['gesture']>('write', 'write', 'write', 'save', 'empty', 'remove', 'remove', 'rename', 'mkdir', 'touch', 'same', 'link'),
  path: fc.constantFrom(...NAMES),
  to: fc.constantFrom(...NAMES),
});

const step: fc.Arbitrary<Step> = fc.record({
  edits: fc.array(edit, { maxLength: 5 }),
  waitMs: fc.constantFrom(0, 5, 3000),
  scope: fc.oneof(fc.constant('all' as const), fc.constant('all' as const), fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 })),
  meanwhile: fc.array(fc.record({ at: fc.nat(60), edit }), { maxLength: 4 }),
  crashAt: fc.option(fc.nat(80), { freq: 6, nil: undefined }),
});

const KINDS: RigOptions[] = [
  {},
  { backend: { copiesWithin: true } },
  { backend: { keepsHashes: true, chunkBytes: 3 } },
  { source: { timestampGranularityMs: 10 }, target: { timestampGranularityMs: 1000 } },
  { target: { keepsEmptyDirectories: false } },
  { target: { isCaseSensitive: false } },
  { isUnidirectional: true },
];

/** One life of a pair, with what its people did. */
class Life {
  readonly rig: Rig;
  /** Contents of which a person overwrote or removed a copy. */
  readonly givenUp = new Set<string>();
  readonly written = new Set<string>();
  /** Places that a person removed, moved or wrote over, by side. */
  readonly cleared: Record<SideName, string[]> = { source: [], target: [] };
  #serial = 0;

  constructor(readonly kind: RigOptions) {
    this.rig = new Rig(kind);
  }

  act({ side, gesture, path, to }: Edit): void {
    const tree = this.rig.tree(side);
    const [before, snapshot] = [tree.text(path), tree.snapshot()];
    try {
      switch (gesture) {
        case 'write':
        case 'save':
        case 'empty': {
          this.#serial += 1;
          // Some contents share their size.
          const text = gesture === 'empty' ? '' : `v${String(this.#serial).padStart(this.#serial % 3 === 0 ? 6 : 4, '0')}`;
          if (gesture === 'save') tree.save(path, text);
          else tree.write(path, text);
          // An empty file holds nothing that could get lost.
          if (text !== '') this.written.add(text);
          break;
        }
        case 'same': {
          const other = this.rig.tree(side === 'source' ? 'target' : 'source').text(path);
          if (other === undefined) return;
          tree.write(path, other);
          break;
        }
        case 'remove':
          tree.remove(path);
          break;
        case 'rename':
          if (snapshot[path] === undefined && snapshot[`${path}/`] === undefined) return;
          if (to === path || to.startsWith(`${path}/`)) return;
          tree.rename(path, to);
          this.cleared[side].push(to);
          break;
        case 'mkdir':
          tree.mkdir(path);
          return;
        case 'touch':
          if (before !== undefined) tree.touch(path, this.rig.clock.nowMs() - 12_345);
          return;
        case 'link':
          if (before !== undefined || snapshot[`${path}/`] !== undefined) return;
          tree.symlink(path, '/elsewhere');
          return;
      }
    } catch {
      // A file is where a directory would have to be, or the other way round: the gesture fails as it does for people.
      return;
    }
    this.cleared[side].push(path);
    const left = new Set(Object.values(tree.snapshot()));
    for (const text of Object.values(snapshot)) if (!left.has(text) || text === before) this.givenUp.add(text);
    if (gesture === 'rename') for (const [place, text] of Object.entries(snapshot)) if (place === to || place.startsWith(`${path}`)) this.givenUp.add(text);
  }

  async live({ edits, waitMs, scope, meanwhile, crashAt }: Step): Promise<void> {
    const { rig } = this;
    for (const one of edits) this.act(one);
    await rig.clock.advance(waitMs);
    let operations = 0;
    const hook = (): void => {
      for (const { at, edit: one } of meanwhile) if (at === operations) this.act(one);
      if (operations === crashAt) rig.crash();
      operations += 1;
    };
    const stops = [rig.source, rig.target].map(({ faults }) => faults.on('*', 'before', hook));
    await rig.pass(scope, { allowMassDelete: true }).catch((error: unknown) => {
      if (crashAt === undefined || operations <= crashAt) throw error;
    });
    for (const stop of stops) stop();
    if (crashAt !== undefined) rig.restart();
  }

  /** Nobody edits any more: after a few passes nothing happens either. */
  async settle(): Promise<void> {
    const { rig } = this;
    for (let i = 0; i < 6; i += 1) {
      await rig.clock.advance(5000);
      rig.events.operations.length = 0;
      await rig.pass('all', { allowMassDelete: true });
    }
  }

  /** What is wrong in the end, in sentences. */
  *faults(): Generator<string> {
    const { rig } = this;
    const visible = new Set([...Object.values(files(rig.sourceTree)), ...Object.values(files(rig.targetTree))]);
    const kept = new Set([...trashed(rig.sourceTree), ...trashed(rig.targetTree)]);
    for (const text of this.written) {
      if (!this.givenUp.has(text) && !visible.has(text)) yield `INV-5: ${JSON.stringify(text)}, which nobody gave up, is gone${kept.has(text) ? ' to the trash' : ''}`;
    }
    for (const side of ['source', 'target'] as const) {
      const cleared = this.cleared[side === 'source' ? 'target' : 'source'];
      for (const { path, reason } of rig.tree(side).trash.values()) {
        if (reason === 'displaced') yield `${path} was displaced on the ${side}`;
        if (!cleared.some((place) => path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`))) {
          yield `INV-8, INV-12: ${path} was ${reason} on the ${side}, and nobody had touched it on the other side`;
        }
      }
      if (rig.tree(side).staging.size > 0) yield `INV-6: something is left in the staging area of the ${side}`;
    }
    if (rig.events.operations.length > 0) yield `INV-31, INV-32: it still does ${rig.events.operations.join(', ')}`;
    if (this.kind.isUnidirectional === true && rig.sourceTree.trash.size > 0) yield 'INV-37: something was removed from the source';
    if (this.kind.isUnidirectional !== true) yield* this.#differences();
  }

  *#differences(): Generator<string> {
    const { rig } = this;
    const links = [rig.sourceTree, rig.targetTree].flatMap((tree) => Object.entries(tree.snapshot()).filter(([, text]) => text === '<symlink>').map(([path]) => path));
    const excused = [...rig.pair.conflicts().map(({ path }): string => path), ...links];
    const isExcused = (path: string): boolean => excused.some((place) => path === place || path.startsWith(`${place}/`));
    const [source, target] = [files(rig.sourceTree), files(rig.targetTree)];
    for (const path of new Set([...Object.keys(source), ...Object.keys(target)])) {
      if (source[path] !== target[path] && !isExcused(path)) yield `INV-32: ${path} is ${String(source[path])} and ${String(target[path])}, and in no conflict`;
    }
    for (const { path } of rig.pair.conflicts()) {
      if (source[path] !== undefined && source[path] === target[path]) yield `INV-36: ${path} is equal and still in conflict`;
    }
  }
}

describe('random lives of a pair', () => {
  it.each(KINDS.map((kind) => [JSON.stringify(kind), kind] as const))(
    'INV-5, INV-8, INV-31, INV-32: lose nothing, delete nothing of their own, and come to rest: %s',
    async (_, kind) => {
      const { WL_SEED: seed, WL_RUNS: runs } = process.env;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
          const life = new Life(kind);
          for (const one of steps) await life.live(one);
          await life.settle();
          const [fault] = life.faults();
          if (fault !== undefined) throw new Error(fault);
        }),
        // A long search is asked for by WL_RUNS; the daily dose is bounded in time as well.
        { ...(runs === undefined ? { numRuns: 30, interruptAfterTimeLimit: 4000 } : { numRuns: Number(runs) }), ...(seed !== undefined && { seed: Number(seed) }) },
      );
    },
    3_600_000,
  );
});
