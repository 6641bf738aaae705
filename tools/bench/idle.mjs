/** What a daemon costs that keeps many containers in sync while nothing changes. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { pause, until, useOf } from './measure.mjs';
import { daemonPid, wl, wlEnv } from './peers.mjs';
import { makeTree } from './tree.mjs';

const SYNC_LIMIT_MS = 900_000;
/** After the last pass V8 collects what it left, and memory goes back to the system: some 0.2 s of CPU, once. Threads that nobody needs end later. */
const SETTLE_MS = 90_000;

/** Gives share of one processor in percent and memory in MiB, over a time without changes. */
export async function idle({ scratch, containers, files, seconds, progress }) {
  const at = path.join(scratch, 'idle');
  mkdirSync(at, { recursive: true });
  const env = wlEnv(at);
  const names = Array.from({ length: containers }, (_, index) => `bench-${index}`);
  for (const name of names) {
    const [source, target] = ['source', 'target'].map((side) => path.join(at, name, side));
    mkdirSync(source, { recursive: true });
    makeTree(source, { files: Math.round(files / containers), minBytes: 100, maxBytes: 100 });
    spawnSync('cp', ['-a', source, target]);
    wl(env, 'container', 'create', name, '--storage', source, '--storage', target);
    wl(env, 'container', 'sync', name);
  }
  try {
    const allSynced = () => JSON.parse(wl(env, 'status', '--json')).jobs.filter(({ state }) => state === 'SYNCED').length === containers;
    await until(allSynced, SYNC_LIMIT_MS, 1000);
    const pid = daemonPid(env);
    await pause(SETTLE_MS);
    const before = useOf(pid);
    await pause(seconds * 1000);
    const after = useOf(pid);
    const result = { percent: ((after.cpu - before.cpu) / seconds) * 100, nowMiB: after.nowMiB, peakMiB: after.peakMiB, seconds };
    progress(`idle: ${result.percent.toFixed(3)} % CPU, ${result.nowMiB.toFixed(0)} MiB`);
    return result;
  } finally {
    wl(env, 'stop');
  }
}
