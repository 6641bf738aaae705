/** Plays many scenarios, each twice, and finds out what they have in common with the promises made. */

import { generate } from './generate.js';
import { play, type Outcome } from './play.js';

/** Figures of a campaign. */
export interface Figures {
  scenarios: number;
  passes: number;
  calls: number;
  crashes: number;
}

/** A seed that breaks something, with what it breaks. */
export interface Failure {
  readonly seed: number;
  readonly violations: readonly string[];
}

/** Options of a campaign. */
export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  /** Asked before each seed. */
  readonly isOver: () => boolean;
  readonly onFailure: (failure: Failure) => void;
  /** Whether each seed is played a second time, and both runs compared (default). */
  readonly playsTwice?: boolean;
}

/** Plays seed after seed. */
export async function campaign({ from, seeds, isOver, onFailure, playsTwice = true }: CampaignOptions): Promise<Figures> {
  const figures: Figures = { scenarios: 0, passes: 0, calls: 0, crashes: 0 };
  for (let seed = from; seed < from + seeds && !isOver(); seed += 1) {
    const outcome = await playSeed(seed, playsTwice);
    figures.scenarios += 1;
    figures.passes += outcome.passes;
    figures.calls += outcome.calls;
    figures.crashes += outcome.crashes;
    if (outcome.violations.length > 0) onFailure({ seed, violations: outcome.violations });
  }
  return figures;
}

/** Plays one seed; a second run that differs is a violation too. */
export async function playSeed(seed: number, playsTwice = true): Promise<Outcome> {
  const outcome = await play(generate(seed), { takesTrace: playsTwice });
  if (!playsTwice) return outcome;
  const again = await play(generate(seed));
  if (again.trace === outcome.trace) return outcome;
  return { ...outcome, violations: [...outcome.violations, `the same seed ran differently: ${outcome.trace}, then ${again.trace}`] };
}
