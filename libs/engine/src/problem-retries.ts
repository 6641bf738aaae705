/**
 * When to look again at paths with problems that may end without news: a disk has room again,
 * a file server is back, somebody gave a right. No watcher tells of that, and the next pass over
 * everything may be far (T52, INV-30). Ever more patiently, so that what stays costs little.
 */

import { parseRelativePath, type RelativePath } from '@wl/domain';
import type { PassReport } from '@wl/ports';

import type { Scope } from './pass.js';

/** Reasons that can be over although nothing changed in the storages. Others end with a change, which is news. */
const MAY_PASS: ReadonlySet<string> = new Set([
  'permission-denied',
  'no-space',
  'read-only',
  'too-many-open-files',
  'unreachable',
  'unauthorized',
  'throttled',
  'damaged',
  'io-error',
  'read-error',
  'listing-incomplete',
]);

/** More paths than this are cheaper, and surely all, with a pass over everything. */
const PATH_LIMIT = 1000;

/** The paths of one job. Times are monotonic milliseconds. */
export class ProblemRetries {
  /** When to look again; `Infinity` while there is nothing to look at. */
  dueMs = Infinity;
  readonly #paths = new Set<RelativePath>();
  #times = 0;
  /** How many problems there were when it was last looked again. */
  #before = 0;

  constructor(private readonly pace: { readonly retryMs: number; readonly retryLimitMs: number }) {}

  /** Takes in what a pass has found. */
  note(scope: Scope, problems: PassReport['problems'], nowMs: number): void {
    if (scope === 'all') this.#paths.clear();
    else for (const path of scope) this.#paths.delete(path);
    for (const { path, reason } of problems) {
      const parsed = parseRelativePath(path);
      if (parsed.ok && MAY_PASS.has(reason)) this.#paths.add(parsed.value);
    }
    if (this.#paths.size === 0) {
      this.#times = 0;
      this.dueMs = Infinity;
    } else if (this.dueMs === Infinity) {
      // It got better: the rest may follow soon.
      if (this.#paths.size < this.#before) this.#times = 0;
      this.dueMs = nowMs + Math.min(this.pace.retryMs * 2 ** this.#times, this.pace.retryLimitMs);
    }
  }

  /** What to look at again now. Ask when it is due. */
  take(): Scope {
    this.#times += 1;
    this.#before = this.#paths.size;
    this.dueMs = Infinity;
    return this.#paths.size > PATH_LIMIT ? 'all' : [...this.#paths];
  }
}
