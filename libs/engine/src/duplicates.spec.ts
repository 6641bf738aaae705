/** Issue 3, moves and duplicates: what the destination has is copied there, and all ends as if it had been transferred (INV-33). */

import { describe, expect, it } from '@jest/globals';

import { fileKey, toRelativePath } from '@wl/domain';
import { FINDABLE_BYTES } from '@wl/ports';
import type { MemoryStateOptions } from '@wl/adapters/memory-state';

import { synced, trashed, type Rig, type RigOptions } from './testing/rig.js';

const WITHIN: RigOptions = { backend: { copyWithinBytes: 1 } };

/** A text that is worth being found. */
function big(text: string): string {
  return text.padEnd(FINDABLE_BYTES, '.');
}

const LARGE = new Map<string, Uint8Array>();

/** The same as bytes, encoded once: some of these tests write and look at thousands of them. */
function bigBytes(text: string): Uint8Array {
  let bytes = LARGE.get(text);
  if (bytes === undefined) LARGE.set(text, (bytes = Buffer.from(big(text))));
  return bytes;
}

/** A text without its padding, where that is whole. */
function withoutPadding(bytes: Uint8Array): string {
  const end = bytes.indexOf('.'.charCodeAt(0));
  const text = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
  return end < 0 || Buffer.compare(bytes, bigBytes(text)) === 0 ? text : new TextDecoder().decode(bytes);
}

/** How often a backend was asked for something, by operation. */
function countCalls(backend: Rig['source']): Record<string, number> {
  const calls: Record<string, number> = {};
  backend.faults.on('*', 'before', ({ operation }) => void (calls[operation] = (calls[operation] ?? 0) + 1));
  return calls;
}

/** Texts without their padding, by path; directories are not among them. */
function seen(tree: Rig['sourceTree']): Record<string, string> {
  return Object.fromEntries(tree.paths().sort().flatMap((path) => {
    const bytes = tree.read(path);
    return bytes === undefined ? [] : [[path, withoutPadding(bytes)]];
  }));
}

/** What is in a trash, without padding, sorted. */
function kept(tree: Rig['sourceTree']): string[] {
  return [...tree.trash.values()].map(({ bytes }) => withoutPadding(bytes)).sort();
}

/** Both sides, their directories too. */
function bothSides({ sourceTree, targetTree }: Rig): unknown {
  return [sourceTree, targetTree].map((tree) => [tree.paths().sort(), seen(tree)]);
}

/** What there is to know of a rig when it has come to rest, its tokens excepted. */
function endOf(rig: Rig) {
  const rows = [...rig.pair.scan('' as never)].flatMap(({ keys, sizes, sourceTokens, targetTokens }) =>
    keys.map((key, i) => [key, sizes[i], sourceTokens[i] !== '', targetTokens[i] !== '']),
  );
  const times = (tree: Rig['sourceTree']) => Object.keys(seen(tree)).map((path) => {
    const place = tree.locate(path, true);
    return place.kind === 'found' && place.entry.kind === 'file' ? [path, place.entry.version.mtimeMs, place.entry.version.isExecutable] : [path];
  });
  return {
    source: seen(rig.sourceTree),
    target: seen(rig.targetTree),
    times: [times(rig.sourceTree), times(rig.targetTree)],
    rows,
    conflicts: rig.pair.conflicts().map(({ path, reason }) => `${reason} ${path}`),
    operations: [...rig.events.operations].sort(),
    trash: [trashed(rig.sourceTree).length, trashed(rig.targetTree).length],
  };
}

