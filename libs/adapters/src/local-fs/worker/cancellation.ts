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

/** A number that several threads see; 0 until the task is to stop. */
export type CancelFlag = Int32Array<SharedArrayBuffer>;

/** A flag that is not raised. */
export function createCancelFlag(): CancelFlag {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Raises the flag. */
export function cancel(flag: CancelFlag): void {
  Atomics.store(flag, 0, 1);
}

/** The checkpoint of a flag. */
export function checkpointOf(flag: CancelFlag): Checkpoint {
  return () => {
    if (Atomics.load(flag, 0) !== 0) throw new Cancelled();
  };
}
