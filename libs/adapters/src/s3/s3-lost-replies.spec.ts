/**
 * T36: the server did what it was asked and the answer never came, or what it tells is a moment
 * old. Neither makes a conflict, a second upload or a loss (INV-18).
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, type FileNode, type RelativePath, type Token } from '@wl/domain';
import type { CopyOutcome } from '@wl/ports';

import type { S3Backend } from './s3-backend.js';
import { closeBenches, listed, openBench, read, streamed, tokenAt, write, written, type Bench } from './testing/bench.js';
import type { FaultEffect, Operation, S3ServerOptions } from './testing/server/index.js';

afterEach(closeBenches);

const SERVERS: readonly (readonly [name: string, options: S3ServerOptions])[] = [
  ['a server that compares everything', { preset: 'aws' }],
  ['Ceph', { preset: 'ceph' }],
  ['a versioned bucket of Ceph', { preset: 'ceph', versioned: true }],
  ['a versioned bucket', { preset: 'aws', versioned: true }],
  ['a server that compares nothing', { preset: 'ignoring' }],
  ['a server that refuses conditions', { preset: 'refusing' }],
];

/** Ways to lose an answer after the work. */
const LOSSES: readonly (readonly [name: string, effect: FaultEffect])[] = [
  ['the connection is reset', { kind: 'lose-reply' }],
  ['the headers come and no more', { kind: 'reset-after-headers' }],
  ['a proxy answers 502', { kind: 'error', status: 502, code: 'BadGateway', afterWork: true }],
];

/** Larger than what is written in one request. */
const LARGE = Buffer.alloc(9 * 1024 * 1024, 'large');

/** Writes of one key that took effect. */
function done(bench: Bench, path: string): number {
  const isWrite = (operation: Operation): boolean => operation === 'PutObject' || operation === 'CompleteMultipartUpload' || operation === 'CopyObject';
  return bench.server.log.entries.filter((entry) => isWrite(entry.operation) && entry.key === bench.prefix + path && entry.isDone).length;
}

async function copied(backend: S3Backend, from: string, path: string): Promise<CopyOutcome> {
  const node = (await backend.stat(toRelativePath(from))) as FileNode;
  const request = { path: toRelativePath(path), fromPath: toRelativePath(from), from: node, replaces: undefined };
  for await (const [result] of backend.copyFrom(backend, [request])!) return result!.outcome;
  throw new Error('there was no outcome');
}

