/**
 * Keeps two storages in sync for as long as it runs (DESIGN §7): a full pass, then hints of
 * the watchers → a short quiet time → the same decisions for just these paths. Hints may get
 * lost (INV-30): a full pass runs anyway at long intervals, and after every failure.
 */

import { ROOT, type RelativePath } from '@wl/domain';
import type { Clock, Halt, Hint, PassReport, StorageBackend, SyncerEvents, Watcher } from '@wl/ports';

import type { PassOptions, PassResult, Scope } from './pass.js';
import { ProblemRetries } from './problem-retries.js';

/** Times of a continuous job, in milliseconds. */
export interface Pace {
  /** No new hint for this long: what came together is looked at. */
  readonly quietMs: number;
  /** The same for the first news after a calm of `calmMs`: one saved file, most of the time, for which somebody waits. */
  readonly promptMs: number;
  readonly calmMs: number;
  /** But never later than this after the first hint. */
  readonly quietLimitMs: number;
  /** A deletion must last this long. */
  readonly deletionDelayMs: number;
  /** A full pass at least this often, whatever the watchers say; */
  readonly verifyMs: number;
  /** ever more rarely, up to this, while there is neither a hint nor anything that a hint should have told of. */
  readonly verifyLimitMs: number;
  /** While a watcher does not see everything: a full pass at least this often, or more seldom where passes take long. */
  readonly degradedVerifyMs: number;
  /** First and longest wait after a failure or a halt; doubled each time. */
  readonly retryMs: number;
  readonly retryLimitMs: number;
}

/** What served well; measured in docs/benchmarks.md. */
export const DEFAULT_PACE: Pace = {
  quietMs: 15,
  promptMs: 5,
  calmMs: 200,
  quietLimitMs: 400,
  deletionDelayMs: 400,
  verifyMs: 15 * 60_000,
  verifyLimitMs: 60 * 60_000,
  degradedVerifyMs: 30_000,
  retryMs: 1000,
  retryLimitMs: 60_000,
};

/** What a continuous job is made of. */
export interface ContinuousJobParts {
  readonly source: StorageBackend;
  readonly target: StorageBackend;
  readonly clock: Clock;
  readonly events: SyncerEvents;
  readonly pace: Pace;
  readonly runPass: (scope: Scope, options: PassOptions, signal: AbortSignal) => Promise<PassResult>;
  /** What is wrong with the roots, if anything. */
  readonly checkRoots: () => Promise<Halt | undefined>;
  /** Makes a watcher for a storage; throws where there is no way to watch it. */
  readonly watch: (storage: StorageBackend) => Watcher;
}

/** Options that hold for the first pass only: the user's word is for what they saw. */
export interface FirstPass {
  readonly allowMassDelete: boolean;
  readonly acceptNewRoot: boolean;
}

/** One running job. `start` once, `stop` once. */
export class ContinuousJob {
  readonly #parts: ContinuousJobParts;
  readonly #abort = new AbortController();
  #watchers: Watcher[] = [];
  #isWatching = false;
  /** What the watchers said they do not see. */
  readonly #degradations = new Set<string>();
  /** Points to look at; a Map keeps the time (monotonic, ms) from which each may be looked at. */
  readonly #pending = new Map<RelativePath, number>();
  /** How often each path was found changing in a row. */
  readonly #unsettled = new Map<RelativePath, number>();
  /** What was to be looked at again when deletions were put off, and was not yet. */
  readonly #putOff = new Set<RelativePath>();
  #firstHintMs: number | undefined;
  #lastHintMs = -Infinity;
  /** When the last pass ended (monotonic, ms). */
  #lastPassMs = -Infinity;
  /** Whether the hints at hand came after a calm. A file that is written in pieces is news once, and after that no calm. */
  #isFirstNews = false;
  #fullPassDueMs = 0;
  #fullPassStartedMs = 0;
  /** How long the last one took. */
  #fullPassMs = 0;
  /** From one full pass to the next where the watchers see everything, as it is now. */
  #watchedVerifyMs: number;
  /** Whether there was a hint since the last full pass began. */
  #wasHinted = true;
  /** Failures and halts since the last full pass that went well. Until the next one, only full passes are made. */
  #failures = 0;
  /** After a failure: when the next try is due at the latest. */
  #retryAtMs = 0;
  /** How often in a row deletions were put off because there was news. */
  #postponed = 0;
  readonly #problems: ProblemRetries;
  #wake: () => void = () => undefined;
  #loop: Promise<void> | undefined;

