/**
 * The commands of the control socket (reference §7): validated arguments in, calls on the
 * job manager, plain values out. Nothing is decided here.
 */

import { NO_REPLY_CLOSE, type ControlArguments, type ControlCommand, type ControlConnection } from '@wl/adapters/socket';
import type { JobListener, JobManager } from '@wl/engine';
import {
  validateActiveEventsArgs,
  validateCheckStorageArgs,
  validateExplainSyncerArgs,
  validateJobStateArgs,
  validateListConflictsArgs,
  validatePluginsArgs,
  validateReloadPluginsArgs,
  validateResolveArgs,
  validateShutdownArgs,
  validateStartArgs,
  validateStatusArgs,
  validateStatusJsonArgs,
  validateStopAllArgs,
  validateStopArgs,
  validateStopContainerArgs,
  validateSubscribeArgs,
  validateTestErrorArgs,
  validateVersionArgs,
  type Validator,
} from '@wl/ports/schemas';

import type { CheckStorage } from './check-storage.js';
import type { Plugins } from './plugins.js';

/** Version of the control protocol: the original's, with our additions. */
export const PROTOCOL = 1;

/** What the commands work on. */
export interface CommandParts {
  readonly manager: JobManager;
  readonly checkStorage: CheckStorage;
  readonly plugins: Plugins;
  readonly program: { readonly version: string; readonly pid: number; readonly baseDir: string };
  readonly shutdown: (reason: string) => void;
}

/** All commands by name. */
export function controlCommands({ manager, checkStorage, plugins, program, shutdown }: CommandParts): Record<string, ControlCommand> {
  const listeners = new Map<number, JobListener>();

  /** The one listener of a connection; gone with it. */
  const listenerOf = (connection: ControlConnection): JobListener => {
    const known = listeners.get(connection.id);
    if (known !== undefined) return known;
    const listener: JobListener = (event) => {
      connection.sendEvent(event);
    };
    listeners.set(connection.id, listener);
    connection.onClose(() => {
      listeners.delete(connection.id);
      manager.unsubscribe(listener);
    });
    return listener;
  };

  return {
    start: command(validateStartArgs, (args, connection) => manager.start(args, listenerOf(connection))),
    stop: command(validateStopArgs, (args) => manager.stop(args['job-id'])),
    'stop-all': command(validateStopAllArgs, () => manager.stopAll()),
    status: command(validateStatusArgs, () => manager.statusTexts()),
    'job-state': command(validateJobStateArgs, (args) => manager.jobState(args['job-id'])),
    'active-events': command(validateActiveEventsArgs, (args) => {
      manager.setActiveEvents(args['job-id'], args['active-events']);
    }),
    'test-error': command(validateTestErrorArgs, (args) => {
      manager.testError(args['job-id']);
    }),
    shutdown: command(validateShutdownArgs, () => {
      shutdown('asked to on the control socket');
      return NO_REPLY_CLOSE;
    }),
    'stop-container': command(validateStopContainerArgs, (args) => manager.stopContainer(args['container-id'])),
    'status-json': command(validateStatusJsonArgs, () => manager.status()),
    'list-conflicts': command(validateListConflictsArgs, (args) => manager.listConflicts(args)),
    subscribe: command(validateSubscribeArgs, (args, connection) => {
      manager.subscribe(listenerOf(connection), args['job-id']);
    }),
    'explain-syncer': command(validateExplainSyncerArgs, (args) => manager.explain(args)),
    resolve: command(validateResolveArgs, (args) => manager.resolve(args['job-id'], args.path, args.keep)),
    'check-storage': command(validateCheckStorageArgs, (args, connection) => whileOpen(connection, (signal) => checkStorage(args.storage, signal))),
    plugins: command(validatePluginsArgs, () => plugins.current.plugins),
    'reload-plugins': command(validateReloadPluginsArgs, async () => {
      const told = await plugins.reload();
      // A job that waited for its plugin goes on.
      await manager.resume();
      return told;
    }),
    version: command(validateVersionArgs, () => ({
      version: program.version,
      protocol: PROTOCOL,
      pid: program.pid,
      'base-dir': program.baseDir,
    })),
  };
}

/** Runs something that is given up when the connection is gone, since nobody waits for it any more. */
async function whileOpen<T>(connection: ControlConnection, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const release = connection.onGone(() => {
    gone.abort();
  });
  try {
    return await run(gone.signal);
  } finally {
    release();
  }
}

function command<T>(validate: Validator<T>, run: (args: T, connection: ControlConnection) => unknown): ControlCommand {
  return {
    validate: (args: ControlArguments) => (validate(args) ? undefined : reason(validate)),
    // Validated by the server with the function above before it runs.
    run: async (args, connection) => (await run(args as T, connection)) ?? null,
  };
}

function reason<T>(validate: Validator<T>): string {
  const [first] = validate.errors ?? [];
  if (first === undefined) return 'arguments do not match the schema';
  const where = first.instancePath === '' ? '' : `${first.instancePath.slice(1)}: `;
  const extra = first.params?.['additionalProperty'];
  return `${where}${first.message ?? first.keyword}${typeof extra === 'string' ? ` (${extra})` : ''}`;
}
