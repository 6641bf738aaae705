/** A pair of memory storages with everything a pass needs, for the engine's tests. */

import type { ConflictRecord, Halt, JobStateName, PassReport, PathFilter, SyncerEvents } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';
import { MemoryBackend, MemoryTree, type MemoryBackendOptions, type MemoryTreeOptions } from '@wl/adapters/memory';
import { MemoryState, type MemoryStateOptions } from '@wl/adapters/memory-state';
import { toRelativePath, type SideName } from '@wl/domain';

import { runPass, type PassOptions, type PassResult, type Scope } from '../pass.js';
import type { PassContext } from '../pass-context.js';

/** What a rig is made of; all optional. */
export interface RigOptions {
  readonly isUnidirectional?: boolean;
  readonly filter?: PathFilter;
  readonly source?: Partial<MemoryTreeOptions>;
  readonly target?: Partial<MemoryTreeOptions>;
  readonly backend?: Partial<MemoryBackendOptions>;
  readonly state?: MemoryStateOptions;
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
  /** Those that have not ended. */
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
  noteEnded(message: string): void {
    const at = this.notes.indexOf(message);
    if (at >= 0) this.notes.splice(at, 1);
  }
}

/** Two trees, the backends on them, and the state between them. */
export class Rig {
  readonly clock = new ManualClock();
  state: MemoryState;
  readonly events = new EventLog();
  readonly sourceTree: MemoryTree;
  readonly targetTree: MemoryTree;
  source: MemoryBackend;
  target: MemoryBackend;
  readonly #options: { -readonly [K in keyof RigOptions]: RigOptions[K] };

  constructor(options: RigOptions = {}) {
    this.#options = { ...options };
    this.state = new MemoryState(options.state);
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
  async pass(scope: 'all' | readonly string[] = 'all', options: Partial<PassOptions> = {}, overrides: Partial<PassContext> = {}): Promise<PassReport> {
    return (await this.result(scope, options, overrides)).report;
  }

  /** The same, with what was left unsettled. */
  async result(scope: 'all' | readonly string[] = 'all', options: Partial<PassOptions> = {}, overrides: Partial<PassContext> = {}): Promise<PassResult> {
    const full = { allowMassDelete: false, acceptNewRoot: false, deletionDelayMs: 0, retries: 4, ...options };
    const points: Scope = scope === 'all' ? scope : scope.map(toRelativePath);
    return this.clock.runUntil(runPass(this.context(overrides), points, full));
  }

  /** The tree of a side. */
  tree(side: SideName): MemoryTree {
    return side === 'source' ? this.sourceTree : this.targetTree;
  }

  /** Kills the process: nothing that still runs has any effect from now on. */
  crash(): void {
    this.source.crash();
    this.target.crash();
    this.state = this.state.reopened();
  }

  /** Kills the process, if it still runs, and starts one anew on the same trees and state, with other options if wanted. */
  restart(options?: Partial<RigOptions>): void {
    this.crash();
    Object.assign(this.#options, options);
    this.source = this.#backend('source');
    this.target = this.#backend('target');
  }

  /** Both trees as path → text; equal when in sync. */
  snapshots(): [Record<string, string>, Record<string, string>] {
    return [this.sourceTree.snapshot(), this.targetTree.snapshot()];
  }

  #backend(side: 'source' | 'target'): MemoryBackend {
    const backendId = side === 'source' ? 'left' : 'right';
    return new MemoryBackend(this.tree(side), { backendId, ...this.#options.backend });
  }
}

/** A rig whose sides agreed on these files (path → content), a minute ago. */
export async function synced(files: Record<string, string | Uint8Array>, options?: RigOptions): Promise<Rig> {
  const rig = new Rig(options);
  for (const [path, content] of Object.entries(files)) rig.sourceTree.write(path, content);
  await rig.clock.advance(60_000);
  await rig.pass();
  await rig.clock.advance(60_000);
  rig.events.operations.length = 0;
  return rig;
}

/** What is visible on a side, the directories left out: path → text. */
export function files(tree: MemoryTree): Record<string, string> {
  return Object.fromEntries(Object.entries(tree.snapshot()).filter(([path]) => !path.endsWith('/')));
}

/** The texts in a side's trash, sorted. */
export function trashed(tree: MemoryTree): string[] {
  return [...tree.trash.values()].map(({ bytes }) => new TextDecoder().decode(bytes)).sort();
}
