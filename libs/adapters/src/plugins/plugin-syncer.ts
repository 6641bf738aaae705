/** A syncer of a plugin behind the port: its names for ours, and what a job must hear told for it. */

import type { SyncerTraits } from '@wl/domain';
import type {
  PassReport,
  PluginHost,
  PluginSyncer,
  PluginSyncerClass,
  Problem,
  Syncer,
  SyncerContext,
  SyncerDefinition,
  SyncerEvents,
  SyncOptions,
} from '@wl/ports';

const NOTHING_DONE: PassReport = {
  isComplete: true,
  halt: undefined,
  files: 0,
  bytes: 0,
  copiedFiles: 0,
  copiedBytes: 0,
  deletedFiles: 0,
  madeDirectories: 0,
  deletedDirectories: 0,
  conflicts: 0,
  problems: [],
  skipped: [],
  plan: [],
  planTotal: 0,
};

/** The definition to register. */
export function pluginSyncer(syncerClass: PluginSyncerClass, origin: string, host: PluginHost): SyncerDefinition {
  return { traits: traitsOf(syncerClass), origin, create: (context) => new AdaptedSyncer(syncerClass, context, host) };
}

/** Its traits, as values of ours: what is left out is false. */
function traitsOf({ SYNCER_NAME, SOURCE_TYPES, TARGET_TYPES, CONTINUOUS, ONE_SHOT, UNIDIRECTIONAL, REQUIRES_MOUNT }: PluginSyncerClass): SyncerTraits {
  return {
    SYNCER_NAME,
    SOURCE_TYPES: [...SOURCE_TYPES],
    TARGET_TYPES: [...TARGET_TYPES],
    CONTINUOUS: CONTINUOUS ?? false,
    ONE_SHOT: ONE_SHOT ?? false,
    UNIDIRECTIONAL: UNIDIRECTIONAL ?? false,
    REQUIRES_MOUNT: REQUIRES_MOUNT ?? false,
  };
}

class AdaptedSyncer implements Syncer {
  readonly #syncer: PluginSyncer;
  readonly #events: SyncerEvents;
  /** Whether the syncer has reported by itself, as one does that builds on the generic one. */
  #hasReported = false;
  #isRunningOnce = false;

  constructor(syncerClass: PluginSyncerClass, context: SyncerContext, host: PluginHost) {
    const { generic, events, ...rest } = context;
    this.#events = this.#listening(events);
    this.#syncer = new syncerClass(
      {
        ...rest,
        events: this.#events,
        generic: (carriers) => {
          if (generic === undefined) throw new Error('there is no generic syncer to build on');
          return toPluginNames(generic(carriers));
        },
      },
      host,
    );
  }

  async oneShotSync(options: SyncOptions): Promise<PassReport> {
    this.#isRunningOnce = true;
    this.#hasReported = false;
    try {
      this.#events.state('ONE_SHOT');
      const told = await this.#syncer.one_shot_sync?.(options);
      const report: PassReport = { ...NOTHING_DONE, ...told };
      if (!this.#hasReported) {
        this.#events.report(report);
        if (report.halt !== undefined) this.#events.halt(report.halt);
      }
      this.#events.state(report.halt === undefined ? 'SYNCED' : 'ERROR');
      return report;
    } finally {
      this.#isRunningOnce = false;
    }
  }

  async startSync(options: SyncOptions): Promise<void> {
    await this.#syncer.start_sync?.(options);
  }

  async stopSync(): Promise<void> {
    await this.#syncer.stop_sync?.();
  }

  isRunning(): boolean {
    return this.#isRunningOnce || (this.#syncer.is_running?.() ?? false);
  }

  iterErrors(): Iterable<Problem> {
    return this.#syncer.iter_errors();
  }

  /** `events`, noting whether a report was among them. Bound one by one: a job is no plain object. */
  #listening(events: SyncerEvents): SyncerEvents {
    return {
      state: (state) => events.state(state),
      operation: (operation, path) => events.operation(operation, path),
      progress: (progress) => events.progress(progress),
      conflict: (record) => events.conflict(record),
      conflictResolved: (path) => events.conflictResolved(path),
      report: (report) => {
        this.#hasReported = true;
        events.report(report);
      },
      halt: (halt) => events.halt(halt),
      error: (error) => events.error(error),
      note: (message) => events.note(message),
      noteEnded: (message) => events.noteEnded(message),
    };
  }
}

function toPluginNames(syncer: Syncer): Required<PluginSyncer> {
  return {
    one_shot_sync: (options) => syncer.oneShotSync(options),
    start_sync: (options) => syncer.startSync(options),
    stop_sync: () => syncer.stopSync(),
    is_running: () => syncer.isRunning(),
    iter_errors: () => syncer.iterErrors(),
  };
}
