/** One line that says how far a sync is, as wide as the terminal and no wider. */

import type { StatusJob } from '@wl/ports/schemas';

import { formatCount, formatCountdown, formatCounted, formatSize } from './text.js';

/** Numbers of a running pass. */
export type ProgressNumbers = NonNullable<StatusJob['progress']>;

const SHORTEST_BAR = 10;
const LONGEST_BAR = 40;

/** The line without a bar: `12 of 300 files, 1.2 MB of 3.4 GB, 52 MB/s, 1:05 left`. */
export function progressText(progress: ProgressNumbers | undefined): string {
  return joined(progressParts(progress), Infinity);
}

/**
 * The line with a bar, at most `columns` wide; where there is no room the last parts go first,
 * then the bar. All of it is ASCII, so that a character is a column.
 */
export function progressBar(progress: ProgressNumbers | undefined, columns: number): string {
  const share = doneShare(progress);
  const parts = progressParts(progress);
  // A terminal that is written in its last column begins a new line.
  const width = Math.max(0, columns - 1);
  if (share === undefined) return joined(parts, width);
  const percent = `${String(Math.floor(share * 100)).padStart(3)}%`;
  const fixed = '[] '.length + percent.length + 2;
  const besideBar = width - fixed - SHORTEST_BAR;
  if (besideBar < (parts[0] ?? '').length) return joined([percent.trim(), ...parts], width);
  const text = joined(parts, besideBar);
  const length = Math.min(LONGEST_BAR, width - fixed - text.length);
  const filled = Math.floor(share * length);
  return `[${'#'.repeat(filled)}${'-'.repeat(length - filled)}] ${percent}  ${text}`;
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
