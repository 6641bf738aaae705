/**
 * The syncer `rsync` between two directories. Where rsync is not installed, a program of our own stands
 * in for it that obeys the same options; everything else is the same.
 */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import { findProgram, rsyncSyncer, runRsync, type RsyncEnd, type RunRsync } from '@wl/adapters/rsync';
import { ManualClock } from '@wl/ports/testing';

import { describeDedicatedSyncer, SyncerRig, type SyncerWorld } from './testing/dedicated-suite.js';
import { localHands } from './testing/local-hands.js';

const STAND_IN = `#!${process.execPath}
const fs = require('node:fs'), path = require('node:path');
const [from, to] = process.argv.slice(-2);
for (const name of fs.readFileSync(0, 'utf8').split('\\0').slice(0, -1)) {
  try {
    const stats = fs.statSync(from + name);
    fs.mkdirSync(path.dirname(to + name), { recursive: true });
    fs.copyFileSync(from + name, to + name);
    fs.utimesSync(to + name, stats.atime, stats.mtime);
  } catch (error) { console.error(error.message); process.exitCode = 23; }
}
`;

interface RsyncWorld extends SyncerWorld {
  readonly at: string;
  /** What a run is replaced by. */
  replaceRun(run: RunRsync): void;
}

function openWorld(): RsyncWorld {
  const at = fs.mkdtempSync(path.join(tmpdir(), 'wl-rsync-'));
  const standIn = path.join(at, 'stand-in');
  fs.writeFileSync(standIn, STAND_IN, { mode: 0o755 });
  let run: RunRsync = runRsync;
  return {
    at,
    definition: rsyncSyncer({ searchPath: undefined, run: (call) => run(call), find: () => findProgram('rsync', undefined) ?? standIn }),
    source: localHands(path.join(at, 'source'), 'source'),
    target: localHands(path.join(at, 'target'), 'target'),
    mounts: { source: path.join(at, 'source'), target: path.join(at, 'target') },
    inMidCopy: (act) => {
      run = (call) => {
        run = runRsync;
        act();
        return runRsync(call);
      };
    },
    replaceRun: (replacement) => void (run = replacement),
    close: async () => void execFileSync('rm', ['-rf', at]),
  };
}

describeDedicatedSyncer('rsync', async () => openWorld());

