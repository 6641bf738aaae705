/** The suite itself: it passes what is right, on the generic syncer; what is wrong has its own tests in the engine. */

import type { PluginSyncer, PluginSyncerContext, Problem, SyncOptions } from '@wl/ports';

import { describeSyncer } from './syncer-suite.js';

class Delegating {
  static readonly SYNCER_NAME: string = 'delegating';
  static readonly SOURCE_TYPES = ['*'];
  static readonly TARGET_TYPES = ['*'];
  static readonly ONE_SHOT = true;
  static readonly CONTINUOUS = true;
  readonly #generic: Required<PluginSyncer>;

  constructor(context: PluginSyncerContext) {
    this.#generic = context.generic();
  }

  one_shot_sync(options: SyncOptions) {
    return this.#generic.one_shot_sync(options);
  }
  start_sync(options: SyncOptions) {
    return this.#generic.start_sync(options);
  }
  stop_sync() {
    return this.#generic.stop_sync();
  }
  is_running() {
    return this.#generic.is_running();
  }
  iter_errors(): Iterable<Problem> {
    return this.#generic.iter_errors();
  }
}

class OneWay extends Delegating {
  static override readonly SYNCER_NAME = 'one-way';
  static readonly UNIDIRECTIONAL = true;
}

describeSyncer('a syncer that leaves all to the generic one', Delegating);
describeSyncer('a one-way syncer', OneWay);
