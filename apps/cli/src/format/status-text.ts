/**
 * `wl status` for people: first the status text of each job as users of the original know it
 * (reference §5.9), then what it leaves out: how much is in sync, problems, and for a job that
 * halted the command that goes on. Lines of one job after its first are indented by three spaces.
 */

import { statusText } from '@wl/engine';
import type { Status, StatusJob } from '@wl/ports/schemas';

import type { Colors } from './colors.js';
import { credentialsHint } from './credentials-hint.js';
import { formatCounted, formatDuration, formatSize, oneLine } from './text.js';
import { conflictLines, problemLines } from './unsynced.js';

/** What the text depends on besides the status. */
export interface StatusView {
  /** Wall time, milliseconds since the epoch; left out, so are ages: the text then changes only when the status does. */
  readonly nowMs: number | undefined;
  readonly colors: Colors;
  /** Puts `--base-dir` into a command that the daemon suggests. */
  readonly toCommand: (command: string) => string;
}

const INDENT = '   ';

/** The lines of `wl status`. */
export function statusLines(status: Status, view: StatusView): string[] {
  const lines = status.jobs.length === 0 ? ['No sync jobs running'] : ['Sync jobs:', ...status.jobs.flatMap((job) => jobLines(job, view))];
  if (status.jobs.some((job) => job.conflicts.length > 0)) {
    const command = view.toCommand('wl container resolve CONTAINER PATH --keep source|target');
    lines.push('', `To settle a conflict make both copies equal, or delete the one you do not want, or run: ${command}`);
  }
  for (const note of status.daemon.notes ?? []) lines.push('', view.colors.yellow(`Note: ${oneLine(note)}`));
  return lines;
}

/** The lines of one job. */
export function jobLines(job: StatusJob, view: StatusView): string[] {
  const { colors } = view;
  const [first = '', ...known] = knownText(job).split('\n');
  const own = [
    ...(job.halt?.command === undefined ? [] : [`To go on: ${view.toCommand(job.halt.command)}`]),
    hintLine(job, view),
    ...problemLines(job).map((line) => colors.yellow(line)),
    placesLine(job),
    summaryLine(job, view.nowMs),
    ...job.notes.map((note) => colors.dim(`[i] ${oneLine(note)}`)),
  ];
  return [
    first.replace(` ${job.state} `, ` ${stateColor(job, colors)(job.state)} `),
    ...known.map((line) => (line.startsWith(`${INDENT}[!]`) ? colors.red(line) : line.startsWith(`${INDENT}Conflict`) ? colors.yellow(line) : line)),
    ...own.filter((line) => line !== '').map((line) => INDENT + line),
  ];
}

/** The status text of the original, made from the object. */
function knownText(job: StatusJob): string {
  const side = (storage: StatusJob['source']) => ({ type: oneLine(storage.type), backendId: oneLine(storage['backend-id']) });
  return statusText({
    container: oneLine(job.container),
    state: job.state,
    source: side(job.source),
    target: side(job.target),
    isUnidirectional: job.unidirectional,
    isContinuous: job.mode === 'continuous',
    current: job.current && `${job.current.operation} ${oneLine(job.current.path)}`,
    conflicts: conflictLines(job),
    error: oneLineOrUndefined(job.error ?? job.halt?.message),
  });
}

/** What helps where a storage refused our credentials. */
function hintLine(job: StatusJob, { toCommand }: StatusView): string {
  return credentialsHint([job.error, job.halt?.message, ...job.problems.map(({ message }) => message)], toCommand) ?? '';
}

/** `/home/ann/Photos <-> s3://bucket/photos/ (looked at every 30 s)`. */
function placesLine(job: StatusJob): string {
  const { source, target } = job;
  if (source.location === undefined || target.location === undefined) return '';
  return `${placeText(source)} ${job.unidirectional ? '->' : '<->'} ${placeText(target)}`;
}

/** A place that tells of its changes by itself needs no words. */
function placeText({ location = '', watching }: StatusJob['source']): string {
  return oneLine(location) + (watching?.startsWith('every ') === true ? ` (looked at ${oneLine(watching)})` : '');
}

/** `7 files (122 kB) in sync; SYNCED for 5 min; last pass 3 s ago: 4 copied (1 kB), 0 deleted; lag 250 ms`. */
function summaryLine(job: StatusJob, nowMs: number | undefined): string {
  const parts = [`${formatCounted(job.files, 'file')} (${formatSize(job.bytes)}) in sync`];
  const age = (time: string, now: number): string => formatDuration(Math.max(0, now - Date.parse(time)));
  if (job.since !== undefined && nowMs !== undefined) parts.push(`${job.state} for ${age(job.since, nowMs)}`);
  const { progress, 'last-pass': pass } = job;
  if (progress !== undefined && (job.state === 'RUNNING' || job.state === 'ONE_SHOT')) {
    const total = progress['files-total'];
    const files = total === undefined ? formatCounted(progress['files-done'], 'file') : `${progress['files-done']} of ${formatCounted(total, 'file')}`;
    parts.push(`copied ${files} (${formatSize(progress['bytes-done'])}) so far`);
  }
  if (pass !== undefined) {
    const size = pass['copied-bytes'] === undefined ? '' : ` (${formatSize(pass['copied-bytes'])})`;
    const permissions = pass.permissions === undefined ? '' : `, ${pass.permissions} with new permissions`;
    const when = nowMs === undefined ? '' : ` ${age(pass.finished, nowMs)} ago`;
    parts.push(`last pass${when}: ${pass.copied} copied${size}, ${pass.deleted} deleted${permissions}`);
  }
  if (job['lag-ms'] !== undefined && job.mode === 'continuous') parts.push(`lag ${formatDuration(job['lag-ms'])}`);
  return parts.join('; ');
}

function stateColor(job: StatusJob, colors: Colors): (text: string) => string {
  switch (job.state) {
    case 'ERROR':
      return colors.red;
    case 'SYNCED':
      return job.conflicts.length > 0 ? colors.yellow : colors.green;
    default:
      return colors.cyan;
  }
}

function oneLineOrUndefined(text: string | undefined): string | undefined {
  return text === undefined ? undefined : oneLine(text);
}
