/**
 * What goes wrong with a memory backend, and who acts in between: failures, lost replies,
 * delays, stale and cut listings, and hooks at every await point, where a test or the
 * simulator plays the hostile user. Rules are used in the order they were given, each a
 * counted number of times.
 */

import type { UnknownReason } from '@wl/domain';
import { BackendError, type BackendErrorCode, type Clock } from '@wl/ports';

/** The points at which a backend can be interrupted. `list-batch`, `chunk`, `write`, `commit` come as often as they happen. */
export type MemoryOperation =
  | 'open'
  | 'close'
  | 'rootIdentity'
  | 'list'
  | 'list-batch'
  | 'stat'
  | 'getFileToken'
  | 'getHashes'
  | 'read'
  | 'chunk'
  | 'isUnchanged'
  | 'openForSafeReplace'
  | 'write'
  | 'commit'
  | 'abort'
  | 'remove'
  | 'makeDirectory'
  | 'removeDirectory'
  | 'setExecutable'
  | 'flush'
  | 'copyFrom';

/** Before anything was done, or after it was done and before the caller hears of it. */
export type Phase = 'before' | 'after';

/** One moment at which a hook is called. */
export interface FaultEvent {
  readonly operation: MemoryOperation;
  /** The path operated on; the directory for listings; `''` where there is none. */
  readonly path: string;
  readonly phase: Phase;
  readonly backendId: string;
}

/** Where and how often a rule holds. */
export interface FaultScope {
  /** Only at this path; anywhere when left out. */
  readonly path?: string;
  /** Default 1; `Infinity` until `clear`. */
  readonly times?: number;
}

/** How an operation fails. */
export interface FailureScope extends FaultScope {
  /** Default `io-error`. */
  readonly code?: BackendErrorCode;
  /** Default true for `unreachable`, `throttled` and `io-error`. */
  readonly retryable?: boolean;
  readonly explanation?: string;
}

type Effect =
  | { readonly kind: 'fail' | 'lose-reply'; readonly code: BackendErrorCode; readonly retryable: boolean; readonly explanation: string }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'truncate'; readonly afterRows: number }
  | { readonly kind: 'shorten'; readonly afterRows: number }
  | { readonly kind: 'rewind'; readonly afterRows: number }
  | { readonly kind: 'mark-unknown'; readonly reason: UnknownReason }
  | { readonly kind: 'stale' | 'ignore-precondition' | 'displace' | 'damage' };

interface Rule {
  readonly operation: MemoryOperation | '*';
  readonly path: string | undefined;
  readonly effect: Effect;
  left: number;
}

type Hook = (event: FaultEvent) => void | Promise<void>;

interface HookEntry {
  readonly operation: MemoryOperation | '*';
  readonly phase: Phase;
  readonly hook: Hook;
}

const RETRYABLE: ReadonlySet<BackendErrorCode> = new Set<BackendErrorCode>(['unreachable', 'throttled', 'io-error']);

/** The faults of one backend. */
export class MemoryFaults {
  readonly #backendId: string;
  readonly #clock: Clock;
  readonly #rules: Rule[] = [];
  /** Replaced, never changed: whoever goes through it may add and remove. */
  #hooks: readonly HookEntry[] = [];

  constructor(backendId: string, clock: Clock) {
    this.#backendId = backendId;
    this.#clock = clock;
  }