describe.each(SERVERS)('%s', (_server, options) => {
  describe.each(LOSSES)('where %s', (_loss, effect) => {
    const lose = (bench: Bench, operation: Operation, path: string) => bench.server.fault({ operation, key: bench.prefix + path, effect });

    it('T36, INV-18: a file is created once', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      const fault = lose(bench, 'PutObject', 'a');
      const token = await written(backend, 'a', 'new');
      expect([bench.text('a'), await tokenAt(backend, 'a'), fault.hits, done(bench, 'a')]).toEqual(['new', token, 1, 1]);
    });

    it('T36, INV-18: a file is replaced once, and its old version kept once', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      const old = await written(backend, 'a', 'old');
      bench.server.log.clear();
      lose(bench, 'PutObject', 'a');
      const token = await written(backend, 'a', 'new', old);
      expect([bench.text('a'), await tokenAt(backend, 'a'), done(bench, 'a')]).toEqual(['new', token, 1]);
      expect(kept(bench)).toEqual(options.versioned === true ? [] : ['old']);
    });

    it('T36, INV-18: a file is removed, and no other version than that one', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      const token = await written(backend, 'a', 'old');
      lose(bench, 'DeleteObject', 'a');
      expect(await backend.remove(toRelativePath('a'), token)).toEqual({ ok: true, value: undefined });
      expect(bench.paths()).toEqual([]);
      expect(kept(bench)).toEqual(options.versioned === true ? [] : ['old']);
    });

    it('T36, INV-17, INV-18: a file that comes when another was removed stays, and the removed one is in the trash', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      const token = await written(backend, 'a', 'old');
      lose(bench, 'DeleteObject', 'a');
      bench.server.after('DeleteObject', () => void bench.put('a', 'of another machine'), { key: `${bench.prefix}a`, times: 1 });
      await backend.remove(toRelativePath('a'), token).catch(() => undefined);
      if (options.versioned === true) {
        expect(bench.hands.versions(`${bench.prefix}a`).map(({ bytes }) => bytes.toString())).toEqual(expect.arrayContaining(['old', 'of another machine']));
      } else {
        expect(kept(bench)).toEqual(['old']);
      }
      expect(bench.text('a')).toBe('of another machine');
    });

    it('T36, INV-18: a copy is made once', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      await written(backend, 'a', 'content');
      lose(bench, 'CopyObject', 'b');
      const outcome = await copied(backend, 'a', 'b');
      expect(outcome).toMatchObject({ kind: 'copied', targetToken: await tokenAt(backend, 'b') });
      expect(bench.text('b')).toBe('content');
      expect(bench.server.log.of('CopyObject', `${bench.prefix}b`).filter(({ isDone }) => isDone)).toHaveLength(1);
    });

    it('T36, INV-10: the root is marked once', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      lose(bench, 'PutObject', '.wl/root-id');
      const { ids } = await backend.rootIdentity({ mark: true });
      expect(ids[0]).toBe(`marker:${bench.text('.wl/root-id')?.trim() ?? ''}`);
      expect((await (await bench.machine()).rootIdentity({ mark: true })).ids).toEqual(ids);
    });

    it('T36, INV-18: a directory is made', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      lose(bench, 'PutObject', 'd/');
      expect(await backend.makeDirectory(toRelativePath('d'))).toEqual({ ok: true, value: undefined });
      expect((await listed(backend)).keys).toEqual(['d/']);
    });
  });

  it('T36, INV-18: an upload in parts becomes one object', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    bench.server.fault({ operation: 'CompleteMultipartUpload', effect: { kind: 'lose-reply' } });
    const committed = await streamed(backend, 'a', LARGE, { isAnnounced: false });
    expect(committed).toMatchObject({ ok: true, value: { token: await tokenAt(backend, 'a') } });
    expect([bench.hands.get('photos/a')?.equals(LARGE), bench.hands.uploads()]).toEqual([true, []]);
    expect(bench.server.log.of('CompleteMultipartUpload').filter(({ isDone }) => isDone)).toHaveLength(1);
  });

  it('T36, INV-18: when no answer ever comes, a new look finds what was written, and nothing is lost', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const old = await written(backend, 'a', 'old');
    bench.server.fault({ operation: '*', key: (key) => key === 'photos/a', effect: { kind: 'lose-reply' }, times: Infinity });
    expect(await write(backend, 'a', 'new', old)).toMatchObject({ kind: 'failed', error: { code: 'unreachable', details: { retryable: true } } });
    bench.server.clearFaults();
    const [outcome] = await backend.getHashes([toRelativePath('a')]);
    expect(outcome?.kind).toBe('hashed');
    expect(['old', 'new']).toContain(bench.text('a'));
    const versions = bench.hands.versions('photos/a').map(({ bytes }) => bytes.toString());
    expect([...versions, ...kept(bench)]).toContain('old');
  });

  it('T36, INV-18: a write that loses its answer and then the race is a change of the other, and is not repeated', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const old = await written(backend, 'a', 'old');
    bench.server.fault({ operation: 'PutObject', key: 'photos/a', effect: { kind: 'lose-reply' } });
    bench.server.after('PutObject', () => void bench.put('a', 'of another machine'), { key: 'photos/a', times: 1 });
    const outcome = await write(backend, 'a', 'new', old);
    expect(['stale', 'failed']).toContain(outcome.kind);
    expect(bench.text('a')).toBe('of another machine');
  });

  describe('that tells what was a moment ago', () => {
    it.each([1, 2])('T36, INV-17: a file is created and replaced, when %d looks after it are stale', async (times) => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      let token: Token | undefined;
      for (const text of ['one', 'two']) {
        // Looks before the write are true: the fault begins with the write itself.
        const unhook = bench.server.after('PutObject', () => void bench.server.fault({ operation: 'HeadObject', key: 'photos/a', times, effect: { kind: 'stale' } }), { key: 'photos/a', times: 1 });
        token = await written(backend, 'a', text, token);
        unhook();
        bench.server.clearFaults();
        expect([bench.text('a'), await tokenAt(backend, 'a')]).toEqual([text, token]);
      }
      expect(done(bench, 'a')).toBe(2);
    });

    it('T36: a large file is written, when the looks after it are stale', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      bench.server.after('CompleteMultipartUpload', () => void bench.server.fault({ operation: 'HeadObject', key: 'photos/a', times: 2, effect: { kind: 'stale' } }), { times: 1 });
      const committed = await streamed(backend, 'a', LARGE, { isAnnounced: false });
      bench.server.clearFaults();
      expect(committed).toMatchObject({ ok: true, value: { token: await tokenAt(backend, 'a') } });
    });

    it('T36: a copy is made, when the look after it is stale', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      await written(backend, 'a', 'content');
      bench.server.after('CopyObject', () => void bench.server.fault({ operation: 'HeadObject', key: 'photos/b', times: 1, effect: { kind: 'stale' } }), { key: 'photos/b', times: 1 });
      expect(await copied(backend, 'a', 'b')).toMatchObject({ kind: 'copied' });
      bench.server.clearFaults();
      expect(bench.text('b')).toBe('content');
    });

    it('T36, INV-17: a look that is stale never lets an old version be replaced', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      const old = await written(backend, 'a', 'old');
      bench.put('a', 'of another machine');
      bench.server.fault({ operation: 'HeadObject', key: 'photos/a', times: Infinity, effect: { kind: 'stale' } });
      const outcome = await write(backend, 'a', 'new', old);
      bench.server.clearFaults();
      const survives = [bench.text('a'), ...kept(bench), ...bench.hands.versions('photos/a').map(({ bytes }) => bytes.toString())];
      // A server that compares nothing and tells what was: a moment that its capabilities name.
      if (backend.capabilities.replace === 'window') return;
      expect([outcome.kind, survives.includes('of another machine')]).toEqual(['stale', true]);
    });
  });
});

function kept(bench: Bench): (string | undefined)[] {
  return bench.area('trash/').map((key) => bench.hands.text(key));
}

it('T36, INV-18: what was written is read by others, whoever lost the answer', async () => {
  const bench = await openBench({ preset: 'ceph' });
  const [one, other] = [await bench.machine(), await bench.machine()];
  bench.server.fault({ operation: 'PutObject', key: 'photos/a', effect: { kind: 'lose-reply' } });
  const token = await written(one, 'a', 'text');
  const path: RelativePath = toRelativePath('a');
  expect([await other.getFileToken(path), await read(other, 'a', token)]).toEqual([token, 'text']);
});
