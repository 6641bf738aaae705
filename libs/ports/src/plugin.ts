/**
 * The interface of plugins, version 1: what the modules named in the `wildland` field of a
 * package (`schemas/plugin.schema.json`) export as their default.
 *
 * Names are those of the original's syncers and drivers (`SYNCER_NAME`, `one_shot_sync`), so that
 * who knows those knows these; what a plugin is given are our ports as they are (docs/adr/0014).
 * A plugin runs in the daemon, with the rights of the user who started it.
 */

import type { SyncerTraits } from '@wl/domain';

import type { StorageParams } from './generated/types.gen.js';
import type { Clock } from './clock.js';
import type { StorageBackend } from './storage-backend.js';
import type { Carriers, PassReport, Problem, SyncerContext, SyncOptions } from './syncer.js';

/** Version of this interface; a plugin for another one is refused. */
export const PLUGIN_API_VERSION = 1;

/** What a plugin is given of the program around it. */
export interface PluginHost {
  readonly clock: Clock;
  /** Writes to the daemon's log, under the plugin's name. Never log a secret. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
  /** The runtime of `@wl/plugin-kit` as the daemon has it: the same functions that the package exports. */
  readonly kit: unknown;
}

/** What a syncer of a plugin is given: the context of any syncer, with the generic one under the names of this interface. */
export interface PluginSyncerContext extends Omit<SyncerContext, 'generic'> {
  /** See `SyncerContext.generic`. */
  readonly generic: (carriers?: Carriers) => Required<PluginSyncer>;
}

/** A syncer of a plugin at work; the contracts are those of `Syncer`. */
export interface PluginSyncer {
  /** Needed with `ONE_SHOT`. What the report leaves out is zero. */
  one_shot_sync?(options: SyncOptions): Promise<Partial<PassReport> | void>;
  /** Needed with `CONTINUOUS`, like the next two. */
  start_sync?(options: SyncOptions): Promise<void> | void;
  stop_sync?(): Promise<void> | void;
  is_running?(): boolean;
  iter_errors(): Iterable<Problem>;
}

/** The default export of a `storage_sync` module: a class with its traits as static properties; abilities left out are false. */
export interface PluginSyncerClass extends Named, Abilities {
  new (context: PluginSyncerContext, host: PluginHost): PluginSyncer;
}

type Named = Pick<SyncerTraits, 'SYNCER_NAME' | 'SOURCE_TYPES' | 'TARGET_TYPES'>;
type Abilities = Partial<Omit<SyncerTraits, keyof Named>>;

/** A field of the manifest of a plugin's storage type, for `wl storage create`. */
export interface PluginField {
  readonly description?: string;
  readonly required?: boolean;
  /** Is asked for, never taken from a command line. */
  readonly secret?: boolean;
}

/** The default export of a `storage_backends` module. */
export interface PluginBackend {
  /** The storage type that manifests name. */
  readonly TYPE: string;
  /** Fields of its manifests besides the common ones. */
  readonly FIELDS?: Readonly<Record<string, PluginField>>;
  /** Makes the driver for a storage; nothing is opened yet. Throws with a sentence where the parameters cannot be used. */
  create(params: StorageParams & { readonly 'backend-id': string }, host: PluginHost): StorageBackend;
}
