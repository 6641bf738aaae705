/** A base directory in memory with a job manager on it, for the tests of jobs and their status. */

import { MemoryBackend, MemoryTree, type MemoryBackendOptions } from '@wl/adapters/memory';
import { MemoryState, type MemoryStateOptions } from '@wl/adapters/memory-state';
import { err } from '@wl/domain';
import type { StorageBackend } from '@wl/ports';
import { validateStatus, type StartArgs, type Status, type StatusJob, type StorageParams } from '@wl/ports/schemas';
import { ManualClock } from '@wl/ports/testing';

import type { FindMount } from '../choose-syncer.js';
import { genericSyncer } from '../generic-syncer.js';
import type { JobEvent, JobListener } from '../job.js';
import { JobManager } from '../job-manager.js';
import { SyncerRegistry } from '../syncer-registry.js';
import { WildlandError } from '../wildland-error.js';

/** Id of the job that `args` asks for. */
export const JOB = '0xaa|c1|b';

/** What one entry of the log says. */
export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Storages by backend-id, the state, and the manager of the process at hand. */
export class JobBench {
  readonly clock = new ManualClock();
  readonly trees = new Map<string, MemoryTree>();
  readonly log: LogEntry[] = [];
  /** Every backend made so far, in order. */
  readonly backends: MemoryBackend[] = [];
  /** How backends are made from now on, by backend-id. */
  readonly options = new Map<string, Partial<MemoryBackendOptions>>();
  /** Called with every backend that is made. */
  onBackend: (backend: MemoryBackend) => void = () => undefined;
  /** What watchers say of themselves. */
  watching: string | undefined;
  /** Where storages are mounted; nowhere unless a test says so. */
  findMount: FindMount = async () => err('it is in memory');
  /** The syncers of the process at hand. */
  registry = new SyncerRegistry();
  state: MemoryState;
  manager: JobManager;

  constructor(options: MemoryStateOptions = {}) {
    this.state = new MemoryState(options);
    this.manager = this.#manager();
  }

  /** The tree behind a backend-id; made when it is first asked for. */
  tree(id: string, options: { location?: string } = {}): MemoryTree {
    let tree = this.trees.get(id);
    if (tree === undefined) this.trees.set(id, (tree = new MemoryTree({ id, clock: this.clock, ...options })));
    return tree;
  }

  /** Starts a job, by default a continuous one of the storages `a` and `b`; lets no time pass. */
  async start(overrides: Partial<StartArgs> = {}, listener?: JobListener): Promise<string> {
    const answer = await this.clock.runUntil(this.manager.start(args(overrides), listener));
    await this.clock.advance(0);
    return answer;
  }

  /** A job that agreed on some files, a minute ago. */
  async synced(files: Record<string, string>, overrides: Partial<StartArgs> = {}): Promise<void> {
    for (const [path, text] of Object.entries(files)) this.tree('a').write(path, text);
    await this.clock.advance(60_000);
    await this.start(overrides);
    await this.clock.advance(60_000);
  }

  /** The process is killed, or ends, and another one opens the same state. */
  async restart(how: 'killed' | 'ended'): Promise<void> {
    if (how === 'ended') await this.manager.shutdown();
    else for (const backend of this.backends) backend.crash();
    this.state = this.state.reopened();
    this.manager = this.#manager();
    await this.manager.resume();
    await this.clock.advance(0);
  }

  /** The status object, which must be what its schema says. */
  status(): Status {
    const status = this.manager.status();
    if (!validateStatus(status)) throw new Error(`not a status: ${JSON.stringify(validateStatus.errors)} ${JSON.stringify(status)}`);
    return status;
  }

  /** The status of one job. */
  job(jobId = JOB): StatusJob {
    const job = this.status().jobs.find((one) => one['job-id'] === jobId);
    if (job === undefined) throw new Error(`no job ${jobId}`);
    return job;
  }

  /** Ids of the jobs there are. */
  ids(): string[] {
    return this.status().jobs.map((job) => job['job-id']);
  }

  #manager(): JobManager {
    const { state, clock } = this;
    const generic = genericSyncer({ cache: state, clock, watch: (storage: StorageBackend) => storage.watcher()! });
    this.registry = new SyncerRegistry();
    this.registry.register(generic);
    const { registry } = this;
    return new JobManager({
      state,
      cache: state,
      clock,
      registry,
      generic,
      findMount: (params, storage) => this.findMount(params, storage),
      createStorage: (params) => this.#storage(params),
      createFilter: (patterns) => ({ patterns, ignores: (path) => patterns.includes(path) }),
      log: (level, message, fields) => this.log.push({ level, message, fields }),
      describeWatching: ({ backendId }) => this.watching && `${this.watching} ${backendId}`,
      program: { version: '1.2.3', pid: 42 },
    });
  }

  #storage(params: StorageParams): StorageBackend {
    if (params.type !== 'memory') throw new WildlandError(`unknown storage type ${params.type}`);
    const backendId = params['backend-id'] ?? '';
    const isReadOnly = params['read-only'] ?? false;
    const backend = new MemoryBackend(this.tree(backendId), { backendId, isReadOnly, ...this.options.get(backendId) });
    this.backends.push(backend);
    this.onBackend(backend);
    return backend;
  }
}

/** The params of a memory storage. */
export function storage(backendId: string, more: Partial<StorageParams> = {}): StorageParams {
  return { type: 'memory', 'backend-id': backendId, ...more };
}

/** A request to start. */
export function args(overrides: Partial<StartArgs> = {}): StartArgs {
  return {
    'container-name': 'photos',
    'job-id': JOB,
    source: storage('a'),
    target: storage('b'),
    continuous: true,
    unidirectional: false,
    ...overrides,
  };
}

/** Keeps what it hears, as `type value`. */
export function recorder(): { readonly heard: string[]; readonly listener: JobListener } {
  const heard: string[] = [];
  return { heard, listener: ({ type, value }: JobEvent) => heard.push(`${type} ${value}`) };
}
