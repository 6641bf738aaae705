/**
 * Stands in for `@jest/globals` where specs are run from a bundle, one process for many files: Jest
 * itself takes longer to start than these tests take to run. Knows what our specs use, with Jest's
 * own `expect`. Tests run in order; the first that fails ends the run.
 */
import { expect as jestExpect } from 'expect';

export const expect = jestExpect;

const root = { title: '', hooks: { beforeEach: [], afterEach: [], beforeAll: [], afterAll: [] }, parent: undefined, tests: [] };
let current = root;

export const describe = withEach((title, body) => {
  const suite = { title: `${current.title}${title} › `, hooks: { beforeEach: [], afterEach: [], beforeAll: [], afterAll: [] }, parent: current, tests: [] };
  current.tests.push(suite);
  const before = current;
  current = suite;
  body();
  current = before;
});

export const it = withEach((title, body) => {
  current.tests.push({ title: current.title + title, body });
});
export const test = it;

export const beforeEach = (hook) => current.hooks.beforeEach.push(hook);
export const afterEach = (hook) => current.hooks.afterEach.push(hook);
export const beforeAll = (hook) => current.hooks.beforeAll.push(hook);
export const afterAll = (hook) => current.hooks.afterAll.push(hook);

/** Runs everything that was described; resolves to the sentence of the first test that failed, if one did. */
export async function runAll() {
  return runSuite(root);
}

async function runSuite(suite) {
  for (const hook of suite.hooks.beforeAll) await hook();
  for (const test of suite.tests) {
    const failed = test.tests === undefined ? await runTest(test, suite) : await runSuite(test);
    if (failed !== undefined) return failed;
  }
  for (const hook of suite.hooks.afterAll) await hook();
  return undefined;
}

async function runTest({ title, body }, suite) {
  const suites = [];
  for (let one = suite; one !== undefined; one = one.parent) suites.unshift(one);
  try {
    for (const one of suites) for (const hook of one.hooks.beforeEach) await hook();
    await body();
    for (const one of [...suites].reverse()) for (const hook of one.hooks.afterEach) await hook();
    return undefined;
  } catch (error) {
    return { title, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function withEach(define) {
  define.each = (rows) => (title, body) => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row];
      define(filled(title, values), () => body(...values));
    }
  };
  return define;
}

function filled(title, values) {
  let next = 0;
  return title.replaceAll(/%[sdifjop#]/g, (mark) => (next < values.length ? (mark === '%s' ? String(values[next++]) : JSON.stringify(values[next++])) : mark));
}
