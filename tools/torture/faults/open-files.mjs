/**
 * Few open files allowed (64, 256, 1024 descriptors) and 10,000 files in many directories: what
 * cannot be opened is told or waited for, and never taken for absent (INV-8, INV-40).
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

import { Home } from '../home.mjs';
import { comeToRest, folderLedger, makeFolderPair, startSynced } from './campaign.mjs';

const LIMITS = [256, 64, 1024];
const FILES = 10_000;
/** Milliseconds. */
const SYNC_LIMIT_MS = 400_000;

export const openFiles = {
  name: 'few open files',
  needs: () => (spawnSync('prlimit', ['--version']).status === 0 ? undefined : 'there is no prlimit: apt-get install util-linux'),
  play,
};

async function play({ seed, chance, log }) {
  const limit = LIMITS[seed % LIMITS.length];
  const home = new Home({ prefix: ['prlimit', `--nofile=${limit}:${limit}`] });
  try {
    await home.startDaemon();
    log(`  ${limit} descriptors; ${openOf(home)} are open from the start`);
    const roots = await makeFolderPair(home);
    const ledger = folderLedger(home, chance, seed, roots);
    for (let index = 0; index < FILES; index += 1) ledger.write('left', `left/d${index % 200}/e${index % 3}/f${index}.txt`, ledger.content(index % 50));
    await startSynced(home, ledger, SYNC_LIMIT_MS);
    const names = [...ledger.expected.keys()];
    for (let index = 0; index < 300; index += 1) ledger.remove('left', names[index * 7]);
    const acts = 300 + ledger.act(100, { contests: false });
    const findings = await comeToRest(home, ledger, { log });
    log(`    ${openOf(home)} descriptors are open at rest`);
    findings.push(...(await home.close()).map((text) => ({ kind: 'broken', text })));
    return { figures: { acts, faults: 1, files: ledger.files }, findings };
  } finally {
    await home.close().catch(() => undefined);
  }
}

function openOf(home) {
  return readdirSync(`/proc/${home.daemonPid}/fd`).length;
}
