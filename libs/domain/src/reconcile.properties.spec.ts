/**
 * What holds for every decision about one name: all 245 triples of a baseline (absent, three
 * files, a directory) and two sides (these, unknown and ignored), alone and with each of the 25
 * conflicts that may be on record.
 */
import { describe, expect, it } from '@jest/globals';

import {
  ABSENT,
  DIRECTORY,
  hashesNeeded,
  IGNORED,
  otherSide,
  type BaselineNode,
  type FileNode,
  type Node,
  type SideName,
  type Token,
  type Version,
} from './content.js';
import { reconcile, reconcileOneWay, type Decision, type KnownConflict } from './reconcile.js';
import { fileNode } from './testing/trees.js';

/** Contents 1 and 2 share a size, 3 has another: sizes settle some comparisons and not others. */
const FILES: readonly FileNode[] = [fileNode(1), fileNode(2), { ...fileNode(3), sizeBytes: 9 }];
const BASELINES: readonly BaselineNode[] = [
  ABSENT,
  ...FILES.map(({ hash, sizeBytes }) => ({ kind: 'file', hash: hash!, sizeBytes }) as const),
  DIRECTORY,
];
const NODES: readonly Node[] = [ABSENT, ...FILES, DIRECTORY, { kind: 'unknown', reason: 'read-error' }, IGNORED];
const VERSIONS: readonly Version[] = [
  { kind: 'absent' },
  ...FILES.map(({ hash, sizeBytes }) => ({ kind: 'file', sha256: hash, sizeBytes }) as const),
  { kind: 'directory' },
];
const KNOWN: readonly (KnownConflict | undefined)[] = [
  undefined,
  ...VERSIONS.flatMap((source) => VERSIONS.map((target) => ({ source, target }))),
];

interface Case {
  readonly baseline: BaselineNode;
  readonly source: Node;
  readonly target: Node;
  readonly known: KnownConflict | undefined;
}

const TRIPLES: readonly Case[] = BASELINES.flatMap((baseline) =>
  NODES.flatMap((source) => NODES.map((target) => ({ baseline, source, target, known: undefined }))),
);
const CASES: readonly Case[] = TRIPLES.flatMap((triple) => KNOWN.map((known) => ({ ...triple, known })));

const decide = ({ baseline, source, target, known }: Case): Decision => reconcile(baseline, source, target, known);
const failing = (holds: (one: Case) => boolean, cases = CASES): Case[] => cases.filter((one) => !holds(one)).slice(0, 3);
const isSameAsBaseline = (node: Node, baseline: BaselineNode): boolean =>
  node.kind === 'file' && baseline.kind === 'file' ? node.hash === baseline.hash : node.kind === baseline.kind;

