/** The worker's end of the message channel. */

import { parentPort, type Transferable } from 'node:worker_threads';

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

/** Its answer. */
export type TaskReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError };

/** Serves requests until the thread is terminated. */
export function serveTasks(): void {
  if (parentPort === null) throw new Error('this program is the worker thread of a storage, not to be run by itself');
  const port = parentPort;
  const tasks = createTasks({ disk: createDisk(loadNative({ ownsThread: true })) });
  port.on('message', ({ id, task, request }: TaskRequest) => {
    let reply: TaskReply;
    let handedOver: Transferable[] = [];
    try {
      const value = (tasks[task] as (request: unknown) => unknown)(request);
      if (task === 'scanNext' && value !== undefined) handedOver = transferablesOf(value as PackedRows);
      if (task === 'readWhole') handedOver = [(value as WholeReadBatch).bytes];
      reply = { id, ok: true, value };
    } catch (error) {
      reply = { id, ok: false, error: toWireError(error, task) };
    }
    port.postMessage(reply, handedOver);
  });
}
