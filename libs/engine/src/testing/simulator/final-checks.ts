/**
 * What must hold when everything has come to rest: both sides and the baseline agree outside
 * conflicts (INV-32), conflicts are real (INV-36), and every version that ever was is accounted for
 * (INV-5): in place, in a conflict, in a trash, or given up by a person.
 */

import { behindInExecutability, fileKey, isDirectoryKey, pathOfKey, ROOT, type Key, type RelativePath } from '@wl/domain';
import { PROGRAM_TOKENS } from '@wl/ports';

import { FOLDER, isText, type State } from './ledger.js';
import type { Machine } from './machine.js';
import { hashOf, isIgnored, show } from './oracle.js';
import { isNear, type World } from './world.js';

/** Blames what is wrong at the end. */
export function checkTheEnd(world: World): void {
  const { oracle } = world;
  for (const machine of world.machines) {
    checkAgreement(machine, (fault) => oracle.blame(`${fault} (machine ${String(machine.index + 1)})`));
  }
  checkVersions(world);
  for (const { tree } of world.ledgers) {
    if (tree.staging.size > 0) oracle.blame(`INV-6: something is left in the staging area of ${tree.id}`);
    for (const { path, bytes } of tree.trash.values()) {
      const text = new TextDecoder().decode(bytes);
      if (!world.people.written.has(text)) oracle.blame(`INV-6: the trash of ${tree.id} holds ${show(text)} for ${path}, which nobody wrote`);
    }
  }
  for (const [path, text] of oracle.gone) {
    const isBack = world.ledgers.some(({ now }) => now.get(path) === text);
    const isDisputed = world.machines.some((machine) => machine.pair.conflicts().some((record) => isNear(record.path, path)));
    // A removal that looks like half of a move is held back until the other half can arrive, and told (T52).
    const isWaiting = world.machines.some(({ reported }) => reported.some((problem) => problem.reason === 'waiting' && problem.path === path));
    if (isBack && !isDisputed && !isWaiting) oracle.blame(`INV-13: ${path} was removed by a person and is back with the same content`);
  }
}

/** Every version is somewhere, or somebody took it away. */
function checkVersions({ people, ledgers, machines, oracle }: World): void {
  const there = new Set(ledgers.flatMap(({ now }) => [...now.values()]));
  // Under faults that no engine can see through, and where one token stands for two texts, the trash is what was promised.
  if (machines.some(({ excuses }) => excuses.precondition || excuses.stale || excuses.ambiguousTokens)) {
    for (const { tree } of ledgers) for (const { bytes } of tree.trash.values()) there.add(new TextDecoder().decode(bytes));
  }
  for (const text of people.written) {
    if (text !== '' && !there.has(text) && wasEverSeen(text, ledgers) && !oracle.isGivenUp(text)) {
      oracle.blame(`INV-5: ${show(text)}, which nobody gave up, is nowhere any more`);
    }
  }
}

function wasEverSeen(text: string, ledgers: World['ledgers']): boolean {
  return ledgers.some(({ copies }) => copies.has(text));
}

function checkAgreement(machine: Machine, blame: (fault: string) => void): void {
  const { source, target } = machine.ledgers;
  const conflicts = machine.pair.conflicts();
  const odd = [...source.now, ...target.now].filter(([, state]) => state.startsWith('<')).map(([path]) => path);
  // Half of a move whose other half cannot arrive is kept, and told (T52).
  const waiting = machine.reported.filter(({ reason }) => reason === 'waiting').map(({ path }) => path);
  const excused = [...conflicts.map(({ path }): string => path), ...odd, ...waiting, ...source.repeated, ...target.repeated];
  const isExcused = (path: string): boolean => isIgnored(path, machine.ignored) || excused.some((place) => path === place || path.startsWith(`${place}/`));
  // A directory that holds what is excused may stay on one side.
  const holdsExcused = (path: string, now: ReadonlyMap<string, string>): boolean => [...now.keys()].some((place) => place.startsWith(`${path}/`) && isExcused(place));
  const isKept = source.tree.keepsEmptyDirectories && target.tree.keepsEmptyDirectories;
  for (const path of new Set([...source.now.keys(), ...target.now.keys()])) {
    const [ours, theirs] = [source.now.get(path), target.now.get(path)];
    if (ours === theirs || isExcused(path)) continue;
    if (ours === FOLDER || theirs === FOLDER) {
      if (!isKept || holdsExcused(path, source.now) || holdsExcused(path, target.now)) continue;
    }
    if (machine.isUnidirectional && ours === undefined) continue;
    blame(`INV-32: ${path} is ${show(ours)} in the folder and ${show(theirs)} in the shared storage, and in no conflict`);
  }
  checkRows(machine, isExcused, blame);
  for (const record of conflicts) {
    const [ours, theirs] = [source.now.get(record.path), target.now.get(record.path)];
    // What is neither file nor directory is not looked into: two links of one name are no agreement.
    const isSynced = ours === FOLDER || isText(ours);
    if (ours === theirs && isSynced && !isIgnored(record.path, machine.ignored) && record.reason !== 'name-collision' && !isBelowOther(record.path, conflicts)) {
      blame(`INV-36: ${record.path} is equal on both sides and still in conflict`);
    }
  }
}

function isBelowOther(path: string, conflicts: readonly { readonly path: string }[]): boolean {
  return conflicts.some((other) => other.path !== path && path.startsWith(`${other.path}/`));
}

/** INV-15: outside conflicts, a row says what both sides hold, and what both sides hold has a row. */
function checkRows(machine: Machine, isExcused: (path: string) => boolean, blame: (fault: string) => void): void {
  const { source, target } = machine.ledgers;
  const isAgreed = (path: string, state: State): boolean => source.now.get(path) === state && target.now.get(path) === state;
  for (const batch of machine.pair.scan(ROOT)) {
    for (const key of batch.keys as readonly Key[]) {
      const path = pathOfKey(key);
      const row = machine.pair.get(key);
      if (path === ROOT || row === undefined || isExcused(path)) continue;
      if (isDirectoryKey(key)) {
        const isThere = source.now.get(path) === FOLDER || target.now.get(path) === FOLDER;
        if (!isThere) blame(`INV-15: the baseline knows ${key}, which is not there`);
        continue;
      }
      const text = source.now.get(path);
      if (row.kind !== 'file' || !isText(text) || hashOf(text) !== row.hash || !isAgreed(path, text)) {
        blame(`INV-15: the baseline knows ${key} as another version than ${show(text)} and ${show(target.now.get(path))}`);
      } else {
        const agreed = { source: PROGRAM_TOKENS.isExecutable(row.sourceToken), target: PROGRAM_TOKENS.isExecutable(row.targetToken) };
        const behind = behindInExecutability(agreed, { source: source.tree.isExecutable(path), target: target.tree.isExecutable(path) });
        if (behind === 'target' || (behind === 'source' && !machine.isUnidirectional)) blame(`INV-32: ${path} became executable, or no longer so, and the ${behind} does not know`);
      }
    }
  }
  for (const [path, state] of source.now) {
    if (!isText(state) || !isAgreed(path, state) || isExcused(path)) continue;
    if (machine.pair.get(fileKey(path as RelativePath)) === undefined) blame(`INV-19: both sides hold ${path}, and the baseline does not know it`);
  }
}
