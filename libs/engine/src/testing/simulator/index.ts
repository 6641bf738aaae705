/** The deterministic simulator: worlds of machines, storages and people, replayed from a seed. */

export { campaign, playSeed, type CampaignOptions, type Failure, type Figures } from './campaign.js';
export { describe } from './describe.js';
export { generate } from './generate.js';
export { Oracle } from './oracle.js';
export { play, type Outcome, type PlayOptions } from './play.js';
export type { Scenario, Step } from './scenario.js';
export { shrink, type Shrunk } from './shrink.js';
export { World } from './world.js';
