/** Hooks: a test's own steps at exact moments of a request, e.g. another client's write between our HEAD and our DELETE. */

import type { LoggedRequest } from './request-log.js';
import type { Operation } from './s3-request.js';

/** What a hook does; the request waits for it. */
export type Hook = (request: LoggedRequest) => void | Promise<void>;

/** Which requests a hook is for. */
export interface HookScope {
  readonly key?: string | ((key: string) => boolean);
  /** How often it runs; default always. */
  readonly times?: number;
}

interface ActiveHook {
  readonly operation: Operation | '*';
  readonly scope: HookScope;
  readonly run: Hook;
  left: number;
}

/** Hooks of one moment. */
export class HookList {
  readonly #hooks = new Set<ActiveHook>();

  /** Adds a hook; returns what takes it away again. */
  add(operation: Operation | '*', run: Hook, scope: HookScope): () => void {
    const hook: ActiveHook = { operation, scope, run, left: scope.times ?? Infinity };
    this.#hooks.add(hook);
    return () => this.#hooks.delete(hook);
  }

  /** Whether there is none, which is when requests need not wait at all. */
  get isEmpty(): boolean {
    return this.#hooks.size === 0;
  }

  /** Runs the hooks for a request, one after another. */
  async run(request: LoggedRequest): Promise<void> {
    for (const hook of this.#hooks) {
      if (hook.left <= 0 || !isFor(hook, request)) continue;
      hook.left -= 1;
      await hook.run(request);
    }
  }
}

function isFor({ operation, scope }: ActiveHook, request: LoggedRequest): boolean {
  if (operation !== '*' && operation !== request.operation) return false;
  return typeof scope.key === 'string' ? scope.key === request.key : scope.key?.(request.key) !== false;
}
