/** What becomes of one write on all kinds of servers: others at every moment, lost replies, crashes. */

import { describe, expect, it } from '@jest/globals';

import { S3Error } from '../s3-error.js';
import { CARELESS, CEPH, type MemoryBucket } from '../testing/memory-bucket.js';
import { LostReply, unreachable, type Call, type Hook } from '../testing/memory-s3-api.js';
import { openBucket, openMachine, type Machine } from '../testing/open-writing.js';
import { at, dieAt, losesNothing, SERVERS } from '../testing/servers.js';

import { sha256Of } from './digests.js';
import { METADATA, trustedHash } from './object-properties.js';
import { placeholderBytes } from './placeholder.js';
import type { SwapOutcome } from './swap.js';
import { writeObject } from './write-object.js';

const KEY = 'dir/file.bin';
const MOMENTS = ['before', 'after'] as const;

function write(machine: Machine, text: string, expected: string | undefined, signal?: AbortSignal): Promise<SwapOutcome> {
  const content = Buffer.from(text);
  return machine.clock.runUntil(
    writeObject(machine.context, { key: KEY, content, sha256: sha256Of(content), attributes: { mtimeMs: 1_600_000_000_123 }, expected }, signal),
  );
}

/** Requests of an undisturbed write. */
async function requestsOf(manners: Parameters<typeof openBucket>[0], old: string | undefined): Promise<number> {
  const { bucket, clock } = openBucket(manners);
  const expected = old === undefined ? undefined : bucket.put(KEY, old).etag;
  const machine = openMachine(bucket, { clock });
  await write(machine, 'ours', expected);
  return machine.api.calls.length;
}

/** One write with something happening at one moment. */
async function disturbed(
  manners: Parameters<typeof openBucket>[0],
  old: string | undefined,
  hook: (bucket: MemoryBucket) => Hook,
): Promise<{ bucket: MemoryBucket; machine: Machine; outcome: SwapOutcome | 'failed'; oldTag: string | undefined }> {
  const { bucket, clock } = openBucket(manners);
  const oldTag = old === undefined ? undefined : bucket.put(KEY, old).etag;
  const machine = openMachine(bucket, { clock });
  machine.api.hook = hook(bucket);
  const outcome = await write(machine, 'ours', oldTag).catch(() => 'failed' as const);
  return { bucket, machine, outcome, oldTag };
}

