/** The rules that span names, one sentence each, over hand-written trees. */
import { describe, expect, it } from '@jest/globals';

import { ABSENT, DIRECTORY, type BaselineNode, type Node } from './content.js';
import { ROOT, type Key } from './path.js';
import type { PlanItem } from './plan.js';
import { describeItem, planOf, recordConflicts, type Run } from './testing/run-planner.js';
import { dir, double, file, fileNode, flatten, ignored, unknown, unlisted, type Children } from './testing/trees.js';
import { TreePlanner } from './tree-planner.js';

/** The plan for three roots, in its own order. */
function plan(baseline: Children, source: Children, target: Children, run?: Run): string[] {
  return planItems(baseline, source, target, run).map((item) => describeItem(item));
}

function planItems(baseline: Children, source: Children, target: Children, run?: Run): PlanItem[] {
  return planOf({ baseline: flatten(baseline), source: flatten(source), target: flatten(target) }, run);
}

describe('a directory deleted on one side', () => {
  it('goes with all it held, what is in it first (INV-4)', () => {
    const before = { d: dir({ a: file(1), e: dir({ b: file(2) }) }) };
    expect(plan(before, before, {})).toEqual([
      'delete-file d/a on source t1',
      'delete-file d/e/b on source t2',
      'delete-directory d/e on source',
      'delete-directory d on source',
    ]);
  });

  it('T65: comes back for new content, while what did not change still goes', () => {
    const before = { d: dir({ a: file(1), e: dir({ b: file(2) }) }) };
    const edited = { d: dir({ a: file(1), e: dir({ b: file(2), new: file(3) }) }) };
    expect(plan(before, edited, {})).toEqual([
      'delete-file d/a on source t1',
      'delete-file d/e/b on source t2',
      'make-directory d on target',
      'make-directory d/e on target',
      'copy-file d/e/new to target t3 over nothing',
    ]);
  });

  it('T65: stays for a changed file, which is in conflict with the deletion', () => {
    const before = { d: dir({ a: file(1), b: file(2) }) };
    expect(plan(before, { d: dir({ a: file(1), b: file(3) }) }, {})).toEqual([
      'delete-file d/a on source t1',
      'conflict d/b changed-and-deleted t3 absent',
      'keep-directory d on source because conflict',
    ]);
  });

  it.each([
    ['T66: what the rules leave out', { x: ignored }, ['keep-directory d on source because ignored']],
    ['what cannot be observed', { x: unknown }, ['blocked d/x on source read-error', 'keep-directory d on source because blocked']],
  ])('stays for %s (INV-9)', (_name, left, expected) => {
    expect(plan({ d: dir() }, { d: dir(left) }, {})).toEqual(expected);
  });

  it('T01: stays where it could not be listed to the end, and is reported once', () => {
    const before = { d: dir({ a: file(1), b: file(2) }) };
    expect(plan(before, { d: unlisted({ a: file(1) }) }, {})).toEqual([
      'blocked d on source permission-denied',
      'keep-directory d on source because blocked',
    ]);
  });

  it('stays in a one-way job for what only the target has, and the rest goes', () => {
    const before = { d: dir({ a: file(1) }) };
    expect(plan(before, {}, { d: dir({ a: file(1), own: file(2) }) }, { isUnidirectional: true })).toEqual([
      'delete-file d/a on target t1',
      'keep-directory d on target because left-alone',
    ]);
  });
});

describe('what could not be observed (INV-8)', () => {
  it('T01: stops every decision below, however much of it the other side has lost', () => {
    const before = { d: dir({ a: file(1), e: dir({ b: file(2) }) }), z: file(3) };
    expect(plan(before, { d: unlisted(), z: file(3) }, { d: dir(), z: file(2) })).toEqual([
      'blocked d on source permission-denied',
      'copy-file z to source t2 over t3',
    ]);
  });

  it('is told of both sides where both failed', () => {
    expect(plan({ d: file(1) }, { d: unknown }, { d: unknown })).toEqual([
      'blocked d on source read-error',
      'blocked d on target read-error',
    ]);
  });

  it('T76: includes a storage that shows a file and a directory of one name', () => {
    expect(plan({ d: file(1) }, { d: double(1, { a: file(2) }), 'd!': file(1) }, { d: file(1) })).toEqual([
      'copy-file d! to target t1 over nothing',
      'blocked d on source file-and-directory',
    ]);
  });
});

