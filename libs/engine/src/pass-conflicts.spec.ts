/** The life of a conflict (INV-36): durable, told once, isolated, and ended by the user alone. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath, type SideName } from '@wl/domain';

import { resolveConflict } from './resolve.js';
import { files, Rig, synced, trashed } from './testing/rig.js';

const A = toRelativePath('a');

async function inConflict(): Promise<Rig> {
  const rig = await synced({ a: 'base', b: '2', c: '3' });
  rig.sourceTree.write('a', 'left');
  rig.targetTree.write('a', 'right!');
  await rig.pass();
  return rig;
}

const resolve = (rig: Rig, keep: SideName, path = A) => resolveConflict({ ...rig.context(), path, keep });

describe('a conflict', () => {
  it('T81: stays through restarts and unrelated changes, is told once, and keeps when it began', async () => {
    const rig = await inConflict();
    const record = rig.pair.conflict(A);
    for (let i = 0; i < 3; i += 1) {
      rig.restart();
      await rig.clock.advance(3_600_000);
      rig.sourceTree.write('b', `edit ${String(i)}`);
      rig.targetTree.write(`new ${String(i)}`, 'n');
      expect(await rig.pass()).toMatchObject({ conflicts: 1, copiedFiles: 2 });
      expect(rig.pair.conflict(A)).toEqual(record);
    }
    expect(rig.events.conflicts).toEqual(['a']);
    expect([rig.sourceTree.text('a'), rig.targetTree.text('a')]).toEqual(['left', 'right!']);
  });

  it('INV-36, T39: ends in the very pass that first waits for an emptied file to be written and then finds both sides equal', async () => {
    const rig = await inConflict();
    rig.sourceTree.write('a', '');
    await rig.clock.advance(60_000);
    await rig.pass();
    expect(rig.pair.conflict(A)).toMatchObject({ source: { sizeBytes: 0 } });
    // Emptied a moment ago: most likely it is being saved.
    rig.targetTree.write('a', '');
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(rig.events.resolved).toEqual(['a']);
  });

  it('T04, INV-10, INV-36: begins with no version that is missing because its disk is out', async () => {
    const rig = await synced({ a: 'base' });
    rig.targetTree.write('a', 'edited');
    rig.source.faults.on('list', 'before', () => {
      if (rig.sourceTree.text('a') !== undefined) rig.sourceTree.unmount('empty-directory');
    });
    expect(await rig.pass()).toMatchObject({ conflicts: 0, halt: { reason: 'root-changed', side: 'source' } });
    expect([rig.pair.conflicts(), rig.events.conflicts]).toEqual([[], []]);
  });

  it('T04, INV-10, INV-36: stays while the disk of one version is out', async () => {
    const rig = new Rig({ isUnidirectional: true });
    rig.sourceTree.write('a', 'file');
    rig.targetTree.mkdir('a/directory');
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    // Pulled once everything was looked at, and before anything is read.
    let volume: ReturnType<typeof rig.sourceTree.unmount> | undefined;
    rig.source.faults.on('list', 'before', () => {
      volume ??= rig.sourceTree.unmount('empty-directory');
    });
    expect(await rig.pass()).toMatchObject({ conflicts: 1, halt: { reason: 'root-changed', side: 'source' } });
    expect(rig.events.resolved).toEqual([]);
    rig.sourceTree.mount(volume!);
    expect(await rig.pass()).toMatchObject({ conflicts: 1, halt: undefined });
    expect(rig.events.conflicts).toEqual(['a']);
  });

  it('T81: ends by itself once the sides are equal, and the path syncs again', async () => {
    const rig = await inConflict();
    rig.sourceTree.write('a', 'right!');
    await rig.pass(['a']);
    expect(rig.pair.conflicts()).toEqual([]);
    expect(rig.events.resolved).toEqual(['a']);
    rig.sourceTree.write('a', 'next');
    await rig.pass();
    expect(rig.targetTree.text('a')).toBe('next');
  });

  it('INV-7: changes nothing on either side nor in the baseline, whatever the two versions become', async () => {
    const rig = await inConflict();
    const row = rig.pair.get('a' as never);
    for (const text of ['left 2', 'left 3', '']) {
      rig.sourceTree.write('a', text);
      await rig.clock.advance(60_000);
      expect(await rig.pass()).toMatchObject({ conflicts: 1, copiedFiles: 0 });
    }
    expect(rig.pair.get('a' as never)).toEqual(row);
    expect(rig.pair.conflict(A)).toMatchObject({ source: { sizeBytes: 0 }, target: { sizeBytes: 6 } });
    expect(rig.targetTree.text('a')).toBe('right!');
  });

  it.each(['source', 'target'] as const)('INV-36: removing the version of the %s is a choice for the other', async (side) => {
    const rig = await inConflict();
    rig.tree(side).remove('a');
    expect(await rig.pass()).toMatchObject({ conflicts: 0, copiedFiles: 1 });
    const chosen = side === 'source' ? 'right!' : 'left';
    expect([rig.sourceTree.text('a'), rig.targetTree.text('a')]).toEqual([chosen, chosen]);
  });

  it('INV-36: removing one version while the other has changed since is no choice', async () => {
    const rig = await inConflict();
    rig.sourceTree.remove('a');
    rig.targetTree.write('a', 'and on');
    expect(await rig.pass()).toMatchObject({ conflicts: 1, copiedFiles: 0, deletedFiles: 0 });
    expect(rig.targetTree.text('a')).toBe('and on');
    expect(rig.pair.conflict(A)).toMatchObject({ reason: 'changed-and-deleted', source: { kind: 'absent' } });
  });

  it('INV-36: a choice whose copy fails keeps the conflict on record until it succeeded', async () => {
    const rig = await inConflict();
    rig.sourceTree.remove('a');
    rig.source.faults.fail('commit', { code: 'no-space' });
    expect(await rig.pass()).toMatchObject({ conflicts: 1, problems: [{ path: 'a', side: 'source', reason: 'no-space' }] });
    expect(rig.events.resolved).toEqual([]);
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(rig.sourceTree.text('a')).toBe('right!');
  });

  it('INV-36: the same where the directory that it belongs into cannot be made', async () => {
    const rig = await synced({ 'd/a': 'base', b: '2', c: '3' });
    rig.sourceTree.write('d/a', 'left');
    rig.targetTree.write('d/a', 'right');
    await rig.pass();
    rig.sourceTree.remove('d');
    rig.source.faults.fail('makeDirectory', { code: 'permission-denied' });
    expect(await rig.pass()).toMatchObject({ conflicts: 1, problems: [{ path: 'd' }] });
    expect(rig.pair.conflicts()).toMatchObject([{ path: 'd/a', reason: 'both-changed' }]);
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [] });
    expect(files(rig.sourceTree)).toMatchObject({ 'd/a': 'right' });
  });

  it('INV-36: what cannot be looked at ends no conflict', async () => {
    const rig = await synced({ 'd/a': 'base', b: '2', c: '3' });
    rig.sourceTree.write('d/a', 'left');
    rig.targetTree.write('d/a', 'right');
    await rig.pass();
    rig.sourceTree.setUnreadable('d', true);
    for (const scope of ['all', ['d'], ['d/a'], ['b']] as const) expect(await rig.pass(scope)).toMatchObject({ conflicts: 1 });
    rig.sourceTree.setUnreadable('d', false);
    const stop = rig.source.faults.on('list', 'before', ({ path }) => {
      if (path !== 'd') return;
      stop();
      rig.sourceTree.rename('d', 'elsewhere');
    });
    await rig.pass(['d'], { retries: 0 });
    expect(rig.pair.conflicts()).toMatchObject([{ path: 'd/a' }]);
    expect(rig.events.resolved).toEqual([]);
  });

  it('INV-36: a path that the rules leave out from now on is in no conflict', async () => {
    const rig = await inConflict();
    rig.restart({ filter: { patterns: ['a'], ignores: (path) => path === 'a' } });
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect([rig.sourceTree.text('a'), rig.targetTree.text('a')]).toEqual(['left', 'right!']);
  });

  it('INV-36, INV-14: ends when its path is ignored, also where its directory is kept for it', async () => {
    const rig = await synced({ 'd/a': 'base' }, { isUnidirectional: true });
    rig.targetTree.write('d/a', 'theirs');
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    rig.sourceTree.rename('d', 'b');
    rig.restart({ filter: { patterns: ['a'], ignores: (path) => path.split('/').at(-1) === 'a' } });
    await rig.pass();
    expect(rig.pair.conflicts()).toEqual([]);
    expect(rig.targetTree.text('d/a')).toBe('theirs');
  });

  it('INV-7: of a file with a directory deletes nothing below it, also if the file was away when it was looked for', async () => {
    const rig = await synced({ 'd/c': 'base', o: 'o' }, { isUnidirectional: true });
    rig.sourceTree.remove('d');
    rig.sourceTree.write('d', 'a file');
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    rig.sourceTree.remove('d');
    const stop = rig.source.faults.on('stat', 'before', () => {
      stop();
      rig.sourceTree.write('d', 'a file');
    });
    expect(await rig.pass()).toMatchObject({ conflicts: 1, deletedFiles: 0 });
    expect(files(rig.targetTree)).toEqual({ 'd/c': 'base', o: 'o' });
  });

  it('INV-36: ends when both versions are gone, also below a directory that is kept for what is ignored in it', async () => {
    const rig = await synced({ 'd/e/c': 'base' }, { filter: { patterns: ['a'], ignores: (path) => path.split('/').at(-1) === 'a' } });
    rig.targetTree.write('d/a', 'ignored');
    rig.targetTree.write('d/e/c', 'theirs');
    rig.sourceTree.remove('d');
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    rig.targetTree.remove('d/e');
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [{ path: 'd', reason: 'directory-kept' }] });
    expect(rig.targetTree.text('d/a')).toBe('ignored');
  });

  it('shows sizes and hashes of both versions, also where the sizes alone told them apart', async () => {
    const rig = await inConflict();
    const { source, target } = rig.pair.conflict(A)!;
    for (const version of [source, target]) expect(version).toMatchObject({ kind: 'file', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown });
  });
});

describe('choosing a version', () => {
  it.each(['source', 'target'] as const)('keeps the one of the %s; what gives way is in the trash, and the next pass closes the record', async (keep) => {
    const rig = await inConflict();
    await resolve(rig, keep);
    const [kept, given] = keep === 'source' ? ['left', 'right!'] : ['right!', 'left'];
    expect([rig.sourceTree.text('a'), rig.targetTree.text('a')]).toEqual([kept, kept]);
    expect(trashed(rig.tree(keep === 'source' ? 'target' : 'source'))).toContain(given);
    expect(await rig.pass()).toMatchObject({ conflicts: 0, copiedFiles: 0 });
  });

  it('T81: works right after a restart, before any pass has opened the storages', async () => {
    const rig = await inConflict();
    rig.restart();
    await resolve(rig, 'source');
    expect([rig.sourceTree.text('a'), rig.targetTree.text('a')]).toEqual(['left', 'left']);
  });

  it('T04: is refused with the reason while a root is missing', async () => {
    const rig = await inConflict();
    rig.restart();
    rig.targetTree.unmount();
    await expect(resolve(rig, 'source')).rejects.toMatchObject({ name: 'WildlandError', message: expect.stringContaining('not-found') as unknown });
  });

  it('T82: is refused when either version is not the one that was shown', async () => {
    for (const side of ['source', 'target'] as const) {
      for (const keep of ['source', 'target'] as const) {
        const rig = await inConflict();
        rig.tree(side).write('a', 'changed');
        await expect(resolve(rig, keep)).rejects.toThrow('has changed since the conflict was listed');
        expect(rig.tree(side).text('a')).toBe('changed');
      }
    }
  });

  it('T82: is refused when a version changes at that very moment, and loses nothing', async () => {
    for (const side of ['source', 'target'] as const) {
      for (const operation of ['stat', 'chunk', 'read', 'commit'] as const) {
        for (const phase of ['before', 'after'] as const) {
          const rig = await inConflict();
          let isDone = false;
          for (const backend of [rig.source, rig.target]) {
            backend.faults.on(operation, phase, () => {
              if (!isDone) rig.tree(side).save('a', 'changed');
              isDone = true;
            });
          }
          await resolve(rig, 'source').catch(() => undefined);
          const visible = [rig.sourceTree.text('a'), rig.targetTree.text('a')];
          const all = [...visible, ...trashed(rig.sourceTree), ...trashed(rig.targetTree)];
          expect([side, operation, phase, all.includes('changed')]).toEqual([side, operation, phase, true]);
          // The one moment at which both versions are right for the last time is the commit itself.
          if (!(side === 'target' && operation === 'commit' && phase === 'after')) expect(visible).toContain('changed');
        }
      }
    }
  });

  it('INV-14: is refused where the rules leave the path out since the conflict was listed', async () => {
    const rig = await inConflict();
    rig.restart({ filter: { patterns: ['a'], ignores: (path) => path === 'a' } });
    for (const keep of ['source', 'target'] as const) await expect(resolve(rig, keep)).rejects.toThrow('a is left out by the rules of this job');
    expect([rig.sourceTree.text('a'), rig.targetTree.text('a')]).toEqual(['left', 'right!']);
  });

  it('keeps the deletion where that was one of the two', async () => {
    const rig = await synced({ a: 'base', b: '2', c: '3' });
    rig.sourceTree.remove('a');
    rig.targetTree.write('a', 'edited');
    await rig.pass();
    await resolve(rig, 'source');
    expect(await rig.pass()).toMatchObject({ conflicts: 0, copiedFiles: 0 });
    expect(files(rig.targetTree)).toEqual({ b: '2', c: '3' });
    expect(trashed(rig.targetTree)).toContain('edited');
  });

  it('brings a directory over the file that it was in conflict with, and never removes a directory', async () => {
    const rig = await synced({ a: 'base', b: '2', c: '3' });
    rig.sourceTree.remove('a');
    rig.sourceTree.write('a/inner', 'inner');
    await rig.pass();
    await expect(resolve(rig, 'target')).rejects.toThrow('is a directory on the source');
    await resolve(rig, 'source');
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(rig.targetTree.text('a/inner')).toBe('inner');
  });

  it('T04, INV-10: writes nothing to a volume that is not the one in conflict', async () => {
    const rig = await synced({ a: 'base', b: '2' });
    rig.sourceTree.remove('a');
    rig.targetTree.write('a', 'edited');
    await rig.pass();
    // The empty mount point looks just like the version that was shown.
    const volume = rig.sourceTree.unmount('empty-directory');
    for (const side of ['source', 'target'] as const) await expect(resolve(rig, side)).rejects.toThrow('is not the place it was at the last sync');
    expect([rig.sourceTree.snapshot(), rig.targetTree.text('a')]).toEqual([{}, 'edited']);
    rig.sourceTree.mount(volume);
    await resolve(rig, 'target');
    expect(rig.sourceTree.text('a')).toBe('edited');
  });

  it.each([true, false])('INV-36, T80: brings a directory back that was in conflict with a removal (its parents are there: %s)', async (hasParents) => {
    const path = toRelativePath(hasParents ? 'a' : 'd/a');
    const rig = await synced({ [path]: 'base', b: '2', c: '3' });
    rig.sourceTree.remove(path);
    rig.sourceTree.write(`${path}/inner`, 'inner');
    rig.targetTree.remove(hasParents ? path : 'd');
    await rig.pass();
    expect(rig.pair.conflicts()).toHaveLength(1);
    await resolve(rig, 'source', path);
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(rig.targetTree.text(`${path}/inner`)).toBe('inner');
  });

  it('says how a directory comes back where the storage cannot hold it empty', async () => {
    const rig = await synced({ a: 'base', b: '2', c: '3' }, { target: { keepsEmptyDirectories: false } });
    rig.sourceTree.remove('a');
    rig.sourceTree.write('a/inner', 'inner');
    rig.sourceTree.write('a/other', 'other');
    rig.targetTree.remove('a');
    await rig.pass();
    await expect(resolve(rig, 'source')).rejects.toThrow('copy a file of it there');
    rig.targetTree.write('a/inner', 'inner');
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(rig.targetTree.text('a/other')).toBe('other');
  });

  it('says what is wrong where there is nothing to choose', async () => {
    const rig = await synced({ b: '2' }, { target: { isCaseSensitive: false } });
    await expect(resolve(rig, 'source')).rejects.toThrow('a is not in conflict');
    rig.sourceTree.write('A', '1');
    rig.sourceTree.write('a', '2');
    await rig.pass();
    await expect(resolve(rig, 'source')).rejects.toThrow('rename one of them');
  });
});
