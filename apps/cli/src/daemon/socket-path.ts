/**
 * Where the daemon listens, found without parsing the configuration where that can be avoided:
 * it is the one thing `wl status` needs, and loading a YAML parser would be most of its time.
 */

import { readFileSync } from 'node:fs';

import { defaultSyncSocketPath, type ConfigStore, type Environment } from '@wl/adapters/manifests';

import { orFail } from '../errors.js';

/** The socket path in force. Throws `CommandFailure` when the configuration has to be read and cannot be used. */
export async function findSocketPath(config: ConfigStore, env: Environment): Promise<string> {
  const text = textOf(config.file);
  // A key can be spelt otherwise only by escapes, and those begin with a backslash.
  const mayNameSocket = text.includes('sync-socket-path') || text.includes('\\');
  if (!mayNameSocket) return defaultSyncSocketPath(config.baseDirectory, env);
  return orFail(await config.load()).values['sync-socket-path'];
}

/** A small file, or nothing where there is none to read; `node:fs/promises` would have to be loaded first. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