describe('a file whose content the destination holds', () => {
  it.each(['source', 'target'] as const)('is not transferred when it was renamed on the %s', async (side) => {
    const rig = await synced({ old: big('content'), other: 'o' }, WITHIN);
    const [here, there] = side === 'source' ? [rig.source, rig.target] : [rig.target, rig.source];
    const far = rig.tree(side === 'source' ? 'target' : 'source');
    rig.tree(side).rename('old', 'new');
    rig.tree(side).touch('new', 1_234_567);
    const [near, calls] = [countCalls(here), countCalls(there)];
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, deletedFiles: 1, problems: [], conflicts: 0 });
    expect(seen(far)).toEqual({ new: 'content', other: 'o' });
    expect(rig.events.operations).toEqual(['CREATE new', 'DELETE old']);
    // Hashed once where it is, opened once for its attributes, and no byte of it sent.
    expect(near).toMatchObject({ getHashes: 1, read: 1, chunk: 1 });
    expect(calls).toMatchObject({ copyFrom: 1 });
    for (const operation of ['openForSafeReplace', 'write', 'commit', 'getHashes']) expect(calls[operation]).toBeUndefined();
    expect(await there.stat(toRelativePath('new'))).toMatchObject({ mtimeMs: 1_234_567 });

    // INV-15, INV-31: the row tells of this file on both sides, so that the next pass reads nothing.
    const tokens = await Promise.all([rig.source, rig.target].map((backend) => backend.getFileToken(toRelativePath('new'))));
    expect(rig.pair.get(fileKey(toRelativePath('new')))).toMatchObject({ sourceToken: tokens[0], targetToken: tokens[1], sizeBytes: FINDABLE_BYTES });
    await rig.clock.advance(60_000);
    const [again, far2] = [countCalls(here), countCalls(there)];
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0 });
    for (const operation of ['getHashes', 'read', 'copyFrom']) expect([again[operation], far2[operation]]).toEqual([undefined, undefined]);
  });

  it('is copied for each of many new names, and over an older version', async () => {
    const rig = await synced({ a: big('one'), b: big('two'), c: 'c' }, WITHIN);
    for (let i = 0; i < 150; i += 1) rig.sourceTree.write(`copies/${String(i)}`, big('one'));
    rig.sourceTree.write('b', big('one'));
    rig.sourceTree.write('c', big('one'));
    const calls = countCalls(rig.target);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 152, problems: [] });
    expect(calls).toMatchObject({ copyFrom: 152 });
    expect(calls['openForSafeReplace']).toBeUndefined();
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
    expect(trashed(rig.targetTree).sort()).toEqual([big('two'), 'c'].sort());
  });

  it('is looked for once for all files of a size, and only among those worth it', async () => {
    const asked: string[] = [];
    const state: MemoryStateOptions = { onOperation: (operation) => void asked.push(operation) };
    const names = Array.from({ length: 60 }, (_, i) => `d/${String(i)}`);
    const rig = await synced(Object.fromEntries(names.map((name) => [name, big(name)])), { ...WITHIN, state });
    rig.sourceTree.rename('d', 'e');
    for (let i = 0; i < 20; i += 1) rig.sourceTree.write(`small/${String(i)}`, big('').slice(1));
    asked.length = 0;
    const calls = countCalls(rig.target);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 80, deletedFiles: 60, problems: [] });
    expect(asked.filter((operation) => operation === 'filesOfSize')).toHaveLength(1);
    expect(calls).toMatchObject({ copyFrom: 60, openForSafeReplace: 20 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });

  it('is transferred where the storages reach each other, or the destination would rather have it so', async () => {
    for (const backend of [{ copiesWithin: true, copyWithinBytes: 1 }, { copyWithinBytes: FINDABLE_BYTES + 1 }, {}]) {
      const asked: string[] = [];
      const rig = await synced({ old: big('content'), o: 'o' }, { backend, state: { onOperation: (operation) => void asked.push(operation) } });
      rig.sourceTree.rename('old', 'new');
      const calls = countCalls(rig.source);
      expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [] });
      expect(asked).not.toContain('filesOfSize');
      expect(calls['getHashes']).toBeUndefined();
    }
  });

  it('is not hashed where hashing is a transfer, unless the store tells its hash', async () => {
    for (const keepsHashes of [true, false]) {
      const rig = await synced({ old: big('content'), o: 'o' }, { backend: { copyWithinBytes: 1, hashesByTransfer: true, keepsHashes } });
      rig.sourceTree.rename('old', 'new');
      const [near, calls] = [countCalls(rig.source), countCalls(rig.target)];
      expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [] });
      expect(near['getHashes']).toBeUndefined();
      expect([keepsHashes, calls['copyFrom'], calls['openForSafeReplace']]).toEqual(keepsHashes ? [true, 1, undefined] : [false, undefined, 1]);
    }
  });

  it('INV-38: shows in a dry run as what it is, a file that comes and one that goes', async () => {
    const plans = [];
    for (const options of [WITHIN, {}]) {
      const rig = await synced({ old: big('content'), o: 'o' }, options);
      rig.sourceTree.rename('old', 'new');
      const before = rig.snapshots();
      plans.push((await rig.pass('all', {}, { isDryRun: true })).plan);
      expect(rig.snapshots()).toEqual(before);
    }
    expect(plans[0]).toEqual(plans[1]);
    expect(plans[0]).toMatchObject([{ operation: 'CREATE', path: 'new' }, { operation: 'DELETE', path: 'old' }]);
  });

  it('INV-39: counts as moved, so that a renamed folder is no mass deletion', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `d/${String(i)}`);
    const rig = await synced(Object.fromEntries(names.map((name) => [name, big(name)])), WITHIN);
    rig.sourceTree.rename('d', 'e');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 30, deletedFiles: 30, halt: undefined });
  });
});

