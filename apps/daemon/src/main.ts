/**
 * `wl-sync-daemon`: one per base directory. Locks it, opens the state, serves the control
 * socket, resumes the continuous jobs, and ends in order on SIGTERM, SIGINT or `shutdown`.
 */

import 'reflect-metadata';

import { mkdirSync } from 'node:fs';

import { acquireBaseLock, readBaseLockOwner } from '@wl/adapters/base-lock';

import { createContainer, TOKENS } from './container.js';
import { parseOptions, USAGE } from './options.js';
import { loadSettings } from './settings.js';

declare const __WL_VERSION__: string | undefined;

/** Exit codes of the daemon: the same meanings as those of `wl`. */
const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (!options.ok) {
    process.stderr.write(`Error: ${options.error}\n\n${USAGE}`);
    return EXIT.usage;
  }
  const version = typeof __WL_VERSION__ === 'string' ? __WL_VERSION__ : 'source';
  if (options.value === 'help' || options.value === 'version') {
    process.stdout.write(options.value === 'help' ? USAGE : `wl-sync-daemon ${version}\n`);
    return EXIT.ok;
  }

  const end = withResolvers<string>();
  const settings = await loadSettings(options.value, {
    env: process.env,
    cwd: process.cwd(),
    version,
    shutdown: end.resolve,
    // What is ours is for this user alone: state, log, socket.
    umask: process.umask(0o077),
  });
  mkdirSync(settings.baseDir, { recursive: true });
  const lock = acquireBaseLock(settings.baseDir);
  if (!lock.ok) {
    process.stderr.write(`Error: a sync daemon is already running on ${settings.baseDir}${pidNote(settings.baseDir)}; \`wl stop\` ends it\n`);
    return EXIT.failure;
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.resolve(signal));
  // The terminal that started us may close; we go on.
  process.on('SIGHUP', () => undefined);

  const container = createContainer(settings);
  const daemonLog = container.get(TOKENS.log);
  const { log } = daemonLog;
  process.on('uncaughtException', (error) => {
    log('error', 'uncaught', { error: error.message, stack: error.stack });
    end.resolve('an internal error');
  });
  process.on('unhandledRejection', (error) => {
    log('error', 'unhandled', { error: error instanceof Error ? error.stack : String(error) });
  });
  const state = container.get(TOKENS.state);
  const manager = container.get(TOKENS.jobManager);
  const server = container.get(TOKENS.server);
  log('info', 'started', { version, pid: process.pid, baseDir: settings.baseDir, socket: settings.socketPath });
  // Jobs may need what plugins bring.
  await container.get(TOKENS.plugins).reload();
  // Jobs first: nobody is to be told that nothing runs while something is about to.
  await manager.resume();
  await server.listen();

  const reason = await end.promise;
  log('info', 'ending', { reason });
  await server.close();
  await manager.shutdown();
  state.close();
  lock.value.release();
  log('info', 'ended', {});
  await daemonLog.close();
  return reason === 'an internal error' ? EXIT.failure : EXIT.ok;
}

function pidNote(baseDir: string): string {
  const pid = readBaseLockOwner(baseDir);
  return pid === undefined ? '' : ` (pid ${String(pid)})`;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(EXIT.failure);
  },
);
