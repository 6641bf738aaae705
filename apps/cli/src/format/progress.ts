/** One line that says how far a sync is, as wide as the terminal and no wider. */

import type { StatusJob } from '@wl/ports/schemas';

import { formatCount, formatCountdown, formatCounted, formatSize } from './text.js';

/** Numbers of a running pass. */
export type ProgressNumbers = NonNullable<StatusJob['progress']>;

const SHORTEST_BAR = 10;
const LONGEST_BAR = 40;
const MARK = '###';

/** The line without a bar: `12 of 300 files, 1.2 MB of 3.4 GB, 52 MB/s, 1:05 left`. */
export function progressText(progress: ProgressNumbers | undefined): string {
  return joined(progressParts(progress), Infinity);
}

/**
 * The line with a bar, at most `columns` wide; where there is no room the last parts go first,
 * then the bar. While nobody knows how much there is, a mark wanders through the bar, a step for
 * each `frame`. All of it is ASCII, so that a character is a column.
 */
export function progressBar(progress: ProgressNumbers | undefined, columns: number, frame: number): string {
  const share = doneShare(progress);
  const parts = progressParts(progress);
  // A terminal that is written in its last column begins a new line.
  const width = Math.max(0, columns - 1);
  const percent = share === undefined ? '' : `${Math.floor(share * 100)}%`.padStart('100%'.length);
  const fixed = '[] '.length + (percent === '' ? 0 : percent.length + 2);
  const besideBar = width - fixed - SHORTEST_BAR;
  if (besideBar < (parts[0] ?? '').length) return joined(percent === '' ? parts : [percent.trim(), ...parts], width);
  const text = joined(parts, besideBar);
  const length = Math.min(LONGEST_BAR, width - fixed - text.length);
  return `[${share === undefined ? wandering(length, frame) : filled(length, share)}] ${percent}${percent === '' ? '' : '  '}${text}`;
}

function filled(length: number, share: number): string {
  const done = Math.floor(share * length);
  return '#'.repeat(done) + '-'.repeat(length - done);
}

/** There and back again. */
function wandering(length: number, frame: number): string {
  const way = length - MARK.length;
  const step = frame % (2 * way);
  const at = step <= way ? step : 2 * way - step;
  return '-'.repeat(at) + MARK + '-'.repeat(way - at);
}

/** The most important part first. */
function progressParts(progress: ProgressNumbers | undefined): string[] {
  if (progress === undefined) return ['looking at both storages'];
  const { 'files-done': files, 'files-total': filesTotal, 'bytes-done': bytes, 'bytes-total': bytesTotal, 'bytes-per-second': rate } = progress;
  const seen = progress['entries-seen'];
  const isComparing = filesTotal === undefined;
  const parts = isComparing
    ? [`${formatCounted(files, 'file')} copied`, formatSize(bytes)]
    : [`${formatCount(files)} of ${formatCounted(filesTotal, 'file')}`, `${formatSize(bytes)} of ${formatSize(bytesTotal ?? bytes)}`];
  if (isComparing && seen !== undefined) parts.unshift(`${formatCounted(seen, 'entry', 'entries')} compared`);
  if (rate !== undefined && rate > 0 && bytes > 0) parts.push(`${formatSize(rate)}/s`);
  const left = secondsLeft(progress);
  if (left !== undefined) parts.push(`${formatCountdown(left)} left`);
  return parts;
}

/** How much of the work is done, 0 to 1; `undefined` while nobody knows how much there is. */
function doneShare(progress: ProgressNumbers | undefined): number | undefined {
  if (progress === undefined) return undefined;
  const { 'files-done': files, 'files-total': filesTotal, 'bytes-done': bytes, 'bytes-total': bytesTotal } = progress;
  if (filesTotal === undefined) return undefined;
  // Many small files take time that their bytes do not show: both count.
  const shares = [
    ...(filesTotal > 0 ? [files / filesTotal] : []),
    ...(bytesTotal !== undefined && bytesTotal > 0 ? [bytes / bytesTotal] : []),
  ];
  const share = shares.length === 0 ? 1 : shares.reduce((sum, part) => sum + part, 0) / shares.length;
  return Math.min(1, Math.max(0, share));
}

function secondsLeft(progress: ProgressNumbers): number | undefined {
  const { 'bytes-done': bytes, 'bytes-total': bytesTotal, 'bytes-per-second': rate } = progress;
  if (bytesTotal === undefined || rate === undefined || rate <= 0 || bytesTotal <= bytes) return undefined;
  return (bytesTotal - bytes) / rate;
}

function joined(parts: readonly string[], width: number): string {
  for (let count = parts.length; count > 0; count -= 1) {
    const text = parts.slice(0, count).join(', ');
    if (text.length <= width) return text;
  }
  return (parts[0] ?? '').slice(0, width);
}