describe('a file whose content the destination was thought to hold', () => {
  it('INV-24: of the same size is another one: it is transferred, hashed no more than once', async () => {
    const rig = await synced({ a: big('one'), o: 'o' }, WITHIN);
    rig.sourceTree.write('b', big('two'));
    const [near, calls] = [countCalls(rig.source), countCalls(rig.target)];
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [] });
    expect(rig.targetTree.text('b')).toBe(big('two'));
    expect(near['getHashes']).toBe(1);
    expect(calls['copyFrom']).toBeUndefined();
  });

  it('T30: is not taken from a version whose token was not to be trusted', async () => {
    const rig = await synced({ a: big('one'), o: 'o' }, WITHIN);
    const row = rig.pair.get(fileKey(toRelativePath('a')));
    if (row?.kind !== 'file') throw new Error('a has no row');
    rig.pair.commit([{ kind: 'put', key: fileKey(toRelativePath('a')), row: { ...row, targetToken: '' as never } }]);
    // A pass over the new name alone: one over all would renew the token.
    rig.sourceTree.write('b', big('one'));
    const calls = countCalls(rig.target);
    expect(await rig.pass(['b'])).toMatchObject({ copiedFiles: 1, problems: [] });
    expect(calls).toMatchObject({ openForSafeReplace: 1 });
    expect(calls['copyFrom']).toBeUndefined();
  });

  it.each([
    ['changed there', (rig: Rig) => rig.targetTree.write('old', big('edited'))],
    ['gone there', (rig: Rig) => rig.targetTree.remove('old')],
    ['exchanged for one with the same bytes', (rig: Rig) => rig.targetTree.save('old', big('content'))],
    ['unreadable there', (rig: Rig) => rig.target.faults.fail('read', { path: 'old', code: 'permission-denied', times: Infinity })],
    ['refused by the storage', (rig: Rig) => rig.target.faults.fail('copyFrom', { path: 'new', code: 'unsupported', times: Infinity })],
  ])('INV-17: is transferred when it is %s by then', async (_, meanwhile) => {
    const rig = await synced({ old: big('content'), o: 'o' }, WITHIN);
    rig.sourceTree.rename('old', 'new');
    const stop = rig.source.faults.on('read', 'before', () => {
      stop();
      meanwhile(rig);
    });
    const calls = countCalls(rig.target);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1 });
    expect(calls['openForSafeReplace']).toBe(1);
    expect(rig.targetTree.text('new')).toBe(big('content'));
  });

  it('T52, INV-16: that finds no room fails alone, and its old name is kept', async () => {
    const rig = await synced({ old: big('content'), a: 'a', b: 'b' }, WITHIN);
    rig.sourceTree.rename('old', 'new');
    rig.sourceTree.write('c', 'c');
    rig.targetTree.capacityBytes = rig.targetTree.usedBytes() + 10;
    const report = await rig.pass();
    expect(report.problems).toContainEqual(expect.objectContaining({ path: 'new', side: 'target', reason: 'no-space' }));
    expect(seen(rig.targetTree)).toEqual({ old: 'content', a: 'a', b: 'b', c: 'c' });
    rig.targetTree.capacityBytes = undefined;
    expect(await rig.pass()).toMatchObject({ problems: [], conflicts: 0 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });

  it('INV-7: whose copies come late leaves its old names alone that are in conflict by then', async () => {
    const rig = await synced({ 'd/a': 'a', 'd/b': 'b', o: 'o' });
    rig.targetTree.rename('d', 'e');
    // The copies break off; the person takes the old name for a file while the deletions wait for them.
    rig.target.faults.loseReply('read', { times: 2 });
    const stop = rig.target.faults.on('read', 'before', () => {
      stop();
      rig.targetTree.write('d', 'a file');
    });
    expect(await rig.pass()).toMatchObject({ copiedFiles: 2, conflicts: 1 });
    expect(seen(rig.sourceTree)).toEqual({ 'd/a': 'a', 'd/b': 'b', 'e/a': 'a', 'e/b': 'b', o: 'o' });
  });

  it('INV-5: tells of a version that a copy displaced', async () => {
    const rig = await synced({ old: big('content'), o: 'o' }, WITHIN);
    rig.sourceTree.rename('old', 'new');
    rig.target.faults.displace({ path: 'new' });
    rig.target.faults.on('copyFrom', 'before', ({ path }) => {
      if (rig.targetTree.text(path) === undefined && rig.targetTree.trash.size === 0) rig.targetTree.write(path, 'theirs');
    });
    const report = await rig.pass();
    expect(report.problems).toMatchObject([{ path: 'new', reason: 'leftover' }]);
    expect(trashed(rig.targetTree)).toContain('theirs');
  });

  it('ends the pass when the storage is gone, with nothing going on behind it', async () => {
    const rig = await synced({ old: big('content'), o: 'o' }, WITHIN);
    rig.sourceTree.rename('old', 'new');
    rig.target.faults.fail('*', { path: 'new', code: 'unreachable', times: Infinity });
    await expect(rig.pass()).rejects.toMatchObject({ code: 'unreachable' });
    const calls = [countCalls(rig.source), countCalls(rig.target)];
    await rig.clock.advance(60_000);
    expect(calls).toEqual([{}, {}]);
  });

  it('INV-18: whose copy was made and not confirmed is neither a conflict nor made twice', async () => {
    const rig = await synced({ old: big('content'), o: 'o' }, WITHIN);
    rig.sourceTree.rename('old', 'new');
    rig.target.faults.loseReply('copyFrom', { path: 'new' });
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [] });
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [], copiedFiles: 0 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
    expect(trashed(rig.targetTree)).toEqual([big('content')]);
  });
});

