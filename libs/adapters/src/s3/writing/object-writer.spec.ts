/** Files written chunk by chunk, small and large, to all kinds of servers. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath, type Result } from '@wl/domain';
import type { Committed, StaleToken } from '@wl/ports';

import { S3Error } from '../s3-error.js';
import { AWS, CARELESS, CEPH, VERSIONED, type Manners, type MemoryBucket } from '../testing/memory-bucket.js';
import { LostReply, unreachable, type Hook } from '../testing/memory-s3-api.js';
import { openBucket, openMachine, type Machine, type MachineOptions } from '../testing/open-writing.js';
import { at, dieAt, losesNothing, SERVERS } from '../testing/servers.js';

import { sha256Of } from './digests.js';
import { ObjectWriter } from './object-writer.js';
import type { Sizes } from './sizes.js';

/** A machine with very small parts. */
const TINY: Sizes = { small: 16, part: 8, step: 2, single: 64, copiedPart: 32, pipe: 8 };
const KEY = 'big';
const MOMENTS = ['before', 'after'] as const;
const SMALL = 'small content';
const LARGE = 'large content, which takes some parts and not quite another';

interface Given {
  readonly manners?: Partial<Manners>;
  readonly old?: string;
  readonly text?: string;
  /** Whether the content is announced. */
  readonly isKnown?: boolean;
  readonly hook?: (bucket: MemoryBucket) => Hook;
  readonly options?: MachineOptions;
}

interface Run {
  readonly bucket: MemoryBucket;
  readonly machine: Machine;
  readonly oldTag: string | undefined;
  readonly outcome: Result<Committed, StaleToken> | 'failed';
  readonly failure: unknown;
}

function open({ bucket, machine, text, isKnown, expected }: { bucket: MemoryBucket; machine: Machine; text: string; isKnown: boolean; expected: string | undefined }): ObjectWriter {
  const content = { sha256: sha256Of(Buffer.from(text)), sizeBytes: text.length };
  void bucket;
  return new ObjectWriter(machine.context, { path: toRelativePath(KEY), key: KEY, expected, attributes: { mtimeMs: 5, ...(isKnown && { content }) } }, undefined, TINY);
}

/** Writes in chunks of seven bytes, out of one buffer that is used again. */
async function writeAll(writer: ObjectWriter, text: string): Promise<void> {
  const buffer = Buffer.alloc(7);
  for (let start = 0; start < text.length; start += 7) {
    const bytes = buffer.write(text.slice(start, start + 7));
    await writer.write(buffer.subarray(0, bytes));
    buffer.fill(0);
  }
}

async function run({ manners = {}, old, text = LARGE, isKnown = true, hook, options = {} }: Given): Promise<Run> {
  const { bucket, clock } = openBucket(manners);
  const oldTag = old === undefined ? undefined : bucket.put(KEY, old).etag;
  const machine = openMachine(bucket, { clock, ...options });
  if (hook !== undefined) machine.api.hook = hook(bucket);
  const writer = open({ bucket, machine, text, isKnown, expected: oldTag });
  let failure: unknown;
  const writing = writeAll(writer, text).then(() => writer.commit({ sha256: sha256Of(Buffer.from(text)), sizeBytes: text.length }));
  const outcome = await clock.runUntil(writing).catch((error: unknown) => {
    failure = error;
    return 'failed' as const;
  });
  await writer.abort();
  return { bucket, machine, oldTag, outcome, failure };
}

const CONTENTS = [
  ['a small file', SMALL, true],
  ['a large file', LARGE, true],
  ['a large file that was not announced', LARGE, false],
  ['a file that is too large for one request', `part${'x'.repeat(65)}`, true],
] as const;

