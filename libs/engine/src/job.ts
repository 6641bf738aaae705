/**
 * One job: two opened storages, the syncer that serves them, and what is known of its
 * course. It listens to its syncer, keeps the state that status shows, and passes events
 * on to whoever subscribed. A filter on events filters what is sent, never what is kept.
 */

import { isWithin, type RelativePath } from '@wl/domain';
import {
  StateError,
  type Clock,
  type ConflictRecord,
  type Halt,
  type JobStateName,
  type PairState,
  type PassReport,
  type Progress,
  type StorageBackend,
  type Syncer,
  type SyncerEvents,
  type SyncOptions,
} from '@wl/ports';
import type { StartArgs, StatusJob } from '@wl/ports/schemas';

import { agreedTotals } from './agreed-totals.js';
import { conflictJson, conflictText, haltJson, isoTime, statusText, STATE_NUMBERS } from './job-status.js';
import { REPORT_LIMIT } from './pass-context.js';
import { settleAll } from './run-all.js';

/** An event as subscribers get it; types and texts are those of the control protocol. */
export interface JobEvent {
  readonly type: 'state' | 'progress' | 'conflict' | 'error';
  readonly value: string;
  readonly jobId: string;
}

/** Receives events of jobs. Does not throw. */
export type JobListener = (event: JobEvent) => void;

/** What a job is made of. */
export interface JobParts {
  readonly args: StartArgs;
  /** `owner|uuid`, or the whole job id where it has another form. */
  readonly containerId: string;
  readonly source: StorageBackend;
  readonly target: StorageBackend;
  readonly pair: PairState;
  readonly clock: Clock;
  readonly syncerName: string;
  /** How changes of a storage are noticed at the moment, in a few words, where they are. */
  readonly describeWatching?: ((storage: StorageBackend) => string | undefined) | undefined;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Conflicts, problems and skipped places that status lists at most; more are counted. */
const LIST_LIMIT = 1000;

/** Progress events beyond a burst are thinned to this many a second: 200,000 files are no 200,000 messages. */
const PROGRESS_PER_SECOND = 50;
const PROGRESS_BURST = 200;

/** A running, or finished and not yet cleared, job. */
export class Job implements SyncerEvents {
  readonly parts: JobParts;
  #syncer: Syncer | undefined;
  readonly #abort = new AbortController();
  readonly #listeners = new Map<JobListener, ReadonlySet<string>>();
  #done: Promise<void> = Promise.resolve();
  #activeEvents: ReadonlySet<string>;

  #state: JobStateName = 'STOPPED';
  #stateSinceMs: number;
  #current: { operation: 'CREATE' | 'MODIFY' | 'DELETE'; path: string } | undefined;
  #progress: Progress | undefined;
  #progressStart: { atMs: number; bytes: number } | undefined;
  #report: PassReport | undefined;
  #passStartedMs = 0;
  #passFinishedMs = 0;
  #lastLagMs: number | undefined;
  #halt: Halt | undefined;
  #error: string | undefined;
  readonly #notes = new Set<string>();
  #progressCredit = PROGRESS_BURST;
  #progressCreditAtMs = 0;
  #isFinished = false;

  constructor(parts: JobParts) {
    this.parts = parts;
    this.#activeEvents = new Set(parts.args['active-events'] ?? []);
    this.#stateSinceMs = parts.clock.nowMs();
  }

  get id(): string {
    return this.parts.args['job-id'];
  }

  get isContinuous(): boolean {
    return this.parts.args.continuous;
  }

