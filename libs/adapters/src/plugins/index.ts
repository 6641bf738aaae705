/** Plugins: found, tried out, loaded or refused. */

export { discoverPlugins, type FoundPlugin } from './discover.js';
export { pluginPlaces, pluginsDirectory } from './places.js';
export { PluginLoader, type LoaderParts, type LoadedPlugins } from './plugin-loader.js';
export { describePluginManifest, readPluginManifest } from './plugin-manifest.js';
export { pluginBackend, type MakeBackend } from './plugin-backend.js';
export { pluginSyncer } from './plugin-syncer.js';
export { startTrial } from './trial.js';
