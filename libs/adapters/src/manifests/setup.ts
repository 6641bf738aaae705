/**
 * The parts of this adapter, put together for one base directory. Reads nothing by itself.
 */

import { ConfigStore, type ConfigStoreOptions } from './config-store.js';
import { ContainerStore } from './container-store.js';
import { ManifestFiles } from './manifest-files.js';
import { StorageStore } from './storage-store.js';
import { UserStore } from './user-store.js';

/** What one base directory holds. */
export interface Setup {
  readonly config: ConfigStore;
  readonly users: UserStore;
  readonly containers: ContainerStore;
  readonly storages: StorageStore;
}

/** Where the base directory is and what names are relative to. */
export interface SetupOptions extends ConfigStoreOptions {
  /** Absolute. */
  readonly workingDirectory: string;
  /** Makes uuids; random ones unless told. */
  readonly makeUuid?: () => string;
}

/** Opens a base directory. */
export function openSetup({ workingDirectory, makeUuid, ...options }: SetupOptions): Setup {
  const config = new ConfigStore(options);
  const users = new UserStore(config);
  const files = new ManifestFiles(config, users, workingDirectory);
  const containers = new ContainerStore(files, makeUuid);
  return { config, users, containers, storages: new StorageStore(files, containers, makeUuid) };
}
