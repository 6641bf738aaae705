/**
 * A race: each round makes one source, which all share, and every peer brings it, from memory, to a target of
 * its own, looks again with nothing changed, and again after the same changes for all. Everybody
 * begins once in each place of the order. Directories are fresh in each round; nothing is deleted
 * but what the changes delete.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

/** Whoever takes longer than this to see that nothing has changed, in seconds, is asked once a round. */
export const LONG_LOOK_SECONDS = 5;

/**
 * Runs it. `phases`: some of `first`, `again`, `changed`; `makeSource(dir)` fills a source,
 * `change(dir)` changes it and gives what those are told that do not look for it, `endOfRound(dir)` may clear up. Gives the measurements by phase and peer, one a round,
 * but `looks` of a pass with nothing changed.
 */
export async function race({ scratch, label, rounds, peers, phases, looks = 1, makeSource, change, endOfRound, progress }) {
  const results = Object.fromEntries(phases.map((phase) => [phase, {}]));
  for (let round = 0; round < rounds; round += 1) {
    const at = path.join(scratch, `${label}-${round}`);
    const source = path.join(at, 'source');
    mkdirSync(source, { recursive: true });
    makeSource(source);
    const order = turns(peers, round).map((peer) => ({ peer, ...places(at, peer) }));
    for (const turn of order) {
      // Whoever only looks at both sides looks at what the first of the others has made.
      const target = turn.peer.needsTarget ? order.find(({ peer }) => !peer.needsTarget && !peer.onlyReads).target : turn.target;
      turn.instance = turn.peer.make(turn.dir, source, target);
    }
    try {
      for (const { phase, isRepeated } of phases.flatMap((phase) => turnsOf(phase, looks))) {
        const changes = phase === 'changed' ? change(source) : undefined;
        for (const { peer, instance } of order) {
          if (isRepeated && results[phase][peer.name]?.at(-1).seconds > LONG_LOOK_SECONDS) continue;
          // Everybody finds the source in memory: rclone asks the system to drop what it has read, and whoever came next would read the disk.
          if (phase === 'first') readAll(source);
          // What was just written must not be written back while somebody is being measured.
          spawnSync('sync');
          const result = await instance[phase]?.(changes);
          if (result === undefined) continue;
          const { seconds, cpu, peakMiB, usedMiB } = result;
          (results[phase][peer.name] ??= []).push({ seconds, cpu, peakMiB, ...(usedMiB !== undefined && { usedMiB }) });
          progress(`${label} ${phase} ${round + 1}/${rounds}: ${peer.name} ${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${peakMiB.toFixed(0)} MiB`);
        }
      }
      for (const { peer, instance, target } of order) {
        if (instance.first !== undefined && instance[phases.at(-1)] !== undefined && !peer.onlyReads) expectSame(peer, source, target);
      }
    } finally {
      for (const { instance } of order) await instance?.stop();
    }
    endOfRound?.(at);
  }
  return results;
}

/** How often a phase is run in a round. */
function turnsOf(phase, looks) {
  return Array.from({ length: phase === 'again' ? looks : 1 }, (_, index) => ({ phase, isRepeated: index > 0 }));
}

function readAll(dir) {
  spawnSync('sh', ['-c', 'find "$0" -type f -exec cat {} + >/dev/null', dir]);
}

function places(at, peer) {
  const dir = path.join(at, peer.name.replaceAll(/[^a-z0-9]+/g, '-'));
  const target = path.join(dir, 'target');
  mkdirSync(target, { recursive: true });
  return { dir, target };
}

function turns(peers, round) {
  const first = round % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}

/** A program that leaves files out would be fast: as many files and directories on both sides, each of one size. */
function expectSame(peer, source, target) {
  const list = (dir) => spawnSync('sh', ['-c', 'cd "$0" && find . -name .wl -prune -o -name .stfolder -prune -o -type f -printf "%p %s\\n" | sort | sha256sum', dir], { encoding: 'utf8' }).stdout;
  if (list(source) !== list(target)) throw new Error(`${peer.name} has not brought everything over`);
}
