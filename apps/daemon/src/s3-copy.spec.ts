/** The syncer `s3-copy` between two buckets of a server in this process, which counts what it is sent. */

import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import { createS3Backend, s3CopySyncer } from '@wl/adapters/s3';
import { startS3Server, type S3ServerOptions, type S3TestServer } from '@wl/adapters/s3/testing/server';
import { systemClock } from '@wl/adapters/system-clock';
import { ManualClock } from '@wl/ports/testing';

import { describeDedicatedSyncer, SyncerRig, type Hands, type SyncerWorld } from './testing/dedicated-suite.js';

function handsOn(server: S3TestServer, side: 'source' | 'target', endpointUrl: string): Hands {
  const notes = new Map<string, string>();
  const bucket = server.bucket(side);
  return {
    write: (path, text) => void bucket.put(path, text),
    read: (path) => bucket.text(path),
    remove: (path) => bucket.delete(path),
    files: () => bucket.keys().filter((key) => !key.startsWith('.wl/') && !key.endsWith('/')),
    leftovers: () => bucket.uploads().map(({ key }) => key),
    open: () =>
      createS3Backend(
        { backendId: side, url: `s3://${side}`, endpointUrl, credentials: { accessKey: server.accessKey, secretKey: server.secretKey } },
        {
          clock: systemClock,
          env: {},
          notes: {
            get: (name) => (notes.has(name) ? (JSON.parse(notes.get(name)!) as unknown) : undefined),
            put: (name, value) => void (value === undefined ? notes.delete(name) : notes.set(name, JSON.stringify(value))),
          },
        },
      ),
  };
}

interface S3World extends SyncerWorld {
  readonly server: S3TestServer;
}

async function openWorld(options: S3ServerOptions, sourceHost = '127.0.0.1'): Promise<S3World> {
  const server = await startS3Server({ ...options, buckets: ['source', 'target'] });
  return {
    server,
    definition: s3CopySyncer,
    source: handsOn(server, 'source', `http://${sourceHost}:${String(server.port)}`),
    target: handsOn(server, 'target', server.endpointUrl),
    // Copies below the reserved area are the probe's, and the trash's.
    inMidCopy: (act) => void server.before('CopyObject', act, { times: 1, key: (key) => !key.startsWith('.wl/') }),
    close: () => server.close(),
  };
}

describeDedicatedSyncer('s3-copy on a server like AWS', () => openWorld({}));

/** An object that says its hash, bound to its version (docs/s3.md). */
function putAsWlDoes(server: S3TestServer, key: string, text: string): void {
  const digest = (algorithm: string): string => createHash(algorithm).update(text).digest('hex');
  server.bucket('source').put(key, text, { metadata: { sha256: digest('sha256'), 'wl-etag': digest('md5') } });
}

describe('s3-copy', () => {
  const KEYS = ['a', 'b/c', 'd'];
  const CONTENT = 'z'.repeat(300_000);

  /** Bytes of content that the server took or gave since; bodies of requests below 1 KiB are the protocol's. */
  function contentBytes({ log }: S3TestServer): number {
    const isOfFiles = (key: string): boolean => !key.startsWith('.wl/');
    const given = log.of('GetObject').filter(({ key }) => isOfFiles(key)).length * CONTENT.length;
    return log.entries.filter(({ key, operation }) => isOfFiles(key) && operation !== 'GetObject').reduce((sum, { sizeBytes }) => sum + sizeBytes, given);
  }

  it.each(['aws', 'ceph'] as const)('has no content pass through this machine on a server like %s where the objects say their hash', async (preset) => {
    const world = await openWorld({ preset });
    const rig = new SyncerRig(world);
    for (const key of KEYS) putAsWlDoes(world.server, key, CONTENT + key);
    const report = await rig.once();
    expect([report.copiedFiles, KEYS.map((key) => world.target.read(key) === CONTENT + key)]).toEqual([3, [true, true, true]]);
    // Placeholders on Ceph are a few bytes each.
    expect(contentBytes(world.server)).toBeLessThan(1000);
    await rig.close();
  });

  it('reads once what others have written, for its hash, and sends nothing', async () => {
    const world = await openWorld({});
    const rig = new SyncerRig(world);
    for (const key of KEYS) world.source.write(key, CONTENT);
    expect(await rig.once()).toMatchObject({ copiedFiles: 3, problems: [] });
    expect(contentBytes(world.server)).toBe(3 * CONTENT.length);
    expect(world.server.log.of('PutObject').filter(({ key }) => KEYS.includes(key))).toEqual([]);
    await rig.close();
  });

  it('reports what a server like Ceph cannot replace safely, and the generic syncer carries it', async () => {
    const world = await openWorld({ preset: 'ceph' });
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    await rig.once();
    world.source.write('a', 'two, longer');
    const report = await rig.once();
    expect(report.problems).toMatchObject([{ path: 'a', side: 'target', reason: 'unsupported', message: expect.stringContaining('the server does not compare what a copy of its own replaces') }]);
    expect(world.target.read('a')).toBe('one');
    expect(await rig.once({}, { isGeneric: true })).toMatchObject({ copiedFiles: 1, problems: [] });
    expect(world.target.read('a')).toBe('two, longer');
    await rig.close();
  });

  it('reports that the server is full, leaves nothing behind and goes on later', async () => {
    const world = await openWorld({});
    const rig = new SyncerRig(world);
    world.source.write('a', 'one');
    world.source.write('b', 'two');
    world.server.fault({ operation: 'CopyObject', key: 'a', effect: { kind: 'error', status: 507, code: 'InsufficientStorage' } });
    const report = await rig.once();
    expect([report.problems.map(({ path, reason }) => `${path} ${reason}`), world.target.files(), world.target.leftovers()]).toEqual([['a no-space'], ['b'], []]);
    world.server.clearFaults();
    expect(await rig.once()).toMatchObject({ copiedFiles: 1, problems: [] });
    await rig.close();
  });

  it('cannot serve storages of two endpoints, or of another kind', async () => {
    const world = await openWorld({}, 'localhost');
    const [source, target] = [world.source.open(), world.target.open()];
    expect(s3CopySyncer.unfit?.({ source, target, isUnidirectional: false })).toBe('copies within one endpoint only, and these storages are of two');
    expect(s3CopySyncer.unfit?.({ source: target, target: world.target.open(), isUnidirectional: false })).toBeUndefined();
    const memory = new MemoryBackend(new MemoryTree({ id: 'm', clock: new ManualClock() }), { backendId: 'm', type: 's3' });
    expect(s3CopySyncer.unfit?.({ source: memory, target, isUnidirectional: false })).toBeDefined();
    await world.close();
  });
});
