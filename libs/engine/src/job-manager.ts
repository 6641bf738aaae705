/**
 * All jobs of one base directory: starts, stops, resumes and shows them.
 *
 * INV-23: two jobs over one pair are refused, whichever storage is called source.
 * Jobs are independent: nothing here waits for one job while holding up another
 * (W-29, W-30 of the reference).
 */

import { parseRelativePath } from '@wl/domain';
import { isBackendError, type Carriers, type Clock, type PathFilter, type SavedJob, type StorageBackend, type SyncerContext, type SyncState } from '@wl/ports';
import type { ExplainSyncerArgs, ListConflictsArgs, StartArgs, Status, StatusConflict, StatusSyncer, StorageParams } from '@wl/ports/schemas';

import { compareNow } from './conflict-scan.js';
import { Job, type JobListener, type JobParts } from './job.js';
import { isoTime } from './job-status.js';
import { adviceOnRoot, checkRoots, placeOf } from './root-guard.js';
import { resolveConflict } from './resolve.js';
import { settleAll } from './run-all.js';
import { chooseSyncer, type FindMount } from './choose-syncer.js';
import type { SyncerRegistry } from './syncer-registry.js';
import type { GenericDefinition, GenericSyncerParts } from './generic-syncer.js';
import { WildlandError } from './wildland-error.js';

/** What a job manager needs. */
export interface JobManagerParts extends Pick<GenericSyncerParts, 'cache'> {
  readonly state: SyncState;
  readonly clock: Clock;
  readonly registry: SyncerRegistry;
  /** What dedicated syncers build on. */
  readonly generic: GenericDefinition;
  /** Finds where a storage is mounted, for syncers that need that; without it none is. */
  readonly findMount?: FindMount;
  /** Makes the driver for storage params; throws `WildlandError` for a type it does not know or params it cannot use. */
  readonly createStorage: (params: StorageParams) => StorageBackend;
  readonly createFilter: (patterns: readonly string[]) => PathFilter;
  readonly log: JobParts['log'];
  /** How changes of a storage are noticed at the moment, for status. */
  readonly describeWatching?: JobParts['describeWatching'];
  readonly program: {
    readonly version: string;
    readonly pid: number;
    /** What the user has to know of the daemon's own files; may grow. */
    readonly notices?: readonly string[];
  };
}

/** The job table. */
export class JobManager {
  readonly #parts: JobManagerParts;
  readonly #jobs = new Map<string, Job>();
  /** Starts under way, by job id: a second one of the same id or pair is refused, not raced. */
  readonly #starting = new Map<string, Claim>();
  readonly #everyone = new Map<JobListener, undefined>();
  readonly #sinceMs: number;
  #isEnding = false;

  constructor(parts: JobManagerParts) {
    this.#parts = parts;
    this.#sinceMs = parts.clock.nowMs();
  }

