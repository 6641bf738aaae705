/**
 * The built programs under test: `dist/` of this checkout, or of the directory that
 * `$WL_E2E_ROOT` names (another build, an installed package).
 */

import { existsSync } from 'node:fs';
import path from 'node:path';

/** The checkout: two directories above the app's. */
export const CHECKOUT = path.resolve(import.meta.dirname, '../../../..');

const ROOT = process.env['WL_E2E_ROOT'] ?? CHECKOUT;

/** `wl`. */
export const WL = program('dist/cli/wl.cjs');

/** `wl-sync-daemon`. */
export const DAEMON = program('dist/daemon/wl-sync-daemon.cjs');

function program(name: string): string {
  const file = path.join(ROOT, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: the programs are not built, run \`npm run build\` first`);
  return file;
}
