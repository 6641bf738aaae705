/**
 * One large file in a bucket: uploaded, then changed by 1 MiB in its middle, then longer by 1 MiB.
 * Shows seconds and what goes over the wire. Each program has a file and a bucket of its own, both
 * removed after its turn: they fill memory and disk.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { startRelay } from './byte-relay.mjs';
import { ours, rcloneSync } from './s3-peers.mjs';
import { startServer } from './s3-server.mjs';
import { makeLargeFile, overwrite } from './tree.mjs';

const MIB = 1024 * 1024;
const warm = ours({ daemon: 'running' });

/** Who takes part; `isVersioned`: in a bucket that keeps versions. */
export const DELTA_PEERS = [
  { ...warm, name: 'wl, bucket that keeps versions', isVersioned: true, needs: 'radosgw' },
  { ...warm, name: 'wl, bucket that does not', needs: 'radosgw' },
  { ...rcloneSync, needs: 'rclone' },
];

/** Runs it; measurements by peer and phase. */
export async function s3Delta({ scratch, label, peers, isQuick, progress }) {
  const sizeBytes = (isQuick ? 64 : 1024) * MIB;
  const results = {};
  if (!peers.some(({ needs }) => needs === 'radosgw')) return results;
  // Of each version there may be two in memory, and what was removed goes a little later.
  const server = startServer(path.join(scratch, `${label}-server`), (sizeBytes / MIB) * 8);
  const relay = await startRelay(server.endpoint);
  try {
    for (const [index, peer] of peers.entries()) {
      const turn = { peer, server, relay, sizeBytes, bucket: `delta-${index}`, dir: path.join(scratch, `${label}-${index}`) };
      results[peer.name] = await measured(turn, (phase, { seconds, sentMiB }) => progress(`${label} ${phase}: ${peer.name} ${seconds.toFixed(2)} s, ${sentMiB.toFixed(1)} MiB sent`));
    }
  } finally {
    relay.stop();
    server.stop();
  }
  return results;
}

async function measured({ peer, server, relay, sizeBytes, bucket, dir }, onPhase) {
  const folder = path.join(dir, 'folder');
  const file = path.join(folder, 'large.bin');
  mkdirSync(folder, { recursive: true });
  await server.makeBucket(bucket, peer.isVersioned === true);
  makeLargeFile(file, sizeBytes, 10);
  const instance = peer.make(dir, { ...server, endpoint: relay.endpoint }, bucket);
  const phases = {
    first: () => instance.upload(folder),
    middle: () => instance.again(folder),
    appended: () => instance.again(folder),
  };
  const changes = { middle: sizeBytes / 2, appended: sizeBytes };
  const results = {};
  try {
    for (const [phase, run] of Object.entries(phases)) {
      if (changes[phase] !== undefined) overwrite(file, changes[phase], MIB);
      await relay.sentBytes();
      const { seconds, cpu, peakMiB } = run();
      results[phase] = { seconds, cpu, peakMiB, sentMiB: (await relay.sentBytes()) / MIB };
      onPhase(phase, results[phase]);
      if ((await server.sha256Of(bucket, 'data/large.bin')) !== sha256Of(file)) throw new Error(`${peer.name} has not brought the file over`);
    }
  } finally {
    instance.stop();
    server.removeBucket(bucket);
    rmSync(dir, { recursive: true });
  }
  return results;
}

function sha256Of(file) {
  return spawnSync('sha256sum', [file], { encoding: 'utf8' }).stdout.split(' ')[0];
}
