/**
 * A bucket behind a proxy that delays, cuts, repeats and lies (T02, T03, T06, T36, T41, T43, T48,
 * T53). Odd seeds meet only what a client can notice, even ones lies, too; then the proxy becomes
 * honest and everything has to come to rest.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { importSource } from '../../bundle-testing.mjs';
import { Home } from '../home.mjs';
import { ROOT } from '../programs.mjs';
import { Ledger } from '../ledger.mjs';
import { BucketSide, Folder } from '../sides.mjs';
import { playFaults, startSynced } from './campaign.mjs';
import { startProxy } from './proxy.mjs';

/** Kinds of servers, and whether they keep versions. */
const SERVERS = [
  { preset: 'aws', switches: { pageSize: 7 } },
  { preset: 'ceph', switches: { pageSize: 3 } },
  { preset: 'aws', versioned: true, switches: { pageSize: 20 } },
];

export const s3Proxy = { name: 'S3 behind a proxy that delays, cuts, repeats and lies', needs: () => undefined, play };

async function play({ seed, chance, log }) {
  const { startS3Server } = await importSource(ROOT, 'libs/adapters/src/s3/testing/server/index.ts');
  const isLying = seed % 2 === 0;
  const options = SERVERS[seed % SERVERS.length];
  const server = await startS3Server(options);
  const proxy = await startProxy(server.port, chance);
  const home = new Home();
  const workshop = mkdtempSync(path.join(os.tmpdir(), 'wl-torture-workshop-'));
  try {
    log(`  ${JSON.stringify(options)}, ${isLying ? 'with lies' : 'without lies'}`);
    await home.startDaemon();
    const left = home.folder('left');
    await makePair(home, left, proxy, server);
    const ledger = new Ledger({ left: new Folder(left, workshop), right: new BucketSide(server.bucket(), 'photos/') }, chance, `seed ${seed}`);
    ledger.act(30);
    await startSynced(home, ledger);
    const how = isLying ? 'lies' : 'strict';
    const fault = {
      begin() {
        const only = chance.happens(0.5) ? [chance.pick(proxy.names(how))] : undefined;
        const share = chance.pick([0.05, 0.2, 0.5]);
        proxy.misbehave(how, share, only);
        return `${share * 100} % of the requests: ${only ?? 'anything'}`;
      },
      end: () => proxy.behave(),
    };
    const outcome = await playFaults({ home, ledger, chance, fault, phases: 4, phaseMs: 4000, lenient: isLying, act: { sizes: [0, 10, 1000, 40_000, 200_000] }, log });
    outcome.figures.faults = Object.values(proxy.counts).reduce((sum, count) => sum + count, 0);
    log(`    ${JSON.stringify(proxy.counts)}`);
    const uploads = server.bucket().uploads();
    if (uploads.length > 0) outcome.findings.push({ kind: 'foreign', text: `${uploads.length} uploads in parts were left behind` });
    outcome.findings.push(...(await home.close()).map((text) => ({ kind: 'broken', text })));
    return outcome;
  } finally {
    await home.close().catch(() => undefined);
    await proxy.close();
    await server.close();
    rmSync(workshop, { recursive: true, force: true });
  }
}

async function makePair(home, left, proxy, server) {
  await home.wlOk(['container', 'create', 'photos']);
  await home.wlOk(['storage', 'create', 'local', '--container', 'photos', '--location', left, '--backend-id', 'left', '--skip-sync']);
  const words = ['--s3-url', 's3://test/photos', '--endpoint-url', proxy.endpoint, '--region', server.region, '--access-key', server.accessKey, '--secret-key', '-'];
  await home.wlOk(['storage', 'create', 's3', '--container', 'photos', '--backend-id', 'right', '--skip-sync', '--watcher-interval', '1', ...words], { stdin: `${server.secretKey}\n` });
}
