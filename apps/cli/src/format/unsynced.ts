/** What is not in sync, one line a path: conflicts, problems, skipped places. */

import { conflictText } from '@wl/engine';
import type { StatusConflict, StatusJob } from '@wl/ports/schemas';

import { unsyncedOf } from '../exit-codes.js';
import { formatCount, formatCounted, oneLine } from './text.js';

/** The conflict texts of a job, as users of the original know them; with what the daemon left out counted. */
export function conflictLines(job: Pick<StatusJob, 'conflicts' | 'conflicts-total' | 'source' | 'target'>): string[] {
  const lines = job.conflicts.map((conflict) => conflictLine(conflict, job.source['backend-id'], job.target['backend-id']));
  return withRest(lines, job['conflicts-total'], 'conflict');
}

/** One conflict text. */
export function conflictLine(conflict: Pick<StatusConflict, 'path'>, sourceId: string, targetId: string): string {
  return conflictText(oneLine(conflict.path), sourceId, targetId);
}

/** Problems and skipped places of a job. */
export function problemLines(job: StatusJob): string[] {
  const problems = job.problems.map(({ path, side, message }) => `Problem with ${oneLine(path)} (${side}): ${oneLine(message)}`);
  const skipped = job.skipped.map(({ path, side, reason }) => `Skipped ${oneLine(path)} (${side}): ${oneLine(reason)}`);
  return [...withRest(problems, job['problems-total'], 'problem'), ...withRest(skipped, job['skipped-total'], 'skipped path')];
}

/** `2 conflicts, 1 skipped`; empty when all is in sync. */
export function unsyncedSummary(job: StatusJob): string {
  const { conflicts, problems, skipped } = unsyncedOf(job);
  return [
    ...(conflicts > 0 ? [formatCounted(conflicts, 'conflict')] : []),
    ...(problems > 0 ? [formatCounted(problems, 'problem')] : []),
    ...(skipped > 0 ? [`${formatCount(skipped)} skipped`] : []),
  ].join(', ');
}

function withRest(lines: string[], total: number | undefined, what: string): string[] {
  const rest = (total ?? lines.length) - lines.length;
  return rest > 0 ? [...lines, `… and ${formatCounted(rest, `more ${what}`)}`] : lines;
}
