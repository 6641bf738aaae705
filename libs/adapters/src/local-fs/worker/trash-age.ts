/**
 * How long each run has been in the trash, counted by a clock of the trash's own that no step of the machine's
 * clock can hurry (INV-5, INV-22): the dates in the names of runs say when somebody believed it was, no more.
 *
 * `.wl/trash-age` holds the age of the trash, when it was last looked at, and its age when each run was first
 * seen. Within one boot the time since the last look is what the uptime says, which nobody sets. Across boots
 * there is only the clock, so at most a week is believed: a step costs no more of the time a version is kept,
 * and a machine that looks seldom keeps it longer, which is the safe side. The same holds for whatever is not
 * known: a file that is gone or damaged begins anew, and nothing is old.
 */

import type { Uptime } from './instance.js';

/** A moment by both clocks of a machine. */
export interface Moment extends Uptime {
  /** Milliseconds since the epoch, as far as the machine knows. */
  readonly wallMs: number;
}

/** What is kept of a trash. */
export interface TrashAge {
  readonly looked: Moment;
  /** How old the trash is, milliseconds. */
  readonly ageMs: number;
  /** How old the trash was when each run was first seen, by the run's name. */
  readonly since: ReadonlyMap<string, number>;
}

const HOUR_MS = 60 * 60 * 1000;
/** At most so much passes between two looks of different boots. */
const MOST_BELIEVED_MS = 7 * 24 * HOUR_MS;

/**
 * The age of a trash that holds `runs` now; `known` is what was kept of it at an earlier look. A run that still
 * `isInUse` is as young as what may be put into it next: a clock that stands still names one run for months.
 */
export function grown(known: TrashAge | undefined, now: Moment, runs: readonly string[], isInUse: (run: string) => boolean): TrashAge {
  const ageMs = known === undefined ? 0 : known.ageMs + passedMs(known.looked, now);
  const sinceOf = (run: string): number => (isInUse(run) ? ageMs : (known?.since.get(run) ?? ageMs));
  return { looked: now, ageMs, since: new Map(runs.map((run) => [run, sinceOf(run)])) };
}

/** Whether `next` tells more than `known` did: within an hour of the same boot only the runs can be news. */
export function isNews(known: TrashAge | undefined, next: TrashAge): boolean {
  if (known === undefined) return next.since.size > 0;
  const hasSameRuns = known.since.size === next.since.size && [...next.since.keys()].every((run) => known.since.has(run));
  if (!hasSameRuns) return true;
  if (next.since.size === 0) return false;
  return next.looked.boot !== known.looked.boot || Math.abs(next.looked.wallMs - known.looked.wallMs) >= HOUR_MS || next.ageMs - known.ageMs >= HOUR_MS;
}

/** What is written of it. */
export function formatTrashAge({ looked, ageMs, since }: TrashAge): string {
  return `${JSON.stringify({ looked, ageMs, since: [...since] })}\n`;
}

/** What was written; `undefined` for anything that cannot have been. */
export function parseTrashAge(text: string): TrashAge | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || !isMoment(value['looked'])) return undefined;
  const { looked, ageMs, since } = value;
  if (!isTime(ageMs) || ageMs < 0 || !Array.isArray(since)) return undefined;
  const isEntry = (entry: unknown): entry is [string, number] => Array.isArray(entry) && typeof entry[0] === 'string' && isTime(entry[1]) && entry[1] <= ageMs;
  return since.every(isEntry) ? { looked, ageMs, since: new Map(since) } : undefined;
}

function passedMs(looked: Moment, now: Moment): number {
  if (now.boot !== '' && now.boot === looked.boot) return Math.max(0, now.uptimeMs - looked.uptimeMs);
  return Math.min(MOST_BELIEVED_MS, Math.max(0, now.wallMs - looked.wallMs));
}

function isMoment(value: unknown): value is Moment {
  return isRecord(value) && isTime(value['wallMs']) && isTime(value['uptimeMs']) && typeof value['boot'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
