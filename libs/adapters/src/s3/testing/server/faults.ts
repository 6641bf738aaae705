/**
 * Faults by script: what goes wrong with which request. Everything a network, a proxy or a
 * confused server can do to a client is one of these, done at an exact request and no other.
 */

import type { PageTrick } from './page-trick.js';
import type { Operation } from './s3-request.js';

/** What happens to a request. */
export type FaultEffect =
  /** An error answer: instead of the work, or `afterWork` although it was done. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      /** More headers, e.g. `retry-after` in seconds. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly afterWork?: boolean;
    }
  /** An answer without the work: a delete that never happened, a 200 with an error for a body. */
  | { readonly kind: 'answer'; readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The connection is reset before the work. */
  | { readonly kind: 'lose-request' }
  /** The connection is reset after the work (T36). */
  | { readonly kind: 'lose-reply' }
  /** The work waits, even when the client has long gone; then it is done. */
  | { readonly kind: 'delay'; readonly until: Promise<unknown> }
  | { readonly kind: 'delay'; readonly ms: number }
  /**
   * The body ends early (T41): the connection is `reset` or closed (`eof`) short of the announced
   * length; `clean-eof` ends a chunked body as though it were whole; `unframed` has no length and ends with
   * the connection; `short-length` announces the shortened length.
   */
  | { readonly kind: 'cut-body'; readonly afterBytes: number; readonly ending: 'reset' | 'eof' | 'clean-eof' | 'unframed' | 'short-length' }
  /** Another body, of a proxy or another kind of server; status stays unless given. */
  | { readonly kind: 'replace-body'; readonly body: string; readonly contentType?: string; readonly status?: number }
  /** `Content-Length` is off by so many bytes. */
  | { readonly kind: 'wrong-length'; readonly by: number }
  /** Headers come, and then the connection is reset. */
  | { readonly kind: 'reset-after-headers' }
  /** The body comes in small pieces. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** One bit of the body is flipped on the way. */
  | { readonly kind: 'corrupt-body'; readonly at?: number }
  /** The answer's headers are changed; `undefined` takes one away. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string | undefined>> }
  /** `Range` is ignored: 200 and the whole object (T48). */
  | { readonly kind: 'ignore-range' }
  /** HEAD and GET answer these bytes, with their tag, whatever is stored and whatever condition was sent (T48). */
  | { readonly kind: 'other-version'; readonly bytes: Uint8Array }
  /** Reads and listings answer the state before the last change, or before so many. */
  | { readonly kind: 'stale'; readonly changes?: number }
  /** A listing lies (T06). */
  | { readonly kind: 'listing'; readonly trick: PageTrick };

/** A fault and the requests it is for. */
export interface FaultScript {
  readonly operation: Operation | '*';
  readonly key?: string | ((key: string) => boolean);
  /** So many matching requests pass unharmed first; default 0. */
  readonly skip?: number;
  /** So many are harmed then; default 1, `Infinity` for all. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** A fault that was set. */
export interface Fault {
  /** Requests it harmed. */
  readonly hits: number;
  /** Ends it. */
  remove(): void;
}

/** The faults of a server. */
export class FaultBook {
  readonly #faults = new Set<ActiveFault>();

  add(script: FaultScript): Fault {
    const fault = new ActiveFault(script, () => this.#faults.delete(fault));
    this.#faults.add(fault);
    return fault;
  }

  clear(): void {
    this.#faults.clear();
  }

  /** What happens to this request; counts it. */
  effectsOn(operation: Operation, key: string): readonly FaultEffect[] {
    if (this.#faults.size === 0) return [];
    return [...this.#faults].filter((fault) => fault.strikes(operation, key)).map((fault) => fault.script.effect);
  }
}

class ActiveFault implements Fault {
  hits = 0;
  #seen = 0;

  constructor(
    readonly script: FaultScript,
    readonly remove: () => void,
  ) {}

  strikes(operation: Operation, key: string): boolean {
    if (this.script.operation !== '*' && this.script.operation !== operation) return false;
    const wanted = this.script.key;
    if (typeof wanted === 'string' ? wanted !== key : wanted?.(key) === false) return false;
    this.#seen += 1;
    if (this.#seen <= (this.script.skip ?? 0) || this.hits >= (this.script.times ?? 1)) return false;
    this.hits += 1;
    return true;
  }
}

/** The first effect of a kind among those on a request. */
export function effectOf<K extends FaultEffect['kind']>(effects: readonly FaultEffect[], kind: K): Extract<FaultEffect, { kind: K }> | undefined {
  return effects.find((effect): effect is Extract<FaultEffect, { kind: K }> => effect.kind === kind);
}
