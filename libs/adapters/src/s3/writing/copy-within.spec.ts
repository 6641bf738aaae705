/** Copies within one endpoint: on the server where that is safe, else through this machine. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath, type FileNode, type Sha256, type Token } from '@wl/domain';
import type { CopyOutcome, CopyRequest, HashOutcome } from '@wl/ports';

import { AWS, CARELESS, CEPH, MemoryBucket, type Manners } from '../testing/memory-bucket.js';
import { LostReply, MemoryS3Api, unreachable, type Hook } from '../testing/memory-s3-api.js';
import { openBucket, openMachine, type Machine } from '../testing/open-writing.js';
import { at, dieAt, losesNothing, SERVERS } from '../testing/servers.js';

import { copyWithin, type CopyManner, type CopyOrigin } from './copy-within.js';
import { sha256Of } from './digests.js';
import { METADATA, trustedHash } from './object-properties.js';
import { isPlaceholder } from './placeholder.js';
import type { Sizes } from './sizes.js';

const SIZES: Sizes = { small: 16, part: 8, step: 2, single: 64, copiedPart: 32, pipe: 8 };
const CONTENT = 'content to be copied';
const HASH = sha256Of(Buffer.from(CONTENT));
const MOMENTS = ['before', 'after'] as const;

function node(bucket: MemoryBucket, key: string, hash: Sha256 | undefined = HASH): FileNode {
  const { etag, content } = bucket.current(key)!;
  return { kind: 'file', token: `${etag}:${String(content.length)}` as Token, sizeBytes: content.length, mtimeMs: 1500, hash, isRacy: false };
}

/** A source that is the storage itself, or another bucket. */
function originOf({ context }: Machine, other?: { readonly bucket: MemoryBucket; readonly api: MemoryS3Api }, hashOf?: CopyOrigin['hashOf']): CopyOrigin {
  const { keyOf, etagOf, tokenOf } = context;
  return { api: other?.api ?? context.api, bucket: other?.bucket.name, keyOf, etagOf, tokenOf, hashOf: hashOf ?? (() => Promise.resolve({ kind: 'absent' })) };
}

function request(bucket: MemoryBucket, replaces?: FileNode, from = 'source'): CopyRequest {
  return { path: toRelativePath('target'), fromPath: toRelativePath(from), from: node(bucket, from), replaces, attributes: { mtimeMs: 1500 } };
}

async function copyAll(machine: Machine, origin: CopyOrigin, requests: readonly CopyRequest[], signal?: AbortSignal, manner: CopyManner = {}): Promise<CopyOutcome[]> {
  const outcomes: CopyOutcome[] = [];
  const running = (async () => {
    for await (const batch of copyWithin(machine.context, origin, requests, signal, { sizes: SIZES, ...manner })) for (const { index, outcome } of batch) outcomes[index] = outcome;
    return outcomes;
  })();
  return machine.clock.runUntil(running);
}

interface Given {
  readonly manners: Partial<Manners>;
  readonly old?: string;
  readonly hook?: (bucket: MemoryBucket) => Hook;
}

async function copyOne({ manners, old, hook }: Given): Promise<{ bucket: MemoryBucket; machine: Machine; outcome: CopyOutcome; oldTag: string | undefined }> {
  const { bucket, clock } = openBucket(manners);
  bucket.put('source', CONTENT);
  const oldTag = old === undefined ? undefined : bucket.put('target', old).etag;
  const machine = openMachine(bucket, { clock });
  const copy = request(bucket, old === undefined ? undefined : node(bucket, 'target'));
  if (hook !== undefined) machine.api.hook = hook(bucket);
  const [outcome] = await copyAll(machine, originOf(machine), [copy]);
  return { bucket, machine, outcome: outcome!, oldTag };
}