describe.each(SERVERS)('writing an object to %s', (_name, manners) => {
  it('creates where nothing is, and says what is there now', async () => {
    const { bucket, clock } = openBucket(manners);
    const outcome = await write(openMachine(bucket, { clock }), 'ours', undefined);
    expect(bucket.text(KEY)).toBe('ours');
    expect(outcome).toMatchObject({ kind: 'done', etag: bucket.current(KEY)!.etag });
  });

  it('replaces the version expected, which goes to the trash unless the bucket keeps it', async () => {
    const { bucket, machine, oldTag } = await disturbed(manners, 'old', () => () => undefined);
    expect(bucket.text(KEY)).toBe('ours');
    expect([...machine.kept]).toEqual(manners.isVersioned ? [] : [`${KEY} ${oldTag!}`]);
    if (manners.isVersioned) expect(bucket.versions.get(KEY)).toHaveLength(2);
  });

  it('INV-17: leaves a version alone that is not the one expected, and keeps nothing of it', async () => {
    const { bucket, clock } = openBucket(manners);
    const machine = openMachine(bucket, { clock });
    const stale = bucket.put(KEY, 'old').etag;
    bucket.put(KEY, 'theirs');
    expect(await write(machine, 'ours', stale)).toEqual({ kind: 'stale' });
    expect(await write(machine, 'ours', undefined)).toEqual({ kind: 'stale' });
    bucket.remove(KEY);
    expect(await write(machine, 'ours', stale)).toEqual({ kind: 'stale' });
    expect(bucket.text(KEY)).toBeUndefined();
    expect(machine.kept.size).toBe(0);
  });

  it.each([['creating', undefined], ['replacing', 'old']] as const)('INV-5: what others write at any moment while %s shows in the end, or is kept as a version', async (_what, old) => {
    const requests = await requestsOf(manners, old);
    for (let number = 1; number <= requests; number += 1) {
      for (const moment of MOMENTS) {
        const { bucket, outcome, machine } = await disturbed(manners, old, (bucket) => at(number, moment, () => void bucket.put(KEY, 'theirs')));
        const request = machine.api.calls[number - 1]!;
        const isWindow = !losesNothing(manners) && (old !== undefined || !manners.absent) && isBetweenLookAndWrite(machine, number, moment);
        expect([moment, request, bucket.text(KEY)]).toEqual([moment, request, isWindow ? 'ours' : 'theirs']);
        expect(outcome).not.toBe('failed');
      }
    }
  });

  it.each([['creating', undefined], ['replacing', 'old']] as const)('INV-18, T36: a reply lost at any moment while %s leads to neither conflict nor second upload', async (_what, old) => {
    const requests = await requestsOf(manners, old);
    for (let number = 1; number <= requests; number += 1) {
      for (const lost of [new LostReply(), unreachable()]) {
        const { bucket, outcome, machine } = await disturbed(manners, old, () => at(number, 'after', () => { throw lost; }));
        const request = machine.api.calls[number - 1]!;
        // Looking may fail, as it may at any time; the write itself is found to be done.
        if (request.startsWith('putObject')) expect([request, outcome]).toMatchObject([request, { kind: 'done', etag: bucket.current(KEY)!.etag, versionId: manners.isVersioned ? bucket.current(KEY)!.versionId : undefined }]);
        const written = (bucket.versions.get(KEY) ?? []).filter((version) => Buffer.from(version.content).toString() === 'ours');
        expect([request, written.length <= 1]).toEqual([request, true]);
        if (outcome !== 'failed') expect([request, outcome.kind, bucket.text(KEY)]).toEqual([request, 'done', 'ours']);
      }
    }
  });

  it('INV-6: a crash at any moment leaves the old content or the new, and the old one in the trash once it was replaced', async () => {
    const requests = await requestsOf(manners, 'old');
    for (let number = 1; number <= requests; number += 1) {
      for (const moment of MOMENTS) {
        const { bucket, machine, oldTag } = await disturbed(manners, 'old', () => dieAt(number, moment));
        expect(['old', 'ours']).toContain(bucket.text(KEY));
        const isOldKept = manners.isVersioned || machine.kept.has(`${KEY} ${oldTag!}`);
        expect(bucket.text(KEY) === 'old' || isOldKept).toBe(true);
      }
    }
  });

  it('INV-27: rejects what the server stored otherwise, and takes it away again where that is safe', async () => {
    const { bucket, clock } = openBucket(manners);
    bucket.corrupt = (content, key) => (key === KEY && content.length === 4 ? Buffer.from('0urs') : content);
    const machine = openMachine(bucket, { clock });
    // Where the server checked the signed hash and gives no MD5, it is believed.
    if (!manners.md5Tags && manners.verifies) {
      expect(await write(machine, 'ours', undefined)).toMatchObject({ kind: 'done' });
      return;
    }
    await expect(write(machine, 'ours', undefined)).rejects.toMatchObject({ kind: 'damaged' });
    const canRemove = manners.isVersioned || losesNothing(manners);
    expect(bucket.text(KEY)).toBe(canRemove ? undefined : '0urs');
  });
});

/** Whether a moment lies after the last look that is compared and before the write takes effect. */
function isBetweenLookAndWrite(machine: Machine, number: number, moment: Call['moment']): boolean {
  const put = machine.api.calls.findIndex((call) => call.startsWith('putObject')) + 1;
  return (number === put - 1 && moment === 'after') || (number === put && moment === 'before');
}

