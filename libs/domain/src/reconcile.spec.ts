import { describe, expect, it } from '@jest/globals';

import { ABSENT, DIRECTORY, IGNORED, type BaselineNode, type Node, type SideName, type Version } from './content.js';
import { reconcile, reconcileOneWay, type Decision } from './reconcile.js';
import { fileNode } from './testing/trees.js';

const UNKNOWN: Node = { kind: 'unknown', reason: 'read-error' };
const [one, two, three] = [fileNode(1), fileNode(2), fileNode(3)];
const [ONE, TWO] = [one, two].map(({ hash, sizeBytes }) => ({ kind: 'file', hash: hash!, sizeBytes }) as const) as [
  BaselineNode,
  BaselineNode,
];

const copy = (to: SideName): Decision => ({ kind: 'copy', to });
const remove = (on: SideName): Decision => ({ kind: 'delete', on });
const conflict = (cause: Extract<Decision, { kind: 'conflict' }>['cause']): Decision => ({ kind: 'conflict', cause });
const IN_SYNC: Decision = { kind: 'in-sync' };
const ADOPT: Decision = { kind: 'adopt' };
const FORGET: Decision = { kind: 'forget' };

type Case = readonly [sentence: string, baseline: BaselineNode, source: Node, target: Node, twoWay: Decision, oneWay?: Decision];

/** The table of SPEC.md. The one-way decision is given where it differs. */
const TABLE: readonly Case[] = [
  ['does nothing where nothing is, nor was', ABSENT, ABSENT, ABSENT, IN_SYNC],
  ['does nothing where a file is as it was', ONE, one, one, IN_SYNC],
  ['does nothing where a directory is as it was', DIRECTORY, DIRECTORY, DIRECTORY, IN_SYNC],

  ['adopts what both sides hold already (T19)', ABSENT, one, one, ADOPT],
  ['adopts identical edits (T79)', ONE, two, two, ADOPT],
  ['adopts a directory made on both sides', ABSENT, DIRECTORY, DIRECTORY, ADOPT],
  ['adopts a file that became a directory on both sides', ONE, DIRECTORY, DIRECTORY, ADOPT],
  ['adopts a directory that became the same file on both sides', DIRECTORY, one, one, ADOPT],
  ['forgets what both sides deleted (T79)', ONE, ABSENT, ABSENT, FORGET],
  ['forgets a directory that both sides deleted', DIRECTORY, ABSENT, ABSENT, FORGET],

  ['brings a new file to the target', ABSENT, one, ABSENT, copy('target')],
  ['brings a new directory to the target', ABSENT, DIRECTORY, ABSENT, copy('target')],
  ['brings a new file to the source; one-way leaves it alone', ABSENT, ABSENT, one, copy('source'), { kind: 'left-alone' }],
  ['brings a new directory to the source; one-way leaves it alone', ABSENT, ABSENT, DIRECTORY, copy('source'), { kind: 'left-alone' }],
  ['brings an edit to the target', ONE, two, one, copy('target')],
  ['brings an edit to the source; one-way has it as a conflict', ONE, one, two, copy('source'), conflict('target-changed')],
  ['brings a return to an older version to the target, as any other edit (INV-13)', TWO, one, two, copy('target')],

  ['deletes on the target what the source deleted', ONE, ABSENT, one, remove('target')],
  ['deletes on the source what the target deleted; one-way brings it again', ONE, one, ABSENT, remove('source'), copy('target')],
  ['deletes a directory on the target', DIRECTORY, ABSENT, DIRECTORY, remove('target')],
  ['deletes a directory on the source; one-way brings it again', DIRECTORY, DIRECTORY, ABSENT, remove('source'), copy('target')],

  ['leaves two new files of one name alone', ABSENT, one, two, conflict('both-created')],
  ['leaves two edits alone', ONE, two, three, conflict('both-changed')],
  ['leaves two files alone where a directory was', DIRECTORY, one, two, conflict('both-changed')],
  ['leaves an older version that came back against a newer edit alone (T12)', TWO, one, three, conflict('both-changed')],
  ['leaves an edit against a deletion alone (T80); one-way brings it', ONE, two, ABSENT, conflict('changed-and-deleted'), copy('target')],
  ['leaves a deletion against an edit alone (T80)', ONE, ABSENT, two, conflict('changed-and-deleted')],
  ['leaves a file that became a directory against a deletion alone; one-way brings it', ONE, DIRECTORY, ABSENT, conflict('changed-and-deleted'), copy('target')],
  ['leaves a directory that became a file against a deletion alone', DIRECTORY, ABSENT, one, conflict('changed-and-deleted')],
  ['leaves a new file against a new directory alone (T64)', ABSENT, one, DIRECTORY, conflict('file-against-directory')],
  ['leaves a file that became a directory on one side alone (T64)', ONE, one, DIRECTORY, conflict('file-against-directory')],
  ['leaves a directory that became a file on one side alone (T64)', DIRECTORY, one, DIRECTORY, conflict('file-against-directory')],

  ['decides nothing where the source could not be observed', ONE, UNKNOWN, ABSENT, { kind: 'blocked', side: 'source' }],
  ['decides nothing where the target could not be observed', ONE, ABSENT, UNKNOWN, { kind: 'blocked', side: 'target' }],
  ['decides nothing about unknown against ignored', ONE, IGNORED, UNKNOWN, { kind: 'blocked', side: 'target' }],
  ['forgets what the rules leave out (T13)', ONE, IGNORED, IGNORED, { kind: 'ignored' }],
  ['forgets what the rules leave out on one side only', ONE, IGNORED, one, { kind: 'ignored' }],
  ['keeps what the rules leave out although the other side deleted it', ONE, ABSENT, IGNORED, { kind: 'ignored' }],
];

