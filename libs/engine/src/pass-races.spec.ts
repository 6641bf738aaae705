/** Group 5 of the torture list: somebody else writes at the very moment. */

import { describe, expect, it } from '@jest/globals';
import type { FaultEvent, MemoryBackend } from '@wl/adapters/memory';

import { files, synced, trashed, type Rig, type RigOptions } from './testing/rig.js';

/** Calls `act` once, at the `at`-th moment at which either backend can be interrupted; says whether it came to that. */
function actAt(rig: Rig, at: number, act: () => void): { readonly moments: () => number } {
  let moment = 0;
  const hook = (): void => {
    moment += 1;
    if (moment === at) act();
  };
  for (const backend of [rig.source, rig.target]) for (const phase of ['before', 'after'] as const) backend.faults.on('*', phase, hook);
  return { moments: () => moment };
}

/** Runs a case once for every moment of its pass, and once more after it. */
async function atEveryMoment(make: () => Promise<Rig>, act: (rig: Rig) => void, check: (rig: Rig, at: number) => void): Promise<number> {
  for (let at = 1; ; at += 1) {
    const rig = await make();
    const { moments } = actAt(rig, at, () => act(rig));
    await rig.pass();
    if (moments() < at) return at;
    for (const backend of [rig.source, rig.target]) backend.faults.clear();
    await rig.clock.advance(60_000);
    await rig.pass();
    check(rig, at);
  }
}

/** Everything that is visible or in a trash anywhere. */
function everything(rig: Rig): Set<string> {
  return new Set([rig.sourceTree, rig.targetTree].flatMap((tree) => [...Object.values(files(tree)), ...trashed(tree)]));
}

const OPTIONS: [string, RigOptions][] = [
  ['through the process', {}],
  ['within the medium', { backend: { copiesWithin: true } }],
  ['whole, in batches', { backend: { hasWholeFiles: true } }],
];

describe.each(OPTIONS)('a hostile user at every moment of a pass, copying %s', (_, options) => {
  it('T55, INV-17: an edit of what is being deleted survives', async () => {
    const moments = await atEveryMoment(
      async () => {
        const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3' }, options);
        rig.sourceTree.remove('d');
        return rig;
      },
      (rig) => rig.targetTree.write('d/a', 'edited'),
      (rig, at) => {
        const text = { visible: rig.targetTree.text('d/a'), at };
        expect(text).toEqual({ visible: 'edited', at });
        expect(rig.targetTree.text('d/b')).toBeUndefined();
      },
    );
    expect(moments).toBeGreaterThan(20);
  });

  it('T55, INV-9: a new file in a directory that is being deleted survives, and comes over', async () => {
    await atEveryMoment(
      async () => {
        const rig = await synced({ 'd/e/a': '1', 'd/b': '2', c: '3' }, options);
        rig.sourceTree.remove('d');
        return rig;
      },
      (rig) => rig.targetTree.write('d/e/new', 'new'),
      (rig, at) => {
        expect([at, files(rig.targetTree)]).toEqual([at, { 'd/e/new': 'new', c: '3' }]);
        expect([at, files(rig.sourceTree)]).toEqual([at, { 'd/e/new': 'new', c: '3' }]);
      },
    );
  });

  it.each(['write', 'save'] as const)('T56, T57, INV-17: an edit (%s) of what is being replaced survives as a conflict or as the next version', async (gesture) => {
    await atEveryMoment(
      async () => {
        const rig = await synced({ a: 'old', b: '2' }, options);
        rig.sourceTree.write('a', 'from the source');
        return rig;
      },
      (rig) => rig.targetTree[gesture]('a', 'from the target'),
      (rig, at) => {
        expect([at, rig.targetTree.text('a')]).toEqual([at, 'from the target']);
        expect([at, everything(rig).has('from the source')]).toEqual([at, true]);
        if (rig.sourceTree.text('a') === 'from the source') expect(rig.pair.conflicts()).toMatchObject([{ path: 'a' }]);
      },
    );
  });

  it('T56: both sides creating one name at once never overwrites', async () => {
    await atEveryMoment(
      async () => {
        const rig = await synced({ b: '2' }, options);
        rig.sourceTree.write('new/a', 'left');
        return rig;
      },
      (rig) => rig.targetTree.write('new/a', 'right'),
      (rig, at) => {
        expect([at, rig.targetTree.text('new/a')]).toEqual([at, 'right']);
        expect([at, everything(rig).has('left')]).toEqual([at, true]);
      },
    );
  });

  it('T39, INV-32: one writer who saves at any moment never conflicts, and both sides agree in the end', async () => {
    await atEveryMoment(
      async () => {
        const rig = await synced({ 'd/a': 'v0', b: '2', gone: 'g' }, options);
        rig.sourceTree.write('d/a', 'v1');
        rig.sourceTree.write('e/n', 'n1');
        rig.sourceTree.remove('gone');
        return rig;
      },
      (rig) => {
        rig.sourceTree.save('d/a', 'version 2');
        rig.sourceTree.write('e/n', 'version 2');
        rig.sourceTree.write('gone', 'back');
      },
      (rig, at) => {
        expect([at, rig.pair.conflicts()]).toEqual([at, []]);
        expect([at, files(rig.targetTree)]).toEqual([at, { 'd/a': 'version 2', 'e/n': 'version 2', b: '2', gone: 'back' }]);
        expect([at, files(rig.sourceTree)]).toEqual([at, files(rig.targetTree)]);
      },
    );
  });

  it('T64, INV-5: a file that becomes a directory, and the other way round, at any moment', async () => {
    await atEveryMoment(
      async () => {
        const rig = await synced({ 'd/x': 'x', f: 'f', c: '3' }, options);
        rig.sourceTree.write('d/x', 'x of the source');
        rig.sourceTree.write('f', 'f of the source');
        return rig;
      },
      (rig) => {
        rig.targetTree.remove('d');
        rig.targetTree.write('d', 'a file');
        rig.targetTree.remove('f');
        rig.targetTree.write('f/inner', 'inner');
      },
      (rig, at) => {
        const all = everything(rig);
        for (const text of ['a file', 'inner', 'x of the source', 'f of the source']) expect([at, text, all.has(text)]).toEqual([at, text, true]);
        expect([at, rig.targetTree.text('d'), rig.targetTree.text('f/inner')]).toEqual([at, 'a file', 'inner']);
      },
    );
  });

  it('T71, INV-34: a directory swapped for a link at any moment leads nothing astray', async () => {
    await atEveryMoment(
      async () => {
        const rig = await synced({ 'd/x': 'x', 'd/gone': 'g', 'home/x': 'private', 'home/gone': 'private', c: '3' }, options);
        rig.sourceTree.write('d/x', 'x of the source');
        rig.sourceTree.write('d/new', 'new');
        rig.sourceTree.remove('d/gone');
        return rig;
      },
      (rig) => {
        rig.targetTree.rename('d', 'moved');
        rig.targetTree.symlink('d', 'home');
      },
      (rig, at) => {
        expect([at, rig.targetTree.text('home/x'), rig.targetTree.text('home/gone'), rig.targetTree.text('home/new')]).toEqual([at, 'private', 'private', undefined]);
        expect([at, rig.sourceTree.text('home/x'), rig.sourceTree.text('home/gone')]).toEqual([at, 'private', 'private']);
        expect([at, rig.sourceTree.text('d/x')]).toEqual([at, 'x of the source']);
      },
    );
  });

  it('T66, INV-9: whatever is put into a directory while it is deleted keeps it, links too', async () => {
    await atEveryMoment(
      async () => {
        const rig = await synced({ 'd/e/a': '1', c: '3' }, options);
        rig.sourceTree.remove('d');
        return rig;
      },
      (rig) => {
        rig.targetTree.mkdir('d/e');
        rig.targetTree.symlink('d/e/link', '/etc');
      },
      (rig, at) => {
        expect([at, rig.targetTree.snapshot()]).toEqual([at, { 'd/': '', 'd/e/': '', 'd/e/link': '<symlink>', c: '3' }]);
      },
    );
  });
});