describe.each(SERVERS)('copying within %s', (_name, manners) => {
  it.each([['creates', undefined], ['replaces', 'old']] as const)('%s the version asked for, and says what is at both ends', async (_verb, old) => {
    const { bucket, outcome, machine, oldTag } = await copyOne({ manners, ...(old !== undefined && { old }) });
    expect(bucket.text('target')).toBe(CONTENT);
    expect(outcome).toEqual({
      kind: 'copied',
      sha256: HASH,
      sizeBytes: CONTENT.length,
      sourceToken: node(bucket, 'source').token,
      isSourceRacy: false,
      targetToken: node(bucket, 'target').token,
      isTargetRacy: false,
    });
    const { metadata } = bucket.current('target')!.properties;
    expect([metadata.get(METADATA.sha256), metadata.get(METADATA.mtime)]).toEqual([HASH, '1.500000000']);
    expect([...machine.kept]).toEqual(old === undefined || manners.isVersioned ? [] : [`target ${oldTag!}`]);
  });

  it.each([['creating', undefined], ['replacing', 'old']] as const)('INV-5: while %s, what others write at any moment shows in the end or is kept', async (_verb, old) => {
    const given = { manners, ...(old !== undefined && { old }) };
    const requests = (await copyOne(given)).machine.api.calls.length;
    for (let number = 1; number <= requests; number += 1) {
      for (const moment of MOMENTS) {
        const { bucket, machine, outcome } = await copyOne({ ...given, hook: (bucket) => at(number, moment, () => void bucket.put('target', 'theirs')) });
        const where = `${moment} ${machine.api.calls[number - 1]!} ${String(number)}`;
        const write = machine.api.calls.findIndex((call) => /^(copyObject|putObject|putStream|completeUpload) target/.test(call) && !isPlacing(machine, call)) + 1;
        const isInWindow = (number === write - 1 && moment === 'after') || (number === write && moment === 'before');
        const isSafe = losesNothing(manners) && (manners.copyConditions || old !== undefined || manners.isVersioned);
        if (!isInWindow || isSafe) expect([where, bucket.text('target')]).toEqual([where, 'theirs']);
        expect([where, outcome.kind]).not.toEqual([where, 'failed']);
      }
    }
  });

  it.each([['creating', undefined], ['replacing', 'old']] as const)('INV-18: while %s, a lost reply leads to neither conflict nor a second copy', async (_verb, old) => {
    const given = { manners, ...(old !== undefined && { old }) };
    const requests = (await copyOne(given)).machine.api.calls.length;
    for (let number = 1; number <= requests; number += 1) {
      for (const lost of [new LostReply(), unreachable()]) {
        const { bucket, machine, outcome } = await copyOne({ ...given, hook: () => at(number, 'after', () => { throw lost; }) });
        const call = machine.api.calls[number - 1]!;
        const copies = (bucket.versions.get('target') ?? []).filter(({ content }) => Buffer.from(content).toString() === CONTENT);
        expect([call, copies.length <= 1]).toEqual([call, true]);
        if (outcome.kind !== 'failed') expect([call, outcome.kind, bucket.text('target')]).toEqual([call, 'copied', CONTENT]);
        if (/^(copyObject|putObject|putStream)/.test(call)) expect([call, outcome.kind]).toEqual([call, 'copied']);
      }
    }
  });

  it('INV-6: a crash at any moment leaves the old object, the whole copy, or a name in transition', async () => {
    for (const old of [undefined, 'old']) {
      const given = { manners, ...(old !== undefined && { old }) };
      const requests = (await copyOne(given)).machine.api.calls.length;
      for (let number = 1; number <= requests; number += 1) {
        for (const moment of MOMENTS) {
          const { bucket } = await copyOne({ ...given, hook: () => dieAt(number, moment) });
          const current = bucket.current('target');
          const isTransition = old === undefined && current !== undefined && isPlaceholder(current.etag, current.content.length);
          expect([old, CONTENT].includes(bucket.text('target')) || isTransition).toBe(true);
        }
      }
    }
  });

  it('INV-27: copies no other version of the source, at whatever moment it changes', async () => {
    const requests = (await copyOne({ manners })).machine.api.calls.length;
    for (let number = 1; number <= requests; number += 1) {
      for (const moment of MOMENTS) {
        const { bucket, outcome, machine } = await copyOne({ manners, hook: (bucket) => at(number, moment, () => void bucket.put('source', 'another one of it.')) });
        const where = `${moment} ${machine.api.calls[number - 1]!}`;
        expect([where, ['copied', 'source-changed']]).toEqual([where, expect.arrayContaining([outcome.kind])]);
        if (outcome.kind === 'copied') expect([where, bucket.text('target')]).toEqual([where, CONTENT]);
        // What cannot be taken away again is not said to be the copy.
        else if (losesNothing(manners)) expect([where, bucket.text('target')]).toEqual([where, undefined]);
      }
    }
  });

  it('INV-17: leaves a target alone that is not what was expected, and asks for no copy of another source', async () => {
    const { bucket, clock } = openBucket(manners);
    const machine = openMachine(bucket, { clock });
    bucket.put('source', CONTENT);
    const seen = node(bucket, 'source');
    const gone = { ...request(bucket), from: { ...seen, token: 'other:20' as Token } };
    bucket.put('target', 'theirs');
    const outcomes = await copyAll(machine, originOf(machine), [
      request(bucket),
      request(bucket, { ...node(bucket, 'target'), token: 'other:6' as Token }),
      gone,
      { ...gone, fromPath: toRelativePath('missing') },
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['target-changed', 'target-changed', 'source-changed', 'source-changed']);
    expect(bucket.text('target')).toBe('theirs');
    expect(machine.kept.size).toBe(0);
  });
});

/** Whether a `PUT` was that of a placeholder. */
function isPlacing(machine: Machine, call: string): boolean {
  return call.startsWith('putObject') && machine.api.calls.some((other) => other.startsWith('copyObject'));
}

const methods = ({ machine }: { machine: Machine }): string => [...new Set(machine.api.calls.map((call) => call.split(' ')[0]))].join(' ');

describe('copies within an endpoint', () => {
  it('are made by the server where that is as safe as a write, else by a stream', async () => {
    expect(methods(await copyOne({ manners: AWS }))).toBe('headObject copyObject');
    expect(methods(await copyOne({ manners: AWS, old: 'old' }))).toBe('headObject copyObject');
    expect(methods(await copyOne({ manners: CEPH }))).toBe('headObject putObject copyObject');
    expect(methods(await copyOne({ manners: CEPH, old: 'old' }))).toBe('headObject getObject putStream');
    expect(methods(await copyOne({ manners: CARELESS, old: 'old' }))).toBe('headObject copyObject');
  });

  it('come from another bucket of the endpoint', async () => {
    const { bucket, clock } = openBucket(CEPH);
    const other = new MemoryBucket(CEPH, () => clock.nowMs(), 'other');
    other.put('source', CONTENT);
    const machine = openMachine(bucket, { clock, others: new Map([['other', other]]) });
    const [outcome] = await copyAll(machine, originOf(machine, { bucket: other, api: new MemoryS3Api(other) }), [request(other)]);
    expect([outcome!.kind, bucket.text('target')]).toEqual(['copied', CONTENT]);
  });

  it('keep the hash believable where the server keeps the ETag, also that of an object in parts', async () => {
    const { bucket, clock } = openBucket(CEPH);
    bucket.store('source', Buffer.from(CONTENT), { metadata: new Map([[METADATA.executable, '1']]) }, { etag: '0123456789abcdef0123456789abcdef-2' });
    const machine = openMachine(bucket, { clock });
    // Without other attributes those of the source go along.
    const { attributes: _attributes, ...asItIs } = request(bucket);
    const [outcome] = await copyAll(machine, originOf(machine), [asItIs]);
    expect(outcome!.kind).toBe('copied');
    const head = (await machine.api.headObject('target'))!;
    expect([trustedHash(head), head.metadata.get(METADATA.executable)]).toEqual([HASH, '1']);
  });

  it('take the copy of an object in parts under another ETag, if the source is the same still', async () => {
    const { bucket, clock } = openBucket({ ...AWS, keepsChecksums: false });
    bucket.store('source', Buffer.from(CONTENT), { metadata: new Map() }, { etag: '0123456789abcdef0123456789abcdef-2' });
    const machine = openMachine(bucket, { clock });
    const [outcome] = await copyAll(machine, originOf(machine), [request(bucket)]);
    expect(outcome!.kind).toBe('copied');
    expect(trustedHash((await machine.api.headObject('target'))!)).toBeUndefined();
  });

  it('ask the source for a hash that is not known, of the same version', async () => {
    const answers: readonly [HashOutcome, string][] = [
      [{ kind: 'absent' }, 'source-changed'],
      [{ kind: 'changing' }, 'source-changed'],
      [{ kind: 'unknown', reason: 'read-error', message: 'unreadable' }, 'failed'],
    ];
    for (const hashed of ['same', 'other'] as const) {
      const { bucket, clock } = openBucket(AWS);
      bucket.put('source', CONTENT);
      const machine = openMachine(bucket, { clock });
      const from = node(bucket, 'source', undefined);
      const hashOf = (): Promise<HashOutcome> => Promise.resolve({ kind: 'hashed', node: { ...from, hash: HASH, token: hashed === 'same' ? from.token : ('other:20' as Token) } });
      const [outcome] = await copyAll(machine, originOf(machine, undefined, hashOf), [{ ...request(bucket), from: { ...from, hash: undefined } }]);
      expect(outcome!.kind).toBe(hashed === 'same' ? 'copied' : 'source-changed');
    }
    for (const [answer, expected] of answers) {
      const { bucket, clock } = openBucket(AWS);
      bucket.put('source', CONTENT);
      const machine = openMachine(bucket, { clock });
      const copy = { ...request(bucket), from: { ...node(bucket, 'source'), hash: undefined } };
      const [outcome] = await copyAll(machine, originOf(machine, undefined, () => Promise.resolve(answer)), [copy]);
      expect([outcome!.kind, bucket.text('target')]).toEqual([expected, undefined]);
    }
  });

  it('INV-27: do not stream what is not what the source was known to hold', async () => {
    const { bucket, clock } = openBucket(CEPH);
    bucket.put('source', CONTENT);
    bucket.put('target', 'old');
    const machine = openMachine(bucket, { clock });
    const wrong = { ...request(bucket, node(bucket, 'target')), from: node(bucket, 'source', sha256Of(Buffer.from('else'))) };
    const [outcome] = await copyAll(machine, originOf(machine), [wrong]);
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'damaged' } });
    expect([bucket.text('target'), machine.kept.size]).toEqual(['old', 0]);
  });

  it('INV-16: answer each request, and reject only when stopped', async () => {
    const { bucket, clock } = openBucket(AWS);
    const machine = openMachine(bucket, { clock, atOnce: 2 });
    const requests = Array.from({ length: 20 }, (_, index) => {
      bucket.put('source', CONTENT);
      return { ...request(bucket), path: toRelativePath(`target${String(index)}`) };
    });
    machine.api.hook = ({ key, moment }) => { if (key === 'target7' && moment === 'before') throw unreachable(); };
    const outcomes = await copyAll(machine, originOf(machine), requests);
    expect(outcomes.filter(({ kind }) => kind === 'copied')).toHaveLength(19);
    expect(outcomes[7]).toMatchObject({ kind: 'failed', error: { code: 'unreachable', details: { operation: 'copy', path: 'target7' } } });

    const stop = new AbortController();
    const stopped = openMachine(openBucket(AWS).bucket, { atOnce: 1 });
    stopped.api.hook = () => stop.abort();
    await expect(copyAll(stopped, originOf(stopped), requests, stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(stopped.api.calls.length).toBeLessThan(3);
  });

  it('stop when nobody asks for their outcomes any more', async () => {
    const { bucket, clock } = openBucket(AWS);
    const machine = openMachine(bucket, { clock, atOnce: 1 });
    bucket.put('source', CONTENT);
    const requests = Array.from({ length: 20 }, (_, index) => ({ ...request(bucket), path: toRelativePath(`target${String(index)}`) }));
    machine.api.hook = () => new Promise((resolve) => setImmediate(resolve));
    for await (const batch of copyWithin(machine.context, originOf(machine), requests, undefined, { sizes: SIZES })) if (batch.length > 0) break;
    expect(bucket.keys().length).toBeLessThan(10);
  });
});

