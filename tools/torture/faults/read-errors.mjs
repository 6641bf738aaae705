/**
 * A disk that fails in the middle of a walk: directories, files and their properties cannot be
 * read, for EIO, ESTALE, ENOMEM. `strace` takes hold of the running daemon and lets every n-th of
 * these calls fail that touches a place in the two folders (T01, T41, INV-8).
 */
import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readdirSync } from 'node:fs';
import path from 'node:path';

import { Home, until } from '../home.mjs';
import { folderLedger, makeFolderPair, playFaults, startSynced } from './campaign.mjs';

const CALLS = ['getdents64', 'openat', 'read,pread64', 'statx,newfstatat', 'getdents64,openat,read,pread64,statx'];
const ERRORS = ['EIO', 'ESTALE', 'ENOMEM'];
const RATES = ['1+1', '1+2', '2+5', '3+17'];

export const readErrors = {
  name: 'errors in the middle of a walk',
  needs: () => (spawnSync('strace', ['-V']).status === 0 ? undefined : 'there is no strace: apt-get install strace'),
  play,
};

async function play({ seed, chance, log }) {
  const home = new Home();
  try {
    await home.startDaemon();
    const roots = await makeFolderPair(home);
    const ledger = folderLedger(home, chance, seed, roots);
    ledger.act(30);
    await startSynced(home, ledger);
    const fault = tracer(home, Object.values(roots), chance);
    const outcome = await playFaults({ home, ledger, chance, fault, phaseMs: 2500, log });
    outcome.findings.push(...(await home.close()).map((text) => ({ kind: 'broken', text })));
    return outcome;
  } finally {
    await home.close().catch(() => undefined);
  }
}

/** Takes hold of the daemon and lets go of it. */
function tracer(home, roots, chance) {
  let child;
  let said = '';
  return {
    async begin() {
      const [calls, error, rate] = [chance.pick(CALLS), chance.pick(ERRORS), chance.pick(RATES)];
      const places = roots.flatMap((root) => [root, ...placesBelow(root)]).flatMap((place) => ['-P', place]);
      const args = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}:when=${rate}`, ...places, '-p', String(home.daemonPid)];
      child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
      said = '';
      child.stderr.on('data', (text) => (said += text));
      await until(() => isTraced(home.daemonPid) || child.exitCode !== null, 'strace to take hold of the daemon');
      if (child.exitCode !== null) throw new Error(`strace did not take hold of the daemon: ${said}`);
      // A pass over everything is what reads most.
      return `${error} for every ${rate} of ${calls}`;
    },
    async end() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await Promise.race([gone, sleep(10_000)]);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    },
  };
}

function isTraced(pid) {
  const { stdout } = spawnSync('grep', ['TracerPid', `/proc/${pid}/status`], { encoding: 'utf8' });
  return !/\t0$/m.test(stdout);
}

/** Directories and files below a place, the product's own area included: its staging reads too. */
function placesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const place = path.join(directory, entry.name);
    return entry.isDirectory() ? [place, ...placesBelow(place)] : [place];
  });
}
