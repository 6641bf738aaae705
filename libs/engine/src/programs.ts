/**
 * Which files are programs, between storages that both keep that. A change on one side is a change
 * of its token: the content is found to be the same, and the other side is given the bit. What
 * both agreed on is read off the tokens of the baseline. Nothing is decided where they never agreed.
 */

import { behindInExecutability, fileKey, otherSide, type Executability, type FileNode, type RelativePath, type SideName, type Token } from '@wl/domain';
import type { BaselineRow } from '@wl/ports';

import { trusted, type PlannedCopy } from './copier.js';
import { storageAt, type BaselineWriter, type PassContext, type PassLog } from './pass-context.js';
import { runStreams } from './run-all.js';

/** A file of which a side is to be given the bit of the other. */
export interface ProgramChange {
  readonly path: RelativePath;
  readonly on: SideName;
  /** The version there. */
  readonly node: FileNode;
  readonly isExecutable: boolean;
}

/** As many are under way at a time: those of a chunk, so that a storage can make them durable together. */
const STREAMS = 1024;

/** The change that a file asks for; never of the source of a one-way job (INV-37). */
export function programChange(path: RelativePath, nodes: Readonly<Record<SideName, FileNode>>, context: PassContext): ProgramChange | undefined {
  const now = executability(nodes.source.token, nodes.target.token, context);
  // Looked at first, since mostly they are alike: no row is read then.
  if (now.source === undefined || now.target === undefined || now.source === now.target) return undefined;
  const row = context.pair.get(fileKey(path));
  const on = row?.kind === 'file' ? behindInExecutability(executability(row.sourceToken, row.targetToken, context), now) : undefined;
  if (on === undefined || (on === 'source' && context.isUnidirectional)) return undefined;
  return { path, on, node: nodes[on], isExecutable: now[otherSide(on)] === true };
}

function executability(source: Token, target: Token, context: PassContext): Executability {
  return { source: context.source.programs?.isExecutable(source), target: context.target.programs?.isExecutable(target) };
}

/** A row of the baseline for both sides as they are now. */
export type FileRow = Extract<BaselineRow, { kind: 'file' }>;

/** A change of a file that both sides hold, with the row to be written. */
export interface AgreedProgram extends ProgramChange {
  readonly row: FileRow;
}

/** Carries out changes; the rows follow. Where a side does not keep the bit its row says so, and nobody tries again. */
export async function setPrograms(changes: readonly AgreedProgram[], context: PassContext, log: PassLog, baseline: BaselineWriter): Promise<void> {
  await runStreams(changes, STREAMS, async (change) => {
    const { path, on, row } = change;
    const now = await setProgram(change, context, log);
    if (now === undefined) return;
    const token = trusted(storageAt(context, on), now.token, now.isRacy);
    baseline.add({ kind: 'put', key: fileKey(path), row: { ...row, [on === 'source' ? 'sourceToken' : 'targetToken']: token } });
  });
}

/** A copy that waits for a change of the side that it is made from. */
export interface HeldCopy {
  readonly copy: PlannedCopy;
  readonly change: ProgramChange;
}

/**
 * The change that has to come before a copy: the copy brings the bit of its own side along, and would
 * undo what somebody did to the file that it replaces.
 */
export function changeBefore({ path, to, from, replaces }: PlannedCopy, context: PassContext): ProgramChange | undefined {
  if (replaces === undefined) return undefined;
  const [source, target] = to === 'target' ? [from, replaces] : [replaces, from];
  const change = programChange(path, { source, target }, context);
  return change?.on === to ? undefined : change;
}

/** Carries out what copies wait for; answers those that can be made now. */
export async function release(held: readonly HeldCopy[], context: PassContext, log: PassLog): Promise<PlannedCopy[]> {
  const copies: PlannedCopy[] = [];
  await runStreams(held, STREAMS, async ({ copy, change }) => {
    const from = await setProgram(change, context, log);
    if (from !== undefined) copies.push({ ...copy, from });
  });
  return copies;
}

/** Carries out one change; answers the file as it is then, also where that is as it was, `undefined` where it is to be looked at again. */
async function setProgram({ path, on, node, isExecutable }: ProgramChange, context: PassContext, log: PassLog): Promise<FileNode | undefined> {
  const storage = storageAt(context, on);
  const { programs } = storage;
  if (programs === undefined || storage.capabilities.isReadOnly) return node;
  try {
    const set = await programs.setExecutable(path, node.token, isExecutable);
    if (set.ok) {
      log.permissions += 1;
      context.events.operation('MODIFY', path);
      return { ...node, ...set.value };
    }
    if (set.error.kind === 'not-kept') {
      const wish = isExecutable ? 'could not be made executable' : 'could not be made a file that is not executable';
      log.remark(path, on, 'permissions', `${wish}, as it is on the other side: ${set.error.message}`);
      return node;
    }
    log.retry.add(path);
  } catch (error) {
    log.failure(path, on, error);
  }
  return undefined;
}