  /** The operation is not done and rejects. */
  fail(operation: MemoryOperation | '*', scope: FailureScope = {}): void {
    const code = scope.code ?? 'io-error';
    this.#add(operation, scope, {
      kind: 'fail',
      code,
      retryable: scope.retryable ?? RETRYABLE.has(code),
      explanation: scope.explanation ?? 'injected fault',
    });
  }

  /** The operation is done and rejects all the same, as when a connection breaks after the request. */
  loseReply(operation: MemoryOperation | '*', scope: FaultScope = {}): void {
    this.#add(operation, scope, { kind: 'lose-reply', code: 'io-error', retryable: true, explanation: 'injected fault: the reply was lost' });
  }

  /** The operation starts `ms` later on the clock. */
  delay(operation: MemoryOperation | '*', ms: number, scope: FaultScope = {}): void {
    this.#add(operation, scope, { kind: 'delay', ms });
  }

  /** A listing (of the directory `path`) rejects after so many rows (T01, T06). */
  truncateListing(afterRows: number, scope: FaultScope = {}): void {
    this.#add('list', scope, { kind: 'truncate', afterRows });
  }

  /** A listing (of the directory `path`) ends after so many rows as if that were all: a store that lies (T02, T06). */
  shortenListing(afterRows: number, scope: FaultScope = {}): void {
    this.#add('list', scope, { kind: 'shorten', afterRows });
  }

  /** A listing (of the directory `path`) begins again from its first row after so many rows, once: a page that repeats (T06). */
  rewindListing(afterRows: number, scope: FaultScope = {}): void {
    this.#add('list', scope, { kind: 'rewind', afterRows });
  }

  /**
   * Listings and `stat` cannot observe `path`; a directory is listed with the reason and
   * without its content (with half of it for `listing-incomplete`).
   */
  markUnknown(path: string, reason: UnknownReason, times = Infinity): void {
    this.#add('list', { path, times }, { kind: 'mark-unknown', reason });
    this.#add('stat', { path, times }, { kind: 'mark-unknown', reason });
  }

  /** Looks at a file (`list`, `stat`, `getFileToken`, `read`) show what was there before its last change (T36). */
  staleReads(operation: 'list' | 'stat' | 'getFileToken' | 'read' | '*', scope: FaultScope = {}): void {
    this.#add(operation, scope, { kind: 'stale' });
  }

  /** A bit of a chunk that is read is not the one that was stored. */
  damageReads(scope: FaultScope = {}): void {
    this.#add('chunk', scope, { kind: 'damage' });
  }

  /** `commit` or `remove` goes through although the file is another version (T58). */
  ignorePrecondition(operation: 'commit' | 'remove', scope: FaultScope = {}): void {
    this.#add(operation, scope, { kind: 'ignore-precondition' });
  }

  /** A `commit` that meets another version moves it to the trash and answers `stale-token` with that `leftover`. */
  displace(scope: FaultScope = {}): void {
    this.#add('commit', scope, { kind: 'displace' });
  }

  /** Calls `hook` at every such moment, in the order hooks were given; returns how to stop. */
  on(operation: MemoryOperation | '*', phase: Phase, hook: Hook): () => void {
    const entry = { operation, phase, hook };
    this.#hooks = [...this.#hooks, entry];
    return () => {
      this.#hooks = this.#hooks.filter((other) => other !== entry);
    };
  }

  /** Forgets all rules; hooks stay. */
  clearRules(): void {
    this.#rules.length = 0;
  }

  /** Forgets all rules and hooks. */
  clear(): void {
    this.#rules.length = 0;
    this.#hooks = [];
  }

  /** To be awaited before an operation is done. Rejects where it is to fail. */
  before(operation: MemoryOperation, path: string): Promise<void> | undefined {
    const acting = this.#callHooks(operation, path, 'before');
    return acting === undefined && this.#rules.length === 0 ? undefined : this.#beforeWithRules(operation, path, acting);
  }

  /** To be awaited after an operation was done. Rejects where the reply is to be lost. */
  after(operation: MemoryOperation, path: string): Promise<void> | undefined {
    const acting = this.#callHooks(operation, path, 'after');
    return acting === undefined && this.#rules.length === 0 ? undefined : this.#afterWithRules(operation, path, acting);
  }

  async #beforeWithRules(operation: MemoryOperation, path: string, acting: Promise<void> | undefined): Promise<void> {
    await acting;
    const delay = this.take(operation, path, 'delay');
    if (delay !== undefined) await this.#clock.sleep(delay.ms);
    const failure = this.take(operation, path, 'fail');
    if (failure !== undefined) throw injected(operation, path, failure);
  }

  async #afterWithRules(operation: MemoryOperation, path: string, acting: Promise<void> | undefined): Promise<void> {
    await acting;
    const loss = this.take(operation, path, 'lose-reply');
    if (loss !== undefined) throw injected(operation, path, loss);
  }

  /** Uses up one turn of the first rule of a kind that holds here. */
  take<K extends Effect['kind']>(operation: MemoryOperation, path: string, kind: K): Extract<Effect, { kind: K }> | undefined {
    if (this.#rules.length === 0) return undefined;
    const index = this.#rules.findIndex(
      (rule) =>
        rule.effect.kind === kind &&
        (rule.operation === operation || rule.operation === '*') &&
        (rule.path === undefined || rule.path === path),
    );
    const rule = this.#rules[index];
    if (rule === undefined) return undefined;
    rule.left -= 1;
    if (rule.left <= 0) this.#rules.splice(index, 1);
    return rule.effect as Extract<Effect, { kind: K }>;
  }

  #add(operation: MemoryOperation | '*', scope: FaultScope, effect: Effect): void {
    this.#rules.push({ operation, path: scope.path, effect, left: scope.times ?? 1 });
  }

  /** Calls hooks one after the other; a promise is returned only where one of them gave one: millions of calls have none. */
  #callHooks(operation: MemoryOperation, path: string, phase: Phase): Promise<void> | undefined {
    const hooks = this.#hooks;
    for (let i = 0; i < hooks.length; i += 1) {
      const entry = hooks[i]!;
      if (entry.phase !== phase || (entry.operation !== operation && entry.operation !== '*')) continue;
      const acting = entry.hook({ operation, path, phase, backendId: this.#backendId });
      if (acting === undefined) continue;
      return acting.then(() => this.#callRest(hooks.slice(i + 1), operation, path, phase));
    }
    return undefined;
  }

  async #callRest(hooks: readonly HookEntry[], operation: MemoryOperation, path: string, phase: Phase): Promise<void> {
    for (const entry of hooks) {
      if (entry.phase !== phase || (entry.operation !== operation && entry.operation !== '*')) continue;
      await entry.hook({ operation, path, phase, backendId: this.#backendId });
    }
  }
}

function injected(
  operation: MemoryOperation,
  path: string,
  { code, retryable, explanation }: { readonly code: BackendErrorCode; readonly retryable: boolean; readonly explanation: string },
): BackendError {
  return new BackendError(code, { operation, path, retryable }, { explanation });
}
