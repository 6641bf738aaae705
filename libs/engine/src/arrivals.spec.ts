/** The account of what came to a side and what did not, by which deletions are told from moves (INV-33, INV-39, T52). */

import { describe, expect, it } from '@jest/globals';
import { fileKey, toRelativePath as at, type PlanItem } from '@wl/domain';

import { Arrivals } from './arrivals.js';
import { synced, type Rig } from './testing/rig.js';

type FileDeletion = Extract<PlanItem, { kind: 'delete-file' }>;

/** The deletion of a file on the target. */
async function deletionOf(rig: Rig, path: string): Promise<FileDeletion> {
  const node = await rig.target.stat(at(path));
  if (node.kind !== 'file') throw new Error(`there is no file ${path}`);
  return { kind: 'delete-file', path: at(path), on: 'target', node };
}

/** A rig with three files of one content, their deletions, and the file itself. */
async function threeAlike() {
  const rig = await synced({ a: 'same', b: 'same', c: 'same' });
  const deletions = await Promise.all(['a', 'b', 'c'].map((path) => deletionOf(rig, path)));
  const { node } = deletions[0]!;
  const row = rig.pair.get(fileKey(at('a')));
  if (row?.kind !== 'file') throw new Error('a is in the baseline');
  const { hash } = row;
  return { rig, deletions, arrivals: new Arrivals(rig.context()), file: { sizeBytes: node.sizeBytes, hash } };
}

describe('arrivals', () => {
  it('tell as many moves as files came, and keep back as many as did not', async () => {
    const { arrivals, deletions, file } = await threeAlike();
    arrivals.arrived('target', at('x'), file.hash);
    arrivals.missed('target', at('y'), file);
    const { moved, keptBack } = await arrivals.sort('target', deletions);
    expect([moved.size, keptBack.size]).toEqual([1, 1]);
  });

  it('INV-39: what did not come at first and then did counts once', async () => {
    const { rig, arrivals, deletions, file } = await threeAlike();
    arrivals.missed('target', at('x'), file);
    expect(arrivals.hasMissing).toBe(true);
    rig.sourceTree.write('x', 'same');
    await rig.clock.advance(60_000);
    await rig.pass('all');
    arrivals.arrived('target', at('x'), file.hash);
    expect(arrivals.hasMissing).toBe(false);
    const { moved, keptBack } = await arrivals.sort('target', deletions);
    expect([moved.size, keptBack.size]).toEqual([1, 0]);
  });

  it('T52: what did not come twice keeps back one file', async () => {
    const { arrivals, deletions, file } = await threeAlike();
    arrivals.missed('target', at('x'), file);
    arrivals.missed('target', at('x'), file);
    expect((await arrivals.sort('target', deletions)).keptBack.size).toBe(1);
  });

  it('T52, INV-40: where more did not come than are remembered every deletion is kept back, also when the others came', async () => {
    const { arrivals, deletions, file } = await threeAlike();
    const others = { sizeBytes: 7, hash: undefined };
    for (let i = 0; i < 10_001; i += 1) arrivals.missed('target', at(`new/${String(i)}`), others);
    expect((await arrivals.sort('target', deletions)).keptBack.size).toBe(3);
    for (let i = 0; i < 10_000; i += 1) arrivals.arrived('target', at(`new/${String(i)}`), file.hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) as typeof file.hash);
    expect((await arrivals.sort('target', deletions)).keptBack.size).toBe(3);
  });

  it('of the two sides are kept apart', async () => {
    const { arrivals, deletions, file } = await threeAlike();
    arrivals.arrived('source', at('x'), file.hash);
    arrivals.missed('source', at('y'), file);
    const { moved, keptBack } = await arrivals.sort('target', deletions);
    expect([moved.size, keptBack.size]).toEqual([0, 0]);
  });
});
