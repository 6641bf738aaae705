/** Where tasks run: behind this interface are worker threads, or the calling thread itself. */

import { setImmediate as turn } from 'node:timers/promises';

import type { Tasks } from './worker/tasks.js';

/** Looking and changing names is `quick`; whatever moves bytes is `bulk` and must not hold up the first. */
export type Lane = 'quick' | 'bulk';

/** Runs tasks. Rejections are `BackendError`s. */
export interface TaskRunner {
  /** `handedOver`: memory of the request that the task may take instead of copying it; it is gone for the caller. */
  run<K extends keyof Tasks>(task: K, request: Parameters<Tasks[K]>[0], lane: Lane, handedOver?: readonly ArrayBuffer[]): Promise<Awaited<ReturnType<Tasks[K]>>>;
  /** A runner whose quick tasks all run on one thread, for those that leave state there. */
  pin(): TaskRunner;
  /** How many bulk tasks can run side by side. */
  readonly bulkThreads: number;
  /** Ends the threads, when none of their tasks is running. Idempotent. */
  close(): Promise<void>;
}

/** Runs tasks on the calling thread, each in a turn of its own. For tests, and where no worker file is at hand. */
export function createInlineRunner(tasks: Tasks): TaskRunner {
  const runner: TaskRunner = {
    run: async (task, request) => {
      await turn();
      // The compiler cannot see that request and result belong to the same task.
      return (tasks[task] as (request: unknown) => never)(request);
    },
    pin: () => runner,
    bulkThreads: 1,
    close: () => Promise.resolve(),
  };
  return runner;
}
