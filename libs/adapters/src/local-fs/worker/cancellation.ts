/** Stopping a task from another thread: a shared number that turns 1. */

/** Asked at points where a task can stop and leave everything whole; throws `Cancelled`. */
export type Checkpoint = () => void;

/** The task was told to stop. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';

  constructor() {
    super('cancelled');
  }
}

/** A flag that both threads see. */
export function createCancelFlag(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Raises the flag. */
export function cancel(flag: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(flag, 0, 1);
}

/** The checkpoint of a flag; without one, it never stops. */
export function checkpointOf(flag: Int32Array<SharedArrayBuffer> | undefined): Checkpoint {
  if (flag === undefined) return () => undefined;
  return () => {
    if (Atomics.load(flag, 0) !== 0) throw new Cancelled();
  };
}
