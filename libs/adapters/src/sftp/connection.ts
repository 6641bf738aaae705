/**
 * The one connection of a storage, made when it is first needed and made again when it was lost; after
 * failures not before some time has passed, which doubles up to half a minute. Short pauses are waited
 * for; during longer ones whoever asks is told of the last failure at once. A server that does not
 * let us in is not asked again for a minute: many of them shut out who tries too often.
 */

import { isBackendError, type BackendError, type Clock } from '@wl/ports';

import type { Connect } from './connector.js';
import { failure } from './failure.js';
import type { Session } from './session.js';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** Nobody waits longer than this for the next try. */
const MOST_WAITED_MS = 1000;
const REFUSED_MS = 60_000;
/** A connection that lived for so long was a good one. */
const GOOD_MS = 10_000;

/** Gives whoever asks the connection. */
export class Connection {
  #session: Session | undefined;
  #connecting: Promise<Session> | undefined;
  #failures = 0;
  #notBeforeMs = -Infinity;
  /** What the last try came to. */
  #failed: BackendError | undefined;
  readonly #closing = new AbortController();

  constructor(
    private readonly connect: Connect,
    private readonly clock: Clock,
  ) {}

  /** Whether there is a connection, as far as is known. */
  get isUp(): boolean {
    return this.#session?.isLost === false;
  }

  /** A connection that was there a moment ago. */
  async session(): Promise<Session> {
    if (this.#session?.isLost === false) return this.#session;
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connecting?.catch(() => undefined);
    this.#session?.end();
  }

  async #open(): Promise<Session> {
    const { clock } = this;
    const pauseMs = this.#notBeforeMs - clock.monotonicMs();
    if (pauseMs > MOST_WAITED_MS) throw this.#failed ?? failure('unreachable', { operation: 'connect' }, 'the connection is lost again and again', true);
    if (pauseMs > 0) await clock.sleep(pauseMs, this.#closing.signal);
    this.#assertOpen();
    let madeMs = Infinity;
    try {
      this.#session = await this.connect(() => this.#count(clock.monotonicMs() - madeMs >= GOOD_MS ? 0 : this.#failures + 1));
    } catch (error) {
      this.#count(this.#failures + 1);
      this.#failed = isBackendError(error) ? error : undefined;
      if (this.#failed?.code === 'unauthorized') this.#notBeforeMs = clock.monotonicMs() + REFUSED_MS;
      throw error;
    }
    this.#failed = undefined;
    madeMs = clock.monotonicMs();
    if (this.#closing.signal.aborted) this.#session.end();
    this.#assertOpen();
    return this.#session;
  }

  #count(failures: number): void {
    this.#failures = failures;
    this.#notBeforeMs = failures === 0 ? -Infinity : this.clock.monotonicMs() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw failure('cancelled', { operation: 'connect' }, 'the storage is closed');
  }
}
