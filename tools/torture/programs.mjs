/** The built programs that the campaigns run. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The checkout. */
export const ROOT = path.resolve(import.meta.dirname, '../..');
export const WL = path.join(ROOT, 'dist/cli/wl.cjs');
export const DAEMON = path.join(ROOT, 'dist/daemon/wl-sync-daemon.cjs');

/** Whether both are built. */
export function areBuilt() {
  return existsSync(WL) && existsSync(DAEMON);
}
