/** Waiting for work that goes on side by side: whoever fails, none runs on unnoticed. */

/** Waits until every promise is settled, then rejects with the first failure, if there is one. */
export async function settleAll(promises: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Shared by work that goes on side by side: set by whoever fails, so that nobody begins anything more. */
export interface Stop {
  isStopped: boolean;
}

/**
 * Works through items with so many streams at a time. After a failure, or when stopped, no
 * further item is begun, those begun are waited for, and the first failure is thrown.
 */
export async function runStreams<T>(items: readonly T[], streams: number, work: (item: T) => Promise<void>, stop: Stop = { isStopped: false }): Promise<void> {
  let next = 0;
  const stream = async (): Promise<void> => {
    while (!stop.isStopped && next < items.length) {
      const item = items[next]!;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        stop.isStopped = true;
        throw error;
      }
    }
  };
  await settleAll(Array.from({ length: Math.min(streams, items.length) }, stream));
}
