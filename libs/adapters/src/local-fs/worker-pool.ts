/**
 * Threads for local storages: a few for quick tasks, a few for bulk ones, started when
 * needed, and ended when they are not needed for long: each holds some 15 MiB. One pool can
 * serve all storages of a process.
 */

import { Worker } from 'node:worker_threads';

import { BackendError, type Clock } from '@wl/ports';

import type { Lane, TaskRunner } from './task-runner.js';
import { fromWireError } from './worker/failure.js';
import { READY, type TaskReply, type TaskRequest, type WorkerSettings } from './worker/serve.js';
import type { Tasks } from './worker/tasks.js';

/** How many threads of a lane there can be. Two sides are listed at once, and one file is read while another is flushed. */
const THREADS: Readonly<Record<Lane, number>> = { quick: 2, bulk: 2 };

/**
 * Memory for what lives shortly, in MiB: three times two. What a thread makes is gone with the
 * next batch, and the collector's usual 48 MiB are held by each thread for good (INV-40).
 */
const YOUNG_MIB = 6;

/**
 * How often threads are looked at, in milliseconds. Between two looks without a task a thread was idle. Giving memory back
 * makes the next pass a fifth slower, so whoever comes again within some seconds had better not pay for it.
 */
const LOOK_MS = 10_000;
/**
 * After how many idle looks in a row a thread ends: whoever syncs every five minutes finds it. Another one takes 50 ms of CPU
 * time to start, and all of its code has to be compiled and optimised anew: a fourth of a first sync of 20,000 files.
 */
const IDLE_LOOKS = 36;
/** How many threads of a lane stay all the same: a change of one file is looked at, copied and flushed by the first quick one, at once. */
const LASTING: Readonly<Record<Lane, number>> = { quick: 1, bulk: 0 };

/** What a pool may be given. */
export interface LocalFsWorkersOptions {
  /** Paces the end of idle threads; without it threads end with the pool only. */
  readonly clock?: Clock;
  /** Called when nobody has asked for anything between two looks, once a rest; and again whenever threads ended during it. */
  readonly onRest?: () => void;
  /**
   * What new files and directories are not permitted unless they are given exact permissions, where threads can have their
   * own; the umask of the process otherwise.
   */
  readonly umask?: number;
}

/** Makes a pool. `workerPath` is the file bundled from `worker/main.ts`. */
export function createLocalFsWorkers(workerPath: string, options: LocalFsWorkersOptions = {}): TaskRunner {
  return new WorkerPool(workerPath, options);
}

class WorkerPool implements TaskRunner {
  readonly bulkThreads = THREADS.bulk;
  private readonly threads: Readonly<Record<Lane, Thread[]>> = { quick: [], bulk: [] };
  private readonly closing = new AbortController();
  private isLookedAfter = false;

  constructor(
    private readonly workerPath: string,
    private readonly options: LocalFsWorkersOptions,
  ) {}

  run<K extends keyof Tasks>(task: K, request: Parameters<Tasks[K]>[0], lane: Lane, handedOver?: readonly ArrayBuffer[]): Promise<Awaited<ReturnType<Tasks[K]>>> {
    void this.lookAfter();
    return this.pick(lane, (thread) => thread.pendingCount).run(task, request, handedOver);
  }

  pin(): TaskRunner {
    // Of two without lists the one that is not at something else, which may take longer than it should.
    const thread = this.pick('quick', ({ pinCount, pendingCount }) => pinCount + Math.min(pendingCount, 1) / 2);
    thread.pinCount += 1;
    return {
      bulkThreads: this.bulkThreads,
      run: (task, request, lane, handedOver) => (lane === 'quick' ? thread.run(task, request, handedOver) : this.run(task, request, lane, handedOver)),
      pin: () => this.pin(),
      close: async () => {
        thread.pinCount -= 1;
      },
    };
  }