describe('reconcile', () => {
  it.each(TABLE.map(([sentence, ...rest]) => [sentence, rest] as const))('%s', (_sentence, [baseline, source, target, twoWay, oneWay]) => {
    expect(reconcile(baseline, source, target)).toEqual(twoWay);
    expect(reconcileOneWay(baseline, source, target)).toEqual(oneWay ?? twoWay);
  });

  it('T40: takes a side that went to another version and back as unchanged', () => {
    const recorded = { source: version(two), target: version(three) };
    expect(reconcile(ONE, one, three)).toEqual(copy('source'));
    expect(reconcile(ONE, one, three, recorded)).toEqual(copy('source'));
  });
});

describe('reconcile on a known conflict (INV-36)', () => {
  const known = (source: Version, target: Version) => ({ source, target });
  const [v1, v2, v3] = [version(one), version(two), version(three)];

  it.each<[string, BaselineNode, Node, Node, ReturnType<typeof known>, Decision]>([
    ['brings back the target that was shown when the source is removed', ONE, ABSENT, three, known(v2, v3), copy('source')],
    ['brings back the source that was shown when the target is removed', ONE, two, ABSENT, known(v2, v3), copy('target')],
    ['does so although the remaining one is the baseline', ONE, ABSENT, one, known(v2, v1), copy('source')],
    ['brings back a directory when the file against it is removed', DIRECTORY, ABSENT, DIRECTORY, known(v1, { kind: 'directory' }), copy('source')],
    ['brings back the file when the directory against it is removed', DIRECTORY, one, ABSENT, known(v1, { kind: 'directory' }), copy('target')],
    ['adopts when the sides become equal', ONE, three, three, known(v2, v3), ADOPT],
    ['forgets when both are removed', ONE, ABSENT, ABSENT, known(v2, v3), FORGET],
    ['stays while both are as shown', ONE, two, three, known(v2, v3), conflict('both-changed')],
    ['T82: stays when one is removed while the other changes', ABSENT, ABSENT, one, known(v2, v3), conflict('changed-and-deleted')],
    ['T82: stays when one is removed while the other goes back to the baseline', ONE, ABSENT, one, known(v2, v3), conflict('changed-and-deleted')],
    ['stays when one becomes a directory', ONE, DIRECTORY, three, known(v2, v3), conflict('file-against-directory')],
    ['takes no old deletion for a choice', ONE, two, ABSENT, known(v2, { kind: 'absent' }), conflict('changed-and-deleted')],
    ['is blocked, not ended, where a side cannot be observed', ONE, ABSENT, UNKNOWN, known(v2, v3), { kind: 'blocked', side: 'target' }],
    ['T73: brings over a file whose name collided, once nothing is in its way', ABSENT, two, ABSENT, known({ kind: 'absent' }, { kind: 'absent' }), copy('target')],
    ['T73: brings over an edit under a name that collided', ONE, two, one, known({ kind: 'absent' }, { kind: 'absent' }), copy('target')],
    ['T73: deletes nothing under a name that collided', ONE, ABSENT, one, known({ kind: 'absent' }, { kind: 'absent' }), conflict('name-collision')],
  ])('%s', (_sentence, baseline, source, target, recorded, expected) => {
    expect(reconcile(baseline, source, target, recorded)).toEqual(expected);
  });
});

function version(node: Node): Version {
  if (node.kind === 'file') return { kind: 'file', sha256: node.hash, sizeBytes: node.sizeBytes };
  return { kind: node.kind === 'directory' ? 'directory' : 'absent' };
}
