/**
 * Loads the plugins there are, and says of each that cannot be used why. One that is refused
 * never keeps the others, or the daemon, from working.
 *
 * A module that was loaded stays in memory for as long as the process lives, so a plugin that is
 * installed anew is `outdated` until the daemon is started again; a new one works at once.
 */

import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { err, ok, type Result } from '@wl/domain';
import type { PluginBackend, PluginHost, PluginSyncerClass, SyncerDefinition } from '@wl/ports';
import type { Plugin, PluginEntryPoint, StatusPlugin } from '@wl/ports/schemas';

import { discoverPlugins, type FoundPlugin } from './discover.js';
import { judgeBackend, judgeSyncer } from './facts.js';
import { pluginBackend, type MakeBackend } from './plugin-backend.js';
import { pluginSyncer } from './plugin-syncer.js';
import type { Trial } from './trial.js';

/** What a loader needs. */
export interface LoaderParts {
  /** Folders of the form of `node_modules`; absolute, the first one goes before. */
  readonly places: readonly string[];
  /** Names that are taken already. */
  readonly builtIn: { readonly syncers: readonly string[]; readonly types: readonly string[] };
  readonly trial: Trial;
  /** Loads a module by its URL. */
  readonly importModule: (url: string) => Promise<{ readonly default?: unknown }>;
  /** Waits for a module that passed its trial, and rejects when that takes too long. */
  readonly withinLimit: <T>(loading: Promise<T>) => Promise<T>;
  /** What a plugin is given, by its name. */
  readonly hostFor: (pluginName: string) => PluginHost;
}

/** What the plugins add, and what is to be said of each. */
export interface LoadedPlugins {
  readonly syncers: readonly SyncerDefinition[];
  readonly backends: ReadonlyMap<string, MakeBackend>;
  readonly plugins: readonly StatusPlugin[];
}

/** What one plugin brought. */
interface Loaded {
  readonly version: string;
  readonly stamp: string;
  readonly syncers: readonly SyncerDefinition[];
  readonly backends: readonly (readonly [PluginBackend, MakeBackend])[];
}

/** A module after its trial. */
interface Examined {
  readonly url: string;
  readonly problems: readonly string[];
}

/** Loads plugins of one daemon. */
export class PluginLoader {
  readonly #parts: LoaderParts;
  /** What was ever loaded, by folder. */
  readonly #loaded = new Map<string, Loaded>();
  #current: LoadedPlugins = { syncers: [], backends: new Map(), plugins: [] };
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  /** What the last `load` came to. */
  get current(): LoadedPlugins {
    return this.#current;
  }

  /** Looks for plugins and loads what is new; what is gone is let go of. Never rejects because of a plugin. */
  load(): Promise<LoadedPlugins> {
    const loading = this.#queue.then(() => this.#load());
    this.#queue = loading.catch(() => undefined);
    return loading;
  }