  constructor(parts: ContinuousJobParts) {
    this.#parts = parts;
    this.#problems = new ProblemRetries(parts.pace);
    this.#watchedVerifyMs = parts.pace.verifyMs;
  }

  /** Starts the loop: watching first, then a full pass. */
  start(first: FirstPass): void {
    this.#loop = this.#run(first);
  }

  /** Stops after the step at hand; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    // A watcher that still starts, which takes its time in a large tree, gives up by this.
    await Promise.all(this.#watchers.map((watcher) => watcher.stop()));
    await this.#loop;
    await this.#stopWatchers();
  }

  get isRunning(): boolean {
    return this.#loop !== undefined && !this.#abort.signal.aborted;
  }

  async #run(first: FirstPass): Promise<void> {
    const { clock } = this.#parts;
    let once: FirstPass = first;
    while (!this.#abort.signal.aborted) {
      const now = clock.monotonicMs();
      if (this.#failures === 0 && now >= this.#problems.dueMs) this.#lookAgain(this.#problems.take(), now);
      if (now >= this.#nextFullPassMs()) {
        await this.#attempt('all', once);
        once = { allowMassDelete: false, acceptNewRoot: false };
        continue;
      }
      const due = this.#duePoints(now);
      if (due !== undefined) await this.#attempt(due, once);
      else await this.#sleepUntil(this.#nextDueMs());
    }
  }

  /** One pass with everything that can come of it; never rejects. */
  async #attempt(scope: Scope, first: FirstPass): Promise<void> {
    const { events, pace } = this.#parts;
    const hintMs = this.#firstHintMs;
    this.#firstHintMs = undefined;
    if (scope === 'all') {
      // It looks at all that was hinted at; what is hinted at from now on may be behind it already.
      this.#fullPassDueMs = Infinity;
      this.#fullPassStartedMs = this.#parts.clock.monotonicMs();
      this.#pending.clear();
    }
    const wasHinted = this.#wasHinted;
    if (scope === 'all') this.#wasHinted = false;
    try {
      if (!this.#isWatching) await this.#watchOrHalt();
      if (this.#abort.signal.aborted) return;
      events.state(scope === 'all' ? 'ONE_SHOT' : 'RUNNING');
      let isPostponed = false;
      const isDisturbed = (): boolean => (isPostponed = this.#isDisturbed());
      const options = { ...first, deletionDelayMs: pace.deletionDelayMs, isDisturbed, retries: 0 };
      const { report, unsettled } = await this.#parts.runPass(scope, options, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.#requeue(scope, unsettled);
      this.#problems.note(scope, report.problems, this.#parts.clock.monotonicMs());
      if (scope === 'all') this.#putOff.clear();
      else for (const path of scope) this.#putOff.delete(path);
      if (isPostponed) for (const path of unsettled) this.#putOff.add(path);
      if (scope === 'all') this.#adaptPace(report, wasHinted || this.#wasHinted);
      await this.#finish(scope, report, hintMs);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof HaltError) events.halt(error.halt);
      else events.error(error instanceof Error ? error : new Error(String(error)));
      events.state('ERROR');
      this.#failed();
    } finally {
      this.#lastPassMs = this.#parts.clock.monotonicMs();
    }
  }

  /**
   * Whether hints came while a pass waited to delete. A tree that is being removed shows piece by
   * piece, and the rule against mass deletion must see it whole (T85). Put off a few times only:
   * in a place that is never quiet deletions still arrive.
   */
  #isDisturbed(): boolean {
    if (this.#firstHintMs === undefined || this.#postponed >= POSTPONE_LIMIT) {
      this.#postponed = 0;
      return false;
    }
    this.#postponed += 1;
    return true;
  }

  /** Without a watcher nothing is concluded at all (T07); a root that is not there is told as such. */
  async #watchOrHalt(): Promise<void> {
    try {
      await this.#startWatchers();
    } catch (error) {
      const halt = await this.#parts.checkRoots();
      throw halt === undefined ? error : new HaltError(halt);
    }
  }

