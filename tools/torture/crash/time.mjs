/** Whether to go on: a deadline, and the wish of whoever runs this that it end in order. */

let isInterrupted = false;

/** From now on SIGINT and SIGTERM let what is being played end, clean up and tell what there is; the second one ends at once. */
export function endInOrder() {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      isInterrupted = true;
    });
  }
}

/** `deadline` is an instant of `performance.now()`. */
export const isOver = (deadline) => isInterrupted || performance.now() >= deadline;