describe('every decision about one name', () => {
  it('looks at all cases', () => {
    expect([TRIPLES.length, CASES.length]).toEqual([245, 6370]);
  });

  it('INV-1: is reached, and reached again, without touching what it was given', () => {
    const frozen = (one: Case): Case => ({ ...one, source: Object.freeze({ ...one.source }), target: Object.freeze({ ...one.target }) });
    expect(failing((one) => JSON.stringify(decide(frozen(one))) === JSON.stringify(decide(one)))).toEqual([]);
  });

  it('INV-2: is mirrored by swapping the sides; of two unknown sides the source is named', () => {
    const mirrored = (decision: Decision): Decision => {
      if (decision.kind === 'copy') return { kind: 'copy', to: otherSide(decision.to) };
      if (decision.kind === 'delete') return { kind: 'delete', on: otherSide(decision.on) };
      return decision.kind === 'blocked' ? { kind: 'blocked', side: otherSide(decision.side) } : decision;
    };
    const swapped = ({ baseline, source, target, known }: Case): Case => ({
      baseline,
      source: target,
      target: source,
      known: known && { source: known.target, target: known.source },
    });
    const areBothUnknown = ({ source, target }: Case): boolean => source.kind === 'unknown' && target.kind === 'unknown';
    expect(failing((one) => areBothUnknown(one) || JSON.stringify(decide(swapped(one))) === JSON.stringify(mirrored(decide(one))))).toEqual([]);
    expect(failing((one) => JSON.stringify(decide(one)) === JSON.stringify({ kind: 'blocked', side: 'source' }), CASES.filter(areBothUnknown))).toEqual([]);
  });

  it('INV-5: overwrites and deletes only what equals the baseline, or is not there', () => {
    const isHarmless = (decision: Decision, { baseline, source, target }: Case): boolean => {
      const nodes = { source, target };
      if (decision.kind === 'copy') return nodes[decision.to].kind === 'absent' || isSameAsBaseline(nodes[decision.to], baseline);
      return decision.kind !== 'delete' || isSameAsBaseline(nodes[decision.on], baseline);
    };
    expect(failing((one) => isHarmless(decide(one), one))).toEqual([]);
    expect(failing((one) => isHarmless(reconcileOneWay(one.baseline, one.source, one.target), one), TRIPLES)).toEqual([]);
  });

  it('INV-8: is none where a side could not be observed', () => {
    const isUnknown = ({ source, target }: Case): boolean => source.kind === 'unknown' || target.kind === 'unknown';
    expect(failing((one) => (decide(one).kind === 'blocked') === isUnknown(one))).toEqual([]);
    expect(failing((one) => (reconcileOneWay(one.baseline, one.source, one.target).kind === 'blocked') === isUnknown(one), TRIPLES)).toEqual([]);
  });

  it('INV-12: deletes nothing where there is no baseline', () => {
    const cases = CASES.filter(({ baseline }) => baseline.kind === 'absent');
    expect(failing((one) => decide(one).kind !== 'delete', cases)).toEqual([]);
  });

  it('INV-14: leaves alone what the rules leave out', () => {
    const cases = CASES.filter(({ source, target }) => source.kind === 'ignored' || target.kind === 'ignored');
    expect(failing((one) => ['ignored', 'blocked'].includes(decide(one).kind), cases)).toEqual([]);
  });

  it('INV-19: ends in agreement wherever the sides agree, whatever the baseline and the record', () => {
    const cases = CASES.filter(({ source, target }) => source === target && ['file', 'directory', 'absent'].includes(source.kind));
    expect(failing((one) => ['in-sync', 'adopt', 'forget'].includes(decide(one).kind), cases)).toEqual([]);
  });

  it('INV-24: depends on no token and no time', () => {
    const touched = (node: Node, token: string): Node =>
      node.kind === 'file' ? { ...node, token: token as Token, mtimeMs: Number.NaN, isRacy: !node.isRacy } : node;
    const retouched = (one: Case): Case => ({ ...one, source: touched(one.source, 'x'), target: touched(one.target, 'y') });
    expect(failing((one) => JSON.stringify(decide(retouched(one))) === JSON.stringify(decide(one)))).toEqual([]);
  });

  it('INV-24: needs no more hashes than hashesNeeded names, with the same result as knowing all', () => {
    const unhashed = (node: Node): Node => (node.kind === 'file' ? { ...node, hash: undefined } : node);
    const hashedAsNeeded = (one: Case): Case => {
      const needed = hashesNeeded(one.baseline, unhashed(one.source), unhashed(one.target), one.known);
      const side = (name: SideName): Node => (needed[name] ? one[name] : unhashed(one[name]));
      return { ...one, source: side('source'), target: side('target') };
    };
    expect(failing((one) => JSON.stringify(decide(hashedAsNeeded(one))) === JSON.stringify(decide(one)))).toEqual([]);
  });

  it('INV-36: is a choice on a record only if one shown version is gone and the other is the one shown', () => {
    const isShown = (node: Node, version: Version): boolean =>
      node.kind === 'file' && version.kind === 'file' ? node.hash === version.sha256 : node.kind === version.kind;
    const isChoice = ({ source, target, known }: Case): boolean => {
      const nodes = { source, target };
      return (['source', 'target'] as const).some(
        (side) =>
          known !== undefined &&
          nodes[side].kind === 'absent' &&
          known[side].kind !== 'absent' &&
          nodes[otherSide(side)].kind !== 'absent' &&
          isShown(nodes[otherSide(side)], known[otherSide(side)]),
      );
    };
    // Where one side is gone and versions are on record, only a choice lets anything happen.
    const cases = CASES.filter(({ source, target, known }) => {
      const isShowing = known !== undefined && (known.source.kind !== 'absent' || known.target.kind !== 'absent');
      const isObserved = [source, target].every(({ kind }) => kind !== 'unknown' && kind !== 'ignored');
      return isShowing && isObserved && (source.kind === 'absent') !== (target.kind === 'absent');
    });
    expect(cases.length).toBeGreaterThan(500);
    expect(failing((one) => decide(one).kind === (isChoice(one) ? 'copy' : 'conflict'), cases)).toEqual([]);
  });

  it('INV-37: never writes to the source of a one-way job', () => {
    const isWrite = (decision: Decision): boolean =>
      (decision.kind === 'copy' && decision.to === 'source') || (decision.kind === 'delete' && decision.on === 'source');
    expect(failing((one) => !isWrite(reconcileOneWay(one.baseline, one.source, one.target)), TRIPLES)).toEqual([]);
  });
});
