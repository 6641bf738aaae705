/**
 * The watcher of a memory backend, driven by hand: a test may hold its events back, lose
 * them, repeat them, delay them or let it overflow (T60, T62). Left alone, it tells
 * every change of the tree in the next microtask.
 */

import { parentOf, parseRelativePath, ROOT, type RelativePath } from '@wl/domain';
import { BackendError, type Hint, type Watcher, type WatcherListener } from '@wl/ports';

import type { MemoryTree } from './memory-tree.js';
import type { TreeChange } from './tree-store.js';

/** The events of one backend, and the hands that meddle with them. */
export class MemoryEvents {
  /** Events are told this much later on the tree's clock. */
  delayMs = 0;
  readonly #tree: MemoryTree;
  readonly #listeners = new Set<WatcherListener>();
  readonly #held: Hint[] = [];
  #isHeld = false;
  #toLose = 0;
  #toRepeat = 0;
  #refusal: string | undefined;

  constructor(tree: MemoryTree) {
    this.#tree = tree;
  }

  /** A watcher that tells these events. */
  watcher(): Watcher {
    let stop: (() => void) | undefined;
    return {
      description: 'memory events',
      start: (listener) => {
        if (this.#refusal !== undefined) return Promise.reject(cannotWatch('unsupported', this.#refusal));
        if (this.#tree.volume === undefined) return Promise.reject(cannotWatch('not-found', `nothing is mounted at ${this.#tree.location}`));
        const unobserve = this.#tree.observe((change) => {
          if (change.path === ROOT || !this.#tree.isReserved(change.path)) this.#tell(hintOf(change), listener);
        });
        this.#listeners.add(listener);
        stop = () => {
          unobserve();
          this.#listeners.delete(listener);
        };
        return Promise.resolve();
      },
      stop: () => {
        stop?.();
        return Promise.resolve();
      },
    };
  }

  /** How many watchers run. */
  get watching(): number {
    return this.#listeners.size;
  }

  /** Keeps all further events back. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Tells what was held back, newest first when `reversed`, and holds nothing any more. */
  release(order: 'in-order' | 'reversed' = 'in-order'): void {
    this.#isHeld = false;
    const held = this.#held.splice(0);
    if (order === 'reversed') held.reverse();
    if (held.length > 0) this.emit(held);
  }

  /** Loses the next `count` events; `Infinity` for all. */
  lose(count = 1): void {
    this.#toLose = count;
  }

  /** Tells the next `count` events twice. */
  repeat(count = 1): void {
    this.#toRepeat = count;
  }

  /** As when a queue overflows: what was held back is lost, and everything may have changed. */
  overflow(): void {
    this.#held.length = 0;
    this.emit([{ scope: 'subtree', path: ROOT }]);
  }

  /** Tells hints of the test's own, true or not. */
  emit(hints: readonly Hint[]): void {
    for (const listener of this.#listeners) this.#later(listener, () => listener.hints(hints));
  }

  /** Tells that watching got worse. */
  degrade(message: string): void {
    for (const listener of this.#listeners) this.#later(listener, () => listener.degraded(message));
  }

  /** Lets every further `start` reject with this explanation; `undefined` lets them pass again (T07). */
  refuse(explanation: string | undefined): void {
    this.#refusal = explanation;
  }

  #tell(hint: Hint, listener: WatcherListener): void {
    if (this.#toLose > 0) {
      this.#toLose -= 1;
      return;
    }
    if (this.#isHeld) {
      this.#held.push(hint);
      return;
    }
    const isRepeated = this.#toRepeat > 0;
    if (isRepeated) this.#toRepeat -= 1;
    this.#later(listener, () => {
      listener.hints([hint]);
      if (isRepeated) listener.hints([hint]);
    });
  }

  /** Calls outside the change that is being made, and only while the listener still listens. */
  #later(listener: WatcherListener, call: () => void): void {
    const waited = this.delayMs > 0 ? this.#tree.clock.sleep(this.delayMs) : Promise.resolve();
    void waited.then(() => {
      if (this.#listeners.has(listener)) call();
    });
  }
}

function hintOf({ path, isTree }: TreeChange): Hint {
  const parsed = parseRelativePath(path);
  if (parsed.ok) return { scope: isTree ? 'subtree' : 'entry', path: parsed.value };
  // The root, or a name no path can be made of: the nearest directory that has one is looked through.
  let directory = path as RelativePath;
  while (directory !== ROOT && !parseRelativePath(directory).ok) directory = parentOf(directory);
  return { scope: 'subtree', path: directory };
}

function cannotWatch(code: 'unsupported' | 'not-found', explanation: string): BackendError {
  return new BackendError(code, { operation: 'watch', retryable: false }, { explanation });
}
