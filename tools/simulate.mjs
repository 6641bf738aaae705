#!/usr/bin/env node
/**
 * Plays seeded scenarios of the whole engine in a simulated world: `npm run simulate`.
 * Run it after a change to the engine or the domain; a few minutes find most mistakes.
 *
 * Each seed is played twice and must run alike. A seed that breaks an invariant is made as small
 * as it gets and printed so that a person can read it. Exits with 1 when any did.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';

import { importSource } from './bundle-testing.mjs';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000000000' },
    minutes: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    failures: { type: 'string', default: '5' },
    once: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(`usage: npm run simulate -- [--seeds N] [--minutes M] [--from S] [--failures N] [--once] [--json]
       npm run simulate -- --seed S [--log]

  --seeds N     how many seeds to play at most
  --minutes M   how long to play at most (default 1)
  --from S      the first seed (default 1)
  --failures N  stop after so many seeds that break something (default 5)
  --once        play each seed once only, not twice
  --json        figures as one line of JSON at the end
  --seed S      play one seed and print the scenario; --log prints every call of a storage too`);
  process.exit(0);
}

const root = path.resolve(import.meta.dirname, '..');
const { campaign, describe, generate, play, playSeed, shrink } = await importSource(root, 'libs/engine/src/testing/simulator/index.ts');

process.exitCode = options.seed === undefined ? await playMany() : await playOne(Number(options.seed));

async function playOne(seed) {
  const outcome = await playSeed(seed);
  console.log(describe(generate(seed)));
  if (options.log) for (const line of (await play(generate(seed), { keepsLog: true })).log) console.log(`  ${line}`);
  console.log(`\n${outcome.calls} calls of storages, ${outcome.passes} passes, trace ${outcome.trace}`);
  if (outcome.violations.length === 0) return 0;
  await report({ seed, violations: outcome.violations });
  return 1;
}

async function playMany() {
  const start = performance.now();
  const end = start + Number(options.minutes) * 60_000;
  const failures = [];
  let played = 0;
  let toldAt = start;
  const figures = await campaign({
    from: Number(options.from),
    seeds: Number(options.seeds),
    playsTwice: !options.once,
    isOver: () => {
      played += 1;
      const now = performance.now();
      if (now - toldAt > 10_000) {
        toldAt = now;
        console.error(`${played} scenarios, ${Math.round(played / ((now - start) / 1000))} a second, ${failures.length} failures`);
      }
      return now > end || failures.length >= Number(options.failures);
    },
    onFailure: (failure) => {
      failures.push(failure);
      console.error(`seed ${failure.seed}: ${failure.violations.join('; ')}`);
    },
  });
  const seconds = (performance.now() - start) / 1000;
  for (const failure of failures) await report(failure);
  const rate = Math.round(figures.scenarios / seconds);
  if (options.json) console.log(JSON.stringify({ from: Number(options.from), ...figures, seconds: Math.round(seconds), failures: failures.map(({ seed }) => seed) }));
  console.log(
    `${figures.scenarios} scenarios (${figures.passes} passes, ${figures.calls} calls of storages, ${figures.crashes} crashes) in ${seconds.toFixed(1)} s: ` +
      `${rate} a second${options.once ? '' : ', each played twice'}. ${failures.length} broke something.`,
  );
  return failures.length === 0 ? 0 : 1;
}

/** Prints a failing seed as small as it gets. */
async function report({ seed, violations }) {
  console.log(`\nSeed ${seed} breaks something:\n  ${violations.join('\n  ')}`);
  const { scenario, violations: left } = await shrink(generate(seed));
  console.log(`\nThe smallest scenario that does:\n${describe(scenario)}\n  ${left.join('\n  ')}\n`);
}
