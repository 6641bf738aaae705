/**
 * The syncer `@@TYPE@@-once`: chosen before the generic one where the target is of type
 * `@@TYPE@@` and a sync runs once in one direction. It leaves planning, conflicts and all safety
 * rules to the generic one; give `generic` a carrier to move the bytes in a better way.
 */

/** @type {import('@wl/plugin-kit').PluginSyncerClass} */
export default class {
  static SYNCER_NAME = '@@TYPE@@-once';
  static SOURCE_TYPES = ['*'];
  static TARGET_TYPES = ['@@TYPE@@'];
  static ONE_SHOT = true;
  static UNIDIRECTIONAL = true;

  #generic;
  #host;

  constructor(context, host) {
    this.#generic = context.generic();
    this.#host = host;
  }

  async one_shot_sync(options) {
    const report = await this.#generic.one_shot_sync(options);
    this.#host.log('info', `copied ${report.copiedFiles} files`);
    return report;
  }

  iter_errors() {
    return this.#generic.iter_errors();
  }
}