  /** A one-shot job that has run: listed until it is cleared, in nobody's way. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  get isHalted(): boolean {
    return this.#halt !== undefined;
  }

  /** Starts the syncer; resolves once it runs. */
  async start(syncer: Syncer): Promise<void> {
    this.#syncer = syncer;
    const { args } = this.parts;
    const options: SyncOptions = {
      dryRun: args['dry-run'] ?? false,
      allowMassDelete: args['allow-mass-delete'] ?? false,
      acceptNewRoot: args['accept-new-root'] ?? false,
      signal: this.#abort.signal,
    };
    if (args.continuous) {
      await syncer.startSync(options);
      return;
    }
    this.#done = syncer
      .oneShotSync(options)
      .then(
        () => undefined,
        (error: unknown) => {
          if (this.#abort.signal.aborted) return;
          this.error(error instanceof Error ? error : new Error(String(error)));
          this.state('ERROR');
        },
      )
      .finally(() => {
        this.#isFinished = true;
      });
  }

  /** Stops where every file is whole; resolves when nothing runs any more and the storages are closed. */
  async stop(): Promise<void> {
    this.#abort.abort(new Error('the job was stopped'));
    try {
      await this.#syncer?.stopSync();
      await this.#done;
    } finally {
      // A syncer that fails to stop cannot write to closed storages.
      await settleAll([this.parts.source.close(), this.parts.target.close()]);
    }
    if (this.#state !== 'ERROR') this.state('STOPPED');
  }

  /** Resolves when a one-shot job has run. */
  async finished(): Promise<void> {
    await this.#done;
  }

  subscribe(listener: JobListener, types: readonly string[] = []): void {
    this.#listeners.set(listener, new Set(types));
  }

  unsubscribe(listener: JobListener): void {
    this.#listeners.delete(listener);
  }

  setActiveEvents(types: readonly string[]): void {
    this.#activeEvents = new Set(types);
  }

  // --- What the syncer tells ---

  state(state: JobStateName): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#stateSinceMs = this.parts.clock.nowMs();
    if (state === 'ONE_SHOT' || state === 'RUNNING') {
      this.#passStartedMs = this.#stateSinceMs;
      this.#progress = undefined;
      this.#progressStart = undefined;
    } else {
      this.#current = undefined;
    }
    if (state === 'SYNCED') {
      this.#halt = undefined;
      this.#error = undefined;
    }
    this.#emit('state', state);
    this.parts.log('info', 'state', { job: this.id, state });
  }

  operation(operation: 'CREATE' | 'MODIFY' | 'DELETE', path: string): void {
    this.#current = { operation, path };
    if (this.#mayTellProgress()) this.#emit('progress', `${operation} ${path}`);
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    this.#progressStart ??= { atMs: this.parts.clock.monotonicMs(), bytes: progress.bytesDone };
  }

  conflict({ path }: ConflictRecord): void {
    this.#emit('conflict', conflictText(path, this.parts.source.backendId, this.parts.target.backendId));
    this.parts.log('warn', 'conflict', { job: this.id, path });
  }

  conflictResolved(path: string): void {
    this.parts.log('info', 'conflict ended', { job: this.id, path });
  }

  report(report: PassReport): void {
    this.#report = this.#report === undefined ? report : mergeReports(this.#report, report);
    this.#passFinishedMs = this.parts.clock.nowMs();
    if (report.lagMs !== undefined) this.#lastLagMs = report.lagMs;
    const { copiedFiles, copiedBytes, deletedFiles, conflicts, files } = report;
    this.parts.log('info', 'pass finished', { job: this.id, copiedFiles, copiedBytes, deletedFiles, conflicts, files });
    for (const problem of report.problems) this.parts.log('warn', 'problem', { job: this.id, ...problem });
  }

  halt(halt: Halt): void {
    // A job that tries again and again meets the same halt: that is told once.
    const isNews = this.#halt?.reason !== halt.reason || this.#error !== halt.message;
    this.#halt = halt;
    this.#error = halt.message;
    if (!isNews) return;
    this.#emit('error', halt.message);
    this.parts.log('error', 'halted', { job: this.id, reason: halt.reason, message: halt.message });
  }

  error(error: Error): void {
    this.#error = error.message;
    this.#emit('error', error.message);
    this.parts.log('error', 'error', { job: this.id, error: error.message, stack: error.stack });
  }

  note(message: string): void {
    this.#notes.add(message);
    this.parts.log('warn', 'note', { job: this.id, message });
  }

  noteEnded(message: string): void {
    this.#notes.delete(message);
  }

  // --- What others ask ---

  /** `[number, text]` of the control protocol. */
  jobState(): readonly [number, string] {
    return [STATE_NUMBERS[this.#state], this.statusText()];
  }

  statusText(): string {
    const { args, source, target } = this.parts;
    const { conflicts } = this.#recorded();
    const texts = conflicts.slice(0, LIST_LIMIT).map(({ path }) => conflictText(path, source.backendId, target.backendId));
    if (conflicts.length > LIST_LIMIT) texts.push(`… and ${String(conflicts.length - LIST_LIMIT)} more conflicts`);
    return statusText({
      container: args['container-name'],
      state: this.#state,
      source,
      target,
      isUnidirectional: args.unidirectional,
      isContinuous: args.continuous,
      current: this.#current && `${this.#current.operation} ${this.#current.path}`,
      conflicts: texts,
      error: this.#error,
    });
  }

  statusJson(): StatusJob {
    const { args, source, target, clock } = this.parts;
    const { conflicts, totals, failure } = this.#recorded();
    const report = this.#report;
    const problems = report?.problems ?? [];
    const skipped = report?.skipped ?? [];
    const halt = { container: args['container-name'], targetId: target.backendId, sourceId: source.backendId };
    return {
      'job-id': this.id,
      container: args['container-name'],
      'container-id': this.parts.containerId,
      state: this.#state,
      mode: args.continuous ? 'continuous' : 'one-shot',
      unidirectional: args.unidirectional,
      syncer: this.parts.syncerName,
      source: this.#storageJson(source),
      target: this.#storageJson(target),
      ...(this.#current !== undefined && { current: this.#current }),
      ...(this.#progress !== undefined && { progress: this.#progressJson(this.#progress) }),
      conflicts: conflicts.slice(0, LIST_LIMIT).map(conflictJson),
      'conflicts-total': conflicts.length,
      problems: problems.slice(0, LIST_LIMIT).map(({ path, side, reason, message }) => ({ path, side, reason, message })),
      'problems-total': problems.length,
      skipped: skipped.slice(0, LIST_LIMIT).map(({ path, side, reason }) => ({ path, side, reason })),
      'skipped-total': skipped.length,
      ...(this.#halt !== undefined && {
        halt: haltJson(this.#halt, { ...halt, isContinuous: args.continuous, isUnidirectional: args.unidirectional }),
      }),
      ...(this.#error !== undefined && { error: this.#error }),
      ...(report !== undefined && { 'last-pass': this.#passJson(report) }),
      files: totals.files,
      bytes: totals.bytes,
      since: isoTime(Math.min(this.#stateSinceMs, clock.nowMs())),
      ...(this.#lastLagMs !== undefined && { 'lag-ms': Math.round(this.#lastLagMs) }),
      // Looked up each time: what a storage can do is known once it was opened.
      notes: [...capabilityNotes(source), ...capabilityNotes(target), ...this.#notes, ...failure],
    };
  }

  #storageJson(storage: StorageBackend): StatusJob['source'] {
    const watching = this.isContinuous ? this.parts.describeWatching?.(storage) : undefined;
    return {
      type: storage.type,
      'backend-id': storage.backendId,
      location: storage.displayLocation,
      'read-only': storage.capabilities.isReadOnly,
      ...(watching !== undefined && { watching }),
    };
  }

  /** What is on record of the pair. Where that cannot be read, status says so, and still shows all jobs. */
  #recorded(): { conflicts: readonly ConflictRecord[]; totals: { files: number; bytes: number }; failure: readonly string[] } {
    const { pair } = this.parts;
    try {
      return { conflicts: pair.conflicts(), totals: agreedTotals(pair), failure: [] };
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      return { conflicts: [], totals: { files: 0, bytes: 0 }, failure: [error.message] };
    }
  }

  #progressJson(progress: Progress): NonNullable<StatusJob['progress']> {
    const start = this.#progressStart;
    const seconds = start === undefined ? 0 : (this.parts.clock.monotonicMs() - start.atMs) / 1000;
    const rate = start === undefined || seconds < 0.2 ? undefined : (progress.bytesDone - start.bytes) / seconds;
    return {
      'files-done': progress.filesDone,
      'bytes-done': progress.bytesDone,
      ...(progress.isTotalFinal && { 'files-total': progress.filesTotal, 'bytes-total': progress.bytesTotal }),
      ...(rate !== undefined && { 'bytes-per-second': rate }),
      'entries-seen': progress.entriesSeen,
    };
  }

  #passJson(report: PassReport): NonNullable<StatusJob['last-pass']> {
    return {
      started: isoTime(this.#passStartedMs),
      finished: isoTime(this.#passFinishedMs),
      files: report.files,
      bytes: report.bytes,
      copied: report.copiedFiles,
      'copied-bytes': report.copiedBytes,
      deleted: report.deletedFiles,
      ...(report.permissions !== undefined && { permissions: report.permissions }),
      conflicts: report.conflicts,
      ...(report.planTotal > 0 && {
        plan: report.plan.map((step) => ({
          operation: step.operation,
          side: step.side,
          path: step.path,
          directory: step.isDirectory,
          size: step.sizeBytes,
          ...(step.isExecutable !== undefined && { executable: step.isExecutable }),
        })),
        'plan-total': report.planTotal,
      }),
    };
  }

  /** Thins progress events to a steady rate after a burst. */
  #mayTellProgress(): boolean {
    if (this.#listeners.size === 0) return false;
    const now = this.parts.clock.monotonicMs();
    const earned = ((now - this.#progressCreditAtMs) / 1000) * PROGRESS_PER_SECOND;
    this.#progressCredit = Math.min(PROGRESS_BURST, this.#progressCredit + earned);
    this.#progressCreditAtMs = now;
    if (this.#progressCredit < 1) return false;
    this.#progressCredit -= 1;
    return true;
  }

  #emit(type: JobEvent['type'], value: string): void {
    if (this.#activeEvents.size > 0 && !this.#activeEvents.has(type)) return;
    for (const [listener, types] of this.#listeners) {
      if (types.size === 0 || types.has(type)) listener({ type, value, jobId: this.id });
    }
  }
}

function capabilityNotes(storage: StorageBackend): string[] {
  return storage.capabilities.notes.map((note) => `${storage.type}(${storage.backendId}): ${note}`);
}

/** A pass over a few paths says nothing about the problems elsewhere: those stay. */
function mergeReports(before: PassReport, now: PassReport): PassReport {
  const { scope } = now;
  if (scope === undefined) return now;
  // A pass may look at more than it was asked to; what it tells again is not told twice.
  const isElsewhere = (again: ReadonlySet<string>, { path }: { readonly path: string }): boolean =>
    !again.has(path) && !scope.some((point) => isWithin(path as RelativePath, point as RelativePath));
  const merge = <T extends { readonly path: string }>(old: readonly T[], found: readonly T[]): T[] => {
    const again = new Set(found.map(({ path }) => path));
    return [...old.filter((one) => isElsewhere(again, one)), ...found].slice(0, REPORT_LIMIT);
  };
  return { ...now, problems: merge(before.problems, now.problems), skipped: merge(before.skipped, now.skipped) };
}
