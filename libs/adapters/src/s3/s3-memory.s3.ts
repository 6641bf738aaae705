/** INV-40: memory does not grow with the size of an object, on the way up and on the way down. */

import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, toSha256, type Token } from '@wl/domain';
import type { ContentIdentity } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import { createS3Backend } from './create-s3-backend.js';
import type { S3Backend } from './s3-backend.js';
import { DiscardingServer } from './testing/discarding-server.js';
import { memoryNotes, realClock } from './testing/open-s3.js';
import { MemoryParts } from './testing/open-writing.js';

const MIB = 1024 * 1024;
const SIZE = 200 * MIB;
const A = toRelativePath('a');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in buffers that are still in use. */
function liveBytes(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

/** The most that is in use at any of the moments it is asked at, above what was before. */
class Peak {
  readonly #before = liveBytes();
  bytes = 0;

  look(): void {
    this.bytes = Math.max(this.bytes, liveBytes() - this.#before);
  }
}

let server: DiscardingServer;
let backend: S3Backend | undefined;
beforeEach(async () => {
  server = new DiscardingServer();
  await server.listen();
});
afterEach(async () => {
  await backend?.close();
  await server.close();
});

async function storage(differing: Partial<S3Abilities> = {}): Promise<S3Backend> {
  const abilities: S3Abilities = {
    createsIfAbsent: true, replacesIfMatch: 'quoted', deletesIfMatch: true, completesConditionally: true, copiesConditionally: true, copies: true,
    uploadsInParts: true, verifiesContent: true, keepsChecksums: false, tagsByMd5: false, isVersioned: false, ...differing,
  };
  const notes = memoryNotes();
  notes.put('abilities', { version: 1, place: `${server.endpointUrl} bucket`, provedMs: Date.now(), abilities });
  const params = { backendId: 's3', url: 's3://bucket/', endpointUrl: server.endpointUrl, credentials: { accessKey: 'a', secretKey: 'b' } };
  backend = createS3Backend(params, { clock: realClock, notes, parts: new MemoryParts(), env: {} }) as S3Backend;
  await backend.open();
  return backend;
}

const PIECE = Buffer.alloc(MIB, 'piece of a large file');
let identity: ContentIdentity | undefined;

function identityOfAll(): ContentIdentity {
  if (identity === undefined) {
    const hash = createHash('sha256');
    for (let at = 0; at < SIZE; at += MIB) hash.update(PIECE);
    identity = { sha256: toSha256(hash.digest('hex')), sizeBytes: SIZE };
  }
  return identity;
}

describe('INV-40: an object of 200 MiB', () => {
  it.each<[string, Partial<S3Abilities>, boolean, number]>([
    ['in parts', {}, true, 100],
    ['in parts, by a source that does not know its size', {}, false, 100],
    ['by one request', { completesConditionally: false }, true, 100],
  ])('is written %s with a small part of it in memory', async (_name, abilities, isAnnounced, mostMib) => {
    const content = identityOfAll();
    const machine = await storage(abilities);
    const peak = new Peak();
    const writer = await machine.openForSafeReplace(A, undefined, { mtimeMs: 0, ...(isAnnounced && { content }) });
    for (let at = 0; at < SIZE; at += MIB) {
      await writer.write(PIECE);
      if (at % (16 * MIB) === 0) peak.look();
    }
    peak.look();
    expect(await writer.commit(content)).toMatchObject({ ok: true });
    expect(server.receivedBytes).toBeGreaterThanOrEqual(SIZE);
    expect(peak.bytes).toBeLessThan(mostMib * MIB);
  });

  it('is written with a small part of it in memory where its parts are copied on the server', async () => {
    const content = identityOfAll();
    const machine = await storage({ tagsByMd5: true });
    let expected: Token | undefined;
    for (const sentBytes of [SIZE, 0]) {
      const [peak, before] = [new Peak(), server.receivedBytes];
      const writer = await machine.openForSafeReplace(A, expected, { mtimeMs: 0, content });
      for (let at = 0; at < SIZE; at += MIB) {
        await writer.write(PIECE);
        if (at % (16 * MIB) === 0) peak.look();
      }
      peak.look();
      const committed = await writer.commit(content);
      expect([committed.ok, peak.bytes < 100 * MIB]).toEqual([true, true]);
      // And what is sent to complete an upload.
      expect(server.receivedBytes - before - sentBytes).toBeLessThan(10_000);
      expected = await machine.getFileToken(A);
    }
  });

  it.each<[string, (machine: S3Backend, look: () => void) => Promise<number>]>([
    [
      'read',
      async (machine, look) => {
        const opened = await machine.read(A, `tag:${String(SIZE)}` as Token);
        if (!opened.ok) throw new Error('it is there');
        let bytes = 0;
        for await (const chunk of opened.value.chunks()) {
          const isDue = Math.floor(bytes / (16 * MIB)) !== Math.floor((bytes + chunk.length) / (16 * MIB));
          bytes += chunk.length;
          // Whoever is slow lets the connection wait.
          if (isDue) await new Promise((resolve) => setTimeout(resolve, 10));
          if (isDue) look();
        }
        await opened.value.close();
        return bytes;
      },
    ],
    [
      'hashed',
      async (machine, look) => {
        const hashing = machine.getHashes([A]);
        let isOver = false;
        const over = hashing.finally(() => (isOver = true));
        while (!isOver) {
          look();
          await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 50))]);
        }
        const [outcome] = await hashing;
        return outcome?.kind === 'hashed' ? outcome.node.sizeBytes : 0;
      },
    ],
  ])('is %s with a small part of it in memory', async (_name, run) => {
    server.show(SIZE);
    const machine = await storage();
    const peak = new Peak();
    expect(await run(machine, () => peak.look())).toBe(SIZE);
    expect(peak.bytes).toBeLessThan(100 * MIB);
  });
});
