/** What is printed at the end of a sync that was waited for. */

import type { StatusJob, StatusPlanned } from '@wl/ports/schemas';

import { credentialsHint } from '../format/credentials-hint.js';
import { formatCounted, formatSize, oneLine } from '../format/text.js';
import { conflictLines, problemLines, unsyncedSummary } from '../format/unsynced.js';

/** The end of a finished job: lines for standard output and, when it failed, for standard error. */
export interface Summary {
  readonly lines: readonly string[];
  readonly errors: readonly string[];
}

/** The summary of a finished one-shot job. `toCommand` completes a command that the daemon suggests. */
export function summaryOf(job: StatusJob, toCommand: (command: string) => string): Summary {
  const pass = job['last-pass'];
  const lines = [...conflictLines(job), ...problemLines(job)];
  if (pass !== undefined) lines.push(`${workText(pass)}; ${formatCounted(job.files, 'file')} (${formatSize(job.bytes)}) in sync.`);
  const errors = failureLines(job, toCommand);
  if (errors.length > 0) return { lines, errors };
  const unsynced = unsyncedSummary(job);
  lines.push(unsynced === '' ? 'Sync successful.' : `Sync successful. Not in sync: ${unsynced}.`);
  return { lines, errors: [] };
}

/** The summary of a dry run: its plan, in order, and what it comes to. */
export function planSummary(job: StatusJob, toCommand: (command: string) => string): Summary {
  const plan = job['last-pass']?.plan ?? [];
  const lines = plan.map((step) => planLine(step));
  const rest = (job['last-pass']?.['plan-total'] ?? plan.length) - plan.length;
  if (rest > 0) lines.push(`… and ${formatCounted(rest, 'more operation')}`);
  lines.push(...problemLines(job));
  const errors = failureLines(job, toCommand);
  if (errors.length === 0) lines.push(planTotal(plan, rest));
  return { lines, errors };
}

/** `CREATE target trip/1.jpg (12 kB)`; a directory's path ends in `/`. */
export function planLine(step: StatusPlanned): string {
  const path = oneLine(step.path) + (step.directory === true ? '/' : '');
  if (step.executable !== undefined) return `${step.operation} ${step.side} ${path} (${step.executable ? 'becomes executable' : 'no longer executable'})`;
  const isCopied = (step.operation === 'CREATE' || step.operation === 'MODIFY') && step.directory !== true;
  const size = step.size === undefined || !isCopied ? '' : ` (${formatSize(step.size)})`;
  return `${step.operation} ${step.side} ${path}${size}`;
}

/** How far a sync was that the user ended. */
export function interruptedText(job: StatusJob | undefined): string {
  const done = job?.progress;
  const amount = done === undefined ? '' : ` ${formatCounted(done['files-done'], 'file')} (${formatSize(done['bytes-done'])}) had been copied.`;
  return `Interrupted.${amount} Every file is whole; the same command goes on from here.`;
}

function failureLines(job: StatusJob, toCommand: (command: string) => string): string[] {
  if (job.halt === undefined && job.state !== 'ERROR') return [];
  const reason = job.halt?.message ?? job.error ?? 'the daemon gave no reason; see its log';
  const goOn = job.halt?.command === undefined ? [] : [`To go on: ${toCommand(job.halt.command)}`];
  const hint = credentialsHint([reason], toCommand);
  return [`Sync error: ${oneLine(reason)}`, ...goOn, ...(hint === undefined ? [] : [hint])];
}

function workText(pass: NonNullable<StatusJob['last-pass']>): string {
  const size = pass['copied-bytes'] === undefined || pass.copied === 0 ? '' : ` (${formatSize(pass['copied-bytes'])})`;
  const permissions = pass.permissions === undefined ? '' : `, changed the permissions of ${formatCounted(pass.permissions, 'file')}`;
  return `Copied ${formatCounted(pass.copied, 'file')}${size}, deleted ${formatCounted(pass.deleted, 'file')}${permissions}`;
}

function planTotal(plan: readonly StatusPlanned[], rest: number): string {
  if (plan.length === 0) return 'Nothing to do. Nothing was changed.';
  const count = (operation: StatusPlanned['operation']): number => plan.filter((step) => step.operation === operation).length;
  const [creates, modifies, deletes, conflicts] = [count('CREATE'), count('MODIFY'), count('DELETE'), count('CONFLICT')];
  const bytes = plan.reduce((sum, step) => sum + (step.operation === 'CREATE' || step.operation === 'MODIFY' ? (step.size ?? 0) : 0), 0);
  const shown = rest > 0 ? 'The operations shown would' : 'This would';
  const size = creates + modifies > 0 ? ` (${formatSize(bytes)} to copy)` : '';
  const left = conflicts === 0 ? '' : ` and leave ${formatCounted(conflicts, 'conflict')}`;
  return `${shown} create ${creates}, change ${modifies}, delete ${deletes}${size}${left}. Nothing was changed.`;
}