  async close(): Promise<void> {
    this.closing.abort();
    const threads = [...this.threads.quick.splice(0), ...this.threads.bulk.splice(0)];
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  /** The least loaded thread of a lane; a new one as long as there may be more and none is free. */
  private pick(lane: Lane, loadOf: (thread: Thread) => number): Thread {
    if (this.closing.signal.aborted) throw new BackendError('cancelled', { operation: 'use the storage', retryable: false }, { explanation: 'its threads have ended' });
    const threads = this.threads[lane];
    let best: Thread | undefined;
    for (const thread of threads) if (best === undefined || loadOf(thread) < loadOf(best)) best = thread;
    if (best !== undefined && (loadOf(best) === 0 || threads.length >= THREADS[lane])) return best;
    const started = this.start(lane);
    // The first pass lists both sides at once: a thread takes long to start, and two start beside each other.
    if (lane === 'quick') while (threads.length < THREADS.quick) this.start(lane);
    return started;
  }

  private start(lane: Lane): Thread {
    const threads = this.threads[lane];
    const started: Thread = new Thread(this.workerPath, { umask: this.options.umask }, () => {
      const index = threads.indexOf(started);
      if (index >= 0) threads.splice(index, 1);
    });
    threads.push(started);
    void this.lookAfter();
    return started;
  }

  /** As long as something happens, or there are more threads than are to stay, ends those that have been idle for long and tells when all are. */
  private async lookAfter(): Promise<void> {
    const { clock, onRest } = this.options;
    if (clock === undefined || this.isLookedAfter) return;
    this.isLookedAfter = true;
    try {
      for (let wasAtRest = false; !wasAtRest || this.threads.quick.length > LASTING.quick || this.threads.bulk.length > LASTING.bulk; ) {
        await clock.sleep(LOOK_MS, this.closing.signal);
        if (this.closing.signal.aborted) return;
        const { idle, isAtRest } = this.look();
        await Promise.all(idle.map((thread) => thread.terminate()));
        if (isAtRest && (!wasAtRest || idle.length > 0)) onRest?.();
        wasAtRest = isAtRest;
      }
    } finally {
      this.isLookedAfter = false;
    }
  }

  /** Takes out the threads that have been idle for long; nobody can ask them for anything any more. */
  private look(): { readonly idle: readonly Thread[]; readonly isAtRest: boolean } {
    const idle: Thread[] = [];
    let isAtRest = true;
    for (const lane of ['quick', 'bulk'] as const) {
      const threads = this.threads[lane];
      for (const thread of threads.splice(0)) {
        const idleLooks = thread.look();
        if (idleLooks === 0) isAtRest = false;
        (idleLooks < IDLE_LOOKS || threads.length < LASTING[lane] ? threads : idle).push(thread);
      }
    }
    return { idle, isAtRest };
  }
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

class Thread {
  /** Lists that left their reading position on this thread. */
  pinCount = 0;
  private idleLooks = 0;
  private lastIdSeen = 0;
  private readonly worker: Worker;
  /** Resolves when the thread has loaded everything, or has ended. */
  private readonly loaded: Promise<void>;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  /** Why nothing can be asked of it any more. */
  private ended: Error | undefined;

  constructor(workerPath: string, workerData: WorkerSettings, onEnd: () => void) {
    // Descriptors opened on one thread are closed by others, so no thread may close "its own" when it ends.
    this.worker = new Worker(workerPath, { name: 'wl local files', workerData, trackUnmanagedFds: false, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } });
    // Until it has loaded everything it keeps the process alive: stopped in the middle of loading native code, a thread takes the whole process along.
    this.loaded = new Promise((resolve) => {
      this.worker.once('message', () => resolve());
      this.worker.once('exit', () => resolve());
    });
    void this.loaded.then(() => this.letGo());
    this.worker.on('message', (reply: TaskReply | typeof READY) => {
      if (reply !== READY) this.settle(reply);
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => {
      onEnd();
      this.fail(new Error('the thread ended'));
    });
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  run<K extends keyof Tasks>(task: K, request: Parameters<Tasks[K]>[0], handedOver: readonly ArrayBuffer[] = []): Promise<Awaited<ReturnType<Tasks[K]>>> {
    const { ended } = this;
    if (ended !== undefined) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      this.lastId += 1;
      const message: TaskRequest = { id: this.lastId, task, request };
      if (this.pending.size === 0) this.worker.ref();
      this.pending.set(message.id, { resolve, reject });
      this.worker.postMessage(message, handedOver);
    });
  }

  /** How many looks in a row have found it without a task or a list since the one before. */
  look(): number {
    const isIdle = this.pending.size === 0 && this.pinCount === 0 && this.lastId === this.lastIdSeen;
    this.lastIdSeen = this.lastId;
    this.idleLooks = isIdle ? this.idleLooks + 1 : 0;
    return this.idleLooks;
  }

  async terminate(): Promise<void> {
    await this.loaded;
    await this.worker.terminate();
  }

  /** A thread keeps the process alive only while somebody waits for it. */
  private letGo(): void {
    if (this.pending.size === 0) this.worker.unref();
  }

  private settle(reply: TaskReply): void {
    const waiting = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    this.letGo();
    if (reply.ok) waiting?.resolve(reply.value as never);
    else waiting?.reject(fromWireError(reply.error));
  }

  private fail(cause: Error): void {
    const error = new BackendError('io-error', { operation: 'use the storage', retryable: true }, { cause, explanation: `a worker thread ended: ${cause.message}` });
    this.ended ??= error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
