/** Where the program of the sync daemon and the kit for plugins are: beside this one, as it is built and published. */

import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The daemon's program; `$WL_SYNC_DAEMON` names another. */
export function daemonProgram(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['WL_SYNC_DAEMON'];
  return named !== undefined && named !== '' ? path.resolve(named) : fileURLToPath(new URL('../daemon/wl-sync-daemon.cjs', import.meta.url));
}

/** Where this program is. */
export function programDirectory(): string {
  return fileURLToPath(new URL('.', import.meta.url));
}

/** What the kit for authors of plugins was built into. */
export function kitDirectory(): string {
  return fileURLToPath(new URL('../plugin-kit', import.meta.url));
}
