import { beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath as at, type Token } from '@wl/domain';
import type { FileWriter } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';

import { MemoryBackend } from './memory-backend.js';
import { MemoryTree } from './memory-tree.js';
import { sha256Of } from './memory-writer.js';

describe('MemoryFaults', () => {
  let clock: ManualClock;
  let tree: MemoryTree;
  let backend: MemoryBackend;
  beforeEach(async () => {
    clock = new ManualClock();
    tree = new MemoryTree({ id: 'tree', clock });
    backend = new MemoryBackend(tree, { backendId: 'memory' });
    await backend.open();
  });

  const tokenOf = async (path: string): Promise<Token> => {
    const token = await backend.getFileToken(at(path));
    if (token === undefined) throw new Error(`no file at ${path}`);
    return token;
  };
  const writer = async (path: string, content: string, expected?: Token): Promise<FileWriter> => {
    const opened = await backend.openForSafeReplace(at(path), expected, { mtimeMs: 0 });
    await opened.write(new TextEncoder().encode(content));
    return opened;
  };
  const contentOf = (content: string) => ({ sha256: sha256Of(new TextEncoder().encode(content)), sizeBytes: content.length });
  const keys = async (): Promise<string[]> => {
    const listed: string[] = [];
    for await (const batch of backend.list(ROOT)) listed.push(...batch.keys);
    return listed;
  };

  it('fails an operation as often as asked, at its path only, doing nothing', async () => {
    tree.write('a', 'x');
    tree.write('b', 'x');
    backend.faults.fail('remove', { path: 'a', code: 'throttled', times: 2 });
    expect(await backend.remove(at('b'), await tokenOf('b'))).toMatchObject({ ok: true });
    for (let i = 0; i < 2; i += 1) {
      await expect(backend.remove(at('a'), await tokenOf('a'))).rejects.toMatchObject({ code: 'throttled', details: { retryable: true } });
    }
    expect(tree.text('a')).toBe('x');
    expect(await backend.remove(at('a'), await tokenOf('a'))).toMatchObject({ ok: true });
  });

  it('loses a reply after the operation was done', async () => {
    const opened = await writer('a', 'new');
    backend.faults.loseReply('commit');
    await expect(opened.commit(contentOf('new'))).rejects.toMatchObject({ code: 'io-error' });
    expect(tree.text('a')).toBe('new');
  });

  it('delays an operation on the clock', async () => {
    backend.faults.delay('stat', 1_000);
    let isDone = false;
    const stat = backend.stat(at('a')).then(() => (isDone = true));
    await clock.advance(999);
    expect(isDone).toBe(false);
    await clock.advance(1);
    await stat;
  });

  it('T06: cuts a listing in the middle by rejecting', async () => {
    for (let i = 0; i < 10; i += 1) tree.write(String(i), 'x');
    backend.faults.truncateListing(7);
    await expect(keys()).rejects.toMatchObject({ code: 'io-error' });
    expect(await keys()).toHaveLength(10);
  });

  it('T02, T06: ends a listing early as if that were all', async () => {
    for (let i = 0; i < 10; i += 1) tree.write(String(i), 'x');
    backend.faults.shortenListing(7);
    expect(await keys()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    expect(await keys()).toHaveLength(10);
  });

  it('T06: begins a listing again in the middle, once', async () => {
    for (const name of ['a', 'b', 'c']) tree.write(name, 'x');
    backend.faults.rewindListing(2);
    expect(await keys()).toEqual(['a', 'b', 'a', 'b', 'c']);
    expect(await keys()).toEqual(['a', 'b', 'c']);
  });

  it('forgets rules and keeps hooks where that is wanted', async () => {
    let calls = 0;
    backend.faults.on('stat', 'before', () => void (calls += 1));
    backend.faults.fail('stat', { times: Infinity });
    backend.faults.clearRules();
    expect(await backend.stat(at('a'))).toEqual({ kind: 'absent' });
    expect(calls).toBe(1);
  });

  it('tells observers which backend made a change, and of people nobody', async () => {
    const seen: (string | undefined)[] = [];
    tree.observe(({ by }) => seen.push(by));
    tree.write('a', 'x');
    await backend.makeDirectory(at('d'));
    await backend.remove(at('a'), await tokenOf('a'));
    expect(seen).toEqual([undefined, 'memory', 'memory']);
  });

  it('T49: tears what a crash leaves in the staging area, where nobody sees it', async () => {
    await writer('a', 'four');
    backend.crash();
    expect([...tree.staging.values()].map(({ chunks }) => Buffer.concat(chunks).toString())).toEqual(['fo']);
    expect(tree.paths()).toEqual([]);
  });

  it('T01: marks directories and files as unknown', async () => {
    for (const path of ['a', 'd/x', 'd/y', 'e/f', 'e/g', 'e/h', 'e/i']) tree.write(path, 'x');
    backend.faults.markUnknown('a', 'read-error');
    backend.faults.markUnknown('d', 'read-error');
    backend.faults.markUnknown('e', 'listing-incomplete');
    const rows: [string, string | undefined][] = [];
    for await (const batch of backend.list(ROOT)) for (const [i, key] of batch.keys.entries()) rows.push([key, batch.reasons.get(i)]);
    expect(rows).toEqual([['a', 'read-error'], ['d/', 'read-error'], ['e/', 'listing-incomplete'], ['e/f', undefined], ['e/g', undefined]]);
    expect(await backend.stat(at('a'))).toEqual({ kind: 'unknown', reason: 'read-error' });
  });

  it('T36: shows what was there before the last change', async () => {
    tree.write('a', 'old');
    const token = await tokenOf('a');
    tree.write('a', 'new');
    tree.write('b', 'new');
    backend.faults.staleReads('*', { times: 3 });
    expect(await backend.stat(at('a'))).toMatchObject({ token });
    expect(await backend.stat(at('b'))).toEqual({ kind: 'absent' });
    expect(await backend.getFileToken(at('a'))).toBe(token);
    expect(await backend.getFileToken(at('a'))).not.toBe(token);
    backend.faults.staleReads('list', { path: 'b' });
    expect(await keys()).toEqual(['a']);
  });

  it('T58: lets a commit and a removal through against their condition', async () => {
    tree.write('a', 'theirs');
    backend.faults.ignorePrecondition('commit');
    expect(await (await writer('a', 'ours')).commit(contentOf('ours'))).toMatchObject({ ok: true });
    expect(tree.text('a')).toBe('ours');
    expect([...tree.trash.values()].map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(['theirs']);
    backend.faults.ignorePrecondition('remove');
    expect(await backend.remove(at('a'), 'wrong' as Token)).toMatchObject({ ok: true });
  });

  it('moves a version in the way aside and names where it is', async () => {
    tree.write('a', 'theirs');
    backend.faults.displace();
    const result = await (await writer('a', 'ours')).commit(contentOf('ours'));
    if (result.ok) throw new Error('the commit went through');
    expect(tree.trash.get(result.error.leftover ?? '')).toMatchObject({ path: 'a', reason: 'displaced' });
    expect(tree.text('a')).toBeUndefined();
  });

  it('T55, T57: lets somebody act before and after every step', async () => {
    tree.write('a', 'one');
    const token = await tokenOf('a');
    const opened = await writer('a', 'ours', token);
    const seen: string[] = [];
    backend.faults.on('*', 'before', ({ operation }) => void seen.push(operation));
    const stop = backend.faults.on('commit', 'before', () => tree.write('a', 'saved meanwhile'));
    expect(await opened.commit(contentOf('ours'))).toMatchObject({ ok: false });
    stop();
    expect(tree.text('a')).toBe('saved meanwhile');
    await backend.stat(at('a'));
    expect(seen).toEqual(['commit', 'stat']);
  });

  it('T52: rejects writes when the storage is full, staged bytes and trash included', async () => {
    tree.capacityBytes = 10;
    tree.write('a', '12345678');
    await expect(writer('b', '123')).rejects.toMatchObject({ code: 'no-space' });
    expect(tree.staging.size).toBe(1);
    tree.capacityBytes = undefined;
    await writer('c', '123');
  });

  it('T42: answers changing for a file that changes whenever it is hashed', async () => {
    tree.write('a', 'x');
    const stop = backend.faults.on('getHashes', 'after', () => tree.append('a', 'more'));
    expect(await backend.getHashes([at('a')])).toEqual([{ kind: 'changing' }]);
    stop();
    expect(await backend.getHashes([at('a')])).toMatchObject([{ kind: 'hashed', node: { hash: sha256Of(new TextEncoder().encode('xmoremoremore')) } }]);
  });

  it('tells hashes with the nodes when asked to keep them', async () => {
    const keeper = new MemoryBackend(tree, { backendId: 'keeper', keepsHashes: true });
    await keeper.open();
    tree.write('a', 'x');
    expect(await keeper.stat(at('a'))).toMatchObject({ hash: sha256Of(new TextEncoder().encode('x')) });
    expect(await backend.stat(at('a'))).toMatchObject({ hash: undefined });
  });

  it('INV-17: copies neither a source nor onto a target that somebody changes in the middle', async () => {
    const source = new MemoryTree({ id: 'source', clock });
    const from = new MemoryBackend(source, { backendId: 'from' });
    const to = new MemoryBackend(tree, { backendId: 'to', copiesWithin: true });
    await from.open();
    await to.open();
    const requests = [];
    for (const path of ['a', 'b', 'c']) {
      source.write(path, 'x');
      const node = await from.stat(at(path));
      if (node.kind === 'file') requests.push({ path: at(path), from: node, replaces: undefined });
    }
    to.faults.on('copyFrom', 'before', ({ path }) => {
      if (path === 'a') source.write('a', 'changed');
      if (path === 'b') tree.write('b', 'theirs');
    });
    const outcomes: string[] = [];
    for await (const batch of to.copyFrom(from, requests) ?? []) outcomes.push(...batch.map(({ outcome }) => outcome.kind));
    expect(outcomes).toEqual(['source-changed', 'target-changed', 'copied']);
    expect(tree.snapshot()).toEqual({ b: 'theirs', c: 'x' });
  });

  it('crashes leaving staged bytes that nobody sees and the next start removes', async () => {
    const opened = await writer('a', 'half');
    const other = new MemoryBackend(tree, { backendId: 'other machine' });
    await other.open();
    const alive = await other.openForSafeReplace(at('b'), undefined, { mtimeMs: 0 });
    backend.crash();
    await expect(opened.commit(contentOf('half'))).rejects.toMatchObject({ code: 'cancelled' });
    await expect(backend.stat(at('a'))).rejects.toMatchObject({ code: 'cancelled' });
    await expect(backend.open()).rejects.toMatchObject({ code: 'cancelled' });
    expect(tree.staging.size).toBe(2);
    backend = new MemoryBackend(tree, { backendId: 'memory' });
    await backend.open();
    expect(tree.staging.size).toBe(1);
    expect(await keys()).toEqual([]);
    expect(await alive.commit(contentOf(''))).toMatchObject({ ok: true });
  });

  it('tells an operation in flight nothing any more once it crashed', async () => {
    const opened = await writer('a', 'x');
    backend.faults.on('commit', 'after', () => backend.crash());
    await expect(opened.commit(contentOf('x'))).rejects.toMatchObject({ code: 'cancelled' });
    expect(tree.text('a')).toBe('x');
  });

  it('T04, T05: shows another identity when the volume is exchanged', async () => {
    tree.write('a', 'x');
    const ids = (await backend.rootIdentity({ mark: true })).ids;
    const volume = tree.unmount('empty-directory');
    expect(await keys()).toEqual([]);
    const { ids: others } = await backend.rootIdentity({ mark: false });
    expect(others.filter((id) => ids.includes(id))).toEqual([]);
    tree.mount(volume);
    expect((await backend.rootIdentity({ mark: false })).ids).toEqual(ids);
    expect(await keys()).toEqual(['a']);
  });

  it('is used only once open', () => {
    const unopened = new MemoryBackend(tree, { backendId: 'memory' });
    return expect(unopened.stat(at('a'))).rejects.toThrow('before open');
  });
});
