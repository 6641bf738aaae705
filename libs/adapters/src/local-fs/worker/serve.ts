/** The worker's end of the message channel. */

import { parentPort, workerData, type Transferable } from 'node:worker_threads';

import { createDisk } from './disk.js';
import { toWireError, type WireError } from './failure.js';
import { transferablesOf, type PackedRows } from './listing-rows.js';
import { loadNative } from './native.js';
import { createTasks, type Tasks } from './tasks.js';
import type { WholeReadBatch } from './whole-read.js';

/** A request to a worker. */
export interface TaskRequest {
  readonly id: number;
  readonly task: keyof Tasks;
  readonly request: unknown;
}

/** What a worker may be started with, as its `workerData`. */
export interface WorkerSettings {
  /** See `LocalFsWorkersOptions`. */
  readonly umask: number | undefined;
}

/** What a worker says first, once it has loaded everything. */
export const READY = 'ready';

/** Its answer. */
export type TaskReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError };

/** Serves requests until the thread is terminated. */
export function serveTasks(): void {
  if (parentPort === null) throw new Error('this program is the worker thread of a storage, not to be run by itself');
  const port = parentPort;
  const umask = (workerData as WorkerSettings | null)?.umask;
  const tasks = createTasks({ disk: createDisk(loadNative({ ownsThread: true, umask })) });
  const reply = (answer: TaskReply, handedOver: Transferable[] = []): void => port.postMessage(answer, handedOver);
  const succeed = ({ id, task }: TaskRequest, value: unknown): void => reply({ id, ok: true, value }, handedOverBy(task, value));
  const fail = ({ id, task }: TaskRequest, error: unknown): void => reply({ id, ok: false, error: toWireError(error, task) });
  port.on('message', (request: TaskRequest) => {
    try {
      const value = (tasks[request.task] as (request: unknown) => unknown)(request.request);
      if (!(value instanceof Promise)) succeed(request, value);
      else value.then((later: unknown) => succeed(request, later)).catch((error: unknown) => fail(request, error));
    } catch (error) {
      fail(request, error);
    }
  });
  port.postMessage(READY);
}

/** Memory of an answer that need not be copied. */
function handedOverBy(task: keyof Tasks, value: unknown): Transferable[] {
  if (task === 'scanNext' && value !== undefined) return transferablesOf(value as PackedRows);
  return task === 'readWhole' ? [(value as WholeReadBatch).bytes] : [];
}
