/** A pair of memory storages with everything a pass needs, for the engine's tests. */

import type { ConflictRecord, Halt, JobStateName, PassReport, PathFilter, SyncerEvents } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';
import { MemoryBackend, MemoryTree, type MemoryBackendOptions, type MemoryTreeOptions } from '@wl/adapters/memory';
import { MemoryState } from '@wl/adapters/memory-state';

import { runPass, type PassOptions, type Scope } from '../pass.js';
import type { PassContext } from '../pass-context.js';

/** What a rig is made of; all optional. */
export interface RigOptions {
  readonly isUnidirectional?: boolean;
  readonly filter?: PathFilter;
  readonly source?: Partial<MemoryTreeOptions>;
  readonly target?: Partial<MemoryTreeOptions>;
  readonly backend?: Partial<MemoryBackendOptions>;
}

/** Everything that was told, in order. */
export class EventLog implements SyncerEvents {
  readonly states: JobStateName[] = [];
  readonly operations: string[] = [];
  readonly conflicts: string[] = [];
  readonly resolved: string[] = [];
  readonly reports: PassReport[] = [];
  readonly halts: Halt[] = [];
  readonly errors: string[] = [];
  readonly notes: string[] = [];

  state(state: JobStateName): void {
    this.states.push(state);
  }
  operation(operation: string, path: string): void {
    this.operations.push(`${operation} ${path}`);
  }
  progress(): void {
    // Numbers only; nothing to keep.
  }
  conflict(record: ConflictRecord): void {
    this.conflicts.push(record.path);
  }
  conflictResolved(path: string): void {
    this.resolved.push(path);
  }
  report(report: PassReport): void {
    this.reports.push(report);
  }
  halt(halt: Halt): void {
    this.halts.push(halt);
  }
  error(error: Error): void {
    this.errors.push(error.message);
  }
  note(message: string): void {
    this.notes.push(message);
  }
}

/** Two trees, the backends on them, and the state between them. */
export class Rig {
  readonly clock = new ManualClock();
  readonly state = new MemoryState();
  readonly events = new EventLog();
  readonly sourceTree: MemoryTree;
  readonly targetTree: MemoryTree;
  source: MemoryBackend;
  target: MemoryBackend;
  readonly #options: RigOptions;

  constructor(options: RigOptions = {}) {
    this.#options = options;
    this.sourceTree = new MemoryTree({ id: 'left', clock: this.clock, ...options.source });
    this.targetTree = new MemoryTree({ id: 'right', clock: this.clock, ...options.target });
    this.source = this.#backend('source');
    this.target = this.#backend('target');
  }

  get pair() {
    return this.state.openPair({ scope: 'test', sourceBackendId: 'left', targetBackendId: 'right' });
  }

  context(overrides: Partial<PassContext> = {}): PassContext {
    const { source, target, pair, state: cache, clock, events } = this;
    const { filter, isUnidirectional = false } = this.#options;
    return { source, target, pair, cache, clock, filter, events, isUnidirectional, isDryRun: false, signal: undefined, ...overrides };
  }

  /** Runs a pass to its end, letting time go by as it asks for it. */
  async pass(scope: Scope = 'all', options: Partial<PassOptions> = {}, overrides: Partial<PassContext> = {}): Promise<PassReport> {
    const full = { allowMassDelete: false, acceptNewRoot: false, deletionDelayMs: 0, retries: 4, ...options };
    const { report } = await this.clock.runUntil(runPass(this.context(overrides), scope, full));
    return report;
  }

  /** Drops both backends as a killed process would and makes new ones on the same trees. */
  restart(): void {
    this.source.crash();
    this.target.crash();
    this.source = this.#backend('source');
    this.target = this.#backend('target');
  }

  /** Both trees as path → text; equal when in sync. */
  snapshots(): [Record<string, string>, Record<string, string>] {
    return [this.sourceTree.snapshot(), this.targetTree.snapshot()];
  }

  #backend(side: 'source' | 'target'): MemoryBackend {
    const backendId = side === 'source' ? 'left' : 'right';
    return new MemoryBackend(side === 'source' ? this.sourceTree : this.targetTree, { backendId, ...this.#options.backend });
  }
}