describe('a name that changes its kind', () => {
  it('T64: is in conflict while the sides differ, with nothing below touched and no row dropped', () => {
    const before = { d: dir({ a: file(1) }) };
    expect(plan(before, { d: file(2) }, { d: dir({ a: file(1), b: file(3) }) })).toEqual([
      'conflict d file-against-directory t2 directory',
    ]);
    expect(plan(before, { d: file(2) }, { d: file(3) })).toEqual(['conflict d both-changed t2 t3']);
  });

  it('T64: is adopted where both sides made the same change', () => {
    expect(plan({ d: dir({ a: file(1) }) }, { d: file(2) }, { d: file(2) })).toEqual([
      'adopt d t2 t2',
      'forget d/',
      'forget d/a',
    ]);
    expect(plan({ d: file(2) }, { d: dir({ a: file(1) }) }, { d: dir() })).toEqual([
      'adopt d directory directory',
      'forget d',
      'copy-file d/a to target t1 over nothing',
    ]);
  });

  it('is recognised across the names that sort between the file and the directory', () => {
    const between = { 'd!': dir({ x: file(1) }), 'd-': file(1), 'd.txt': file(1) };
    expect(plan({ d: file(1), ...between }, { d: file(1), ...between }, { d: dir(), ...between }).at(-1)).toBe(
      'conflict d file-against-directory t1 directory',
    );
  });

  it('brings a chosen directory back whole: what the baseline knew below is no reason to delete', () => {
    const before = { d: dir({ a: file(1) }) };
    const conflicting = planItems(before, { d: file(2) }, before);
    expect(plan(before, {}, before, { known: recordConflicts(conflicting) })).toEqual([
      'forget d/',
      'make-directory d on source',
      'copy-file d/a to source t1 over nothing',
    ]);
  });

  it('brings of a chosen directory what can be brought, and lets the rest delete nothing later', () => {
    const before = { d: dir({ a: file(1), b: file(1) }) };
    const conflicting = planItems(before, { d: file(2) }, before);
    const target = { d: dir({ a: unknown, b: file(1), x: ignored }) };
    expect(plan(before, {}, target, { known: recordConflicts(conflicting) })).toEqual([
      'forget d/',
      'make-directory d on source',
      'blocked d/a on target read-error',
      'copy-file d/b to source t1 over nothing',
    ]);
  });
});

describe('moves and renames, which are no operations of their own', () => {
  it('T69: keep the file under both names where the sides renamed it differently', () => {
    expect(plan({ a: file(1) }, { b: file(1) }, { c: file(1) })).toEqual([
      'forget a',
      'copy-file b to target t1 over nothing',
      'copy-file c to source t1 over nothing',
    ]);
  });

  it('T68: leave a valid tree where each side moved one directory into the other', () => {
    const before = { x: dir({ a: file(1) }), y: dir({ b: file(2) }) };
    const source = { y: dir({ b: file(2), x: dir({ a: file(1) }) }) };
    const target = { x: dir({ a: file(1), y: dir({ b: file(2) }) }) };
    expect(plan(before, source, target)).toEqual([
      'delete-file x/a on target t1',
      'make-directory x on source',
      'make-directory x/y on source',
      'copy-file x/y/b to source t2 over nothing',
      'delete-file y/b on source t2',
      'make-directory y on target',
      'make-directory y/x on target',
      'copy-file y/x/a to target t1 over nothing',
    ]);
  });
});

