/**
 * The suites that plugins are tested against (docs/plugins.md). In the published kit they run on
 * `node --test`, with nothing to install but the kit.
 */

export {
  describeReadOnlyBackend,
  describeStorageBackend,
  describeWatcher,
  ManualClock,
  type OpenBackend,
  type OpenWatcher,
} from '@wl/ports/testing';

export { describeSyncer } from './syncer-suite.js';