const LARGE = 'x'.repeat(50) + 'y'.repeat(50);
const LARGE_HASH = sha256Of(Buffer.from(LARGE));

async function copyLarge({ manners, old, hook }: Given): Promise<{ bucket: MemoryBucket; machine: Machine; outcome: CopyOutcome }> {
  const { bucket, clock } = openBucket(manners);
  bucket.put('source', LARGE);
  if (old !== undefined) bucket.put('target', old);
  const machine = openMachine(bucket, { clock });
  const copy = { ...request(bucket, old === undefined ? undefined : node(bucket, 'target')), from: node(bucket, 'source', LARGE_HASH) };
  if (hook !== undefined) machine.api.hook = hook(bucket);
  const [outcome] = await copyAll(machine, originOf(machine), [copy]);
  return { bucket, machine, outcome: outcome! };
}

describe.each(SERVERS)('copying what is too large for one copy, within %s', (_name, manners) => {
  it.each([['creates', undefined], ['replaces', 'old']] as const)('%s it in parts that the server copies, and nothing passes through here where the server verifies', async (_verb, old) => {
    const { bucket, machine, outcome } = await copyLarge({ manners, ...(old !== undefined && { old }) });
    expect(outcome).toMatchObject({ kind: 'copied', sha256: LARGE_HASH, sizeBytes: 100, targetToken: node(bucket, 'target').token });
    expect([bucket.text('target'), bucket.uploads.size, machine.api.calls.filter((call) => call === 'copyPart target').length]).toEqual([LARGE, 0, 4]);
    expect(machine.api.calls.filter((call) => /^(getObject|putStream|uploadPart) /.test(call))).toEqual(manners.verifies ? [] : ['getObject target']);
  });

  it('INV-27: copies no other version of the source, at whatever moment it changes, and leaves no upload behind', async () => {
    const requests = (await copyLarge({ manners })).machine.api.calls.length;
    for (let number = 1; number <= requests; number += 1) {
      for (const moment of MOMENTS) {
        const { bucket, outcome, machine } = await copyLarge({ manners, hook: (bucket) => at(number, moment, () => void bucket.put('source', 'z'.repeat(100))) });
        const where = `${moment} ${machine.api.calls[number - 1]!}`;
        expect([where, ['copied', 'source-changed']]).toEqual([where, expect.arrayContaining([outcome.kind])]);
        expect([where, bucket.text('target')]).toEqual([where, outcome.kind === 'copied' ? LARGE : undefined]);
        expect([where, bucket.uploads.size]).toEqual([where, 0]);
      }
    }
  });

  it('INV-6, INV-18: a crash at any moment leaves the old object, the whole copy or a name in transition, and an upload that is on record', async () => {
    for (const old of [undefined, 'old']) {
      const given = { manners, ...(old !== undefined && { old }) };
      const requests = (await copyLarge(given)).machine.api.calls.length;
      for (let number = 1; number <= requests; number += 1) {
        for (const moment of MOMENTS) {
          const { bucket, machine } = await copyLarge({ ...given, hook: () => dieAt(number, moment) });
          const current = bucket.current('target');
          const isTransition = old === undefined && current !== undefined && isPlaceholder(current.etag, current.content.length);
          expect([old, LARGE].includes(bucket.text('target')) || isTransition).toBe(true);
          const known = new Set(machine.context.journal.idle().map(({ uploadId }) => uploadId));
          const isBeginning = machine.api.calls[number - 1] === 'createUpload target';
          if (!isBeginning) expect([...bucket.uploads.keys()].filter((id) => !known.has(id))).toEqual([]);
        }
      }
    }
  });
});

