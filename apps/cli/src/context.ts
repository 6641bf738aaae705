/** What commands are given: everything of the outside that they may touch. */

import type { ConfigStore, ContainerStore, Environment, StorageStore, UserStore } from '@wl/adapters/manifests';
import type { Clock } from '@wl/ports';
import type { BaseContext } from 'clipanion';

import type { Daemon } from './daemon/daemon.js';
import type { Interrupts } from './interrupts.js';
import type { Output, Verbosity } from './output.js';
import type { RunNpm } from './plugins/npm.js';
import type { StorageTypes } from './storage-types.js';
import type { OneShotRunner } from './sync/one-shot-runner.js';

/** The options that every command has. */
export interface GlobalOptions {
  /** As given. */
  readonly baseDir: string | undefined;
  readonly verbosity: Verbosity;
  readonly isDebugging: boolean;
}

/** The parts that commands work with, for one base directory. */
export interface Services {
  /** Absolute. */
  readonly baseDirectory: string;
  /** Completes a command that is suggested (`wl …`) with `--base-dir` where the user named one. */
  readonly toCommand: (command: string) => string;
  readonly workingDirectory: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly output: Output;
  readonly interrupts: Interrupts;
  readonly config: ConfigStore;
  readonly users: UserStore;
  readonly containers: ContainerStore;
  readonly storages: StorageStore;
  readonly storageTypes: StorageTypes;
  /** Runs npm, for plugins. */
  readonly npm: RunNpm;
  /** Folders that plugins are looked for in; absolute. */
  readonly pluginPlaces: readonly string[];
  /** What the kit for authors of plugins was built into: its tarball and its template; absolute. */
  readonly kitDirectory: string;
  readonly daemon: Daemon;
  /** Whether a process of this machine has not ended yet. */
  readonly stillRuns: (pid: number) => boolean;
  readonly oneShot: OneShotRunner;
}

/** The context of clipanion's commands, with our parts. */
export type CliContext = BaseContext & Services;
