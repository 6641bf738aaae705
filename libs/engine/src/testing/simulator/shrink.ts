/** Makes a scenario that breaks something as small as it gets: fewer steps, a plainer world, sooner interruptions. */

import { play } from './play.js';
import type { Scenario, StorageSpec, WorldSpec } from './scenario.js';

/** A small scenario and what it breaks. */
export interface Shrunk {
  readonly scenario: Scenario;
  readonly violations: readonly string[];
}

/** Leaves out and simplifies whatever is not needed to break the same invariants. `judge` plays a scenario and says what it breaks. */
export async function shrink(scenario: Scenario, judge: (scenario: Scenario) => Promise<readonly string[]> = violationsOf): Promise<Shrunk> {
  let best: Shrunk = { scenario, violations: await judge(scenario) };
  const wanted = kindOf(best.violations);
  const attempt = async (candidate: Scenario): Promise<boolean> => {
    const violations = await judge(candidate);
    if (violations.length === 0 || kindOf(violations) !== wanted) return false;
    best = { scenario: candidate, violations };
    return true;
  };
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (let i = best.scenario.steps.length - 1; i >= 0; i -= 1) {
      if (await attempt({ ...best.scenario, steps: best.scenario.steps.filter((_, at) => at !== i) })) isSmaller = true;
    }
    for (const world of plainerWorlds(best.scenario.world)) if (await attempt({ ...best.scenario, world })) isSmaller = true;
    for (const steps of plainerSteps(best.scenario)) if (await attempt({ ...best.scenario, steps })) isSmaller = true;
  }
  return best;
}

async function violationsOf(scenario: Scenario): Promise<readonly string[]> {
  return (await play(scenario)).violations;
}

/** The first invariant named, or the first words: a smaller scenario should break the same. */
function kindOf(violations: readonly string[]): string {
  const first = violations[0] ?? '';
  return /^INV-\d+/.exec(first)?.[0] ?? first.slice(0, 24);
}

function* plainerWorlds(world: WorldSpec): Generator<WorldSpec> {
  for (const path of world.initial) yield { ...world, initial: world.initial.filter((other) => other !== path) };
  if (world.ignored.length > 0) yield { ...world, ignored: [] };
  if (!world.allowMassDelete) yield { ...world, allowMassDelete: true };
  if (world.isUnidirectional) yield { ...world, isUnidirectional: false };
  for (const side of ['folder', 'shared'] as const) {
    for (const key of Object.keys(world[side]) as (keyof StorageSpec)[]) {
      const { [key]: _, ...rest } = world[side];
      yield { ...world, [side]: rest };
    }
  }
}

function* plainerSteps({ steps }: Scenario): Generator<Scenario['steps']> {
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'meanwhile') {
      yield steps.map((other, at) => (at === i ? { kind: 'now', event: step.event } : other));
      if (step.calls > 0) yield steps.map((other, at) => (at === i ? { ...step, calls: step.calls >> 1 } : other));
    }
    if (step.kind === 'pass' && step.scope !== 'all') yield steps.map((other, at) => (at === i ? { ...step, scope: 'all' } : other));
    if (step.kind === 'pass' && step.machines.length > 1) {
      for (const machine of step.machines) yield steps.map((other, at) => (at === i ? { ...step, machines: [machine] } : other));
    }
  }
}