describe('copies for those who want no byte to pass through here', () => {
  it.each([
    ['replaces what the server does not compare', { manners: CEPH, old: 'old' }, 'the server does not compare what a copy of its own replaces'],
    ['copies without asking', { manners: AWS, old: 'old' }, undefined],
    ['creates', { manners: CEPH }, undefined],
  ])('say why not instead of streaming: %s', async (_what, { manners, old }: Given, obstacle) => {
    const { bucket, clock } = openBucket(manners);
    bucket.put('source', CONTENT);
    if (old !== undefined) bucket.put('target', old);
    const machine = openMachine(bucket, { clock });
    const [outcome] = await copyAll(machine, originOf(machine), [request(bucket, old === undefined ? undefined : node(bucket, 'target'))], undefined, { noStreams: true });
    expect(outcome).toMatchObject(obstacle === undefined ? { kind: 'copied' } : { kind: 'failed', error: { code: 'unsupported', message: expect.stringContaining(obstacle) } });
    expect(bucket.text('target')).toBe(obstacle === undefined ? CONTENT : old);
    expect(methods({ machine })).not.toMatch(/getObject|putStream|uploadPart/);
  });
});

describe('copies from a bucket that the keys of the target may not read', () => {
  async function copyBarred(manner: CopyManner, contents: readonly string[]): Promise<{ bucket: MemoryBucket; machine: Machine; outcomes: CopyOutcome[] }> {
    const { bucket, clock } = openBucket(AWS);
    const other = new MemoryBucket(AWS, () => clock.nowMs(), 'other');
    const machine = openMachine(bucket, { clock, others: new Map([['other', other]]), atOnce: 1 });
    machine.api.isBarredFromOthers = true;
    const requests = contents.map((content, index): CopyRequest => {
      other.put(`source${String(index)}`, content);
      return { ...request(other, undefined, `source${String(index)}`), path: toRelativePath(`target${String(index)}`), from: node(other, `source${String(index)}`, sha256Of(Buffer.from(content))) };
    });
    const outcomes = await copyAll(machine, originOf(machine, { bucket: other, api: new MemoryS3Api(other) }), requests, undefined, manner);
    return { bucket, machine, outcomes };
  }

  it('pass through this machine, and the server is asked once only', async () => {
    for (const content of [CONTENT, LARGE]) {
      const { bucket, machine, outcomes } = await copyBarred({}, [content, content]);
      expect(outcomes.map(({ kind }) => kind)).toEqual(['copied', 'copied']);
      expect([bucket.text('target0'), bucket.text('target1'), bucket.uploads.size]).toEqual([content, content, 0]);
      expect(machine.api.calls.filter((call) => /^copy/.test(call) && call.endsWith('target1'))).toEqual([]);
    }
  });

  it('fail with the reason where no byte is to pass through here', async () => {
    const { bucket, outcomes } = await copyBarred({ noStreams: true }, [CONTENT]);
    expect(outcomes).toMatchObject([{ kind: 'failed', error: { code: 'unsupported', message: expect.stringContaining('may not read the other one') } }]);
    expect(bucket.keys()).toEqual([]);
  });
});
