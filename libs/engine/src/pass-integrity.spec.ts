/** Group 4 of the torture list: a file arrives whole or not at all. */

import { describe, expect, it } from '@jest/globals';
import type { CopyFrom } from '@wl/ports';

import { carriedStorage } from './carried-storage.js';
import { files, Rig, synced, trashed } from './testing/rig.js';

const LONG = 'x'.repeat(100);
const SMALL_CHUNKS = { chunkBytes: 10 };

describe('copying', () => {
  it('T41: a source that ends early leaves the target as it was', async () => {
    const rig = await synced({ a: 'old', b: 'b' }, { backend: SMALL_CHUNKS });
    rig.sourceTree.write('a', LONG);
    const read = rig.source.read.bind(rig.source);
    rig.source.read = async (path, expected, signal) => {
      const opened = await read(path, expected, signal);
      if (!opened.ok) return opened;
      const { value } = opened;
      const cut = async function* () {
        let chunks = 0;
        for await (const chunk of value.chunks()) if ((chunks += 1) <= 4) yield chunk;
      };
      return { ok: true, value: { attributes: value.attributes, chunks: cut, isUnchanged: () => value.isUnchanged(), close: () => value.close() } };
    };
    const report = await rig.pass();
    expect(report).toMatchObject({ copiedFiles: 0, problems: [{ path: 'a' }] });
    expect(files(rig.targetTree)).toEqual({ a: 'old', b: 'b' });
    expect(rig.targetTree.staging.size).toBe(0);
  });

  it.each(['grows', 'shrinks', 'changes in place', 'is replaced', 'is removed'])('T42: a file that %s while it is read is not brought over torn', async (gesture) => {
    const rig = await synced({ a: 'old', b: 'b' }, { backend: SMALL_CHUNKS });
    rig.sourceTree.write('a', LONG);
    let chunks = 0;
    rig.source.faults.on('chunk', 'after', ({ path }) => {
      chunks += 1;
      if (path !== 'a' || chunks !== 3) return;
      if (gesture === 'grows') rig.sourceTree.append('a', 'more');
      if (gesture === 'shrinks') rig.sourceTree.write('a', LONG.slice(0, 15));
      if (gesture === 'changes in place') rig.sourceTree.write('a', LONG.replaceAll('x', 'y'));
      if (gesture === 'is replaced') rig.sourceTree.save('a', 'another');
      if (gesture === 'is removed') rig.sourceTree.remove('a');
    });
    const seen = new Set<string | undefined>();
    rig.target.faults.on('*', 'after', () => void seen.add(rig.targetTree.text('a')));
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [] });
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
    expect([...seen].every((text) => text === 'old' || text === rig.sourceTree.text('a'))).toBe(true);
  });

  it('T42: a file that never comes to rest is told as such, and the others are copied', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.write('b', 'two');
    rig.source.faults.on('read', 'before', ({ path }) => void (path === 'a' && rig.sourceTree.append('a', '.')));
    rig.sourceTree.append('a', '.');
    const { report, unsettled } = await rig.result();
    expect(report).toMatchObject({ copiedFiles: 1, conflicts: 0, problems: [{ path: 'a', reason: 'changing' }] });
    expect(unsettled).toEqual(['a']);
    rig.source.faults.clear();
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [] });
  });

  it('T42: a file that changes between being listed and being hashed, size and all, breaks nothing', async () => {
    for (const side of ['source', 'target'] as const) {
      const rig = await synced({ a: '12345', b: 'b' });
      rig.sourceTree.write('a', 'abcde');
      rig.targetTree.write('a', '123456');
      rig.tree(side).write('a', '54321');
      const stop = (side === 'source' ? rig.source : rig.target).faults.on('getHashes', 'before', ({ path }) => {
        if (path !== 'a') return;
        stop();
        rig.tree(side).write('a', side === 'source' ? 'sixsix' : 'fives');
      });
      expect(await rig.pass()).toMatchObject({ conflicts: 1, problems: [] });
    }
  });

  it('INV-27: bytes that arrive damaged are not shown', async () => {
    const rig = await synced({ a: 'old' });
    rig.sourceTree.write('a', 'new');
    rig.target.faults.fail('commit', { path: 'a', code: 'damaged' });
    expect(await rig.pass()).toMatchObject({ problems: [{ path: 'a', side: 'target', reason: 'damaged' }] });
    expect(rig.targetTree.text('a')).toBe('old');
    expect(rig.targetTree.staging.size).toBe(0);
  });

  it('T52, INV-16: a full target fails file by file, the others go on, and nothing is deleted to make room', async () => {
    const rig = await synced({ 'old/big': LONG, 'old/little': 'l', a: 'a', b: 'b', c: 'c', d: 'd' });
    rig.sourceTree.rename('old', 'new');
    rig.sourceTree.write('e', 'e');
    rig.targetTree.capacityBytes = rig.targetTree.usedBytes() + 20;
    const report = await rig.pass();
    expect(report.problems).toContainEqual(
      expect.objectContaining({ path: 'new/big', side: 'target', reason: 'no-space', message: expect.stringContaining('free some space on /memory/right') as unknown }),
    );
    expect(files(rig.targetTree)).toMatchObject({ e: 'e', 'new/little': 'l', 'old/big': LONG });
    expect(rig.targetTree.text('old/little')).toBeUndefined();
    rig.targetTree.capacityBytes = undefined;
    expect(await rig.pass()).toMatchObject({ problems: [], conflicts: 0 });
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
    expect(rig.targetTree.paths()).not.toContain('old');
  });

  it('T52: a deletion that has nothing to do with what does not fit is carried out', async () => {
    const rig = await synced({ gone: 'gone', a: 'a', b: 'b', c: 'c' });
    rig.sourceTree.remove('gone');
    rig.sourceTree.write('big', LONG);
    rig.targetTree.capacityBytes = rig.targetTree.usedBytes() + 20;
    expect(await rig.pass()).toMatchObject({ deletedFiles: 1, problems: [{ path: 'big', reason: 'no-space' }] });
  });

  it('INV-16: a directory that cannot be made holds up only what belongs into it', async () => {
    const rig = await synced({ a: '1', 'd/x': 'x' });
    for (const path of ['d/new/deep/file', 'd/new/file', 'e/file']) rig.sourceTree.write(path, path);
    rig.target.faults.fail('makeDirectory', { path: 'd/new', code: 'permission-denied' });
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, madeDirectories: 1, problems: [{ path: 'd/new', side: 'target', reason: 'permission-denied' }] });
    expect(await rig.pass()).toMatchObject({ copiedFiles: 2, problems: [] });
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
  });

  it('copies the same within one medium as through the process', async () => {
    const rig = await synced({ 'd/a': '1', b: '2', c: '3' }, { backend: { copiesWithin: true } });
    rig.sourceTree.write('d/a', 'one');
    rig.targetTree.write('new/n', 'n');
    rig.sourceTree.write('c', 'left');
    let edits = 0;
    rig.target.faults.on('copyFrom', 'before', ({ path }) => void (path === 'd/a' && (edits += 1) === 1 && rig.sourceTree.write('d/a', 'uno')));
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [] });
    expect(files(rig.targetTree)).toEqual({ 'd/a': 'uno', b: '2', c: 'left', 'new/n': 'n' });
    expect(files(rig.sourceTree)).toEqual(files(rig.targetTree));
  });

  it('carries what is too small to be worth a copy within one medium, unless a syncer has a way of its own', async () => {
    const backend = { copiesWithin: true, hasWholeFiles: true, copyFromBytes: 10 };
    for (const isCarried of [false, true]) {
      const rig = await synced({ a: '1', b: '2' }, { backend });
      rig.sourceTree.write('large', 'ten bytes!');
      rig.sourceTree.write('small', 'not ten');
      rig.sourceTree.write('a', 'one');
      const copied: string[] = [];
      rig.target.faults.on('copyFrom', 'before', ({ path }) => void copied.push(path));
      const { target } = rig;
      const copyFrom: CopyFrom = (...args) => target.copyFrom(...args);
      expect(await rig.pass('all', {}, isCarried ? { target: carriedStorage(target, copyFrom, true) } : {})).toMatchObject({ copiedFiles: 3, problems: [] });
      expect(copied.sort()).toEqual(isCarried ? ['a', 'large', 'small'] : ['large']);
      expect(files(rig.targetTree)).toEqual({ a: 'one', b: '2', large: 'ten bytes!', small: 'not ten' });
    }
  });

  it('ends all copying where one of two ways fails as a whole', async () => {
    const rig = await synced({ a: '1' }, { backend: { copiesWithin: true, hasWholeFiles: true, copyFromBytes: 10, batchSize: 1 } });
    for (let i = 0; i < 30; i += 1) rig.sourceTree.write(`large${String(i)}`, LONG);
    rig.sourceTree.write('b', 'small');
    rig.target.faults.fail('commit', { path: 'b', code: 'unreachable' });
    rig.target.faults.delay('copyFrom', 100, { times: Infinity });
    await expect(rig.pass()).rejects.toMatchObject({ code: 'unreachable' });
    expect(Object.keys(files(rig.targetTree)).length).toBeLessThan(10);
  });

  it('a storage that is gone ends the pass, and nothing of it goes on in the background', async () => {
    const rig = await synced({ a: '1' });
    for (let i = 0; i < 30; i += 1) rig.sourceTree.write(`n${String(i)}`, LONG);
    rig.target.faults.fail('commit', { path: 'n3', code: 'unreachable' });
    for (let i = 0; i < 30; i += 1) rig.target.faults.delay('commit', 100 * i, { path: `n${String(i)}` });
    await expect(rig.pass()).rejects.toMatchObject({ code: 'unreachable' });
    let calls = 0;
    for (const backend of [rig.source, rig.target]) backend.faults.on('*', 'before', () => void (calls += 1));
    await rig.clock.advance(60_000);
    expect(calls).toBe(0);
    expect(await rig.pass()).toMatchObject({ problems: [], conflicts: 0 });
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
  });

  it('a deletion that meets a storage that is gone leaves none running behind the pass', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `f${String(i).padStart(2, '0')}`);
    const rig = await synced(Object.fromEntries(names.map((name) => [name, name])));
    for (const name of names.slice(0, 25)) rig.sourceTree.remove(name);
    rig.target.faults.fail('remove', { path: 'f00', code: 'unreachable' });
    for (const name of names) rig.target.faults.delay('remove', 500, { path: name });
    await expect(rig.pass('all', { allowMassDelete: true })).rejects.toMatchObject({ code: 'unreachable' });
    const left = Object.keys(files(rig.targetTree)).length;
    await rig.clock.advance(60_000);
    expect(Object.keys(files(rig.targetTree))).toHaveLength(left);
    expect(rig.pair.totals().files).toBe(left);
  });
});

