/**
 * Random histories: people edit both sides between passes and, through hooks on every call
 * of a storage, in the middle of them. What nobody overwrote or deleted must still be in
 * place; what a sync replaced must be in the trash (INV-5). `WL_SEED` replays one history.
 */

import { describe, expect, it } from '@jest/globals';
import type { MemoryTree } from '@wl/adapters/memory';

import { Rig, type RigOptions } from './testing/rig.js';

const HISTORIES = Number(process.env['WL_HISTORIES'] ?? 100);
const PATHS = ['a', 'b', 'd/a', 'd/b', 'd/e/c', 'd!', 'd.txt', 'x/y', 'x/z'];

/** Numbers from a seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** People at both sides, who know what they have destroyed themselves. */
class People {
  readonly written = new Set<string>();
  readonly destroyed = new Set<string>();
  #serial = 0;

  constructor(
    private readonly rig: Rig,
    private readonly random: (below: number) => number,
  ) {}

  act(): void {
    const tree = this.random(2) === 0 ? this.rig.sourceTree : this.rig.targetTree;
    const path = PATHS[this.random(PATHS.length)]!;
    if (this.random(4) === 0) this.#remove(tree, this.random(3) === 0 ? path.split('/')[0]! : path);
    else this.#write(tree, path);
  }

  #write(tree: MemoryTree, path: string): void {
    this.#serial += 1;
    const text = `version ${String(this.#serial)}`;
    const parent = path.split('/').slice(0, -1).join('/');
    try {
      if (parent !== '') tree.mkdir(parent);
      const before = tree.text(path);
      if (this.random(2) === 0) tree.save(path, text);
      else tree.write(path, text);
      if (before !== undefined) this.destroyed.add(before);
      this.written.add(text);
    } catch {
      // A file stands where a directory is needed, or the other way round: people try something else.
    }
  }

  #remove(tree: MemoryTree, path: string): void {
    for (const [place, text] of Object.entries(tree.snapshot())) {
      if (place === path || place.startsWith(`${path}/`)) this.destroyed.add(text);
    }
    try {
      tree.remove(path);
    } catch {
      // It is not there.
    }
  }
}

async function live(seed: number, options: RigOptions): Promise<void> {
  const random = randomOf(seed);
  const rig = new Rig(options);
  const people = new People(rig, random);
  let isBusy = false;
  for (const backend of [rig.source, rig.target]) {
    backend.faults.on('*', 'before', () => {
      if (isBusy && random(12) === 0) people.act();
    });
  }
  for (let round = 0; round < 6; round += 1) {
    for (let i = random(8); i > 0; i -= 1) people.act();
    await rig.clock.advance(random(2) === 0 ? 5 : 60_000);
    isBusy = random(2) === 0;
    await rig.pass('all', { allowMassDelete: true });
    isBusy = false;
  }
  // Quiet: everything settles.
  for (let i = 0; i < 3; i += 1) {
    await rig.clock.advance(60_000);
    await rig.pass('all', { allowMassDelete: true });
  }

  const [source, target] = rig.snapshots();
  const inPlace = new Set([...Object.values(source), ...Object.values(target)]);
  const trash = [rig.sourceTree, rig.targetTree].flatMap((tree) => [...tree.trash.values()].map(({ bytes }) => Buffer.from(bytes).toString()));
  for (const text of people.written) {
    if (people.destroyed.has(text)) continue;
    expect([seed, text, inPlace.has(text)]).toEqual([seed, text, true]);
  }
  // Whatever is gone without a person having destroyed that copy is in a trash; and no trash holds what nobody wrote.
  for (const text of trash) expect([seed, people.written.has(text)]).toEqual([seed, true]);

  // Converged: equal outside conflicts, and nothing more to do (INV-31, INV-32).
  const conflicts = rig.pair.conflicts().map(({ path }) => path);
  const touches = (place: string, conflict: string): boolean =>
    place === conflict || place.startsWith(`${conflict}/`) || conflict.startsWith(`${place}/`);
  const outside = (files: Record<string, string>): [string, string][] =>
    Object.entries(files).filter(([key]) => !conflicts.some((conflict) => touches(key.replace(/\/$/, ''), conflict)));
  expect([seed, outside(source)]).toEqual([seed, outside(target)]);
  await rig.clock.advance(60_000);
  expect([seed, await rig.pass('all', { allowMassDelete: true })]).toEqual([seed, expect.objectContaining({ copiedFiles: 0, deletedFiles: 0 })]);
}

const OPTIONS: [string, RigOptions][] = [
  ['as streams', {}],
  ['whole, in batches', { backend: { hasWholeFiles: true } }],
];

describe.each(OPTIONS)('random histories of two sides, copying %s', (_, options) => {
  const only = process.env['WL_SEED'];
  it('INV-5, INV-31, INV-32: lose no version and converge, with people at work in the middle of passes', async () => {
    const first = Number(only ?? 1);
    for (let seed = first; seed < first + (only === undefined ? HISTORIES : 1); seed += 1) await live(seed, options);
  });
});
