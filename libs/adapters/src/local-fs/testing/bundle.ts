/** Bundles programs as the apps do, so that specs can run them from the sources. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bundles `worker/main.ts` into a fresh directory and answers the path of the file. */
export function bundleWorker(): string {
  return bundle('../worker/main.ts');
}

/** Bundles a file given relative to this one; the fresh directory that holds the result is the caller's to remove. */
export function bundle(entry: string): string {
  const require = createRequire(import.meta.url);
  const out = join(mkdtempSync(join(tmpdir(), 'wl-bundle-')), 'program.cjs');
  execFileSync(require.resolve('esbuild/bin/esbuild'), [
    join(import.meta.dirname, entry),
    '--bundle',
    '--platform=node',
    '--target=node20',
    '--format=cjs',
    '--conditions=@wl/source',
    // Where the bundle lies there is no node_modules: packages are looked for from here.
    `--define:import.meta.url=${JSON.stringify(import.meta.url)}`,
    `--outfile=${out}`,
    '--log-level=error',
  ]);
  return out;
}
