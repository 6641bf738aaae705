/**
 * Tries a module of a plugin out, in a thread of its own that is ended after a while: a module
 * that throws, waits for ever, loops for ever or ends the process must not do so to the daemon.
 * Only what passes is loaded by the daemon itself.
 */

import { Worker } from 'node:worker_threads';

import { err, ok, type Result } from '@wl/domain';

import type { ModuleFacts } from './facts.js';

/** Tries a module, by its URL; the error says what became of it, without a full stop. */
export type Trial = (url: string) => Promise<Result<ModuleFacts, string>>;

/** Runs in the thread, nothing but plain data leaves it. `import` with a space: the bundler gives every other one to the launcher. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const plain = (value) => { try { return JSON.parse(JSON.stringify(value)); } catch { return undefined; } };
const names = (object) => (object === null || object === undefined ? [] : Object.getOwnPropertyNames(object));
const functionsOf = (object) => names(object).filter((name) => { try { return typeof object[name] === 'function'; } catch { return false; } });
const chain = (object) => {
  const found = new Set();
  for (let at = object; at && at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at)) for (const name of functionsOf(at)) found.add(name);
  return [...found];
};
const valuesOf = (object) => {
  const found = {};
  for (const name of ['SYNCER_NAME', 'SOURCE_TYPES', 'TARGET_TYPES', 'CONTINUOUS', 'ONE_SHOT', 'UNIDIRECTIONAL', 'REQUIRES_MOUNT', 'TYPE', 'FIELDS']) {
    const value = plain(object?.[name]);
    if (value !== undefined) found[name] = value;
  }
  return found;
};
import (workerData.url).then(
  (module) => {
    const it = module.default;
    const kind = it === null ? 'null' : typeof it;
    parentPort.postMessage({ facts: { kind, values: valuesOf(it), functions: chain(it), methods: kind === 'function' ? chain(it.prototype) : [] } });
  },
  (error) => parentPort.postMessage({ error: String(error?.message ?? error) }),
);
`;

/** More than a module needs that only defines things. */
const HEAP_MB = 256;

/** Makes a trial that waits at most `limitMs` for a module. */
export function startTrial(limitMs: number): Trial {
  return async (url) => {
    const thread = new Worker(PROGRAM, { eval: true, workerData: { url }, stdin: true, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
    // Whatever it prints belongs nowhere.
    thread.stdout.resume();
    thread.stderr.resume();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve) => {
        timer = setTimeout(() => {
          resolve(err(`did not load within ${String(limitMs / 1000)} s`));
        }, limitMs);
        thread.once('message', (message: { readonly facts?: ModuleFacts; readonly error?: string }) => {
          resolve(message.facts === undefined ? err(`throws when it is loaded: ${firstLine(message.error ?? '')}`) : ok(message.facts));
        });
        thread.once('error', (error: unknown) => {
          resolve(err(`throws when it is loaded: ${firstLine(error instanceof Error ? error.message : String(error))}`));
        });
        thread.once('exit', (code) => {
          resolve(err(`ends the process when it is loaded (exit code ${String(code)})`));
        });
      });
    } finally {
      clearTimeout(timer);
      await thread.terminate();
    }
  };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