  /** Starts a job and answers what the original answers. Rejects with `WildlandError` and has then started nothing. */
  async start(args: StartArgs, listener?: JobListener): Promise<string> {
    const { target } = (await this.#launch(args, listener, { isResumed: false })).parts;
    return `Using remote backend ${target.backendId} of type ${target.type}.`;
  }

  /** Starts the continuous jobs that were running when the daemon last ended; what fails is logged. */
  async resume(): Promise<void> {
    for (const { jobId, request } of this.#parts.state.jobs()) {
      if (this.#isEnding) return;
      // After the start of the daemon: what could not be resumed then, for want of a plugin, may now.
      if (this.#jobs.has(jobId) || this.#starting.has(jobId)) continue;
      try {
        await this.#launch(JSON.parse(request) as StartArgs, undefined, { isResumed: true });
      } catch (error) {
        this.#parts.log('error', 'a job could not be resumed', { job: jobId, error: messageOf(error) });
      }
    }
  }

  /** Ends a job for good. Rejects when there is none of this id. */
  async stop(jobId: string): Promise<string> {
    const job = this.#jobs.get(jobId);
    // One that could not be resumed is on record only.
    if (job === undefined && !this.#saved().includes(jobId)) throw new WildlandError(`Sync for job ${jobId} is not running`);
    try {
      this.#parts.state.deleteJob(jobId);
    } finally {
      // Whoever says stop means now, also where the state cannot be written.
      if (job !== undefined) await this.#end(job);
    }
    return `Sync for job ${jobId} stopped`;
  }

  /** Ends all jobs of a container; answers their ids. */
  async stopContainer(containerId: string): Promise<string[]> {
    const ids = new Set([...this.#jobs.keys(), ...this.#saved()]);
    const stopped = [...ids].filter((id) => containerIdOf(id) === containerId);
    await settleAll(stopped.map((id) => this.stop(id)));
    return stopped;
  }

  async stopAll(): Promise<void> {
    await settleAll([...new Set([...this.#jobs.keys(), ...this.#saved()])].map((id) => this.stop(id)));
  }

  /** The daemon ends: stops what runs, begins nothing more, keeps the continuous jobs on record. */
  async shutdown(): Promise<void> {
    this.#isEnding = true;
    await settleAll([...this.#jobs.values()].map((job) => this.#end(job)));
  }

  /** One status text per job. */
  statusTexts(): string[] {
    return [...this.#jobs.values()].map((job) => job.statusText());
  }

  /** `[number, text]`, or `null` for an unknown job. */
  jobState(jobId: string): readonly [number, string] | null {
    return this.#jobs.get(jobId)?.jobState() ?? null;
  }

  /** The object of `schemas/status.schema.json`. */
  status(): Status {
    const { program } = this.#parts;
    return {
      version: 1,
      daemon: {
        version: program.version,
        pid: program.pid,
        since: isoTime(this.#sinceMs),
        ...(program.notices !== undefined && program.notices.length > 0 && { notes: [...program.notices] }),
      },
      jobs: [...this.#jobs.values()].map((job) => job.statusJson()),
    };
  }

  setActiveEvents(jobId: string, types: readonly string[]): void {
    this.#known(jobId).setActiveEvents(types);
  }

  /** Makes a job report an error, for tests of clients. */
  testError(jobId: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new UnknownJobError(jobId);
    job.error(new Error('Test sync exception'));
    job.state('ERROR');
  }

  /** Sends the events of one job, or of all jobs there are and will be, to a listener. */
  subscribe(listener: JobListener, jobId?: string): void {
    if (jobId !== undefined) {
      this.#known(jobId).subscribe(listener);
      return;
    }
    this.#everyone.set(listener, undefined);
    for (const job of this.#jobs.values()) job.subscribe(listener);
  }

  /** Forgets a listener everywhere: its connection is gone. */
  unsubscribe(listener: JobListener): void {
    this.#everyone.delete(listener);
    for (const job of this.#jobs.values()) job.unsubscribe(listener);
  }

  /** Compares two storages now, changing nothing (`wl container list-conflicts`). */
  async listConflicts(args: ListConflictsArgs): Promise<StatusConflict[]> {
    const source = this.#parts.createStorage(args.source);
    const target = this.#parts.createStorage(args.target);
    try {
      await openBoth(source, target);
      return await compareNow({
        source,
        target,
        cache: this.#parts.cache,
        filter: this.#filter(args.ignore),
        isForced: args['force-scan'] ?? false,
      });
    } finally {
      await settleAll([source.close(), target.close()]);
    }
  }

  /** Says which syncer would serve these storages, and why each other would not (`wl container sync --explain`). */
  async explain(args: ExplainSyncerArgs): Promise<StatusSyncer[]> {
    const source = this.#parts.createStorage(args.source);
    const target = this.#parts.createStorage(args.target);
    try {
      const { verdicts } = await chooseSyncer(args, { source, target }, this.#parts, { isForTelling: true });
      return verdicts.map(({ name, isChosen, reason }) => {
        const origin = this.#parts.registry.find(name)?.origin;
        return { name, chosen: isChosen, reason, ...(origin !== undefined && { origin }) };
      });
    } finally {
      await settleAll([source.close(), target.close()]);
    }
  }

  /** Ends a conflict by keeping one side's version, if both still are what was recorded (INV-36, T82). */
  async resolve(jobId: string, rawPath: string, keep: 'source' | 'target'): Promise<void> {
    const job = this.#known(jobId);
    const path = parseRelativePath(rawPath);
    if (!path.ok) throw new WildlandError(`not a path inside the storages: ${rawPath}`);
    const { source, target, pair, args } = job.parts;
    if (args['dry-run'] === true) throw new WildlandError('a dry run changes nothing; start the sync itself, then choose');
    if (keep === 'target' && args.unidirectional) {
      throw new WildlandError('the source of a one-way job is never changed; keep the source, or change it yourself');
    }
    await resolveConflict({ source, target, pair, filter: this.#filter(args.ignore), path: path.value, keep });
  }

  async #launch(args: StartArgs, listener: JobListener | undefined, { isResumed }: { isResumed: boolean }): Promise<Job> {
    if (this.#isEnding) throw ending();
    // The schema cannot say that these two do not go together.
    if (args.continuous && args['dry-run'] === true) throw new WildlandError('A dry run is one-shot: it shows what one pass would do.');
    const jobId = args['job-id'];
    const given = this.#givesWay(args);
    const source = this.#parts.createStorage(args.source);
    const target = this.#parts.createStorage(args.target);
    const claim = claimOf(args, source, target);
    this.#refuseSecondJob(claim);
    this.#starting.set(jobId, claim);
    let job: Job | undefined;
    try {
      const { definition, mounts } = await this.#choose(args, source, target);
      const pair = this.#parts.state.openPair({
        scope: claim.containerId,
        sourceBackendId: source.backendId,
        targetBackendId: target.backendId,
      });
      const filter = this.#filter(args.ignore);
      // A resumed job waits for a disk that is not plugged in yet; a new one is refused with the reason.
      if (!isResumed) await this.#preflight(args, source, target, pair);
      if (given !== undefined) await this.#end(given);
      if (this.#isEnding) throw ending();
      job = new Job({
        args,
        containerId: claim.containerId,
        source,
        target,
        pair,
        clock: this.#parts.clock,
        syncerName: definition.traits.SYNCER_NAME,
        log: this.#parts.log,
        describeWatching: this.#parts.describeWatching,
      });
      if (listener !== undefined) job.subscribe(listener);
      for (const everyone of this.#everyone.keys()) job.subscribe(everyone);
      const before = this.#record(args);
      this.#jobs.set(jobId, job);
      try {
        const context: SyncerContext = { source, target, pair, isUnidirectional: args.unidirectional, filter, events: job, ...(mounts !== undefined && { mounts }) };
        const { generic } = this.#parts;
        const isGeneric = definition === generic;
        const isBuiltIn = definition.origin === undefined;
        await job.start(definition.create(isGeneric ? context : { ...context, generic: (carriers) => generic.create(context, isBuiltIn ? carriers : doubted(carriers)) }));
      } catch (error) {
        if (args.continuous) this.#restore(jobId, before);
        throw error;
      }
      return job;
    } catch (error) {
      await (job === undefined ? settleAll([source.close(), target.close()]) : this.#end(job));
      throw error;
    } finally {
      this.#starting.delete(jobId);
    }
  }

  /** The job of this id that has ended, or that waits for the user's word, and gives way to a new one; refuses where another is there. */
  #givesWay(args: StartArgs): Job | undefined {
    const jobId = args['job-id'];
    if (this.#starting.has(jobId)) throw alreadyRunning();
    const present = this.#jobs.get(jobId);
    if (present === undefined || present.isFinished) return present;
    const hasWord = args['dry-run'] !== true && (args['allow-mass-delete'] === true || args['accept-new-root'] === true);
    if (!present.isHalted || !hasWord) throw alreadyRunning();
    return present;
  }

  #refuseSecondJob({ args, containerId, ids, places }: Claim): void {
    if (ids[0] === ids[1]) {
      throw new WildlandError(
        `Source and target are the same storage (${ids[0]}). Choose two different ones with --source-storage and --target-storage.`,
      );
    }
    // A dry run only looks.
    if (args['dry-run'] === true) return;
    for (const other of this.#claims()) {
      if (other.args['dry-run'] === true || other.args['job-id'] === args['job-id']) continue;
      // Ids are names within a container; across containers the places tell.
      if (other.containerId === containerId && ids.every((id) => other.ids.includes(id))) throw alreadyRunning();
      if (places.every((place) => other.places.includes(place))) throw pairTaken(other.args);
    }
  }

  /** What the jobs that run, or are about to, lay claim to. */
  *#claims(): Generator<Claim> {
    yield* this.#starting.values();
    for (const { parts, isFinished } of this.#jobs.values()) {
      if (!isFinished) yield claimOf(parts.args, parts.source, parts.target);
    }
  }

  /**
   * Puts a continuous job on record, without the words that hold for its first pass only, or takes off
   * the record one that is to end with the daemon. Returns what was there.
   */
  #record(args: StartArgs): SavedJob | undefined {
    if (!args.continuous) return undefined;
    const { state } = this.#parts;
    const jobId = args['job-id'];
    const before = state.jobs().find((job) => job.jobId === jobId);
    const { 'allow-mass-delete': _once, 'accept-new-root': _too, ...lasting } = args;
    if (args.persist ?? true) state.saveJob({ jobId, request: JSON.stringify(lasting) });
    else if (before !== undefined) state.deleteJob(jobId);
    return before;
  }

  #restore(jobId: string, before: SavedJob | undefined): void {
    if (before !== undefined) this.#parts.state.saveJob(before);
    else this.#parts.state.deleteJob(jobId);
  }

  /** The syncer of a job. Rejects with the reasons where none can serve. */
  async #choose(args: StartArgs, source: StorageBackend, target: StorageBackend) {
    const { chosen, verdicts, mounts } = await chooseSyncer(args, { source, target }, this.#parts, { isForTelling: false });
    if (chosen !== undefined) return { definition: chosen, mounts };
    const { syncer: asked } = args;
    const verdict = verdicts.find(({ name }) => name === asked);
    if (verdict !== undefined) throw new WildlandError(`Syncer ${verdict.name} cannot be used here: it ${verdict.reason}.`);
    const known = verdicts.map(({ name }) => name).join(', ');
    if (asked !== undefined) throw new WildlandError(`There is no syncer ${asked}. There are: ${known}`);
    throw new WildlandError(`No suitable syncer found: ${verdicts.map(({ name, reason }) => `${name} ${reason}`).join('; ')}`);
  }

  /** Opens both storages and refuses what can never work: read-only targets, overlapping roots, missing places. */
  async #preflight(args: StartArgs, source: StorageBackend, target: StorageBackend, pair: JobParts['pair']): Promise<void> {
    await openBoth(source, target);
    const written = args.unidirectional ? [target] : [source, target];
    const readOnly = written.find((storage) => storage.capabilities.isReadOnly);
    if (readOnly !== undefined) {
      const advice =
        readOnly === source
          ? 'sync one way with --unidirectional, or make it writable'
          : 'make it the source of a --unidirectional sync, or make it writable';
      throw new WildlandError(`Storage ${readOnly.backendId} is read-only, and this sync would write to it: ${advice}.`);
    }
    const roots = await checkRoots({ source, target, pair, isUnidirectional: args.unidirectional });
    // A root that changed is for the pass to halt on, where status shows it with the way on, or to accept.
    if (!roots.ok && roots.halt.reason !== 'root-changed') throw new WildlandError(roots.halt.message);
  }

  #filter(patterns: readonly string[] | undefined): PathFilter | undefined {
    return patterns === undefined || patterns.length === 0 ? undefined : this.#parts.createFilter(patterns);
  }

  #saved(): string[] {
    return this.#parts.state.jobs().map(({ jobId }) => jobId);
  }

  async #end(job: Job): Promise<void> {
    try {
      await job.stop();
    } finally {
      if (this.#jobs.get(job.id) === job) this.#jobs.delete(job.id);
    }
  }

  #known(jobId: string): Job {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new WildlandError(`No sync job ${jobId}`);
    return job;
  }
}

/** A pair of storages that a start or a job has to itself. */
interface Claim {
  readonly args: StartArgs;
  readonly containerId: string;
  readonly ids: readonly [source: string, target: string];
  readonly places: readonly [source: string, target: string];
}

function claimOf(args: StartArgs, source: StorageBackend, target: StorageBackend): Claim {
  return {
    args,
    containerId: containerIdOf(args['job-id']),
    ids: [source.backendId, target.backendId],
    places: [placeOf(source), placeOf(target)],
  };
}

/** The original answers an unknown job of `test-error` with this class. */
class UnknownJobError extends Error {
  override readonly name = 'KeyError';

  constructor(jobId: string) {
    super(jobId);
  }
}

/** `owner|uuid` of a job id of the form `owner|uuid[|target]`; another id stands for itself. */
export function containerIdOf(jobId: string): string {
  const parts = jobId.split('|');
  return parts.length >= 2 ? parts.slice(0, 2).join('|') : jobId;
}

/** INV-15: of a plugin, nobody has seen that it verifies what it carries. */
function doubted(carriers: Carriers | undefined): Carriers | undefined {
  return carriers && { ...carriers, areVerified: false };
}

async function openBoth(source: StorageBackend, target: StorageBackend): Promise<void> {
  for (const storage of [source, target]) {
    try {
      await storage.open();
    } catch (error) {
      throw new WildlandError(
        `Storage ${storage.backendId} at ${storage.displayLocation} cannot be used: ${messageOf(error)}${isBackendError(error) ? `. ${adviceOnRoot(error)}` : ''}`,
        { cause: error },
      );
    }
  }
}

function alreadyRunning(): WildlandError {
  return new WildlandError('Sync process for this container is already running; use stop-sync to stop it.');
}

function pairTaken({ 'container-name': container, 'job-id': jobId }: StartArgs): WildlandError {
  return new WildlandError(`A sync of these two storages is already running for container ${container} (job ${jobId}); use stop-sync to stop it.`);
}

function ending(): WildlandError {
  return new WildlandError('The sync daemon is ending; try again in a moment.');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
