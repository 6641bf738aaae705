/**
 * A no-change pass over more files than anybody wants to make: both listings are made up on the
 * way, the baseline is a real one in SQLite. Shows that memory does not grow with their number.
 *
 * Run by rows.mjs as a process of its own: `node tools/bench/entries.mjs fill|pass DIR COUNT`
 * prints one line of JSON. Filling and passing are two processes, so that the peak is the pass's.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { useOf } from './measure.mjs';
import { root } from './peers.mjs';

const BATCH = 1000;
const PER_DIRECTORY = 1000;
const SIZE_BYTES = 7;

const [task, directory, count] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const { genericSyncer, openSqliteState, systemClock } = await product();
const state = openSqliteState({ path: path.join(directory, 'state.db') });
const pair = state.openPair({ scope: 'bench', sourceBackendId: 'source', targetBackendId: 'target' });
const started = performance.now();
if (task === 'fill') fill();
else await pass();
const { peakMiB, cpu } = useOf(process.pid);
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, cpu, peakMiB }));
state.close();

function fill() {
  pair.setRoots(['source'], ['target']);
  for (const keys of batches()) {
    pair.commit(
      keys.map((key) => ({
        kind: 'put',
        key,
        row: isFile(key)
          ? { kind: 'file', hash: '0'.repeat(64), sizeBytes: SIZE_BYTES, sourceToken: `source ${key}`, targetToken: `target ${key}` }
          : { kind: 'directory' },
      })),
    );
  }
}

async function pass() {
  const quiet = () => undefined;
  const events = new Proxy({}, { get: () => quiet });
  const context = { source: storage('source'), target: storage('target'), pair, isUnidirectional: false, filter: undefined, events };
  const syncer = genericSyncer({ cache: state, clock: systemClock, watch: quiet }).create(context);
  const report = await syncer.oneShotSync({});
  const isAsExpected = report.isComplete && report.files === count - Math.ceil(count / PER_DIRECTORY) && report.copiedFiles + report.deletedFiles + report.problems.length === 0;
  if (!isAsExpected) throw new Error(`a pass with nothing to do did something: ${JSON.stringify(report).slice(0, 500)}`);
}

/** Keys in order, a thousand at a time: directories of 999 files. */
function* batches() {
  let batch = [];
  for (let i = 0; i < count; i += 1) {
    const [directory, file] = [Math.floor(i / PER_DIRECTORY), i % PER_DIRECTORY];
    batch.push(`d${String(directory).padStart(6, '0')}/${file === 0 ? '' : String(file).padStart(6, '0')}`);
    if (batch.length < BATCH && i + 1 < count) continue;
    yield batch;
    batch = [];
  }
}

function isFile(key) {
  return !key.endsWith('/');
}

/** A storage that is nothing but a listing. */
function storage(side) {
  return {
    backendId: side,
    type: side,
    displayLocation: side,
    capabilities: { isReadOnly: false, replace: 'atomic', remove: 'atomic', isCaseSensitive: true, keepsEmptyDirectories: true, hasTrash: true, notes: [] },
    open: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    rootIdentity: () => Promise.resolve({ ids: [side], location: side }),
    async *list() {
      for (const keys of batches()) yield listing(keys, side);
    },
  };
}

function listing(keys, side) {
  return {
    keys,
    kinds: Uint8Array.from(keys, (key) => (isFile(key) ? 0 : 1)),
    tokens: keys.map((key) => (isFile(key) ? `${side} ${key}` : '')),
    sizes: new Float64Array(keys.length).fill(SIZE_BYTES),
    mtimes: new Float64Array(keys.length),
    racy: new Uint8Array(keys.length),
    reasons: new Map(),
  };
}

/** The engine and the state, bundled from the sources to where the native module is found; before the pass, whose memory counts. */
async function product() {
  const outfile = path.join(root, 'dist/bench/entries.mjs');
  if (task === 'fill') await bundle(outfile);
  return import(pathToFileURL(outfile).href);
}

async function bundle(outfile) {
  const { build } = await import('esbuild');
  mkdirSync(path.dirname(outfile), { recursive: true });
  await build({
    stdin: {
      contents: `export { genericSyncer } from '@wl/engine'; export { openSqliteState } from '@wl/adapters/sqlite-state'; export { systemClock } from '@wl/adapters/system-clock';`,
      resolveDir: path.join(root, 'apps/daemon/src'),
    },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@wl/source'],
    tsconfig: path.join(root, 'tsconfig.base.json'),
    external: ['@photostructure/sqlite', 'node:sqlite'],
    logLevel: 'error',
  });
}
