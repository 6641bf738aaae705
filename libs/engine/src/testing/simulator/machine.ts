/**
 * One simulated machine: a folder of its own, the shared storage, a state, and the engine
 * between them. It can be killed at any await; what is killed has no effect any more.
 */

import { MemoryBackend } from '@wl/adapters/memory';
import { MemoryState } from '@wl/adapters/memory-state';
import { otherSide, toRelativePath, type RelativePath, type SideName } from '@wl/domain';
import type { BaselineChange, ConflictRecord, PairIdentity, PairState, PassReport, PathFilter, Problem, StorageBackend, Syncer, SyncerEvents } from '@wl/ports';
import type { ManualClock } from '@wl/ports/testing/manual-clock';

import { genericSyncer } from '../../generic-syncer.js';
import { runPass } from '../../pass.js';
import type { PassContext } from '../../pass-context.js';
import { resolveConflict } from '../../resolve.js';
import { WildlandError } from '../../wildland-error.js';
import type { Ledger } from './ledger.js';
import type { Oracle, Suspect } from './oracle.js';
import type { StorageSpec, WorldSpec } from './scenario.js';
import { DeadProcessError, WatchedPair } from './watched-pair.js';

/** Times of simulated jobs, in milliseconds: as in earnest, but for the full passes, which come more often. */
const PACE = { quietMs: 15, promptMs: 5, calmMs: 200, quietLimitMs: 400, deletionDelayMs: 400, verifyMs: 60_000, verifyLimitMs: 60_000, degradedVerifyMs: 30_000, retryMs: 1000, retryLimitMs: 60_000 };

/** What a machine is made of. */
export interface MachineParts {
  readonly index: number;
  readonly clock: ManualClock;
  readonly world: WorldSpec;
  readonly ledgers: Readonly<Record<SideName, Ledger>>;
  readonly oracle: Oracle;
  /** Called before and after every call of a storage. */
  readonly onCall: (backendId: string, operation: string, path: string, phase: string) => void;
  readonly ticker: { readonly serial: number };
}

/** One life of the process. */
interface Incarnation {
  readonly storages: Readonly<Record<SideName, MemoryBackend>>;
  readonly pair: WatchedPair;
  readonly syncer: Syncer;
  readonly context: PassContext;
  isJobRunning: boolean;
}