describe('races that a storage answers', () => {
  it('T57: of a thousand races between two writers, none is lost', async () => {
    const rig = await synced({ a: 'v', b: 'b' });
    let serial = 0;
    const written = new Set<string>();
    const operations: FaultEvent['operation'][] = ['stat', 'read', 'openForSafeReplace', 'write', 'commit'];
    const write = (backend: MemoryBackend): void => {
      serial += 1;
      if (serial % 5 !== 0 || written.size >= 1000) return;
      const text = `write ${String(serial)}`;
      backend.tree.save('a', text);
      written.add(text);
    };
    // The user's own earlier saves are the user's to lose; what the sync replaced is in a trash.
    for (const backend of [rig.source, rig.target]) for (const operation of operations) backend.faults.on(operation, 'before', () => write(backend));
    let latest = '';
    for (let i = 0; i < 200; i += 1) {
      latest = `round ${String(i)}`;
      (i % 2 === 0 ? rig.sourceTree : rig.targetTree).save('a', latest);
      await rig.pass('all', { retries: 1 });
      // The user settles a conflict for the version of the source.
      if (rig.pair.conflicts().length > 0) rig.targetTree.save('a', rig.sourceTree.text('a')!);
      if (rig.pair.conflicts().length > 0) await rig.pass();
    }
    expect(written.size).toBeGreaterThan(100);
    for (const { bytes, reason } of [...rig.sourceTree.trash.values(), ...rig.targetTree.trash.values()]) {
      // Only versions that the other side had agreed on before were ever replaced.
      expect(reason).toBe('replaced');
      expect(bytes.length).toBeGreaterThan(0);
    }
    rig.source.faults.clear();
    rig.target.faults.clear();
    await rig.pass();
    expect(everything(rig).has(rig.sourceTree.text('a')!)).toBe(true);
    expect(rig.pair.conflicts().length === 1 || rig.sourceTree.text('a') === rig.targetTree.text('a')).toBe(true);
  });

  it('T56: a version that could not be left in place is told of as a leftover', async () => {
    const rig = await synced({ a: 'old', b: '2' });
    rig.sourceTree.write('a', 'from the source');
    rig.target.faults.displace({ path: 'a' });
    const stop = rig.target.faults.on('commit', 'before', () => {
      stop();
      rig.targetTree.write('a', 'from the target');
    });
    const report = await rig.pass();
    expect(report.problems).toMatchObject([{ path: 'a', side: 'target', reason: 'leftover' }]);
    expect(report.problems[0]!.message).toContain('.wl/trash/');
    expect(everything(rig)).toEqual(new Set(['from the source', 'from the target', '2']));
  });

  it('T36: a storage that still shows an older version is asked again, and nothing is undone', async () => {
    const rig = await synced({ a: 'v1', b: '2' });
    rig.sourceTree.write('a', 'v2');
    await rig.pass();
    rig.target.faults.staleReads('list', { path: 'a' });
    await rig.pass();
    await rig.pass();
    expect(files(rig.sourceTree)).toEqual({ a: 'v2', b: '2' });
    expect(files(rig.targetTree)).toEqual({ a: 'v2', b: '2' });
  });
});
