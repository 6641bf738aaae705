/**
 * Node's test environment, tidied up behind each spec file.
 *
 * Jest's runner makes an `AsyncLocalStorage` for every spec file and leaves it switched on. In Node 20 each one that
 * is on costs something at every promise of the process (300,000 awaits: 26 ms of CPU, with 50 of them on 2.9 s), so
 * the fortieth file of a worker took more than twice what it takes alone.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

import { TestEnvironment } from 'jest-environment-node';

/** Those that a spec file, or the runner on its behalf, has switched on. */
const switchedOn = new Set();

const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function (...args) {
  switchedOn.add(this);
  return run.apply(this, args);
};

/** Switches them off when the file is done. */
export default class extends TestEnvironment {
  async teardown() {
    for (const storage of switchedOn) storage.disable();
    switchedOn.clear();
    await super.teardown();
  }
}
