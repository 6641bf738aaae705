/**
 * The one way into a memory tree for a backend: every operation passes here, so that
 * faults and hostile users can come in before and after it, and none is done by a
 * backend that is closed, crashed or cancelled. What is done inside is one synchronous
 * step, which makes conditional operations atomic.
 */

import { ROOT } from '@wl/domain';
import { BackendError, type BackendErrorCode } from '@wl/ports';

import type { MemoryVolume } from './memory-entry.js';
import type { MemoryFaults, MemoryOperation } from './memory-faults.js';
import type { MemoryTree } from './memory-tree.js';

/** Guards one backend's operations. */
export class MemoryGate {
  state: 'new' | 'open' | 'closed' | 'crashed' = 'new';
  readonly #tree: MemoryTree;
  readonly #faults: MemoryFaults;
  readonly #backendId: string;
  readonly #tiesToVolume: boolean;
  /** The volume it was opened on. */
  #opened: MemoryVolume | undefined;

  constructor(tree: MemoryTree, faults: MemoryFaults, backendId: string, tiesToVolume: boolean) {
    this.#tree = tree;
    this.#faults = faults;
    this.#backendId = backendId;
    this.#tiesToVolume = tiesToVolume;
  }

  /** Does one operation as one step between two await points. */
  async pass<T>(operation: MemoryOperation, path: string, signal: AbortSignal | undefined, step: (volume: MemoryVolume) => T): Promise<T> {
    this.assertOpen(operation, path, signal);
    await this.#faults.before(operation, path);
    this.assertOpen(operation, path, signal);
    const { volume } = this.#tree;
    if (volume === undefined) {
      throw failure('not-found', operation, ROOT, `nothing is mounted at ${this.#tree.location}`);
    }
    if (operation === 'open') this.#opened = volume;
    else if (this.#tiesToVolume && operation !== 'rootIdentity' && volume !== this.#opened) {
      throw failure('not-found', operation, ROOT, `another volume is mounted at ${this.#tree.location}`);
    }
    const result = this.#tree.actAs(this.#backendId, () => step(volume));
    await this.#faults.after(operation, path);
    // Whoever crashed meanwhile hears of nothing any more.
    if (this.state === 'crashed') throw failure('cancelled', operation, path, 'the backend has crashed');
    return result;
  }

  /** Throws unless the backend is open and the operation wanted. */
  assertOpen(operation: MemoryOperation, path: string, signal?: AbortSignal): void {
    if (this.state === 'new') throw new Error(`a MemoryBackend was used before open (${operation} ${path})`);
    if (this.state !== 'open') throw failure('cancelled', operation, path, `the backend is ${this.state}`);
    if (signal?.aborted === true) throw failure('cancelled', operation, path);
  }
}

/** An error of this adapter. */
export function failure(code: BackendErrorCode, operation: string, path: string, explanation?: string): BackendError {
  const details = { operation, retryable: code === 'io-error', ...(path === '' ? {} : { path }) };
  return new BackendError(code, details, explanation === undefined ? {} : { explanation });
}