describe('replies that get lost', () => {
  const operations = ['commit', 'remove', 'makeDirectory', 'removeDirectory', 'setExecutable', 'openForSafeReplace', 'read', 'stat', 'flush', 'rootIdentity', 'list', 'getHashes'] as const;
  it.each(operations)('INV-18: of %s lead to neither conflict nor loss', async (operation) => {
    for (const path of [undefined, 'a', 'new', 'new/n', 'b', 'old', 'old/o']) {
      const rig = await synced({ a: '1', b: '2', 'old/o': 'o', keep: 'k', keep2: 'k2' });
      rig.sourceTree.write('a', 'one');
      rig.sourceTree.write('new/n', 'n');
      rig.sourceTree.remove('b');
      rig.sourceTree.remove('old');
      rig.sourceTree.setExecutable('keep', true);
      for (const backend of [rig.source, rig.target]) backend.faults.loseReply(operation, { ...(path !== undefined && { path }), times: 2 });
      for (let i = 0; i < 5; i += 1) await rig.pass().catch(() => undefined);
      const last = await rig.pass();
      expect(last).toMatchObject({ conflicts: 0, problems: [], copiedFiles: 0, deletedFiles: 0 });
      expect(last).not.toHaveProperty('permissions');
      expect(files(rig.sourceTree)).toEqual({ a: 'one', 'new/n': 'n', keep: 'k', keep2: 'k2' });
      expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
      expect(trashed(rig.targetTree).filter((text) => !['1', '2', 'o'].includes(text))).toEqual([]);
    }
  });

  it('INV-18: heal within one run where the storage says that trying again may help', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    rig.sourceTree.write('a', 'one');
    rig.sourceTree.remove('b');
    rig.sourceTree.write('d/n', 'n');
    rig.target.faults.loseReply('commit', { path: 'a' });
    rig.target.faults.loseReply('remove', { path: 'b' });
    rig.target.faults.fail('makeDirectory', { path: 'd' });
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [], files: 3 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });

  it('a failure that stays is told with its own reason, once', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.write('a', 'one');
    rig.target.faults.fail('commit', { path: 'a', times: Infinity });
    const { report, unsettled } = await rig.result();
    expect(report.problems).toMatchObject([{ path: 'a', side: 'target', reason: 'io-error' }]);
    expect(unsettled).toEqual(['a']);
  });

  it('new files stay new: a rig without a baseline copies both ways', async () => {
    const rig = new Rig();
    rig.sourceTree.write('a', '1');
    rig.target.faults.loseReply('commit', { path: 'a' });
    expect(await rig.pass()).toMatchObject({ problems: [], conflicts: 0, files: 1 });
  });
});
