/**
 * A disk that another program fills at random moments, and on which room comes back later: of the
 * target, of the source with its trash, of the state, of everything a user has. Sometimes it is
 * the inodes that run out (T52, T09, INV-16).
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, rmdirSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { Home } from '../home.mjs';
import { folderLedger, makeFolderPair, playFaults, startSynced } from './campaign.mjs';

const MIB = 1024 * 1024;
const PLACES = ['target', 'source', 'state', 'home'];

export const diskFull = {
  name: 'a full disk',
  needs: () => (process.getuid() === 0 ? undefined : 'only root may mount a small file system'),
  play,
};

async function play({ seed, chance, log }) {
  const place = PLACES[seed % PLACES.length];
  const disk = mountDisk((place === 'home' || place === 'state' ? 24 : 6) * MIB);
  const home = new Home(place === 'home' || place === 'state' ? { directory: disk.directory } : {});
  const outside = mkdtempSync(path.join(os.tmpdir(), 'wl-torture-sides-'));
  try {
    // The left storage is the job's source.
    const roots = { left: path.join(place === 'source' ? disk.directory : outside, 'left'), right: path.join(place === 'target' ? disk.directory : outside, 'right') };
    if (place === 'home') roots.right = home.path('right');
    for (const root of Object.values(roots)) mkdirSync(root);
    const workshops = { left: `${roots.left}-workshop`, right: `${roots.right}-workshop` };
    await home.startDaemon();
    await makeFolderPair(home, roots);
    const ledger = folderLedger(home, chance, seed, roots, workshops);
    ledger.act(20);
    await startSynced(home, ledger);
    log(`  the disk of ${place}`);
    const fault = {
      begin: () => (chance.happens(0.25) ? disk.useUpInodes() : disk.fill(chance.below(3) * 20_000)),
      look: () => lookAtMessages(home, place),
      end: () => disk.makeRoom(),
    };
    return await playFaults({ home, ledger, chance, fault, act: { sizes: [0, 1000, 40_000, 300_000] }, phaseMs: 1500 + chance.below(2000), log });
  } finally {
    disk.makeRoom();
    await closeAll(home, disk, outside);
  }
}

async function closeAll(home, disk, outside) {
  try {
    const defects = await home.close();
    if (defects.length > 0) throw new Error(defects.join('\n'));
  } finally {
    disk.unmount();
    rmSync(outside, { recursive: true, force: true });
  }
}

/** Where a path could not be written for want of space, the message says which file system and what to do. */
async function lookAtMessages(home, place) {
  if (place !== 'target') return [];
  const job = await home.job();
  const told = job.problems.filter(({ reason }) => reason === 'no-space');
  return told
    .filter(({ message }) => !/free/i.test(message) || !message.includes('right'))
    .map(({ message }) => ({ kind: 'unclear', text: `a message about a full disk does not say which and what to do: ${message}` }));
}

/** A small file system in memory. */
function mountDisk(sizeBytes) {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'wl-torture-disk-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},nr_inodes=1200,mode=0755`, 'wl-torture', directory], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`unable to mount a small file system: ${stderr}`);
  const filler = path.join(directory, 'filler');
  return {
    directory,
    fill(leaveBytes) {
      mkdirSync(filler, { recursive: true });
      const reserve = path.join(filler, 'reserve');
      if (leaveBytes > 0) tryTo(() => writeFileSync(reserve, Buffer.alloc(leaveBytes)));
      const descriptor = tryTo(() => openSync(path.join(filler, 'big'), 'w'));
      if (descriptor !== undefined) {
        const block = Buffer.alloc(64 * 1024);
        while (tryTo(() => writeSync(descriptor, block)) > 0);
        closeSync(descriptor);
      }
      rmSync(reserve, { force: true });
      return `the disk is full but for ${leaveBytes} bytes`;
    },
    useUpInodes() {
      mkdirSync(filler, { recursive: true });
      for (let index = 0; tryTo(() => writeFileSync(path.join(filler, String(index)), '')) !== undefined; index += 1);
      return 'the disk has no inodes left';
    },
    makeRoom: () => rmSync(filler, { recursive: true, force: true }),
    unmount() {
      spawnSync('umount', ['--lazy', directory]);
      rmdirSync(directory);
    },
  };
}

/** Its result (`true` where it has none), or `undefined` where there was no room. */
function tryTo(step) {
  try {
    return step() ?? true;
  } catch (error) {
    if (error.code === 'ENOSPC') return undefined;
    throw error;
  }
}
