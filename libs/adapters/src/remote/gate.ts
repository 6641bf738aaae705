/** What a driver asks before each call: is the storage open, is the call still wanted, may it write there? */

import { setMaxListeners } from 'node:events';

import { RESERVED_NAME, ROOT, type RelativePath } from '@wl/domain';

import { isReserved } from './area.js';
import { assertWanted, failure, type Concern } from './failing.js';

/** Longest name of a part of a path that file systems behind such servers hold, in bytes. */
const MOST_NAME_BYTES = 255;

/** Whether calls are let through, until the storage closes. */
export class Gate {
  readonly #closing = new AbortController();

  /** `refusal`: why the storage cannot hold a path, beside names that are reserved or too long. */
  constructor(
    private readonly isReadOnly: boolean,
    private readonly refusal: (path: RelativePath) => string | undefined = () => undefined,
  ) {
    setMaxListeners(0, this.#closing.signal);
  }

  /** Aborts when the storage closes. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Aborts with the caller's signal, and when the storage closes. */
  signalFor(signal: AbortSignal | undefined): AbortSignal {
    if (signal === undefined) return this.signal;
    const either = AbortSignal.any([signal, this.signal]);
    setMaxListeners(0, either);
    return either;
  }

  /** Throws `BackendError` (`cancelled`). */
  assertOpen(concern: Concern, signal?: AbortSignal): void {
    if (this.signal.aborted) throw failure('cancelled', concern, 'the storage is closed');
    assertWanted(concern, signal);
  }

  /** Throws `BackendError` (`read-only`, `cancelled`, `name-not-representable`). */
  assertWritable(concern: Concern & { readonly path: RelativePath }, signal?: AbortSignal): void {
    if (this.isReadOnly) throw failure('read-only', concern, 'the storage is marked as read-only');
    this.assertOpen(concern, signal);
    const { path } = concern;
    if (path === ROOT || isReserved(path)) throw failure('name-not-representable', concern, `${RESERVED_NAME} is reserved`);
    const refused = this.refusal(path);
    if (refused !== undefined) throw failure('name-not-representable', concern, refused);
    if (path.split('/').some((part) => Buffer.byteLength(part) > MOST_NAME_BYTES)) {
      throw failure('name-not-representable', concern, `a name has at most ${String(MOST_NAME_BYTES)} bytes`);
    }
  }
}