/** What people do to large files: name, the files that were in sync, what changed. */
const GESTURES: [string, Record<string, string>, (rig: Rig) => void][] = [
  ['renames a file', { a: 'one', k: 'k' }, (rig) => rig.sourceTree.rename('a', 'b')],
  ['renames a file on the other side', { a: 'one', k: 'k' }, (rig) => rig.targetTree.rename('a', 'b')],
  ['renames a folder', { 'd/a': 'one', 'd/b': 'two', 'd/e/c': 'three', k: 'k' }, (rig) => rig.sourceTree.rename('d', 'n')],
  ['duplicates a file', { a: 'one', k: 'k' }, (rig) => rig.sourceTree.write('b', bigBytes('one'))],
  ['duplicates a file over another', { a: 'one', b: 'two' }, (rig) => rig.sourceTree.write('b', bigBytes('one'))],
  ['swaps two files', { a: 'one', b: 'two', k: 'k' }, (rig) => rotate(rig, ['a', 'b'])],
  ['T68: rotates three files', { a: 'one', b: 'two', c: 'three', k: 'k' }, (rig) => rotate(rig, ['a', 'b', 'c'])],
  ['T69: renames a file differently on both sides', { a: 'one', k: 'k' }, (rig) => { rig.sourceTree.rename('a', 'b'); rig.targetTree.rename('a', 'c'); }],
  ['renames a file that is edited on the other side', { a: 'one', k: 'k' }, (rig) => { rig.sourceTree.rename('a', 'b'); rig.targetTree.write('a', bigBytes('edited')); }],
  ['renames a file and edits it', { a: 'one', k: 'k' }, (rig) => { rig.sourceTree.rename('a', 'b'); rig.sourceTree.write('b', bigBytes('edited')); }],
  ['renames a file onto a name that is new on the other side', { a: 'one', k: 'k' }, (rig) => { rig.sourceTree.rename('a', 'b'); rig.targetTree.write('b', bigBytes('theirs')); }],
  ['duplicates a file that is deleted on the other side', { a: 'one', k: 'k' }, (rig) => { rig.sourceTree.write('b', bigBytes('one')); rig.targetTree.remove('a'); }],
];

/** Those that are killed at every step: one of each kind of plan. */
const KILLED: ReadonlySet<string> = new Set(['renames a file', 'renames a folder', 'duplicates a file over another', 'swaps two files', 'T69: renames a file differently on both sides']);

function rotate({ sourceTree }: Rig, names: readonly string[]): void {
  names.forEach((name, i) => sourceTree.rename(name, `moving ${String(i)}`));
  names.forEach((_, i) => sourceTree.rename(`moving ${String(i)}`, names[(i + 1) % names.length]!));
}

async function prepared(before: Record<string, string>, gesture: (rig: Rig) => void, options: RigOptions): Promise<Rig> {
  const rig = await synced(Object.fromEntries(Object.entries(before).map(([path, text]) => [path, bigBytes(text)])), options);
  gesture(rig);
  await rig.clock.advance(60_000);
  return rig;
}

