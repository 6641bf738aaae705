/**
 * What authors of plugins build with (docs/plugins.md): the types of the plugin interface,
 * `createBackend` for storage types, and the few functions of the ports that a driver or a syncer
 * needs. The suites to test against are in `@wl/plugin-kit/testing`. A plugin gets the same
 * functions from the daemon (`host.kit`), so that it depends on nothing at run time.
 */

export {
  compareKeys,
  err,
  ok,
  parseRelativePath,
  RESERVED_NAME,
  ROOT,
  toRelativePath,
  type RelativePath,
  type Result,
  type Sha256,
  type SyncerTraits,
  type Token,
  type UnknownReason,
} from '@wl/domain';
export {
  BackendError,
  EntryKind,
  isBackendError,
  packListing,
  PLUGIN_API_VERSION,
  type BackendErrorCode,
  type Carriers,
  type CopyFrom,
  type CopyOutcome,
  type CopyRequest,
  type Hint,
  type PassReport,
  type PluginBackend,
  type PluginField,
  type PluginHost,
  type PluginSyncer,
  type PluginSyncerClass,
  type PluginSyncerContext,
  type Problem,
  type StorageBackend,
  type StorageCapabilities,
  type SyncOptions,
  type Watcher,
  type WatcherListener,
} from '@wl/ports';

export { createBackend, type BackendParams } from './create-backend.js';
export type { Attr, Care, Driver, Entry, FileAttr, NewContent } from './driver.js';