/** A machine. */
export class Machine implements Suspect {
  readonly index: number;
  readonly isUnidirectional: boolean;
  readonly pair: PairState;
  readonly ledgers: Readonly<Record<SideName, Ledger>>;
  readonly choices = new Set<string>();
  readonly excuses = { precondition: false, stale: false, shortListing: false, ambiguousTokens: false };
  ignored: readonly string[];
  isMassDeleteAllowed = false;
  passSince = 0;
  /** What the engine did to the storages since this was last set to 0. */
  operations = 0;
  /** Whether a pass is under way. */
  isPassRunning = false;
  /** Whether the last word of the job was a halt. */
  isHalted = false;
  /** Places that the last pass told the user of, by reason. */
  reported: readonly Problem[] = [];
  /** Failures of whole passes; without faults there must be none. */
  readonly failures: string[] = [];
  readonly backendIds: Readonly<Record<SideName, string>>;
  readonly #parts: MachineParts;
  readonly #state = new MemoryState();
  #life: Incarnation;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    const { index, world, ledgers } = parts;
    this.index = index;
    this.isUnidirectional = world.isUnidirectional;
    this.ledgers = ledgers;
    this.ignored = world.ignored;
    // Which end comes first in the state's own order differs from machine to machine (INV-2).
    this.backendIds = { source: `${index % 2 === 0 ? 'a' : 'z'}-folder-${String(index)}`, target: `m-shared-${String(index)}` };
    const granular = world.folder.timestampGranularityMs !== undefined || world.shared.timestampGranularityMs !== undefined;
    this.excuses.ambiguousTokens = granular;
    this.pair = this.#state.openPair(this.#identity);
    this.#life = this.#begin();
  }

  get #identity(): PairIdentity {
    return { scope: 'simulated', sourceBackendId: this.backendIds.source, targetBackendId: this.backendIds.target };
  }

  /** The storage at one end, as the living process sees it. */
  storage(side: SideName): MemoryBackend {
    return this.#life.storages[side];
  }

  get watchedPair(): WatchedPair {
    return this.#life.pair;
  }

  get isJobRunning(): boolean {
    return this.#life.isJobRunning;
  }

  /** Starts the continuous job; a root that is in doubt is the right one if the person says so. */
  async start(allowMassDelete: boolean, acceptNewRoot = false): Promise<void> {
    const life = this.#life;
    if (life.isJobRunning) return;
    life.isJobRunning = true;
    this.isMassDeleteAllowed = allowMassDelete;
    await life.syncer.startSync({ allowMassDelete, acceptNewRoot });
  }

  /** Stops it in order. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (!life.isJobRunning) return;
    await life.syncer.stopSync();
    life.isJobRunning = false;
    // A job that ends closes its storages; a new one opens others.
    await Promise.all([life.storages.source.close(), life.storages.target.close()]);
    life.pair.isDead = true;
    this.#life = this.#begin();
  }

  /** The process ends in order. */
  async end(): Promise<void> {
    await this.stop();
    const { source, target } = this.#life.storages;
    await Promise.all([source.close(), target.close()]);
  }

  /** One pass over everything, as a one-shot job. */
  async pass(allowMassDelete: boolean, acceptNewRoot = false): Promise<PassReport | undefined> {
    const life = this.#life;
    this.isMassDeleteAllowed = allowMassDelete;
    return this.#guard(life, () => life.syncer.oneShotSync({ allowMassDelete, acceptNewRoot }));
  }

  /** One pass over a few names. */
  async passOver(names: readonly string[], allowMassDelete: boolean): Promise<PassReport | undefined> {
    const life = this.#life;
    this.isMassDeleteAllowed = allowMassDelete;
    const options = { allowMassDelete, acceptNewRoot: false, deletionDelayMs: 0, retries: 4 };
    this.#passBegins();
    return this.#guard(life, async () => (await runPass(life.context, names.map(toRelativePath), options)).report);
  }

  /** A person decides a conflict that is on record. */
  async resolve(index: number, keep: SideName): Promise<void> {
    const life = this.#life;
    const { pair } = life;
    const record = this.pair.conflicts()[index];
    if (record === undefined || (keep === 'target' && this.isUnidirectional)) return;
    this.choices.add(record.path);
    const given = record[otherSide(keep)];
    if (given.kind === 'file') this.#parts.oracle.giveUpHash(given.sha256);
    const { source, target } = life.storages;
    try {
      await resolveConflict({ source, target, pair, filter: life.context.filter, path: record.path, keep });
    } catch (error) {
      if (!(error instanceof WildlandError) && !isExpected(error)) this.#parts.oracle.blame(`resolving ${record.path}: ${textOf(error)}`);
    }
  }

  /** The process is killed and, at once, started anew, with other rules if wanted. */
  crash(ignored: readonly string[] = this.ignored): void {
    const life = this.#life;
    this.ignored = ignored;
    this.isPassRunning = false;
    life.pair.isDead = true;
    life.storages.source.crash();
    life.storages.target.crash();
    if (life.isJobRunning) void life.syncer.stopSync().catch(() => undefined);
    this.#life = this.#begin();
    if (life.isJobRunning) void this.start(false);
  }

  #begin(): Incarnation {
    const { world, clock } = this.#parts;
    const storages = {
      source: this.#backend('source', world.folder),
      target: this.#backend('target', world.shared),
    };
    const witness = {
      committing: (changes: readonly BaselineChange[]) => this.#parts.oracle.committing(this, changes),
      endingConflicts: (paths: readonly RelativePath[]) => this.#parts.oracle.endingConflicts(this, paths),
      showing: (records: readonly ConflictRecord[]) => this.#parts.oracle.showing(this, records),
      forgetting: () => this.#parts.oracle.forgetting(this),
    };
    const pair = new WatchedPair(this.pair, witness, () => this.#state.losePair(this.#identity));
    const events = this.#events(() => life === this.#life);
    const filter = filterOf(this.ignored);
    const isUnidirectional = this.isUnidirectional;
    const syncer = genericSyncer({ cache: this.#state, clock, pace: PACE, watch: (storage: StorageBackend) => storage.watcher()! })
      .create({ ...storages, pair, isUnidirectional, filter, events });
    const context: PassContext = { ...storages, pair, cache: this.#state, clock, filter, events, isUnidirectional, isDryRun: false, signal: undefined };
    const life: Incarnation = { storages, pair, syncer, context, isJobRunning: false };
    return life;
  }

  #backend(side: SideName, spec: StorageSpec): MemoryBackend {
    const { ledgers, onCall } = this.#parts;
    const { batchSize, chunkBytes, copiesWithin, keepsHashes, tiesToVolume } = spec;
    const backendId = this.backendIds[side];
    const backend = new MemoryBackend(ledgers[side].tree, {
      backendId,
      ...(batchSize !== undefined && { batchSize }),
      ...(chunkBytes !== undefined && { chunkBytes }),
      ...(copiesWithin !== undefined && { copiesWithin }),
      ...(keepsHashes !== undefined && { keepsHashes }),
      ...(tiesToVolume !== undefined && { tiesToVolume }),
    });
    for (const phase of ['before', 'after'] as const) {
      backend.faults.on('*', phase, ({ operation, path }) => onCall(backendId, operation, path, phase));
    }
    return backend;
  }

  #events(isAlive: () => boolean): SyncerEvents {
    const { oracle } = this.#parts;
    return {
      state: (state) => {
        if (!isAlive()) return;
        if (state === 'ONE_SHOT' || state === 'RUNNING') this.#passBegins();
        else this.isPassRunning = false;
        if (state === 'SYNCED') this.isHalted = false;
      },
      operation: () => {
        if (isAlive()) this.operations += 1;
      },
      progress: () => undefined,
      conflict: () => undefined,
      conflictResolved: () => undefined,
      report: ({ problems, scope }) => {
        if (!isAlive()) return;
        this.isPassRunning = false;
        if (scope === undefined) this.reported = problems;
        // The user's word was for one run.
        if (this.#life.isJobRunning) this.isMassDeleteAllowed = false;
      },
      halt: () => {
        if (isAlive()) this.isHalted = true;
      },
      error: (error) => {
        if (!isAlive()) return;
        this.failures.push(error.message);
        if (!isExpected(error)) oracle.blame(`machine ${String(this.index + 1)} failed: ${textOf(error)}`);
      },
      note: () => undefined,
      noteEnded: () => undefined,
    };
  }

  #passBegins(): void {
    this.isPassRunning = true;
    this.passSince = this.#parts.ticker.serial;
    this.#parts.oracle.passBegins(this);
  }

  async #guard(life: Incarnation, run: () => Promise<PassReport>): Promise<PassReport | undefined> {
    try {
      const report = await run();
      if (life === this.#life) this.isPassRunning = false;
      return report;
    } catch (error) {
      if (life === this.#life) this.isPassRunning = false;
      if (life !== this.#life) return undefined;
      this.failures.push(textOf(error));
      if (!isExpected(error)) this.#parts.oracle.blame(`machine ${String(this.index + 1)} failed: ${textOf(error)}`);
      return undefined;
    }
  }
}

/** Failures of the world come as these; anything else is our own mistake. */
function isExpected(error: unknown): boolean {
  return error instanceof Error && (error.name === 'BackendError' || error.name === 'StateError' || error instanceof DeadProcessError);
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function filterOf(ignored: readonly string[]): PathFilter | undefined {
  if (ignored.length === 0) return undefined;
  return { patterns: ignored, ignores: (path: RelativePath) => ignored.includes(path.slice(path.lastIndexOf('/') + 1)) };
}