describe.each(SERVERS)('a writer to %s', (_name, manners) => {
  describe.each(CONTENTS)('of %s', (_what, text, isKnown) => {
    it.each([['creates', undefined], ['replaces', 'old']] as const)('%s, leaving no upload behind', async (_verb, old) => {
      const { bucket, machine, outcome, oldTag } = await run({ manners, text, isKnown, ...(old !== undefined && { old }) });
      expect(bucket.text(KEY)).toBe(text);
      expect(outcome).toEqual({ ok: true, value: { token: `${bucket.current(KEY)!.etag}:${String(text.length)}`, isRacy: false } });
      expect(bucket.uploads.size).toBe(0);
      expect(machine.context.journal.all()).toEqual([]);
      expect(machine.kept.size).toBe(old === undefined || manners.isVersioned ? 0 : 1);
      expect([...machine.kept][0]).toBe(old === undefined || manners.isVersioned ? undefined : `${KEY} ${oldTag!}`);
    });

    it.each([['creating', undefined], ['replacing', 'old']] as const)('INV-5: while %s, what others write at any moment shows in the end or is kept', async (_verb, old) => {
      const given = { manners, text, isKnown, ...(old !== undefined && { old }) };
      const requests = (await run(given)).machine.api.calls.length;
      for (let number = 1; number <= requests; number += 1) {
        for (const moment of MOMENTS) {
          const { bucket, machine, outcome } = await run({ ...given, hook: (bucket) => at(number, moment, () => void bucket.put(KEY, 'theirs')) });
          const where = `${moment} ${machine.api.calls[number - 1]!} ${String(number)}`;
          if (bucket.text(KEY) !== 'theirs') expect([where, isUnseen(machine, manners, old, isKnown, text, number, moment)]).toEqual([where, true]);
          expect([where, outcome === 'failed']).toEqual([where, false]);
          expect([where, bucket.uploads.size]).toEqual([where, 0]);
        }
      }
    });

    it.each([['creating', undefined], ['replacing', 'old']] as const)('INV-18: while %s, a lost reply leads to neither conflict nor a second version', async (_verb, old) => {
      const given = { manners, text, isKnown, ...(old !== undefined && { old }) };
      const requests = (await run(given)).machine.api.calls.length;
      for (let number = 1; number <= requests; number += 1) {
        for (const lost of [new LostReply(), unreachable()]) {
          const { bucket, machine, outcome } = await run({ ...given, hook: () => at(number, 'after', () => { throw lost; }) });
          const request = machine.api.calls[number - 1]!;
          const written = (bucket.versions.get(KEY) ?? []).filter(({ content }) => Buffer.from(content).toString() === text);
          expect([request, written.length <= 1]).toEqual([request, true]);
          if (outcome !== 'failed') expect([request, outcome.ok, bucket.text(KEY)]).toEqual([request, true, text]);
          if (/^(putObject|putStream|completeUpload)/.test(request)) expect([request, outcome]).toMatchObject([request, { ok: true }]);
        }
      }
    });

    it('INV-6: a crash at any moment leaves the old content or the new, or a name in transition', async () => {
      for (const old of [undefined, 'old']) {
        const given = { manners, text, isKnown, ...(old !== undefined && { old }) };
        const requests = (await run(given)).machine.api.calls.length;
        for (let number = 1; number <= requests; number += 1) {
          for (const moment of MOMENTS) {
            const { bucket, machine, oldTag } = await run({ ...given, hook: () => dieAt(number, moment) });
            const now = bucket.text(KEY);
            const isTransition = old === undefined && now?.startsWith('wl is removing or writing') === true;
            expect(now === old || now === text || isTransition).toBe(true);
            if (old !== undefined && now === text && !manners.isVersioned) expect(machine.kept.has(`${KEY} ${oldTag!}`)).toBe(true);
          }
        }
      }
    });

    it('INV-6: nothing shows before commit, and an abort leaves nothing', async () => {
      const { bucket, clock } = openBucket(manners);
      const machine = openMachine(bucket, { clock });
      const old = bucket.put(KEY, 'old').etag;
      const writer = open({ bucket, machine, text, isKnown, expected: old });
      await writeAll(writer, text);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(bucket.text(KEY)).toBe('old');
      await writer.abort();
      await writer.abort();
      expect([bucket.text(KEY), bucket.uploads.size, machine.kept.size]).toEqual(['old', 0, 0]);
      expect(machine.context.journal.all()).toEqual([]);
      await expect(writer.write(Buffer.from('more'))).rejects.toMatchObject({ code: 'cancelled' });
    });

    it('INV-27: rejects what is not what it was said to be', async () => {
      const { bucket, clock } = openBucket(manners);
      const machine = openMachine(bucket, { clock });
      for (const wrong of [{ sha256: sha256Of(Buffer.from('else')), sizeBytes: text.length }, { sha256: sha256Of(Buffer.from(text)), sizeBytes: text.length + 1 }]) {
        // The hash of what was not announced is the caller's own affair: parts are verified one by one.
        if (!isKnown && wrong.sizeBytes === text.length) continue;
        const writer = open({ bucket, machine, text, isKnown, expected: undefined });
        await writeAll(writer, text);
        await expect(writer.commit(wrong)).rejects.toMatchObject({ code: 'damaged' });
        await writer.abort();
        expect([bucket.text(KEY), bucket.uploads.size]).toEqual([undefined, 0]);
      }
    });
  });

  it('INV-27: finds out that a server stored other bytes than it was sent, wherever that can be told', async () => {
    const hook = (bucket: MemoryBucket): Hook => {
      bucket.corrupt = (content) => (Buffer.from(content).includes('part') ? Buffer.from(content).fill('X', 0, 1) : content);
      return () => undefined;
    };
    const { outcome, failure } = await run({ manners: { ...manners, verifies: false }, hook });
    expect([outcome, (failure as { code?: string } | undefined)?.code]).toEqual(['failed', 'damaged']);
  });
});

