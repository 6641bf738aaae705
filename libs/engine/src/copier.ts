/**
 * Carries out copies: verified, conditional, durable (DESIGN §5, INV-15, INV-17, INV-27).
 * Uses the storages' own way between each other where they have one, else reads and
 * writes through the ports: small files whole, many at a time, others as streams. A lost
 * race is no error: the path is looked at again.
 */

import { createHash } from 'node:crypto';

import {
  fileKey,
  NO_TOKEN,
  otherSide,
  toSha256,
  type PlanItem,
  type SideName,
  type Token,
} from '@wl/domain';
import {
  isBackendError,
  type BackendError,
  type ContentIdentity,
  type CopyFrom,
  type CopyOutcome,
  type CopyRequest,
  type FileReader,
  type FileWriter,
  type StorageBackend,
} from '@wl/ports';

import type { Arrivals } from './arrivals.js';
import { contentBeforehand, damagedSource, isDamaged } from './known-content.js';
import { storageAt, type BaselineWriter, type PassContext, type PassLog } from './pass-context.js';
import { runStreams, settleAll, type Stop } from './run-all.js';
import { copyWhole, wholeWays } from './whole-copier.js';

/** One file to copy, as planned. */
export type PlannedCopy = Extract<PlanItem, { kind: 'copy-file' }>;

/** Files copied at the same time where they pass through this process. */
const STREAMS = 8;

/** Where outcomes are told. */
export interface CopyRecord {
  readonly log: PassLog;
  readonly baseline: BaselineWriter;
  readonly arrivals: Arrivals;
}

/** Copies all, in any order; resolves when each has an outcome. Rejects when a storage as a whole failed; nothing runs on then. */
export async function copyAll(copies: readonly PlannedCopy[], context: PassContext, record: CopyRecord): Promise<void> {
  for (const to of ['target', 'source'] as const) {
    const requests = copies
      .filter((copy) => copy.to === to)
      .map(({ path, from, replaces }): CopyRequest => ({ path, from, replaces }));
    if (requests.length === 0) continue;
    await copyTo(to, requests, context, (request, outcome) => settle(request, outcome, to, context, record));
  }
}

type OnOutcome = (request: CopyRequest, outcome: CopyOutcome) => void;

async function copyTo(to: SideName, requests: CopyRequest[], context: PassContext, onOutcome: OnOutcome): Promise<void> {
  const from = storageAt(context, otherSide(to));
  const target = storageAt(context, to);
  const ways = wholeWays(from, target);
  const fits = ({ from: { sizeBytes } }: CopyRequest): boolean => ways !== undefined && sizeBytes <= ways.maxBytes;
  const { copyFromBytes = 0 } = target;
  const isSmall = (request: CopyRequest): boolean => fits(request) && request.from.sizeBytes < copyFromBytes;
  const large = requests.filter((request) => !isSmall(request));
  const direct = target.copyFrom?.(from, large, context.signal);
  const isWhole = direct === undefined ? fits : isSmall;
  const stop: Stop = { isStopped: false };
  const { signal } = context;
  const stream = async (request: CopyRequest): Promise<void> => onOutcome(request, await copyThrough(from, target, request, signal));
  await settleAll([
    ways === undefined ? Promise.resolve() : copyWhole(requests.filter(isWhole), ways, { onOutcome, stop, signal }),
    direct === undefined ? runStreams(requests.filter((request) => !isWhole(request)), STREAMS, stream, stop) : copyDirectly(large, direct, onOutcome, stop),
  ]);
}

/** Copies by the storages' own way; ends early where the copying beside it fails. */
async function copyDirectly(requests: readonly CopyRequest[], direct: NonNullable<ReturnType<CopyFrom>>, onOutcome: OnOutcome, stop: Stop): Promise<void> {
  try {
    for await (const outcomes of direct) {
      for (const { index, outcome } of outcomes) onOutcome(requests[index]!, outcome);
      if (stop.isStopped) return;
    }
  } catch (error) {
    stop.isStopped = true;
    throw error;
  }
}

