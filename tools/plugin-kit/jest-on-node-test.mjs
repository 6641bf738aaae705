/**
 * What the conformance suites use of Jest, on Node.js's own test runner: stands for
 * `@jest/globals` in the published kit, so that authors of plugins install nothing else.
 */
import { describe as group, it as test, afterEach, beforeEach } from 'node:test';

import { expect } from 'expect';

/** Jest takes a limit in milliseconds as its third argument. */
const it = (name, run, timeout) => test(name, timeout === undefined ? {} : { timeout }, () => run());

const describe = (name, define) => group(name, () => void define());

export { afterEach, beforeEach, describe, expect, it };
