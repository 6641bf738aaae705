import { describe, expect, it } from '@jest/globals';

import { Rig, type RigOptions } from './testing/rig.js';

/** Both sides agreed on some files, then each changed, deleted, added and moved some: about a dozen operations. */
async function divergedRig(options: RigOptions): Promise<Rig> {
  const rig = new Rig(options);
  const { sourceTree, targetTree, clock } = rig;
  for (const name of ['a', 'b', 'c', 'e', 'f', 'g', 'h', 'i', 'j', 'k']) sourceTree.write(name, `first ${name}`);
  sourceTree.mkdir('dir/sub');
  sourceTree.write('dir/sub/one', '1');
  sourceTree.write('dir/two', '2');
  await clock.advance(60_000);
  await rig.pass();
  await clock.advance(60_000);
  sourceTree.write('a', 'second a');
  targetTree.write('b', 'second b');
  sourceTree.remove('c');
  targetTree.remove('e');
  sourceTree.write('new', 'n');
  targetTree.mkdir('fresh/deep');
  targetTree.write('fresh/deep/x', 'x');
  sourceTree.remove('dir/sub');
  sourceTree.write('f', 'left');
  targetTree.write('f', 'right');
  await clock.advance(60_000);
  return rig;
}

/** Runs a pass that is killed at its `step`-th call on a storage; whether it got that far. */
async function killAt(rig: Rig, step: number): Promise<boolean> {
  let calls = 0;
  let isKilled = false;
  const strike = (): void => {
    calls += 1;
    if (calls !== step) return;
    isKilled = true;
    rig.source.crash();
    rig.target.crash();
  };
  const stops = [rig.source, rig.target].flatMap((backend) => [
    backend.faults.on('*', 'before', strike),
    backend.faults.on('*', 'after', strike),
  ]);
  await rig.pass().catch(() => undefined);
  for (const stop of stops) stop();
  if (isKilled) rig.restart();
  return isKilled;
}

const OPTIONS: [string, RigOptions][] = [
  ['as streams', {}],
  ['whole, in batches', { backend: { hasWholeFiles: true } }],
];

describe.each(OPTIONS)('a pass that is killed while it copies %s', (_, options) => {
  it('T88, INV-6, INV-16: ends, at whatever step, where an uninterrupted one would have', async () => {
    const undisturbed = await divergedRig(options);
    await undisturbed.pass();
    const expected = undisturbed.snapshots();
    expect(undisturbed.pair.conflicts().map(({ path }) => path)).toEqual(['f']);

    let step = 1;
    for (; ; step += 1) {
      const rig = await divergedRig(options);
      const isKilled = await killAt(rig, step);
      await rig.pass();
      expect([step, rig.snapshots()]).toEqual([step, expected]);
      expect([step, rig.pair.conflicts().map(({ path }) => path)]).toEqual([step, ['f']]);
      // Nothing of ours is left behind in either storage.
      expect([step, rig.sourceTree.staging.size, rig.targetTree.staging.size]).toEqual([step, 0, 0]);
      // And a further pass finds nothing to do (INV-31, INV-32).
      await rig.clock.advance(60_000);
      expect([step, await rig.pass()]).toEqual([step, expect.objectContaining({ copiedFiles: 0, deletedFiles: 0 })]);
      if (!isKilled) break;
    }
    // The plan has a dozen operations of several calls each.
    expect(step).toBeGreaterThan(60);
  });

  it('INV-5: killed twice, at any two steps, still loses no version', async () => {
    const undisturbed = await divergedRig(options);
    await undisturbed.pass();
    const expected = undisturbed.snapshots();
    for (let first = 3; first < 90; first += 7) {
      for (let second = 2; second < 60; second += 11) {
        const rig = await divergedRig(options);
        await killAt(rig, first);
        await killAt(rig, second);
        await rig.pass();
        expect([first, second, rig.snapshots()]).toEqual([first, second, expected]);
      }
    }
  });
});

describe.each(OPTIONS)('a lost reply, copying %s', (_, options) => {
  it.each(['commit', 'remove', 'makeDirectory', 'removeDirectory'] as const)(
    'INV-18: to %s leads to neither conflict nor loss',
    async (operation) => {
      const undisturbed = await divergedRig(options);
      await undisturbed.pass();
      const rig = await divergedRig(options);
      rig.source.faults.loseReply(operation, { times: 3 });
      rig.target.faults.loseReply(operation, { times: 3 });
      await rig.pass();
      await rig.clock.advance(60_000);
      await rig.pass();
      expect(rig.snapshots()).toEqual(undisturbed.snapshots());
      expect(rig.pair.conflicts().map(({ path }) => path)).toEqual(['f']);
    },
  );
});
