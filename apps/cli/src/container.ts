/** Wires the command line for one base directory. Nothing else in the program knows Inversify. */

import 'reflect-metadata';

import { openSetup, resolveBaseDirectory, resolveLogPath, shellWord, type Setup } from '@wl/adapters/manifests';
import { pluginPlaces } from '@wl/adapters/plugins';
import { commandClock } from '@wl/adapters/system-clock';
import type { Clock } from '@wl/ports';
import { Container, type ServiceIdentifier } from 'inversify';

import type { GlobalOptions, Services } from './context.js';
import { Daemon } from './daemon/daemon.js';
import { daemonProgram, kitDirectory, programDirectory } from './daemon/program-path.js';
import { stillRuns } from './daemon/still-runs.js';
import { findSocketPath } from './daemon/socket-path.js';
import { DaemonLauncher } from './daemon-launcher.js';
import { processInterrupts, type Interrupts } from './interrupts.js';
import { Output, type OutputStream } from './output.js';
import { npmRunner } from './plugins/npm.js';
import { STORAGE_TYPES } from './storage-types.js';
import { OneShotRunner } from './sync/one-shot-runner.js';
import { VERSION } from './version.js';

/** What the process gives and the user said. */
export interface Surroundings {
  readonly options: GlobalOptions;
  readonly env: NodeJS.ProcessEnv;
  /** Absolute. */
  readonly workingDirectory: string;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`wl/${name}`);

/** Names of all that is bound, each with its type. */
export const TOKENS = {
  surroundings: token<Surroundings>('surroundings'),
  baseDirectory: token<string>('base-directory'),
  clock: token<Clock>('clock'),
  interrupts: token<Interrupts>('interrupts'),
  output: token<Output>('output'),
  setup: token<Setup>('setup'),
  launcher: token<DaemonLauncher>('launcher'),
  daemon: token<Daemon>('daemon'),
  oneShot: token<OneShotRunner>('one-shot'),
  services: token<Services>('services'),
} as const;

/** Binds everything as singletons; nothing is opened before a command asks for it. */
export function createContainer(surroundings: Surroundings): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.bind(TOKENS.surroundings).toConstantValue(surroundings);
  container.bind(TOKENS.clock).toConstantValue(commandClock);
  container.bind(TOKENS.interrupts).toConstantValue(processInterrupts);
  container
    .bind(TOKENS.baseDirectory)
    .toResolvedValue(({ options, env, workingDirectory }) => resolveBaseDirectory(options.baseDir, env, workingDirectory), [TOKENS.surroundings]);
  container
    .bind(TOKENS.output)
    .toResolvedValue(({ stdout, stderr, env, options }) => new Output(stdout, stderr, env, options.verbosity), [TOKENS.surroundings]);
  container
    .bind(TOKENS.setup)
    .toResolvedValue(
      ({ env, workingDirectory }, baseDirectory) => openSetup({ baseDirectory, env, workingDirectory }),
      [TOKENS.surroundings, TOKENS.baseDirectory],
    );
  container.bind(TOKENS.launcher).toResolvedValue(
    ({ env, workingDirectory }, baseDirectory, clock) =>
      new DaemonLauncher({
        program: daemonProgram(env),
        baseDirectory,
        logPath: resolveLogPath(undefined, env, workingDirectory),
        env,
        clock,
      }),
    [TOKENS.surroundings, TOKENS.baseDirectory, TOKENS.clock],
  );
  container.bind(TOKENS.daemon).toResolvedValue(
    ({ env }, setup, launcher, output) =>
      new Daemon({ findSocketPath: () => findSocketPath(setup.config, env), launcher, output, version: VERSION }),
    [TOKENS.surroundings, TOKENS.setup, TOKENS.launcher, TOKENS.output],
  );
  container
    .bind(TOKENS.oneShot)
    .toResolvedValue(
      (daemon, clock, interrupts, output) => new OneShotRunner({ daemon, clock, interrupts, output }),
      [TOKENS.daemon, TOKENS.clock, TOKENS.interrupts, TOKENS.output],
    );
  container.bind(TOKENS.services).toResolvedValue(
    ({ options, env, workingDirectory }, baseDirectory, clock, interrupts, output, setup, daemon, oneShot): Services => ({
      ...setup,
      baseDirectory,
      workingDirectory,
      env,
      clock,
      interrupts,
      output,
      daemon,
      oneShot,
      stillRuns,
      storageTypes: STORAGE_TYPES,
      npm: npmRunner(env),
      pluginPlaces: pluginPlaces(baseDirectory, programDirectory()),
      kitDirectory: kitDirectory(),
      toCommand: commandCompleter(options.baseDir === undefined ? undefined : baseDirectory),
    }),
    [
      TOKENS.surroundings,
      TOKENS.baseDirectory,
      TOKENS.clock,
      TOKENS.interrupts,
      TOKENS.output,
      TOKENS.setup,
      TOKENS.daemon,
      TOKENS.oneShot,
    ],
  );
  return container;
}

/** Completes commands that are suggested: whoever named a base directory has to name it there too. */
function commandCompleter(baseDirectory: string | undefined): (command: string) => string {
  return (command) => (baseDirectory === undefined ? command : command.replace(/^wl /, () => `wl --base-dir ${shellWord(baseDirectory)} `));
}
