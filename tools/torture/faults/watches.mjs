/**
 * Limits of inotify: no more watches, no more instances (in a user namespace of the daemon's own),
 * a queue of a few events that a storm of 100,000 changes overflows. What cannot be watched is said
 * and looked at in intervals (T07, T62, INV-30).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Home } from '../home.mjs';
import { comeToRest, folderLedger, makeFolderPair, playFaults, startSynced } from './campaign.mjs';

const QUEUE = '/proc/sys/fs/inotify/max_queued_events';
const STORM = 100_000;
const KINDS = ['watches', 'instances', 'queue'];

export const watches = {
  name: 'limits of inotify',
  needs: () => (spawnSync('unshare', ['--user', '--map-root-user', 'sh', '-c', 'echo 9 >/proc/sys/user/max_inotify_watches']).status === 0 ? undefined : 'no user namespace can be made (unshare of util-linux)'),
  play,
};

async function play({ seed, chance, log }) {
  const kind = process.getuid() === 0 ? KINDS[seed % KINDS.length] : KINDS[seed % 2];
  const home = new Home();
  const undo = kind === 'queue' ? shortenQueue(8 + chance.below(100)) : () => undefined;
  try {
    // One instance serves the whole process.
    const limit = kind === 'watches' ? chance.pick([0, 1, 3]) : 0;
    await home.startDaemon(kind === 'queue' ? [] : limited(kind, limit));
    const roots = await makeFolderPair(home);
    const ledger = folderLedger(home, chance, seed, roots);
    ledger.act(40, { contests: false });
    log(kind === 'queue' ? '  a short queue' : `  ${limit} ${kind}`);
    await startSynced(home, ledger).finally(undo);
    const fault = {
      begin: () => (kind === 'queue' ? storm(ledger, chance) : 'nothing changes but what the person does'),
      end: () => undefined,
    };
    const outcome = await playFaults({ home, ledger, chance, fault, phases: kind === 'queue' ? 1 : 2, act: { contests: false }, log });
    outcome.findings.push(...(await comeToRest(home, ledger)), ...(await said(home, kind)));
    outcome.findings.push(...(await home.close()).map((text) => ({ kind: 'broken', text })));
    return outcome;
  } finally {
    undo();
    await home.close().catch(() => undefined);
  }
}

/** A limit that was met stands in the status, with what to do about it. */
async function said(home, kind) {
  if (kind === 'queue') return [];
  const { notes = [], error = '' } = await home.job();
  const text = [...notes, error].join('\n');
  const name = kind === 'watches' ? 'max_user_watches' : 'max_user_instances';
  return text.includes(name) ? [] : [{ kind: 'unclear', text: `status does not name the limit ${name}: ${text}` }];
}

/** The command prefix under which the daemon has so few. */
function limited(kind, limit) {
  return ['unshare', '--user', '--map-root-user', 'sh', '-c', `echo ${limit} >/proc/sys/user/max_inotify_${kind} && exec "$@"`, 'sh'];
}

/** Queues that are made from now on are that short; the function returned ends that. */
function shortenQueue(events) {
  const before = readFileSync(QUEUE, 'utf8');
  const restore = () => writeFileSync(QUEUE, before);
  process.once('exit', restore);
  writeFileSync(QUEUE, String(events));
  return () => {
    restore();
    process.off('exit', restore);
  };
}

/** Changes faster than anybody reads them. */
function storm(ledger, chance) {
  const names = Array.from({ length: 500 }, (_, index) => `left/storm/s${index % 7}/f${index}.txt`);
  for (const name of names) ledger.write('left', name, ledger.content(5));
  const root = ledger.sides.left.root;
  for (let index = 0; index < STORM - names.length; index += 1) {
    const name = chance.pick(names);
    // Touched only; every hundredth is a new version.
    if (index % 100 === 0) ledger.write('left', name, ledger.content(5));
    else writeFileSync(path.join(root, name), '', { flag: 'a' });
  }
  return `a storm of ${STORM} changes`;
}