/** Whether the moment lies between the last look that counts and the write, on a server that does not compare. */
function isUnseen(machine: Machine, manners: Manners, old: string | undefined, isKnown: boolean, text: string, number: number, moment: 'before' | 'after'): boolean {
  const isInParts = text.length > TINY.single || (text.length > TINY.small && !isKnown);
  const isCompared = isInParts && !manners.completeConditions ? manners.isVersioned : losesNothing(manners) || (old === undefined && manners.absent);
  if (isCompared) return false;
  const write = machine.api.calls.findIndex((call) => /^(putObject|putStream|completeUpload) /.test(call) && !isPlacing(machine, call)) + 1;
  return (number === write - 1 && moment === 'after') || (number === write && moment === 'before');
}

/** Whether a `PUT` was that of a placeholder: then an upload is completed later. */
function isPlacing(machine: Machine, call: string): boolean {
  return call.startsWith('putObject') && machine.api.calls.some((other) => other.startsWith('completeUpload'));
}

describe('a writer', () => {
  it('writes large files in the way that compares', async () => {
    const methods = async (manners: Partial<Manners>, isKnown: boolean, text = LARGE): Promise<string> =>
      [...new Set((await run({ manners, isKnown, text })).machine.api.calls.map((call) => call.split(' ')[0]))].join(' ');
    expect(await methods(AWS, true)).toBe('createUpload uploadPart listParts completeUpload headObject');
    expect(await methods(CEPH, true)).toBe('putStream');
    // Creating: the name is reserved by a placeholder.
    expect(await methods(CEPH, false)).toBe('createUpload uploadPart listParts putObject completeUpload headObject');
    expect(await methods(CEPH, true, 'x'.repeat(70))).toBe('createUpload uploadPart listParts putObject completeUpload headObject');
    expect(await methods(CARELESS, true)).toBe('createUpload uploadPart listParts headObject completeUpload');
    expect(await methods(VERSIONED, true)).toBe('createUpload uploadPart listParts headObject completeUpload listVersions');
  });

  it('says so when an endpoint can take a file in no way', async () => {
    const { outcome, failure } = await run({ manners: CEPH, isKnown: false, options: { abilities: { uploadsInParts: false } } });
    expect([outcome, (failure as { code?: string }).code]).toEqual(['failed', 'unsupported']);
  });

  it('sees what others wrote over a streamed request at once, and lets the caller finish', async () => {
    const { bucket, clock } = openBucket(CEPH);
    const machine = openMachine(bucket, { clock });
    const writer = open({ bucket, machine, text: LARGE, isKnown: true, expected: undefined });
    machine.api.putStream = async () => ({ kind: 'refused', mayBeOurs: false });
    await writeAll(writer, LARGE);
    expect(await writer.commit({ sha256: sha256Of(Buffer.from(LARGE)), sizeBytes: LARGE.length })).toEqual({ ok: false, error: { kind: 'stale-token' } });
  });

  it('INV-40: waits when the server does not take what is streamed', async () => {
    const { bucket, clock } = openBucket(CEPH);
    const machine = openMachine(bucket, { clock });
    let isRead = false;
    machine.api.putStream = async (_key, { chunks }) => {
      while (!isRead) await new Promise((resolve) => setImmediate(resolve));
      for await (const _chunk of chunks);
      return { kind: 'refused', mayBeOurs: false };
    };
    const writer = open({ bucket, machine, text: LARGE, isKnown: true, expected: undefined });
    let hasWritten = false;
    const writing = writeAll(writer, LARGE).then(() => (hasWritten = true));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(hasWritten).toBe(false);
    isRead = true;
    await writing;
    await writer.abort();
  });

  it('INV-40: holds as many parts as are under way and one more, however large the file', async () => {
    const { bucket, clock } = openBucket(AWS);
    const machine = openMachine(bucket, { clock });
    const buffers = new Set<ArrayBufferLike>();
    let [running, most] = [0, 0];
    const { uploadPart } = machine.api;
    machine.api.uploadPart = async (key, uploadId, partNumber, content, sha256, signal) => {
      buffers.add(content.buffer);
      running += 1;
      most = Math.max(most, running);
      for (let turn = 0; turn < 1 + (partNumber % 3); turn += 1) await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return uploadPart.call(machine.api, key, uploadId, partNumber, content, sha256, signal);
    };
    const text = 'abcdefgh'.repeat(100);
    const writer = open({ bucket, machine, text, isKnown: true, expected: undefined });
    await writeAll(writer, text);
    await writer.commit({ sha256: sha256Of(Buffer.from(text)), sizeBytes: text.length });
    expect(bucket.text(KEY)).toBe(text);
    expect(most).toBe(4);
    // Those of the last part, which is smaller, aside.
    expect(buffers.size).toBeLessThanOrEqual(6);
  });

  it.each([
    ['has a gap', (bucket: MemoryBucket) => void [...bucket.uploads.values()][0]!.parts.delete(2)],
    ['has a part twice', (bucket: MemoryBucket) => void [...bucket.uploads.values()][0]!.parts.set(99, [...bucket.uploads.values()][0]!.parts.get(1)!)],
    ['has another part in its place', (bucket: MemoryBucket) => void [...bucket.uploads.values()][0]!.parts.set(2, { content: Buffer.from('otherbyt'), etag: 'other' })],
  ])('T44: completes no upload whose list of parts %s', async (_what, disturb) => {
    const { bucket, outcome, failure, machine } = await run({
      hook: (bucket) => (call) => { if (call.method === 'listParts' && call.moment === 'before') disturb(bucket); },
    });
    expect([outcome, (failure as { code: string }).code]).toEqual(['failed', 'damaged']);
    expect([bucket.keys(), bucket.uploads.size, machine.context.journal.all()]).toEqual([[], 0, []]);
  });

  it('aborts at any moment of an upload without leaving anything', async () => {
    for (const manners of [AWS, CEPH, CARELESS]) {
      const requests = (await run({ manners, old: 'old' })).machine.api.calls.length;
      for (let number = 1; number <= requests; number += 1) {
        const { bucket, clock } = openBucket(manners);
        const machine = openMachine(bucket, { clock });
        const writer = open({ bucket, machine, text: LARGE, isKnown: true, expected: bucket.put(KEY, 'old').etag });
        const aborts: Promise<void>[] = [];
        machine.api.hook = async (call) => {
          if (call.number === number && call.moment === 'before') aborts.push(writer.abort());
          await new Promise((resolve) => setImmediate(resolve));
        };
        await clock.runUntil(writeAll(writer, LARGE).then(() => writer.commit({ sha256: sha256Of(Buffer.from(LARGE)), sizeBytes: LARGE.length })).catch(() => undefined));
        await Promise.all(aborts);
        await writer.abort();
        expect(['old', LARGE]).toContain(bucket.text(KEY));
        const left = machine.context.journal.all().map(({ uploadId }) => uploadId);
        // One that was stopped while it was being completed may wait for the next writer.
        expect([...bucket.uploads.keys()].filter((uploadId) => !left.includes(uploadId))).toEqual([]);
      }
    }
  });

  it('tells the caller what the server said, in the words of the port', async () => {
    const { failure } = await run({
      text: SMALL,
      hook: () => ({ moment }) => { if (moment === 'before') throw new S3Error('permission-denied', 'not allowed', { status: 403, isRetryable: false }); },
    });
    expect(failure).toMatchObject({ name: 'BackendError', code: 'permission-denied', details: { operation: 'replace', path: KEY, retryable: false } });
  });
});