describe('somebody who', () => {
  it.each(GESTURES)('INV-33: %s ends, whether content is transferred or copied there, in the same state', async (_, before, gesture) => {
    for (const isUnidirectional of [false, true]) {
      const ends = [];
      for (const options of [{}, WITHIN]) {
        const rig = await prepared(before, gesture, { ...options, isUnidirectional });
        await rig.pass();
        await rig.clock.advance(60_000);
        await rig.pass();
        ends.push(endOf(rig));
      }
      expect(ends[1]).toEqual(ends[0]);
    }
  });

  it.each(GESTURES.filter(([name]) => KILLED.has(name)))('T88, INV-16: %s, killed at whatever step, ends as if undisturbed', async (_, before, gesture) => {
    const undisturbed = await prepared(before, gesture, WITHIN);
    await undisturbed.pass();
    const expected = bothSides(undisturbed);
    const conflicts = undisturbed.pair.conflicts().map(({ path }) => path);
    for (let step = 1, isKilled = true; isKilled; step += 1) {
      const rig = await prepared(before, gesture, WITHIN);
      isKilled = await strikeAt(rig, step, () => {
        rig.source.crash();
        rig.target.crash();
      });
      if (isKilled) rig.restart();
      await rig.pass();
      expect([step, bothSides(rig)]).toEqual([step, expected]);
      expect([step, rig.pair.conflicts().map(({ path }) => path)]).toEqual([step, conflicts]);
      expect([step, rig.sourceTree.staging.size, rig.targetTree.staging.size]).toEqual([step, 0, 0]);
    }
  });

  it.each([
    ['takes the new name on the other side', (rig: Rig) => rig.targetTree.write('b', bigBytes('theirs'))],
    ['edits the old name on the other side', (rig: Rig) => rig.targetTree.write('a', bigBytes('theirs'))],
    ['saves anew over the old name on the other side', (rig: Rig) => rig.targetTree.save('a', bigBytes('theirs'))],
    ['edits the new name', (rig: Rig) => rig.sourceTree.write('b', bigBytes('theirs'))],
    ['saves anew over the new name', (rig: Rig) => rig.sourceTree.save('b', bigBytes('theirs'))],
    ['puts another file in the old place', (rig: Rig) => rig.sourceTree.write('a', bigBytes('theirs'))],
  ])('INV-5, INV-17: %s at any moment of a rename loses nothing', async (_, act) => {
    const rename = (rig: Rig): void => rig.sourceTree.rename('a', 'b');
    for (let step = 1, isReached = true; isReached; step += 1) {
      const rig = await prepared({ a: 'one', k: 'k' }, rename, WITHIN);
      isReached = await strikeAt(rig, step, () => act(rig));
      for (let i = 0; i < 2; i += 1) {
        await rig.clock.advance(60_000);
        await rig.pass();
      }
      if (!isReached) break;
      const visible = [...Object.values(seen(rig.sourceTree)), ...Object.values(seen(rig.targetTree))];
      const all = [...visible, ...[rig.sourceTree, rig.targetTree].flatMap(kept)];
      expect([step, visible.includes('theirs')]).toEqual([step, true]);
      expect([step, all.includes('one')]).toEqual([step, true]);
      // Converged but for conflicts, and the baseline says what is there (INV-15, INV-31).
      const conflicts = new Set<string>(rig.pair.conflicts().map(({ path }) => path));
      const outside = (tree: Rig['sourceTree']) => Object.entries(seen(tree)).filter(([path]) => !conflicts.has(path));
      expect([step, outside(rig.sourceTree)]).toEqual([step, outside(rig.targetTree)]);
      await rig.clock.advance(60_000);
      expect([step, await rig.pass()]).toEqual([step, expect.objectContaining({ copiedFiles: 0, deletedFiles: 0 })]);
    }
  });
});

/** Runs a pass and does something at its `step`-th call on a storage; whether it got that far. */
async function strikeAt(rig: Rig, step: number, act: () => void): Promise<boolean> {
  let calls = 0;
  let isDone = false;
  const strike = (): void => {
    calls += 1;
    if (calls !== step) return;
    isDone = true;
    act();
  };
  const stops = [rig.source, rig.target].flatMap((backend) => [backend.faults.on('*', 'before', strike), backend.faults.on('*', 'after', strike)]);
  await rig.pass().catch(() => undefined);
  for (const stop of stops) stop();
  return isDone;
}