  async #load(): Promise<LoadedPlugins> {
    const found = await discoverPlugins(this.#parts.places);
    // Side by side: ten plugins that hang cost the time of one.
    const results = await Promise.all(found.map((plugin) => this.#obtain(plugin)));
    const taken = { syncers: ownersOf(this.#parts.builtIn.syncers), types: ownersOf(this.#parts.builtIn.types) };
    const syncers: SyncerDefinition[] = [];
    const backends = new Map<string, MakeBackend>();
    const plugins = found.map((plugin, index): StatusPlugin => {
      const result = results[index] ?? err(['it was not looked at']);
      const clashes = result.ok ? clashesOf(result.value, taken) : [];
      if (!result.ok || clashes.length > 0) return told(plugin, 'refused', result.ok ? clashes : result.error);
      claim(plugin.name, result.value, taken);
      syncers.push(...result.value.syncers);
      for (const [{ TYPE }, make] of result.value.backends) backends.set(TYPE, make);
      const isOutdated = result.value.stamp !== plugin.stamp;
      const reasons = isOutdated ? [`version ${plugin.version} is installed; ${result.value.version} is in use until the daemon is started again (wl stop)`] : [];
      return told(plugin, isOutdated ? 'outdated' : 'loaded', reasons, result.value);
    });
    this.#current = { syncers, backends, plugins };
    return this.#current;
  }

  /** What a plugin brings, from memory or loaded now; the error is all that is wrong with it. */
  async #obtain(plugin: FoundPlugin): Promise<Result<Loaded, readonly string[]>> {
    const { directory, manifest } = plugin;
    const known = this.#loaded.get(directory);
    if (known !== undefined) return ok(known);
    if (!manifest.ok) return err([manifest.error]);
    try {
      const loaded = await this.#tryAndLoad(plugin, manifest.value);
      if (loaded.ok) this.#loaded.set(directory, loaded.value);
      return loaded;
    } catch (error) {
      return err([`it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`]);
    }
  }

  async #tryAndLoad(plugin: FoundPlugin, { storage_sync = [], storage_backends = [] }: Plugin): Promise<Result<Loaded, readonly string[]>> {
    const { trial } = this.#parts;
    const examine = (entries: readonly PluginEntryPoint[], judge: typeof judgeSyncer): Promise<Examined[]> =>
      Promise.all(
        entries.map(async (entry) => {
          const url = await moduleUrl(plugin.directory, entry.module);
          const facts = url.ok ? await trial(url.value) : url;
          return { url: url.ok ? url.value : '', problems: facts.ok ? judge(entry, facts.value) : [`${entry.module} ${facts.error}`] };
        }),
      );
    // Side by side, so that a plugin that hangs in all of its modules costs the time of one.
    const [syncerModules, backendModules] = await Promise.all([examine(storage_sync, judgeSyncer), examine(storage_backends, judgeBackend)]);
    const problems = [...syncerModules, ...backendModules].flatMap((module) => module.problems);
    if (problems.length > 0) return err(problems);

    const origin = `${plugin.name}@${plugin.version}`;
    const host = this.#parts.hostFor(plugin.name);
    const syncers: SyncerDefinition[] = [];
    for (const { url } of syncerModules) syncers.push(pluginSyncer((await this.#import(url)) as PluginSyncerClass, origin, host));
    const backends: (readonly [PluginBackend, MakeBackend])[] = [];
    for (const { url } of backendModules) {
      const backend = (await this.#import(url)) as PluginBackend;
      backends.push([backend, pluginBackend(backend, origin, host)]);
    }
    return ok({ version: plugin.version, stamp: plugin.stamp, syncers, backends });
  }

  async #import(url: string): Promise<unknown> {
    const { importModule, withinLimit } = this.#parts;
    return (await withinLimit(importModule(url))).default;
  }
}

/** The module of an entry point, which has to be inside the package, links resolved. */
async function moduleUrl(directory: string, module: string): Promise<Result<string, string>> {
  try {
    const [root, file] = await Promise.all([realpath(directory), realpath(path.join(directory, module))]);
    return file.startsWith(root + path.sep) ? ok(pathToFileURL(file).href) : err('lies outside the package');
  } catch {
    return err('is missing in the package');
  }
}

interface Taken {
  readonly syncers: Map<string, string>;
  readonly types: Map<string, string>;
}

function ownersOf(names: readonly string[]): Map<string, string> {
  return new Map(names.map((name) => [name, 'built in']));
}

/** Names that a plugin brings and that are taken, also by itself. */
function clashesOf({ syncers, backends }: Loaded, taken: Taken): string[] {
  const clash = (what: string, names: readonly string[], owners: ReadonlyMap<string, string>): string[] =>
    names.flatMap((name, index) => {
      const owner = owners.get(name) ?? (names.indexOf(name) < index ? 'this plugin' : undefined);
      if (owner === undefined) return [];
      return [`${what} ${name} is there already (${owner === 'built in' || owner === 'this plugin' ? owner : `from plugin ${owner}`})`];
    });
  return [
    ...clash('a syncer', syncers.map(({ traits }) => traits.SYNCER_NAME), taken.syncers),
    ...clash('a storage type', backends.map(([{ TYPE }]) => TYPE), taken.types),
  ];
}

function claim(pluginName: string, { syncers, backends }: Loaded, taken: Taken): void {
  for (const { traits } of syncers) taken.syncers.set(traits.SYNCER_NAME, pluginName);
  for (const [{ TYPE }] of backends) taken.types.set(TYPE, pluginName);
}

function told({ name, version, directory, manifest }: FoundPlugin, state: StatusPlugin['state'], reasons: readonly string[], loaded?: Loaded): StatusPlugin {
  const promised = manifest.ok ? manifest.value : undefined;
  const namesOf = (entries: readonly PluginEntryPoint[] | undefined): string[] => (entries ?? []).map((entry) => entry.name);
  return {
    name,
    version,
    place: directory,
    state,
    reasons: [...reasons],
    syncers: loaded?.syncers.map(({ traits }) => traits.SYNCER_NAME) ?? namesOf(promised?.storage_sync),
    backends: loaded?.backends.map(([backend]) => backendJson(backend)) ?? namesOf(promised?.storage_backends).map((type) => ({ type, fields: [] })),
  };
}

function backendJson({ TYPE, FIELDS = {} }: PluginBackend): StatusPlugin['backends'][number] {
  const fields = Object.entries(FIELDS).map(([name, { description, required = false, secret = false }]) => ({
    name,
    required,
    secret,
    ...(description !== undefined && { description }),
  }));
  return { type: TYPE, fields };
}
