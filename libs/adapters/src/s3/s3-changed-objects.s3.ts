/**
 * A large file that changed in one place, against a real server: how many bytes are sent (issue 5).
 * In parts where that is as safe as one request (here: where the bucket keeps versions), else whole.
 */

import { createHash, randomBytes, randomUUID } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, type Token } from '@wl/domain';

import { createS3Backend } from './create-s3-backend.js';
import type { PartsMemory } from './known-parts.js';
import type { S3Api } from './s3-api.js';
import type { S3Backend } from './s3-backend.js';
import { parseS3Location } from './s3-location.js';
import { streamed } from './testing/bench.js';
import { memoryNotes, realClock } from './testing/open-s3.js';
import { realBucket } from './testing/open-real-server.js';
import { MemoryParts } from './testing/open-writing.js';
import { realServer } from './testing/server/real-server.js';
import { createS3Api } from './wire/create-s3-api.js';

const MIB = 1024 * 1024;
const SIZE = 48 * MIB;
const PATH = 'big.img';

/** Bytes of files that go over the wire; what is noted of them is not counted. */
class Meter {
  bytes = 0;

  constructor(readonly api: S3Api) {
    const [put, stream, part] = [api.putObject.bind(api), api.putStream.bind(api), api.uploadPart.bind(api)];
    api.putObject = (...args) => {
      if (!args[0].includes('/.wl/')) this.bytes += args[1].length;
      return put(...args);
    };
    api.putStream = (...args) => {
      this.bytes += args[1].sizeBytes;
      return stream(...args);
    };
    api.uploadPart = (...args) => {
      this.bytes += args[3].length;
      return part(...args);
    };
  }
}

interface Machine {
  readonly backend: S3Backend;
  readonly meter: Meter;
}

const opened: S3Backend[] = [];
afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
});

async function machine(bucket: string, prefix: string, parts: PartsMemory): Promise<Machine> {
  const { endpoint: endpointUrl, accessKey, secretKey, region } = realServer();
  const params = { backendId: 's3', url: `s3://${bucket}/${prefix}`, endpointUrl, region, credentials: { accessKey, secretKey } };
  const location = parseS3Location(params);
  if (!location.ok) throw new Error(location.error);
  const meter = new Meter(createS3Api(params, { clock: realClock, env: {} }, location.value));
  const backend = createS3Backend(params, { clock: realClock, notes: memoryNotes(), parts, env: {} }, meter.api) as S3Backend;
  opened.push(backend);
  await backend.open();
  // What trying the server takes is not to be counted.
  await backend.rootIdentity({ mark: true });
  return { backend, meter };
}

/** Replaces the file; how many bytes that took. */
async function replace({ backend, meter }: Machine, content: Buffer): Promise<number> {
  const expected = await backend.getFileToken(toRelativePath(PATH));
  const before = meter.bytes;
  expect(await streamed(backend, PATH, content, expected === undefined ? {} : { expected })).toMatchObject({ ok: true });
  return meter.bytes - before;
}

async function hashOf(backend: S3Backend): Promise<string> {
  const token = (await backend.getFileToken(toRelativePath(PATH))) as Token;
  const read = await backend.read(toRelativePath(PATH), token);
  if (!read.ok) throw new Error('it is there');
  const hash = createHash('sha256');
  for await (const chunk of read.value.chunks()) hash.update(chunk);
  await read.value.close();
  return hash.digest('hex');
}

const sum = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

describe('a file of 48 MiB of which 1 MiB is changed', () => {
  it('sends two parts at most where uploads in parts are safe, also from a machine that only downloaded it', async () => {
    const { name } = await realBucket('versioned');
    const prefix = `${randomUUID()}/`;
    const first = await machine(name, prefix, new MemoryParts());
    const content = randomBytes(SIZE);
    expect(await replace(first, content)).toBe(SIZE);

    // It lies over the end of a part.
    content.set(randomBytes(MIB), 24 * MIB - MIB / 2);
    expect(await replace(first, content)).toBe(16 * MIB);
    expect(await hashOf(first.backend)).toBe(sum(content));

    const second = await machine(name, prefix, new MemoryParts());
    expect(await hashOf(second.backend)).toBe(sum(content));
    const longer = Buffer.concat([content, randomBytes(MIB)]);
    expect(await replace(second, longer)).toBe(MIB);
    expect(await hashOf(first.backend)).toBe(sum(longer));

    // Another machine wrote last: what the first remembers is not of that version.
    content.set(randomBytes(1), 0);
    const third = await machine(name, prefix, new MemoryParts());
    expect(await replace(third, content)).toBe(SIZE);
    expect(await replace(first, content)).toBe(SIZE);
  });

  it('is sent as a whole, in one conditional request, where a completion cannot be conditional', async () => {
    const { name, abilities } = await realBucket('plain');
    const { backend, meter } = await machine(name, `${randomUUID()}/`, new MemoryParts());
    const content = randomBytes(SIZE);
    await replace({ backend, meter }, content);
    content.set(randomBytes(MIB), 24 * MIB);
    expect(await replace({ backend, meter }, content)).toBe(abilities.completesConditionally ? 8 * MIB : SIZE);
    expect(await hashOf(backend)).toBe(sum(content));
  });
});
