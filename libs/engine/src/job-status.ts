/** How a job is shown: the status text of the original (reference §5.9) and our status object. */

import type { Version } from '@wl/domain';
import type { ConflictRecord, Halt, JobStateName } from '@wl/ports';
import type { StatusConflict, StatusHalt } from '@wl/ports/schemas';

/** Numbers of the states in the control protocol. */
export const STATE_NUMBERS: Record<JobStateName, number> = { STOPPED: 1, RUNNING: 2, SYNCED: 3, ONE_SHOT: 4, ERROR: 5 };

/** What the status text of a job is made of. */
export interface StatusTextParts {
  readonly container: string;
  readonly state: JobStateName;
  readonly source: { readonly type: string; readonly backendId: string };
  readonly target: { readonly type: string; readonly backendId: string };
  readonly isUnidirectional: boolean;
  readonly isContinuous: boolean;
  readonly current: string | undefined;
  readonly conflicts: readonly string[];
  readonly error: string | undefined;
}

/** The status text of one job; lines after the first are indented by three spaces. */
export function statusText(parts: StatusTextParts): string {
  const { source, target } = parts;
  const arrow = parts.isUnidirectional ? '->' : '<->';
  const lines = [
    `${parts.container} ${parts.state} '${source.type}'(backend_id=${source.backendId}) ${arrow} ` +
      `'${target.type}'(backend_id=${target.backendId})${parts.isContinuous ? '' : ' [one-shot]'}`,
  ];
  if (parts.current !== undefined && (parts.state === 'RUNNING' || parts.state === 'ONE_SHOT')) {
    lines.push(`currently syncing: ${parts.current}`);
  }
  lines.push(...parts.conflicts);
  if (parts.error !== undefined) lines.push(`[!] ${parts.error}`);
  return lines.join('\n   ');
}

/** The conflict text that users of the original know. */
export function conflictText(path: string, sourceId: string, targetId: string): string {
  return `Conflict detected on ${path} in storages ${sourceId} and ${targetId}`;
}

/** A conflict in the status object. */
export function conflictJson(record: Omit<ConflictRecord, 'path' | 'sinceMs'> & { path: string; sinceMs?: number }): StatusConflict {
  return {
    path: record.path,
    reason: record.reason,
    source: versionJson(record.source),
    target: versionJson(record.target),
    ...(record.sinceMs !== undefined && { since: isoTime(record.sinceMs) }),
  };
}

/** A halt in the status object, with the whole command that goes on. */
export function haltJson(halt: Halt, job: { container: string; targetId: string; sourceId: string; isContinuous: boolean; isUnidirectional: boolean }): StatusHalt {
  const command = [
    'wl container sync',
    ...(halt.option === undefined ? [] : [halt.option]),
    `--source-storage ${shellWord(job.sourceId)} --target-storage ${shellWord(job.targetId)}`,
    ...(job.isContinuous ? [] : ['--one-shot']),
    ...(job.isUnidirectional ? ['--unidirectional'] : []),
    ...(job.container.startsWith('-') ? ['--'] : []),
    shellWord(job.container),
  ].join(' ');
  return {
    reason: halt.reason,
    ...(halt.side !== undefined && { side: halt.side }),
    message: halt.message,
    ...(halt.option !== undefined && { command }),
  };
}

/** ISO 8601 in UTC. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function versionJson(version: Version): StatusConflict['source'] {
  if (version.kind === 'absent') return null;
  if (version.kind === 'directory') return { kind: 'directory' };
  return { kind: 'file', size: version.sizeBytes, ...(version.sha256 !== undefined && { sha256: version.sha256 }) };
}

/** A word as a POSIX shell reads it back. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