describe('writing an object', () => {
  it('records what others need to know of it, and its hash is believed', async () => {
    const { bucket, clock } = openBucket({ keepsChecksums: false });
    const machine = openMachine(bucket, { clock });
    await write(machine, 'ours', undefined);
    const head = (await machine.api.headObject(KEY))!;
    expect(Object.fromEntries(head.metadata)).toEqual({
      [METADATA.sha256]: sha256Of(Buffer.from('ours')),
      [METADATA.mtime]: '1600000000.123000000',
      [METADATA.etag]: head.etag,
      [METADATA.write]: 'machine-1',
    });
    expect(trustedHash(head)).toBe(sha256Of(Buffer.from('ours')));
  });

  it('does not take a version for its own that others wrote under our metadata', async () => {
    const { bucket, machine, outcome } = await disturbed({}, undefined, (bucket) => (call) => {
      if (call.method !== 'putObject' || call.moment !== 'after' || call.number > 1) return;
      // A program that keeps user metadata over new bytes; then our reply is lost.
      bucket.put(KEY, 'else', Object.fromEntries(bucket.current(KEY)!.properties.metadata));
      throw new LostReply();
    });
    expect(outcome).toEqual({ kind: 'stale' });
    expect(bucket.text(KEY)).toBe('else');
    expect(machine.api.calls.filter((call) => call.startsWith('putObject'))).toHaveLength(2);
  });

  it('two machines that write at once to a bucket with versions: the later gives way', async () => {
    const { bucket, clock } = openBucket({ ...CARELESS, isVersioned: true });
    const expected = bucket.put(KEY, 'old').etag;
    const [one, two] = [openMachine(bucket, { clock, name: 'one' }), openMachine(bucket, { clock, name: 'two' })];
    const outcomes = await Promise.all([write(one, 'first', expected), write(two, 'second', expected)]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['done', 'stale']);
    expect(bucket.text(KEY)).toBe(outcomes[0].kind === 'done' ? 'first' : 'second');
  });

  it('does not write over a placeholder: the name is in transition', async () => {
    const { bucket, clock } = openBucket(CEPH);
    bucket.put(KEY, placeholderBytes(7));
    expect(await write(openMachine(bucket, { clock }), 'ours', undefined)).toEqual({ kind: 'stale' });
  });

  it('refuses a file that would be taken for a placeholder', async () => {
    const { bucket, clock } = openBucket(CEPH);
    const text = Buffer.from(placeholderBytes(7)).toString();
    await expect(write(openMachine(bucket, { clock }), text, undefined)).rejects.toMatchObject({ kind: 'unsupported' });
    expect(bucket.keys()).toEqual([]);
  });

  it('keeps nothing in the trash of what the server refused to have replaced, for whatever reason', async () => {
    for (const manners of [{}, CARELESS]) {
      const refused = await disturbed(manners, 'old', () => ({ method, moment }) => {
        if (method === 'putObject' && moment === 'before') throw new S3Error('permission-denied', 'not allowed', { status: 403, isRetryable: false });
      });
      expect([refused.outcome, refused.machine.kept.size]).toEqual(['failed', 0]);
      const blind = await disturbed(manners, 'old', () => ({ method, number }) => {
        if (method === 'headObject' && number > 2) throw new S3Error('permission-denied', 'not allowed', { status: 403, isRetryable: false });
      });
      expect([blind.bucket.text(KEY), blind.machine.kept.size]).toEqual(['ours', 1]);
      const lost = await disturbed(manners, 'old', () => ({ method, moment }) => {
        if (method === 'putObject' && moment === 'before') throw unreachable();
      });
      expect([lost.outcome, lost.machine.kept.size]).toEqual(['failed', 1]);
    }
  });

  it('sends nothing once it was stopped', async () => {
    const { bucket, clock } = openBucket();
    await expect(write(openMachine(bucket, { clock }), 'ours', undefined, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
    expect(bucket.keys()).toEqual([]);
  });
});
