/** What the daemon runs with, worked out from options, environment and configuration. */

import { ConfigStore, resolveBaseDirectory, type Environment } from '@wl/adapters/manifests';

import type { DaemonOptions } from './options.js';

/** Everything `container.ts` wires by. */
export interface DaemonSettings {
  /** Absolute path of the base directory. */
  readonly baseDir: string;
  readonly socketPath: string;
  readonly logPath: string | undefined;
  readonly env: Environment;
  readonly cwd: string;
  readonly version: string;
  readonly shutdown: (reason: string) => void;
  /** That of whoever started the daemon: what is made in storages is theirs, under their rules. */
  readonly umask: number;
}

/** Reads the configuration and settles paths. Throws with a sentence for the user when the configuration is unusable. */
export async function loadSettings(
  options: DaemonOptions,
  rest: Pick<DaemonSettings, 'env' | 'cwd' | 'version' | 'shutdown' | 'umask'>,
): Promise<DaemonSettings> {
  const baseDir = resolveBaseDirectory(options.baseDir, rest.env, rest.cwd);
  const loaded = await new ConfigStore({ baseDirectory: baseDir, env: rest.env }).load();
  if (!loaded.ok) throw new Error(loaded.error.message);
  return {
    ...rest,
    baseDir,
    logPath: options.logPath,
    socketPath: options.socketPath ?? loaded.value.values['sync-socket-path'],
  };
}
