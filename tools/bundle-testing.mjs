/**
 * Bundles test code of the workspace that a developer script runs by itself: the simulator, the
 * exhaustive check. Straight from the TypeScript sources into one module in a scratch directory.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';

/** Bundles `entry`, a path below `root`, and imports it. */
export async function importSource(root, entry) {
  const out = mkdtempSync(path.join(os.tmpdir(), 'wl-bundle-'));
  process.on('exit', () => rmSync(out, { recursive: true, force: true }));
  const outfile = path.join(out, 'bundle.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@wl/source'],
    tsconfig: path.join(root, 'tsconfig.base.json'),
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}
