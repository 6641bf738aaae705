/** Plays all points of a world, several places at a time, until the time is over; counts, and keeps what went wrong. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { BucketSide } from './bucket-side.mjs';
import { hasPower } from './disks.mjs';
import { Place } from './place.mjs';
import { playFault, playKill, playPowerLoss, playRequest, playUndisturbed } from './plays.mjs';
import { randomOf } from './random.mjs';
import { isOver } from './time.mjs';
import { MissingMeans } from './tracer.mjs';

const PLAYS = { kill: playKill, request: playRequest, power: playPowerLoss, fault: playFault };

/** Flushes are answered and change nothing that a process can see. */
const FLUSHES = new Set(['fsync', 'fdatasync', 'syncfs', 'sync', 'sync_file_range']);
const WRITES = new Set(['write', 'pwrite64']);

/** Points of a kind, from the calls of a run that nobody disturbed. */
export const points = {
  /**
   * Before every call, except where the call before it changed nothing a process can see: the
   * same world would be played twice. And in the middle of every write.
   */
  kill: (calls) =>
    calls.flatMap(({ number, name }, index) => [
      ...(index > 0 && changesNothing(calls[index - 1]) ? [] : [{ play: 'kill', how: 'kill', n: number }]),
      ...(WRITES.has(name) ? [{ play: 'kill', how: 'short', n: number }] : []),
    ]),
  /** At every request that changes the bucket. */
  request: (_, requests) => requests.map(({ number }) => ({ play: 'request', n: number })),
  /** At every call, with somebody else's flush at that moment. */
  power: (calls) => calls.map(({ number }) => ({ play: 'power', n: number, names: true })),
  /** What is on the device changes at flushes only: before each of them, and at the end. */
  'power-unflushed': (calls) => calls.filter(({ name }, index) => FLUSHES.has(name) || index === calls.length - 1).map(({ number }) => ({ play: 'power', n: number, names: false })),
  /** The check of the check: flushes do nothing. Every seventh call is enough to see it fail. */
  'power-defective': (calls) => calls.filter((_, index) => index % 7 === 6).map(({ number }) => ({ play: 'power', n: number, names: true, swallows: true })),
  fault: (calls) =>
    calls.flatMap(({ number }) => [
      ...['ENOSPC', 'EIO', 'EACCES'].map((code) => ({ play: 'fault', n: number, code, isLasting: false })),
      { play: 'fault', n: number, code: 'ENOSPC', isLasting: true },
    ]),
};

function changesNothing({ name, result }) {
  return FLUSHES.has(name) || result < 0;
}

/** A point in words that `--point` takes. */
export const describePoint = (point) => JSON.stringify(point);

/**
 * Plays one world. `deadline` is an instant of `performance.now()`; `onFailure` hears of each
 * point that went wrong; `only`: one point instead of all. Gives the figures of the row: calls of
 * an undisturbed run, points that follow from them, how many were played, how many of these went
 * past their point because the run was shorter, how many were wrong, and of what sort.
 */
export async function playWorld({ scenario, disk, kind, isBucket = false, tracer, deadline, seed, places = 2, scratch, only, onFailure, isEnough = () => false }) {
  const row = { world: scenario.name, disk: isBucket ? `${disk} + S3` : disk, kind, calls: 0, points: 0, played: 0, past: 0, failures: 0, outcomes: {} };
  if (kind.startsWith('power') && !hasPower(disk)) throw new MissingMeans(`the power of a ${disk} cannot be cut: --disk ext4, ext4-writeback or xfs`);
  const opened = [];
  try {
    for (let index = 0; index < (only === undefined ? places : 1); index += 1) {
      const dir = mkdtempSync(path.join(scratch, 'wl-crash-'));
      opened.push(new Place({ scratch: dir, scenario, disk, tracer, bucket: isBucket ? await BucketSide.open(scenario) : undefined }));
    }
    await Promise.all(opened.map((place) => place.prepare()));
    const undisturbed = await Promise.all(opened.map(playUndisturbed));
    for (const { wrong } of undisturbed) if (wrong.length > 0) fail(row, { play: 'undisturbed' }, wrong, onFailure);
    // Where threads make the number of calls vary, the longest run seen counts.
    const longest = undisturbed.sort((a, b) => b.calls.length - a.calls.length)[0];
    row.calls = longest.calls.length;
    const all = only === undefined ? shuffled(points[kind](longest.calls, longest.requests), seed) : [only];
    row.points = all.length;
    await Promise.all(opened.map((place) => work(place, all, row, () => isOver(deadline) || isEnough(), onFailure)));
    return row;
  } finally {
    for (const place of opened) {
      await place.end();
      await place.bucket?.close();
    }
  }
}

async function work(place, left, row, isEnd, onFailure) {
  for (let point = left.pop(); point !== undefined && !isEnd(); point = left.pop()) {
    let played;
    try {
      played = await PLAYS[point.play](place, point);
    } catch (error) {
      played = { wrong: [`the play broke off: ${error.stack}`] };
    }
    row.played += 1;
    if (played.isPast) row.past += 1;
    if (played.outcome !== undefined) row.outcomes[played.outcome] = (row.outcomes[played.outcome] ?? 0) + 1;
    if (played.wrong.length > 0) fail(row, point, played.wrong, onFailure);
  }
}

function fail(row, point, wrong, onFailure) {
  row.failures += 1;
  for (const sort of ['lost', 'torn', 'deleted']) if (wrong.some((text) => text.includes(`${sort}:`))) row[sort] = (row[sort] ?? 0) + 1;
  onFailure({ world: row.world, disk: row.disk, kind: row.kind, point, wrong });
}

/** The same order for the same seed, so that a run that is too short sees points from everywhere. */
function shuffled(list, seed) {
  const random = randomOf(seed);
  const all = [...list];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [all[last], all[other]] = [all[other], all[last]];
  }
  return all;
}

/** Where worlds are kept: in memory, where there is a file system for that. */
export function scratchFor(disk) {
  return disk === 'directory' || !isWritable('/dev/shm') ? os.tmpdir() : '/dev/shm';
}

function isWritable(dir) {
  try {
    rmSync(mkdtempSync(path.join(dir, 'wl-try-')), { recursive: true });
    return true;
  } catch {
    return false;
  }
}
