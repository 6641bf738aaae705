/**
 * The exit codes of `wl`: the one list of them. README and `wl help` say the same.
 *
 * | code | meaning |
 * |---|---|
 * | 0 | done; of a sync that was waited for: both sides agree |
 * | 1 | failure, or the sync halted itself |
 * | 2 | wrong usage: nothing was tried |
 * | 3 | done, but conflicts or paths that are not in sync remain |
 * | 130 | interrupted (Ctrl-C) |
 *
 * - Paths that are skipped because of their kind (links, sockets, …) are not in sync, so they
 *   count for 3 like conflicts and problems do.
 * - A dry run answers what the run would have ended with: 0 where everything could be done.
 * - `wl status` answers 0 when it could print; what it shows has no influence.
 * - `wl container list-conflicts` answers 3 when there are any.
 * - A reader that leaves early (`wl … | head`) ends `wl` with 141, as a program killed by SIGPIPE.
 */

import type { StatusJob } from '@wl/ports/schemas';

/** Every code that a command may return. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unsynced: 3, interrupted: 130 } as const;

/** One of them. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** How many paths of a job are not in sync, by reason. */
export interface Unsynced {
  readonly conflicts: number;
  readonly problems: number;
  readonly skipped: number;
}

/** What a job left undone. A dry run records no conflicts, so its report counts them. */
export function unsyncedOf(job: StatusJob): Unsynced {
  const recorded = job['conflicts-total'] ?? job.conflicts.length;
  return {
    conflicts: Math.max(recorded, isDryRun(job) ? (job['last-pass']?.conflicts ?? 0) : 0),
    problems: job['problems-total'] ?? job.problems.length,
    skipped: job['skipped-total'] ?? job.skipped.length,
  };
}

/** The exit code that a finished one-shot job stands for. */
export function exitCodeOf(job: StatusJob): ExitCode {
  if (job.state === 'ERROR' || job.halt !== undefined) return EXIT.failed;
  const { conflicts, problems, skipped } = unsyncedOf(job);
  return conflicts + problems + skipped > 0 ? EXIT.unsynced : EXIT.ok;
}

function isDryRun(job: StatusJob): boolean {
  return job['last-pass']?.plan !== undefined;
}