describe('names that a side cannot tell apart (INV-35, T73)', () => {
  const fold = (name: string): string => name.toLowerCase();
  const collision = (path: string): string => `conflict ${path} name-collision absent absent`;

  it('are a conflict of both, and the second is not brought over', () => {
    expect(plan({}, { A: file(1), a: file(2) }, {}, { fold })).toEqual([
      'copy-file A to target t1 over nothing',
      collision('A'),
      collision('a'),
    ]);
    expect(plan({ A: file(1) }, { A: file(1), a: file(2) }, { A: file(1) }, { fold })).toEqual([
      'in-sync A t1 t1',
      collision('A'),
      collision('a'),
    ]);
  });

  it('are a conflict where a rename changed the case only: nothing comes, the caller withholds the deletion', () => {
    expect(plan({ A: file(1) }, { a: file(1) }, { A: file(1) }, { fold })).toEqual([
      'delete-file A on target t1',
      collision('A'),
      collision('a'),
    ]);
  });

  it('stay a conflict of the same kind in the next pass, seen together or one by one', () => {
    const states = [{ A: file(1) }, { a: file(1) }, { A: file(1) }] as const;
    const known = recordConflicts(planItems(...states, { fold }));
    expect(new Set(plan(...states, { fold, known }))).toEqual(new Set([collision('A'), collision('a')]));
    expect(plan({ A: file(1) }, {}, { A: file(1) }, { fold, known })).toEqual([collision('A')]);
  });

  it('are none where both sides were renamed, and only the baseline knows the old case', () => {
    expect(plan({ A: file(1) }, { a: file(1) }, { a: file(1) }, { fold })).toEqual(['forget A', 'adopt a t1 t1']);
  });

  it('are not merged where they are directories with different children', () => {
    expect(plan({}, { D: dir({ a: file(1) }), d: dir({ b: file(2) }) }, {}, { fold })).toEqual([
      'make-directory D on target',
      'copy-file D/a to target t1 over nothing',
      collision('D'),
      collision('d'),
    ]);
  });

  it('collide within their own directory only, and only with each other', () => {
    const agreed = { d: dir({ x: file(1) }), e: dir({ X: file(1) }), f: file(1) };
    expect(plan(agreed, agreed, agreed, { fold }).filter((line) => !line.startsWith('in-sync'))).toEqual([]);
    const colliding = { ...agreed, e: dir({ X: file(1), x: file(2) }) };
    expect(plan(agreed, colliding, agreed, { fold }).filter((line) => !line.startsWith('in-sync'))).toEqual([
      collision('e/X'),
      collision('e/x'),
    ]);
  });

  it('keep a deleted directory that holds them', () => {
    const before = { d: dir({ A: file(1) }) };
    expect(plan(before, { d: dir({ A: file(1), a: file(2) }) }, {}, { fold })).toEqual([
      'delete-file d/A on source t1',
      collision('d/A'),
      collision('d/a'),
      'keep-directory d on source because conflict',
    ]);
  });

  it('collide with nothing that the rules leave out', () => {
    expect(plan({}, { A: ignored, a: file(2) }, {}, { fold })).toEqual(['copy-file a to target t2 over nothing']);
  });

  it('are synced again once one of them is gone', () => {
    const known = recordConflicts(planItems({}, { A: file(1), a: file(2) }, {}, { fold }));
    expect(plan({ A: file(1) }, { a: file(2) }, {}, { fold, known })).toEqual([
      'forget A',
      'copy-file a to target t2 over nothing',
    ]);
  });
});

describe('rows that a crash left behind', () => {
  /** Feeds keys by hand: trees cannot express a name with two rows, or a row without its directory. */
  function planKeys(rows: readonly [key: string, baseline: BaselineNode, source: Node, target: Node][]): string[] {
    const planner = new TreePlanner(ROOT, { isUnidirectional: false, known: () => undefined });
    const out: PlanItem[] = [];
    for (const [key, baseline, source, target] of rows) planner.visit({ key: key as Key, baseline, source, target }, out);
    planner.finish(out);
    return out.map((item) => describeItem(item));
  }
  const [one, two] = [fileNode(1), fileNode(2)];
  const row = { kind: 'file', hash: one.hash!, sizeBytes: one.sizeBytes } as const;

  it('INV-12: delete nothing below a directory that the baseline does not have', () => {
    expect(planKeys([['d/', ABSENT, DIRECTORY, DIRECTORY], ['d/a', row, one, ABSENT], ['d/b', row, ABSENT, ABSENT]])).toEqual([
      'adopt d directory directory',
      'copy-file d/a to target t1 over nothing',
      'forget d/b',
    ]);
  });

  it('INV-12: delete nothing where a name has a row of each kind, and go where the name is decided', () => {
    expect(planKeys([['d', row, one, ABSENT], ['d/', DIRECTORY, ABSENT, ABSENT], ['d/a', row, ABSENT, ABSENT]])).toEqual([
      'copy-file d to target t1 over nothing',
      'forget d/',
      'forget d/a',
    ]);
    expect(planKeys([['d', row, one, one], ['d/', DIRECTORY, ABSENT, ABSENT]])).toEqual(['adopt d t1 t1', 'forget d/']);
    expect(planKeys([['d', row, one, two], ['d/', DIRECTORY, ABSENT, ABSENT]])).toEqual(['conflict d both-created t1 t2']);
    expect(planKeys([['d', row, ABSENT, ABSENT], ['d/', DIRECTORY, ABSENT, ABSENT]])).toEqual(['forget d', 'forget d/']);
  });
});
