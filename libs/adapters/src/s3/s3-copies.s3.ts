/** Copies on a real server that are too large for one: parts that the server takes from another bucket of it. */

import { createHash, randomBytes, randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { toRelativePath, toSha256, type RelativePath } from '@wl/domain';
import type { CopyOutcome, CopyRequest } from '@wl/ports';

import type { S3Api } from './s3-api.js';
import { memoryNotes, realClock } from './testing/open-s3.js';
import { realBucket, type RealBucket } from './testing/open-real-server.js';
import { tokenOf, versionOf } from './version-token.js';
import type { WriteContext } from './writing/context.js';
import { copyWithin, type CopyOrigin } from './writing/copy-within.js';
import { Limiter } from './writing/limiter.js';
import { ReusableParts } from './writing/reusable-parts.js';
import { SIZES } from './writing/sizes.js';
import { UploadJournal } from './writing/upload-journal.js';

const MIB = 1024 * 1024;
/** The smallest parts that servers take. */
const SMALL = { ...SIZES, single: 6 * MIB, copiedPart: 5 * MIB };

/** A bucket as the target of copies; its trash is not of interest. */
function writing({ api, abilities }: RealBucket): WriteContext {
  return {
    api: withoutContent(api),
    abilities: () => abilities,
    clock: realClock,
    journal: new UploadJournal(memoryNotes()),
    parts: new ReusableParts(undefined),
    hashes: { keep: () => Promise.resolve(), drop: () => Promise.resolve() },
    limiter: new Limiter(),
    newId: randomUUID,
    keep: () => Promise.resolve('kept'),
    unkeep: () => Promise.resolve(),
    keyOf: (path: RelativePath) => path,
    etagOf: (token) => versionOf(token)?.etag,
    tokenOf,
  };
}

/** Fails where content would pass through this machine. */
function withoutContent(api: S3Api): S3Api {
  const refuse = (): never => {
    throw new Error('content passes through this machine');
  };
  return { ...api, getObject: refuse, uploadPart: refuse, putStream: refuse };
}

describe('copying on a real server what is too large for one copy', () => {
  it.each([['plain', undefined], ['plain', 'old'], ['versioned', undefined], ['versioned', 'old']] as const)('INV-27: within a %s bucket, over %s: takes it in parts, whole', async (kind, old) => {
    const bucket = await realBucket(kind);
    const context = writing(bucket);
    const [from, to] = [`from-${randomUUID()}`, `to-${randomUUID()}`];
    const content = randomBytes(12 * MIB + 7);
    const sha256 = toSha256(createHash('sha256').update(content).digest('hex'));
    await bucket.outside.put(from, content);
    if (old !== undefined) await bucket.outside.put(to, Buffer.from(old));
    const nodeOf = async (key: string) => {
      const head = (await bucket.api.headObject(key))!;
      return { kind: 'file', token: tokenOf(head), sizeBytes: head.sizeBytes, mtimeMs: 1500, hash: undefined, isRacy: false } as const;
    };
    const request: CopyRequest = {
      path: toRelativePath(to), fromPath: toRelativePath(from), from: { ...(await nodeOf(from)), hash: sha256 },
      replaces: old === undefined ? undefined : await nodeOf(to),
    };
    const origin: CopyOrigin = { ...context, bucket: undefined, hashOf: () => Promise.resolve({ kind: 'absent' }) };
    const outcomes: CopyOutcome[] = [];
    for await (const batch of copyWithin(context, origin, [request], undefined, { sizes: SMALL })) outcomes.push(...batch.map(({ outcome }) => outcome));
    expect(outcomes).toMatchObject([{ kind: 'copied', sha256, targetToken: (await nodeOf(to)).token }]);
    expect(Buffer.compare((await bucket.outside.get(to))!, content)).toBe(0);
    for await (const upload of bucket.api.listUploads(to)) throw new Error(`an upload is left: ${upload.uploadId}`);
  });
});