describe('rsync', () => {
  it('INV-27: takes nothing that changed after rsync had read it', async () => {
    const world = openWorld();
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    world.replaceRun(async (call) => {
      const end = await runRsync(call);
      world.replaceRun(runRsync);
      world.source.write('a', 'two');
      return end;
    });
    await rig.once();
    expect([undefined, 'two'].includes(world.target.read('a'))).toBe(true);
    await rig.once();
    expect(world.target.read('a')).toBe('two');
    await rig.close();
  });

  it('INV-27: takes nothing that is not what the source holds, as where another disk is mounted', async () => {
    const world = openWorld();
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    world.replaceRun(async ({ to }) => {
      fs.writeFileSync(path.join(to, 'a'), 'two');
      return { kind: 'done' };
    });
    const report = await rig.once();
    expect(report.problems).toMatchObject([{ path: 'a', reason: 'damaged', message: expect.stringContaining('what was brought is not what the source holds') }]);
    expect([world.target.files(), world.target.leftovers()]).toEqual([[], []]);
    await rig.close();
  });

  it('INV-34: takes no link, and nothing through one', async () => {
    const world = openWorld();
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    world.source.write('d/b', 'two');
    fs.writeFileSync(path.join(world.at, 'b'), 'two');
    fs.writeFileSync(path.join(world.at, 'outside'), 'one');
    world.replaceRun(async ({ to }) => {
      fs.symlinkSync(path.join(world.at, 'outside'), path.join(to, 'a'));
      fs.symlinkSync(world.at, path.join(to, 'd'));
      return { kind: 'done' };
    });
    const report = await rig.once();
    expect([report.copiedFiles, report.problems.length, world.target.files()]).toEqual([0, 2, []]);
    await rig.close();
  });

  const ends: readonly (readonly [string, RsyncEnd, string, string])[] = [
    ['some files could not be read (23)', { kind: 'failed', code: 23, words: 'send_files failed to open "/s/a": Permission denied (13)' }, 'permission-denied', 'rsync ended with code 23: send_files failed'],
    ['files vanished (24)', { kind: 'failed', code: 24, words: 'file has vanished: "/s/a"' }, 'io-error', 'rsync ended with code 24: file has vanished'],
    ['the disk is full (11)', { kind: 'failed', code: 11, words: 'write failed on "/t/a": No space left on device (28)' }, 'no-space', 'rsync ended with code 11: write failed'],
    ['it was killed', { kind: 'failed', code: undefined, words: '' }, 'io-error', 'rsync was ended from outside'],
    ['it did nothing', { kind: 'done' }, 'io-error', 'rsync did not bring it and did not say why'],
  ];
  it.each(ends)('says so where %s, takes what was brought whole, and goes on later', async (_what, end, reason, message) => {
    const world = openWorld();
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    world.source.write('b', 'two');
    world.replaceRun(async (call) => {
      await runRsync({ ...call, paths: call.paths.filter((one) => one === 'b') });
      return end;
    });
    const report = await rig.once();
    expect(report).toMatchObject({ copiedFiles: 1, problems: [{ path: 'a', side: 'target', reason, message: expect.stringContaining(message) }] });
    expect([world.target.files(), world.target.leftovers()]).toEqual([['b'], []]);
    world.replaceRun(runRsync);
    expect(await rig.once()).toMatchObject({ copiedFiles: 1, problems: [] });
    await rig.close();
  });

  it('sweeps what a crash left between bringing and showing', async () => {
    const world = openWorld();
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    // As a process leaves it that is no more: its number was never given.
    const dead = fs.readdirSync('/proc').includes('4194303') ? '4194302' : '4194303';
    const [machine, boot, namespace] = await ownParts(world);
    const left = path.join(world.at, `target/.wl/staging/${machine}.${boot}.${namespace}.${dead}.1.00000000/inbox-1/d`);
    fs.mkdirSync(left, { recursive: true });
    fs.writeFileSync(path.join(left, 'b'), 'brought');
    await rig.once();
    expect([world.target.files(), world.target.leftovers()]).toEqual([['a'], []]);
    await rig.close();
  });

  it('keeps time and permissions, and the permissions of what it replaces', async () => {
    const world = openWorld();
    const rig = new SyncerRig(world);
    const file = (side: string): string => path.join(world.at, side, 'a');
    world.source.write('a', 'one');
    fs.chmodSync(file('source'), 0o750);
    fs.utimesSync(file('source'), 1_600_000_000, 1_600_000_000);
    await rig.once();
    expect([fs.statSync(file('target')).mode & 0o777, fs.statSync(file('target')).mtimeMs]).toEqual([0o750, 1_600_000_000_000]);
    fs.chmodSync(file('target'), 0o700);
    world.source.write('a', 'two, longer');
    await rig.once();
    expect([fs.statSync(file('target')).mode & 0o777, world.target.read('a')]).toEqual([0o600, 'two, longer']);
    await rig.close();
  });

  it('stops when asked to, and leaves nothing behind', async () => {
    const world = openWorld();
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    const stop = new AbortController();
    world.replaceRun((call) => {
      stop.abort();
      return runRsync(call);
    });
    await expect(rig.once({ signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect([world.target.files(), world.target.leftovers()]).toEqual([[], []]);
    await rig.close();
  });

  it('says why it cannot serve: both ways, elsewhere, or without the program', async () => {
    const world = openWorld();
    const [source, target] = [world.source.open(), world.target.open()];
    const memory = new MemoryBackend(new MemoryTree({ id: 'm', clock: new ManualClock() }), { backendId: 'm', type: 'local' });
    const job = { source, target, isUnidirectional: true };
    expect(world.definition.unfit?.(job)).toBeUndefined();
    expect(world.definition.unfit?.({ ...job, isUnidirectional: false })).toBe('brings files in one direction only; add --unidirectional');
    expect(world.definition.unfit?.({ ...job, target: memory })).toBe('brings files to disks of this machine only');
    expect(rsyncSyncer({ searchPath: '/nowhere' }).unfit?.(job)).toBe('needs the program rsync, which is not installed (Debian: apt install rsync)');
    await world.close();
  });
});

/** Machine, boot and namespace as they are in the names of staging directories of this process. */
async function ownParts(world: RsyncWorld): Promise<readonly string[]> {
  const storage = localHands(path.join(world.at, 'other'), 'target').open();
  await storage.open();
  const directory = await storage.inbox!.open();
  await storage.inbox!.close(directory);
  await storage.close();
  return path.basename(path.dirname(directory)).split('.');
}
