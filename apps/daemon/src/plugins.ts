/**
 * The plugins of this daemon: where they are looked for, and what they bring put to use. Their
 * syncers are registered behind the built-in ones, their storage types are asked for by
 * `storages.ts`. A storage is never a place to look in.
 */

import { PluginLoader, startTrial, type LoadedPlugins } from '@wl/adapters/plugins';
import type { JobManagerParts, SyncerRegistry } from '@wl/engine';
import * as kit from '@wl/plugin-kit';
import type { Clock } from '@wl/ports';
import type { StatusPlugin } from '@wl/ports/schemas';

/** Time for a module to load: whoever started the daemon waits for it. Milliseconds. */
export const LOAD_LIMIT_MS = 5_000;

/** What loading plugins needs. */
export interface PluginParts {
  /** Folders of the form of `node_modules`; absolute, the first goes before. */
  readonly places: readonly string[];
  readonly builtInTypes: readonly string[];
  readonly registry: SyncerRegistry;
  readonly clock: Clock;
  readonly log: JobManagerParts['log'];
  readonly limitMs?: number;
  /** Default: as Node.js loads modules. */
  readonly importModule?: (url: string) => Promise<{ readonly default?: unknown }>;
}

/** The plugins in use. */
export interface Plugins {
  /** What the last look came to. */
  readonly current: LoadedPlugins;
  /** Looks again and puts to use what is new; what is gone is let go of, running jobs keep it. */
  reload(): Promise<readonly StatusPlugin[]>;
}

/** Makes them; nothing is looked for before `reload`. */
export function createPlugins(parts: PluginParts): Plugins {
  const { places, builtInTypes, registry, clock, log, limitMs = LOAD_LIMIT_MS } = parts;
  const loader = new PluginLoader({
    places,
    builtIn: { syncers: registry.definitions.map(({ traits }) => traits.SYNCER_NAME), types: builtInTypes },
    trial: startTrial(limitMs),
    importModule: parts.importModule ?? importModule,
    withinLimit: (loading) => withinLimit(loading, clock, limitMs),
    hostFor: (plugin) => ({ clock, kit, log: (level, message) => log(level, message, { plugin }) }),
  });
  let registered: readonly string[] = [];
  return {
    get current() {
      return loader.current;
    },
    reload: async () => {
      const { syncers, plugins } = await loader.load();
      for (const name of registered) registry.unregister(name);
      for (const syncer of syncers) registry.register(syncer);
      registered = syncers.map(({ traits }) => traits.SYNCER_NAME);
      for (const { name, version, state, reasons } of plugins) {
        log(state === 'loaded' ? 'info' : 'warn', `plugin ${state}`, { plugin: `${name}@${version}`, ...(reasons.length > 0 && { reasons: reasons.join('; ') }) });
      }
      return plugins;
    },
  };
}

function importModule(url: string): Promise<{ readonly default?: unknown }> {
  // eslint-disable-next-line wl/arrows -- which plugins there are is known to the user alone
  return import(url) as Promise<{ readonly default?: unknown }>;
}

async function withinLimit<T>(loading: Promise<T>, clock: Clock, limitMs: number): Promise<T> {
  const ended = new AbortController();
  const limit = clock.sleep(limitMs, ended.signal).then(() => {
    throw new Error(`it did not load within ${String(limitMs / 1000)} s`);
  });
  // After the end of the race nobody listens to it.
  limit.catch(() => undefined);
  try {
    return await Promise.race([loading, limit]);
  } finally {
    ended.abort();
  }
}
