/**
 * Events on their way from a connection to whoever wants them: listeners get
 * them at once; without listeners they wait, up to a limit, for `take` or for
 * the first listener.
 */

import type { ControlEvent } from './control-event.js';

/** A bounded queue of events with listeners, and with an end that nobody misses. */
export class EventMailbox {
  readonly #capacity: number;
  readonly #waiting: ControlEvent[] = [];
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  readonly #takers: { resolve: (event: ControlEvent | undefined) => void; reject: (reason: Error) => void }[] = [];
  #end: { readonly failure: Error | undefined } | undefined;
  #dropped = 0;

  /** Keeps at most `capacity` events; the oldest give way, since the last state and the last error matter most. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Events that gave way because nobody took them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Hands `event` to every listener, else to the longest waiting `take`, else keeps it. */
  put(event: ControlEvent): void {
    if (this.#listeners.size > 0) {
      for (const listener of [...this.#listeners]) listener(event);
      return;
    }
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve(event);
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length > this.#capacity) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
  }

  /** Calls `listener` for each event from now on, first of all for those that wait. The returned function ends that. */
  listen(listener: (event: ControlEvent) => void): () => void {
    const registered = (event: ControlEvent): void => {
      listener(event);
    };
    this.#listeners.add(registered);
    for (const event of this.#waiting.splice(0)) registered(event);
    return () => {
      this.#listeners.delete(registered);
    };
  }

  /** The next event. After the end: what still waits, then `undefined`, or a rejection when it ended by a failure. */
  async take(): Promise<ControlEvent | undefined> {
    const event = this.#waiting.shift();
    if (event !== undefined) return event;
    if (this.#end?.failure !== undefined) throw this.#end.failure;
    if (this.#end !== undefined) return undefined;
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
    });
  }

  /** No event will follow; `failure` says why if that was not wanted. */
  end(failure: Error | undefined): void {
    this.#end ??= { failure };
    for (const taker of this.#takers.splice(0)) {
      if (failure === undefined) taker.resolve(undefined);
      else taker.reject(failure);
    }
  }
}
