/**
 * The generic syncer, "*" ↔ "*": the pass and the continuous job behind the `Syncer` port.
 * It serves every pair of storages for which nothing more special is registered.
 */

import {
  GENERIC_TRAITS,
  StateError,
  type Carriers,
  type Clock,
  type HashCache,
  type PassReport,
  type Problem,
  type StorageBackend,
  type Syncer,
  type SyncerContext,
  type SyncerDefinition,
  type SyncOptions,
  type Watcher,
} from '@wl/ports';

import { carriedStorage } from './carried-storage.js';
import { ContinuousJob, DEFAULT_PACE, type Pace } from './continuous-job.js';
import { runPass, type PassOptions, type PassResult, type Scope } from './pass.js';
import type { PassContext } from './pass-context.js';
import { checkRoots } from './root-guard.js';

/** What the generic syncer needs besides its context. */
export interface GenericSyncerParts {
  readonly cache: HashCache;
  readonly clock: Clock;
  readonly watch: (storage: StorageBackend) => Watcher;
  readonly pace?: Pace;
}

/** How often a one-shot run looks again at paths that change under it; the last wait is 3.2 s. */
const ONE_SHOT_RETRIES = 4;

/** Name of the generic syncer. */
export const GENERIC = GENERIC_TRAITS.SYNCER_NAME;

/** The definition to register; `create` takes ways to carry content from the syncers that build on it. */
export interface GenericDefinition extends SyncerDefinition {
  create(context: SyncerContext, carriers?: Carriers): Syncer;
}

/** The definition to register. */
export function genericSyncer(parts: GenericSyncerParts): GenericDefinition {
  return {
    traits: GENERIC_TRAITS,
    create: (context, carriers = {}) => new GenericSyncer(context, parts, carriers),
  };
}

class GenericSyncer implements Syncer {
  readonly #context: SyncerContext;
  readonly #parts: GenericSyncerParts;
  /** The storages as passes see them; watchers look at the storages themselves. */
  readonly #carried: { readonly source: StorageBackend; readonly target: StorageBackend };
  #job: ContinuousJob | undefined;
  #isRunning = false;
  #problems: readonly Problem[] = [];

  constructor(context: SyncerContext, parts: GenericSyncerParts, { toSource, toTarget, areVerified = false }: Carriers) {
    this.#context = context;
    this.#parts = parts;
    this.#carried = { source: carriedStorage(context.source, toSource, areVerified), target: carriedStorage(context.target, toTarget, areVerified) };
  }

  async oneShotSync(options: SyncOptions): Promise<PassReport> {
    const { events } = this.#context;
    this.#isRunning = true;
    events.state('ONE_SHOT');
    try {
      const { report } = await this.#pass('all', {
        allowMassDelete: options.allowMassDelete ?? false,
        acceptNewRoot: options.acceptNewRoot ?? false,
        deletionDelayMs: 0,
        retries: ONE_SHOT_RETRIES,
      }, options);
      events.report(report);
      if (report.halt !== undefined) events.halt(report.halt);
      events.state(report.halt === undefined ? 'SYNCED' : 'ERROR');
      return report;
    } finally {
      this.#isRunning = false;
    }
  }

  startSync(options: SyncOptions): Promise<void> {
    const { source, target, events } = this.#context;
    // Where there is no way to watch a storage, the caller hears of it now.
    for (const storage of [source, target]) this.#parts.watch(storage);
    this.#job = new ContinuousJob({
      source,
      target,
      events,
      clock: this.#parts.clock,
      pace: this.#parts.pace ?? DEFAULT_PACE,
      watch: this.#parts.watch,
      checkRoots: async () => {
        const check = await checkRoots(this.#passContext({}));
        return check.ok ? undefined : check.halt;
      },
      runPass: (scope, passOptions, signal) => this.#pass(scope, passOptions, { signal }),
    });
    this.#job.start({
      allowMassDelete: options.allowMassDelete ?? false,
      acceptNewRoot: options.acceptNewRoot ?? false,
    });
    return Promise.resolve();
  }

  async stopSync(): Promise<void> {
    await this.#job?.stop();
    this.#job = undefined;
  }

  isRunning(): boolean {
    return this.#isRunning || (this.#job?.isRunning ?? false);
  }

  iterErrors(): Iterable<Problem> {
    return this.#problems;
  }

  async #pass(scope: Scope, options: PassOptions, run: SyncOptions): Promise<PassResult> {
    const context = this.#passContext(run);
    const result = await runPass(context, scope, options).catch((error: unknown) => {
      if (context.isDryRun || !(error instanceof StateError) || error.code !== 'damaged') throw error;
      // INV-11, INV-12: what is in doubt is forgotten as a whole; both storages are then merged as at a first sync.
      context.pair.forgetBaseline();
      context.events.note(
        `What was stored of this pair was damaged (${error.cause instanceof Error ? error.cause.message : error.message}) and has been forgotten. ` +
          'Nothing was deleted because of this: both storages are compared in full, and files that differ are listed as conflicts.',
      );
      if (scope !== 'all') throw error;
      return runPass(context, scope, options);
    });
    if (scope === 'all') this.#problems = result.report.problems;
    return result;
  }

  #passContext(run: SyncOptions): PassContext {
    const { cache, clock } = this.#parts;
    return { ...this.#context, ...this.#carried, cache, clock, isDryRun: run.dryRun ?? false, signal: run.signal };
  }
}
