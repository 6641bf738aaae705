/**
 * The daily dose of the simulator: whole engines, several machines, faults, crashes and people at every
 * await. `npm run simulate` plays more; `WL_SEED` replays one seed here.
 */

import { describe, expect, it } from '@jest/globals';

import { campaign, describe as tell, generate, play, playSeed, shrink, type Step } from './testing/simulator/index.js';

/** Seeds that once broke something, with what was wrong then. */
const SCARS: readonly (readonly [seed: number, what: string])[] = [
  [12, 'INV-31: an empty directory that a one-way target does not keep was made at every pass'],
  [588, 'INV-10, INV-15: a row for what was copied onto an empty mount point'],
  [804819, 'INV-36: a conflict stayed on record in the pass that found both sides equal'],
  [805284, 'INV-10: damage to the state made an empty mount point a new root'],
  [829896, 'INV-36: a conflict left the list while its disk was out'],
  [903648, 'INV-10: a choice in a conflict wrote to an empty mount point'],
  [2043806, 'INV-36: a directory kept for what is ignored in it kept conflicts on record whose versions were gone'],
  [2089381, 'INV-12: a row that the first look of a pass had given up was the reason for a deletion by its second'],
  [2861498, 'INV-7: the old names of a move whose copies came late were deleted, though in conflict by then'],
];

/** How long the dose may take, in milliseconds of this machine's time. */
const DOSE_MS = 6_000;

describe('simulated worlds', () => {
  it.each(SCARS)('seed %i keeps every invariant (%s)', async (seed) => {
    expect((await playSeed(seed)).violations).toEqual([]);
  });

  it('INV-4…INV-18, INV-31, INV-32, INV-36, INV-37, INV-39: lose nothing, delete nothing of their own, come to rest, and run alike twice', async () => {
    const only = process.env['WL_SEED'];
    const endMs = performance.now() + DOSE_MS;
    const failures: string[] = [];
    const figures = await campaign({
      from: Number(only ?? 1),
      seeds: only === undefined ? 400 : 1,
      isOver: () => performance.now() > endMs,
      onFailure: ({ seed, violations }) => failures.push(`seed ${String(seed)}: ${violations.join('; ')}`),
    });
    expect(failures).toEqual([]);
    expect(figures.scenarios).toBeGreaterThan(0);
  });

  it('makes a failing scenario as small as it gets, and tells it in sentences', async () => {
    const seed = [...Array(1000).keys()].find((candidate) => generate(candidate).steps.filter(isRemoval).length >= 2 && generate(candidate).steps.length > 8);
    const { scenario, violations } = await shrink(generate(seed!), async ({ steps }) => (steps.some(isRemoval) ? ['INV-0: somebody removed something'] : []));
    expect(violations).toEqual(['INV-0: somebody removed something']);
    expect(scenario.steps.map(({ kind }) => kind)).toEqual(['now']);
    expect(scenario.world).toMatchObject({ initial: [], ignored: [], folder: {}, shared: {}, isUnidirectional: false });
    expect(tell(scenario)).toMatch(/^ {2}- someone removes .* in (folder \d|the shared storage)$/m);
    expect((await play(scenario, { keepsLog: true })).log.at(-1)).toContain('in the end');
  });
});

function isRemoval(step: Step): boolean {
  return step.kind === 'now' && step.event.kind === 'edit' && step.event.gesture === 'remove';
}
