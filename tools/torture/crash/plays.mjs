/**
 * What is done to a run at one point, and what must be true afterwards. Each play puts the world
 * back, lets it happen, looks at what is there before anything is started again, lets a fresh
 * daemon come to rest, and looks again. It answers sentences about what is wrong, and whether the
 * run went past the point without meeting it.
 */
import os from 'node:os';

import { checkBaseline, checkFinal, checkNothingLost, checkWhole } from './checks.mjs';
import { Gone } from './daemon.mjs';

const { errno } = os.constants;

/** The run as it is, under the tracer: the calls it makes. Everything must be right. */
export async function playUndisturbed(place) {
  await place.restore();
  const job = await place.syncAndEnd(place.start(['--count']));
  const all = place.everything();
  return { wrong: [...checkWhole(place, all), ...checkNothingLost(place, all), ...checkBaseline(place, all), ...checkFinal(place, all, job)], ...place.calls(), requests: place.bucket?.changes() ?? [] };
}

/** SIGKILL before the n-th call, after it, or in the middle of it where it writes (`how`: kill, after, short). */
export async function playKill(place, { how, n }) {
  await place.restore();
  const isPast = await place.syncUntilKilled(place.start([`--${how}`, String(n)]));
  return { isPast, wrong: await lookAndGoOn(place) };
}

/**
 * The power fails at the n-th call: what the device had been given is all there is. `names`:
 * somebody else's flush came at that very moment, and names are on disk whose bytes need not be.
 */
export async function playPowerLoss(place, { n, names, swallows }) {
  await place.restore();
  const daemon = place.start(['--stop', String(n), ...(swallows ? ['--swallow-flush'] : [])]);
  const run = place.syncUntilKilled(daemon);
  const isHeld = await daemon.untilHeld();
  if (!isHeld) return { isPast: await run, wrong: await lookAndGoOn(place) };
  try {
    if (names) place.disk.commitNames();
    await place.disk.capture();
  } finally {
    daemon.process.stdin.end();
    await run;
  }
  await place.disk.becomeCaptured();
  return { isPast: false, wrong: await lookAndGoOn(place) };
}

/** SIGKILL when the n-th request that changes the bucket has arrived; it is carried out, and nobody hears its answer. */
export async function playRequest(place, { n }) {
  await place.restore();
  const daemon = place.start();
  let seen = 0;
  const forget = place.bucket.onChange(async () => {
    seen += 1;
    if (seen === n) await daemon.kill();
  });
  try {
    return { isPast: await place.syncUntilKilled(daemon), wrong: await lookAndGoOn(place) };
  } finally {
    forget();
  }
}

/** Before anything is started again, and after a fresh daemon has come to rest. */
async function lookAndGoOn(place) {
  const dead = place.everything();
  const wrong = [...checkWhole(place, dead), ...checkNothingLost(place, dead), ...checkBaseline(place, dead)].map((text) => `before the restart: ${text}`);
  return [...wrong, ...(await comeToRest(place))];
}

async function comeToRest(place) {
  const daemon = place.start();
  let job;
  try {
    job = await place.syncAndEnd(daemon);
  } catch (error) {
    return [`stuck: ${error.message}; the log ends with ${daemon.log().slice(-400)}`];
  }
  const all = place.everything();
  return [...checkWhole(place, all), ...checkNothingLost(place, all), ...checkFinal(place, all, job)];
}

/** Syncs asked of one daemon after a fault, before it is given up. */
const ATTEMPTS = 4;

/**
 * The n-th call fails with an error, or from the n-th on all do until the first sync has ended
 * (`isLasting`). The daemon must live and come to rest, or end with a sentence and start again.
 */
export async function playFault(place, { n, code, isLasting }) {
  await place.restore();
  const daemon = place.start(['--fail', String(n), '--errno', String(errno[code]), ...(isLasting ? ['--to', '0'] : [])]);
  const { job, failures } = await syncWithFaults(place, daemon);
  const all = place.everything();
  const wrong = [...checkWhole(place, all), ...checkNothingLost(place, all)];
  const log = daemon.log();
  if (/"msg":"(uncaught|unhandled)"/.test(log)) wrong.push(`defect: ${log.split('\n').find((line) => /"(uncaught|unhandled)"/.test(line))}`);
  if (job !== undefined) {
    const left = checkFinal(place, all, job);
    if (left.length === 0) return { isPast: place.calls().total < n, wrong, outcome: failures.length === 0 ? 'not noticed' : 'lived' };
    wrong.push(...left.map((text) => `stuck although the fault is over: ${text}`));
  } else if (!/^Error: /m.test(log)) {
    wrong.push(`the daemon ended without a sentence: ${log.slice(-300)}`);
  }
  return { isPast: false, wrong: [...wrong, ...(await comeToRest(place))], outcome: job === undefined ? 'ended, started again' : 'stuck' };
}

/** Lets a daemon that meets faults sync until it is at rest; `job` undefined: it ended by itself. */
async function syncWithFaults(place, daemon) {
  const failures = [];
  let job;
  try {
    const client = await daemon.connect();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        job = await place.sync(client);
      } catch (error) {
        if (error instanceof Gone) throw error;
        failures.push(error.message);
      }
      // The disk has room again, the cable is plugged in.
      daemon.process.kill('SIGUSR1');
      if (job !== undefined && checkFinal(place, place.everything(), job).length === 0) break;
      failures.push(job?.error ?? job?.problems[0]?.message ?? 'not at rest');
    }
    await client.shutdown();
    await daemon.ended;
    return { job: job ?? { state: 'ERROR', error: failures.at(-1), problems: [], conflicts: [] }, failures };
  } catch (error) {
    if (!(error instanceof Gone)) {
      await daemon.kill();
      throw error;
    }
    await daemon.ended;
    return { job: undefined, failures };
  }
}
