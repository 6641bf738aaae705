/** Ctrl-C, as something a command can wait for. */

/** Tells commands that the user wants them to end. */
export interface Interrupts {
  /**
   * Calls `listener` for every interrupt until the returned function is called. While nobody
   * listens, an interrupt ends the process at once.
   */
  listen(listener: () => void): () => void;
}

/** The signals of this process: Ctrl-C, and a polite request to end. */
export const processInterrupts: Interrupts = {
  listen(listener) {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const heard = (): void => {
      listener();
    };
    for (const signal of signals) process.on(signal, heard);
    return () => {
      for (const signal of signals) process.off(signal, heard);
    };
  },
};