/** Copies one file through this process. */
export async function copyThrough(
  from: StorageBackend,
  to: StorageBackend,
  request: CopyRequest,
  signal: AbortSignal | undefined,
): Promise<CopyOutcome> {
  const { path, replaces } = request;
  try {
    const content = await contentBeforehand(from, to, request, signal);
    if (content === 'changed') return { kind: 'source-changed' };
    const opened = await from.read(path, request.from.token, signal);
    if (!opened.ok) return { kind: 'source-changed' };
    const reader = opened.value;
    try {
      const attributes = content === undefined ? reader.attributes : { ...reader.attributes, content };
      const writer = await to.openForSafeReplace(path, replaces?.token, attributes, signal);
      try {
        const { sha256, sizeBytes } = await transfer(reader, writer);
        // INV-27: what was read must be one version, the one that was planned.
        if (sizeBytes !== request.from.sizeBytes || !(await reader.isUnchanged())) return { kind: 'source-changed' };
        if (isDamaged(reader.attributes.content, { sha256, sizeBytes })) return { kind: 'failed', error: damagedSource(path) };
        if (content !== undefined && content.sha256 !== sha256) return { kind: 'source-changed' };
        const committed = await writer.commit({ sha256, sizeBytes });
        if (!committed.ok) return { kind: 'target-changed', ...leftoverOf(committed.error.leftover) };
        return {
          kind: 'copied',
          sha256,
          sizeBytes,
          sourceToken: request.from.token,
          isSourceRacy: request.from.isRacy,
          targetToken: committed.value.token,
          isTargetRacy: committed.value.isRacy,
        };
      } finally {
        await writer.abort();
      }
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (error === CHANGED) return { kind: 'source-changed' };
    if (isBackendError(error)) return { kind: 'failed', error };
    throw error;
  }
}

/** Thrown in place of a failure to read a file that changed meanwhile, e.g. got shorter: a lost race (T42). */
const CHANGED = new Error('the file changed while it was read');

/** Writes all that is read, and tells what it was. */
async function transfer(reader: FileReader, writer: FileWriter): Promise<ContentIdentity> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of unlessChanged(reader)) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
    try {
      await writer.write(chunk);
    } catch (error) {
      // Other bytes than were announced are refused; of a file that changed meanwhile they had to be others.
      if (isBackendError(error) && error.code === 'damaged' && !(await reader.isUnchanged())) throw CHANGED;
      throw error;
    }
  }
  return { sha256: toSha256(hash.digest('hex')), sizeBytes };
}

async function* unlessChanged(reader: FileReader): AsyncGenerator<Uint8Array> {
  try {
    yield* reader.chunks();
  } catch (error) {
    throw (await reader.isUnchanged().catch(() => true)) ? error : CHANGED;
  }
}

function leftoverOf(leftover: string | undefined): { leftover?: string } {
  return leftover === undefined ? {} : { leftover };
}

/** Tells what became of a copy: its row, or that the path is to be looked at again, or why it failed. */
export function settle(
  { path, from, replaces }: Pick<CopyRequest, 'path' | 'from' | 'replaces'>,
  outcome: CopyOutcome,
  to: SideName,
  context: PassContext,
  { log, baseline, arrivals }: CopyRecord,
): void {
  if (replaces === undefined) {
    if (outcome.kind === 'copied') arrivals.arrived(to, path, outcome.sha256);
    else arrivals.missed(to, path, from);
  }
  switch (outcome.kind) {
    case 'copied': {
      const fromToken = trusted(storageAt(context, otherSide(to)), outcome.sourceToken, outcome.isSourceRacy);
      const toToken = trusted(storageAt(context, to), outcome.targetToken, outcome.isTargetRacy);
      const [sourceToken, targetToken] = to === 'target' ? [fromToken, toToken] : [toToken, fromToken];
      baseline.add({
        kind: 'put',
        key: fileKey(path),
        row: { kind: 'file', hash: outcome.sha256, sizeBytes: outcome.sizeBytes, sourceToken, targetToken },
      });
      if (replaces === undefined) baseline.created(to);
      log.copied(outcome.sizeBytes);
      context.events.operation(replaces === undefined ? 'CREATE' : 'MODIFY', path);
      return;
    }
    case 'source-changed':
      log.retry.add(path);
      return;
    case 'target-changed':
      log.retry.add(path);
      reportLeftover(path, to, outcome.leftover, log);
      return;
    case 'failed':
      if (isGone(outcome.error)) log.retry.add(path);
      else log.failure(path, sideOf(outcome.error, to), outcome.error);
  }
}

/** Tells of a version that could not be left in place: it is safe in the trash and somebody must know (INV-5). */
export function reportLeftover(path: string, side: SideName, leftover: string | undefined, log: PassLog): void {
  if (leftover === undefined) return;
  log.problem(path, side, 'leftover', `a version written while this file was being replaced was kept as ${leftover}`);
}

/** The token under which a row may be trusted without looking: none, if the file may change and keep it. */
export function trusted({ programs }: Pick<StorageBackend, 'programs'>, token: Token, isRacy: boolean): Token {
  return isRacy ? (programs?.untrusted(token) ?? NO_TOKEN) : token;
}

/** The file, or the directory that it belongs into, went away: looking again shows which. */
function isGone({ code }: BackendError): boolean {
  return code === 'not-found' || code === 'not-a-directory';
}

/** Reading fails on the side read from, all else on the one written to. */
function sideOf(error: BackendError, to: SideName): SideName {
  return error.details.operation === 'read' ? otherSide(to) : to;
}
