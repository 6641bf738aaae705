/** npm, which plugins are packed, installed and removed with: never through a shell, and no script of a package is run. */

import { spawn } from 'node:child_process';

import type { Environment } from '@wl/adapters/manifests';

/** How a run of npm ended. */
export type NpmRun =
  | { readonly kind: 'ended'; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** There is no npm. */
  | { readonly kind: 'missing' }
  /** It took too long and was ended. */
  | { readonly kind: 'timeout' };

/** Runs npm with these arguments. */
export type RunNpm = (args: readonly string[]) => Promise<NpmRun>;

/** A download on a slow line takes its time. Milliseconds. */
const LIMIT_MS = 300_000;

/** Given to every run. Few retries: where there is no network that is to be told soon. */
const ALWAYS = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--fetch-retries=1', '--fetch-timeout=30000'];

/** Output kept, in characters. */
const OUTPUT_LIMIT = 1_000_000;

/** Makes a runner of the npm that is found in `$PATH`. */
export function npmRunner(env: Environment, program = 'npm', limitMs = LIMIT_MS): RunNpm {
  return (args) =>
    new Promise((resolve) => {
      // On Windows npm is a script that only a shell can start; there is no daemon there either.
      const child = spawn(program, [...args.slice(0, 1), ...ALWAYS, ...args.slice(1)], { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          if (said[name].length < OUTPUT_LIMIT) said[name] += text;
        });
      }
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        child.kill('SIGKILL');
      }, limitMs);
      child.once('error', () => {
        clearTimeout(timer);
        resolve({ kind: 'missing' });
      });
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve(isLate ? { kind: 'timeout' } : { kind: 'ended', code: code ?? 1, ...said });
      });
    });
}
