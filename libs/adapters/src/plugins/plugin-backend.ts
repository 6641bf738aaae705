/** Makes drivers of a plugin's storage type, and looks whether they are whole before they are used. */

import type { PluginBackend, PluginHost, StorageBackend } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';

/** Makes a driver; throws with a sentence that names the plugin. */
export type MakeBackend = (params: StorageParams & { readonly 'backend-id': string }) => StorageBackend;

const METHODS = [
  'open',
  'close',
  'rootIdentity',
  'list',
  'stat',
  'getFileToken',
  'getHashes',
  'read',
  'openForSafeReplace',
  'remove',
  'makeDirectory',
  'removeDirectory',
  'flush',
  'watcher',
] as const satisfies readonly (keyof StorageBackend)[];

/** The maker for a storage type of the plugin `origin`. */
export function pluginBackend(backend: PluginBackend, origin: string, host: PluginHost): MakeBackend {
  return (params) => {
    let made: StorageBackend;
    try {
      made = backend.create(params, host);
    } catch (error) {
      throw new Error(`plugin ${origin} cannot make a storage of type ${backend.TYPE}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    const missing = METHODS.filter((method) => typeof (made as Partial<StorageBackend> | undefined)?.[method] !== 'function');
    if (missing.length > 0) throw new Error(`plugin ${origin} made a storage of type ${backend.TYPE} without ${missing.join(', ')}`);
    if (made.backendId !== params['backend-id'] || made.type !== backend.TYPE) {
      throw new Error(`plugin ${origin} made a storage that calls itself ${made.type} ${made.backendId} instead of ${backend.TYPE} ${params['backend-id']}`);
    }
    return made;
  };
}
