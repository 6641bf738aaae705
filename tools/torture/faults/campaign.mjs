/**
 * What the worlds with faults have in common: a continuous job over two sides, a person who goes
 * on working while faults come and go, and then peace, in which everything has to come to rest
 * with every version accounted for.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { Ledger } from '../ledger.mjs';
import { Folder } from '../sides.mjs';
import { until } from '../home.mjs';

/** After a failure a job waits a minute at most, then a full pass takes its time. Milliseconds. */
const REST_LIMIT_MS = 150_000;

/** A container `photos` over two folders, watched as they are by default. */
export async function makeFolderPair(home, { left = home.folder('left'), right = home.folder('right') } = {}) {
  await home.wlOk(['container', 'create', 'photos']);
  for (const [id, location] of Object.entries({ left, right })) {
    await home.wlOk(['storage', 'create', 'local', '--container', 'photos', '--location', location, '--backend-id', id, '--skip-sync']);
  }
  return { left, right };
}

/** A ledger over two folders; drafts are made in `workshops`, on the same file systems. */
export function folderLedger(home, chance, seed, { left, right }, workshops = {}) {
  const side = (root, name) => new Folder(root, workshops[name] ?? home.folder(`workshop-${name}`), home.user);
  return new Ledger({ left: side(left, 'left'), right: side(right, 'right') }, chance, `seed ${seed}`);
}

/** Starts the continuous job and waits until both sides agree. */
export async function startSynced(home, ledger, limitMs = REST_LIMIT_MS) {
  await home.wlOk(['container', 'sync', 'photos']);
  await untilRest(home, ledger, limitMs);
  ledger.rested();
}

/**
 * Faults come and go `phases` times. `fault.begin()` answers a sentence and `fault.end()` undoes it;
 * `fault.look()`, while it lasts, may answer findings. Gives figures and findings.
 */
export async function playFaults({ home, ledger, chance, fault, phases = 3, acts = 12, act = {}, phaseMs = 1500, lenient = false, log }) {
  const figures = { acts: 0, faults: 0 };
  const findings = [];
  for (let phase = 0; phase < phases; phase += 1) {
    const what = await fault.begin();
    log(`    ${what}`);
    figures.faults += 1;
    const end = performance.now() + phaseMs;
    for (let burst = 0; burst < 3; burst += 1) {
      figures.acts += ledger.act(chance.below(acts) + 1, act);
      await sleep(Math.max(0, (end - performance.now()) / (3 - burst)));
    }
    findings.push(...((await fault.look?.()) ?? []), ...(lenient ? [] : ledger.findings()));
    await fault.end();
    figures.acts += ledger.act(chance.below(acts), act);
  }
  findings.push(...(await comeToRest(home, ledger, { lenient, log })));
  const conflicts = new Set((await home.job()).conflicts.map(({ path }) => path));
  return { figures: { ...figures, files: ledger.files, leftToPeople: lenient ? 0 : ledger.leftToPeople(conflicts) }, findings };
}

/** Waits for rest and checks what is there then. */
export async function comeToRest(home, ledger, { lenient = false, log = () => undefined } = {}) {
  try {
    const start = performance.now();
    await untilRest(home, ledger, REST_LIMIT_MS, lenient);
    log(`    at rest after ${Math.round(performance.now() - start)} ms`);
  } catch (error) {
    // What has not arrived yet is not lost: only what must hold at any time is looked at.
    return [{ kind: 'restless', text: `${error.message}\n${home.logTail(25)}` }, ...ledger.findings()];
  }
  return ledger.findingsAtRest({ lenient, conflicts: new Set((await home.job()).conflicts.map(({ path }) => path)) });
}

/** Until the job is SYNCED without problems, both sides are as they have to be and what is in conflict is only what was edited at both. */
export async function untilRest(home, ledger, limitMs = REST_LIMIT_MS, lenient = false) {
  let last;
  await until(
    async () => {
      last = await home.job();
      if (last.state !== 'SYNCED' || last.problems.length > 0) return false;
      const conflicts = new Set(last.conflicts.map(({ path }) => path));
      if (!lenient && [...conflicts].some((path) => !ledger.contested.has(path) && !ledger.isShaky(path))) return false;
      return lenient || ledger.isSettled(conflicts);
    },
    () => `rest; ${told(last)}; missing: ${JSON.stringify(ledger.findingsAtRest().slice(0, 5))}`,
    limitMs,
  );
}

function told({ state, conflicts, problems, error } = {}) {
  return `the job is ${state}, in conflict are ${conflicts?.map(({ path }) => path).join(', ')}, problems ${JSON.stringify(problems)?.slice(0, 1000)}, error ${error}`;
}