  async #finish(scope: Scope, report: PassReport, hintMs: number | undefined): Promise<void> {
    const { events, clock } = this.#parts;
    const now = clock.monotonicMs();
    events.report({ ...report, ...(scope !== 'all' && { scope }), ...(hintMs !== undefined && { lagMs: now - hintMs }) });
    if (report.halt !== undefined) {
      events.halt(report.halt);
      events.state('ERROR');
      // A root that went away took the watches with it; they are set again when it is back.
      if (isRootHalt(report.halt)) await this.#stopWatchers();
      this.#failed();
      return;
    }
    if (scope === 'all') {
      this.#failures = 0;
      this.#fullPassMs = now - this.#fullPassStartedMs;
      this.#fullPassDueMs = Math.min(this.#fullPassDueMs, now + this.#verifyMs());
    }
    // Until the deletions that were put off are looked at again, in a moment, the sides differ.
    if (this.#putOff.size === 0) events.state('SYNCED');
  }

  /**
   * INV-30: events get lost where many come, and where a watcher sees not all; a full pass over
   * what has been quiet for long is the one thing that an idle daemon would spend time on.
   */
  #adaptPace({ copiedFiles, deletedFiles, madeDirectories, deletedDirectories, permissions = 0 }: PassReport, wasHinted: boolean): void {
    const { verifyMs, verifyLimitMs } = this.#parts.pace;
    const foundMore = copiedFiles + deletedFiles + madeDirectories + deletedDirectories + permissions > 0;
    const isCalm = !wasHinted && !foundMore && this.#degradations.size === 0;
    this.#watchedVerifyMs = isCalm ? Math.min(2 * this.#watchedVerifyMs, verifyLimitMs) : verifyMs;
  }

  /** The next try is a full pass: whether a halt or failure is over, only that can tell. */
  #failed(): void {
    this.#failures += 1;
    // What it hid may have been missed by the watchers, too.
    this.#wasHinted = true;
    this.#retryAtMs = this.#parts.clock.monotonicMs() + this.#backoffMs();
  }

  /** When the next full pass is due. After a failure, news brings it forward, once it pauses for a moment. */
  #nextFullPassMs(): number {
    if (this.#failures === 0) return this.#fullPassDueMs;
    if (this.#firstHintMs === undefined) return this.#retryAtMs;
    return Math.min(this.#retryAtMs, this.#lastHintMs + this.#parts.pace.retryMs);
  }

  #lookAgain(scope: Scope, now: number): void {
    if (scope === 'all') this.#fullPassDueMs = now;
    else for (const path of scope) this.#pending.set(path, this.#pending.get(path) ?? now);
  }

  /** Paths that changed under the pass are looked at again, ever more patiently (T42: a log that keeps growing). */
  #requeue(scope: Scope, unsettled: readonly RelativePath[]): void {
    const { clock, pace } = this.#parts;
    const now = clock.monotonicMs();
    const still = new Set(unsettled);
    for (const path of scope === 'all' ? [...this.#unsettled.keys()] : scope) {
      if (!still.has(path)) this.#unsettled.delete(path);
    }
    for (const path of unsettled) {
      const times = (this.#unsettled.get(path) ?? 0) + 1;
      this.#unsettled.set(path, times);
      const delayMs = Math.min(50 * 2 ** times, pace.retryLimitMs);
      this.#pending.set(path, now + delayMs);
    }
    // The hints that came during the pass may have been about these paths only.
    if (unsettled.length > 0 && ![...this.#pending.values()].some((notBeforeMs) => notBeforeMs <= now)) this.#firstHintMs = undefined;
  }

  #onHints(hints: readonly Hint[]): void {
    const now = this.#parts.clock.monotonicMs();
    // A path that was put off is looked at when its time has come: a growing log would be news without end.
    const news = hints.filter(({ path }) => (this.#pending.get(path) ?? now) <= now);
    if (news.length === 0) return;
    this.#wasHinted = true;
    this.#fullPassDueMs = Math.min(this.#fullPassDueMs, now + this.#parts.pace.verifyMs);
    for (const { path } of news) if (path !== ROOT) this.#pending.set(path, now);
    if (this.#pending.size > HINT_LIMIT || news.some(({ path }) => path === ROOT)) {
      // Everything: a full pass looks at what is pending, too.
      this.#pending.clear();
      this.#fullPassDueMs = Math.min(this.#fullPassDueMs, now + this.#parts.pace.quietLimitMs);
    }
    if (this.#firstHintMs === undefined) {
      this.#firstHintMs = now;
      this.#isFirstNews = now - Math.max(this.#lastPassMs, this.#lastHintMs) >= this.#parts.pace.calmMs;
    }
    this.#lastHintMs = now;
    this.#wake();
  }

  /** The points to look at now, or `undefined` while hints keep coming or nothing is due. */
  #duePoints(now: number): RelativePath[] | undefined {
    if (this.#failures > 0 || this.#pending.size === 0 || now < this.#quietAtMs()) return undefined;
    const due = [...this.#pending].filter(([, notBeforeMs]) => notBeforeMs <= now).map(([path]) => path);
    for (const path of due) this.#pending.delete(path);
    return due.length === 0 ? undefined : due;
  }

  #quietAtMs(): number {
    if (this.#firstHintMs === undefined) return 0;
    const { promptMs, quietMs, quietLimitMs } = this.#parts.pace;
    return Math.min(this.#lastHintMs + (this.#isFirstNews ? promptMs : quietMs), this.#firstHintMs + quietLimitMs);
  }

  #nextDueMs(): number {
    let next = this.#nextFullPassMs();
    if (this.#failures > 0) return next;
    next = Math.min(next, this.#problems.dueMs);
    for (const notBeforeMs of this.#pending.values()) next = Math.min(next, Math.max(notBeforeMs, this.#quietAtMs()));
    return next;
  }

  async #sleepUntil(timeMs: number): Promise<void> {
    const { clock } = this.#parts;
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, clock.sleep(Math.max(1, timeMs - clock.monotonicMs()), timer.signal)]);
    // With a reason, since the error that stands in for none costs more than all else here.
    timer.abort(WOKEN);
  }

  #backoffMs(): number {
    const { retryMs, retryLimitMs } = this.#parts.pace;
    return Math.min(retryMs * 2 ** (this.#failures - 1), retryLimitMs);
  }

  async #startWatchers(): Promise<void> {
    const { source, target, watch } = this.#parts;
    try {
      for (const storage of [source, target]) {
        if (this.#abort.signal.aborted) return;
        const watcher = watch(storage);
        this.#watchers.push(watcher);
        await watcher.start({
          hints: (hints) => this.#onHints(hints),
          degraded: (message) => this.#onDegraded(`${storage.type}(${storage.backendId}): ${message}`),
        });
      }
      this.#isWatching = true;
    } catch (error) {
      await this.#stopWatchers();
      throw error;
    }
  }

  #onDegraded(message: string): void {
    this.#degradations.add(message);
    this.#parts.events.note(message);
    // What was planned for a watcher that sees everything is too late now.
    if (this.#fullPassDueMs === Infinity) return;
    this.#fullPassDueMs = Math.min(this.#fullPassDueMs, this.#parts.clock.monotonicMs() + this.#verifyMs());
    this.#wake();
  }

  /** Until the next full pass. Where watching is incomplete, looking at intervals takes its place (T07, T62), at a twentieth of the time at most. */
  #verifyMs(): number {
    const { verifyMs, degradedVerifyMs } = this.#parts.pace;
    return this.#degradations.size === 0 ? this.#watchedVerifyMs : Math.min(verifyMs, Math.max(degradedVerifyMs, 20 * this.#fullPassMs));
  }

  async #stopWatchers(): Promise<void> {
    const watchers = this.#watchers;
    this.#watchers = [];
    this.#isWatching = false;
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    // What those watchers did not see is no fault of the next ones.
    for (const message of this.#degradations) this.#parts.events.noteEnded(message);
    this.#degradations.clear();
  }
}

/** A halt found before a pass could start. */
class HaltError extends Error {
  constructor(readonly halt: Halt) {
    super(halt.message);
  }
}

/** Why a sleep ended early. */
const WOKEN = new Error('woken');

/** How often in a row deletions are put off at most. */
const POSTPONE_LIMIT = 4;

/** More single hints than this are cheaper as one pass over everything. */
const HINT_LIMIT = 20_000;

function isRootHalt(halt: Halt): boolean {
  return halt.reason === 'root-missing' || halt.reason === 'root-unreadable' || halt.reason === 'root-changed';
}
