/**
 * Clocks that step by up to ten years and back while the daemon runs (`libfaketime`; the monotonic
 * clock goes on, as it does when a real clock is set), and files whose times make no sense: 1901,
 * before 1970, 2038, 2106, 2446, the edge of a nanosecond, and put back after an edit (T30, T33, T34).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Home } from '../home.mjs';
import { comeToRest, folderLedger, makeFolderPair, playFaults, startSynced } from './campaign.mjs';

const LIBRARIES = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1'];
const STEPS = ['+10y', '-10y', '+1d', '-1h', '+3600', '-30y'];
/** As `touch -d` takes them. */
const TIMES = ['1901-12-13 20:45:52', '1969-12-31 23:59:59.999999999', '1970-01-01 00:00:00', '2038-01-19 03:14:08', '2106-02-07 06:28:16', '2446-05-10 22:38:55', '2000-01-01 00:00:00.999999999'];

export const clocks = {
  name: 'clocks that step, and times that make no sense',
  needs: () => (LIBRARIES.some((file) => existsSync(file)) ? undefined : 'there is no libfaketime: apt-get install faketime'),
  play,
};

async function play({ seed, chance, log }) {
  const home = new Home();
  const clock = home.path('clock');
  writeFileSync(clock, '+0');
  const library = LIBRARIES.find((file) => existsSync(file));
  home.daemonEnv = { ...home.daemonEnv, LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
  try {
    await home.startDaemon([]);
    const roots = await makeFolderPair(home);
    const ledger = folderLedger(home, chance, seed, roots);
    ledger.act(30);
    await startSynced(home, ledger);
    const fault = {
      begin() {
        const step = chance.pick(STEPS);
        writeFileSync(clock, step);
        const [touched, edited] = [setTimes(roots, chance), editKeepingTimes(ledger, roots, chance)];
        return `the clock steps to ${step}; ${touched} files get odd times, ${edited} are edited and get their time back`;
      },
      end() {
        if (chance.happens(0.5)) writeFileSync(clock, '+0');
      },
    };
    const outcome = await playFaults({ home, ledger, chance, fault, log });
    outcome.findings.push(...(await nothingMovesForTimes(home, ledger, roots)));
    outcome.findings.push(...(await home.close()).map((text) => ({ kind: 'broken', text })));
    return outcome;
  } finally {
    await home.close().catch(() => undefined);
  }
}

/** All files of both sides get other times: nothing is copied for that (T33, INV-24). */
async function nothingMovesForTimes(home, ledger, roots) {
  for (const file of Object.values(roots).flatMap(filesBelow)) spawnSync('touch', ['-h', '-d', TIMES[5], file]);
  await home.wlOk(['container', 'stop-sync', 'photos']);
  await home.wlOk(['container', 'sync', 'photos']);
  const findings = await comeToRest(home, ledger);
  const copied = (await home.job())['last-pass']?.copied;
  return copied === 0 ? findings : [...findings, { kind: 'unclear', text: `${copied} files were copied because of their times` }];
}

function setTimes(roots, chance) {
  const chosen = Object.values(roots).flatMap(filesBelow).filter(() => chance.happens(0.2));
  for (const file of chosen) spawnSync('touch', ['-h', '-d', chance.pick(TIMES), file]);
  return chosen.length;
}

/** Other bytes of the same size under the old time. */
function editKeepingTimes(ledger, roots, chance) {
  const names = [...ledger.expected.keys()].filter(() => chance.happens(0.15));
  for (const name of names) {
    const side = name.split('/')[0];
    const file = path.join(roots[side], name);
    const before = statSync(file);
    const bytes = ledger.content(0);
    ledger.write(side, name, Buffer.concat([bytes, Buffer.alloc(Math.max(0, before.size - bytes.length), '.')]));
    spawnSync('touch', ['-h', '-d', `@${before.mtimeMs / 1000}`, file]);
  }
  return names.length;
}

function filesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const place = path.join(directory, entry.name);
    if (entry.name === '.wl') return [];
    return entry.isDirectory() ? filesBelow(place) : [place];
  });
}
