/**
 * One changed file until it shows on the other side, for programs that watch. All share one pair
 * of folders, which are the same when the next one starts; each edits files of its own names.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { pause, until } from './measure.mjs';
import { makeTree } from './tree.mjs';

/** Stands for: not at all. */
const LIMIT_MS = 60_000;
/** Long enough for whatever a program still does after it said that it was done. */
const SETTLE_MS = 5_000;

/** Gives the milliseconds of each edit, by peer. */
export async function latency({ scratch, label, files, peers, progress, isQuick }) {
  const at = path.join(scratch, label);
  const [source, target] = ['source', 'target'].map((name) => path.join(at, name));
  mkdirSync(source, { recursive: true });
  makeTree(source, { files, minBytes: 1024, maxBytes: 4096 });
  spawnSync('cp', ['-a', source, target]);
  spawnSync('sync');
  const results = {};
  for (const [index, peer] of peers.entries()) {
    const dir = path.join(at, `peer-${index}`);
    mkdirSync(dir, { recursive: true });
    const instance = peer.make(dir, source, target);
    try {
      await instance.start();
      await pause(SETTLE_MS);
      results[peer.name] = await edits(source, target, `edited-${index}`, isQuick ? Math.min(5, peer.edits) : peer.edits);
    } finally {
      await instance.stop();
    }
    progress(`${label}: ${peer.name} ${results[peer.name].map((ms) => ms.toFixed(0)).join(' ')}`);
  }
  return results;
}

/** From the end of a write on one side until the other side reads the same bytes; looked at every millisecond. */
async function edits(source, target, prefix, count) {
  const times = [];
  for (let i = 0; i < count; i += 1) {
    await pause(400 + (i % 7) * 37);
    const name = path.join('d0', `s${i % 17}`, `${prefix}-${i % 20}.txt`);
    const text = `edit ${i} ${'x'.repeat(i)}`;
    mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
    writeFileSync(path.join(source, name), text);
    const started = performance.now();
    const isThere = () => existsSync(path.join(target, name)) && readFileSync(path.join(target, name), 'utf8') === text;
    const came = await until(isThere, LIMIT_MS, 1).then(
      () => true,
      () => false,
    );
    times.push(came ? performance.now() - started : LIMIT_MS);
    // Whoever missed it will miss the rest.
    if (!came) break;
  }
  return times;
}
