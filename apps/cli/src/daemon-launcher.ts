/**
 * Starts the sync daemon so that it lives on its own: in a session of its own (W-31 of the
 * reference: it died with the terminal), holding none of our streams (`x=$(wl status)` returns),
 * in no directory that somebody may want to unmount.
 *
 * What it says before it has a log goes to a file that is removed as soon as it is open, so that
 * the reason of a failed start can be shown and nothing stays behind.
 */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ControlClient } from '@wl/adapters/socket';
import type { Clock } from '@wl/ports';

import { isNobodyThere } from './daemon/daemon.js';
import { CommandFailure } from './errors.js';

/** How and what to start. */
export interface LaunchParts {
  /** The daemon's program, run by this Node.js. */
  readonly program: string;
  /** Absolute. */
  readonly baseDirectory: string;
  /** Absolute; `-` where the daemon keeps no log. */
  readonly logPath: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** A daemon answers within a hundredth of this, or within a fraction where a plugin hangs that it gives up on. Milliseconds. */
const START_LIMIT_MS = 30_000;
const FIRST_PAUSE_MS = 10;
/** Asking costs a fraction of a millisecond; what is slept too long, a cold start takes longer. */
const LONGEST_PAUSE_MS = 20;
/** A rival that got there first answers within this time after ours gave way, in milliseconds. */
const RIVAL_LIMIT_MS = 1_000;
/**
 * A pass makes a lot that is gone with the next batch, and nothing that grows with the tree: with
 * room for 2 MiB of it (16 by default, three times over) the collector runs more often, over less,
 * and takes no longer. At rest the daemon collects what is left, for which it has to be told that it may.
 */
const MEMORY_FLAGS = ['--max-semi-space-size=2', '--expose-gc'];
const TAIL_BYTES = 8 * 1024;
const TAIL_LINES = 10;

/** Starts daemons. */
export class DaemonLauncher {
  readonly #parts: LaunchParts;

  constructor(parts: LaunchParts) {
    this.#parts = parts;
  }

  /** Starts the daemon and connects to it. Rejects with `CommandFailure`, showing what the daemon said. */
  async launch(socketPath: string): Promise<ControlClient> {
    const { clock, program } = this.#parts;
    if (!existsSync(program)) {
      throw new CommandFailure(`the program of the sync daemon is missing: ${program}. Install wl again; in a checkout run: npm run build`);
    }
    const deadlineMs = clock.monotonicMs() + START_LIMIT_MS;
    for (;;) {
      const started = this.#spawn();
      try {
        const client = await this.#connect(socketPath, started, deadlineMs);
        if (client !== undefined) return client;
        // One that is just ending still holds the base directory; everything else will not get better.
        const isInTheWay = /already running/.test(started.words());
        if (isInTheWay && clock.monotonicMs() < deadlineMs) continue;
        throw new CommandFailure(this.#explain(started));
      } finally {
        started.close();
      }
    }
  }

  /** Tries until the daemon answers; `undefined` when it ended or the time is over. */
  async #connect(socketPath: string, started: StartedDaemon, deadlineMs: number): Promise<ControlClient | undefined> {
    const { clock } = this.#parts;
    let giveUpMs = deadlineMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
      try {
        return await ControlClient.connect(socketPath);
      } catch (error) {
        if (!isNobodyThere(error)) throw error;
      }
      const nowMs = clock.monotonicMs();
      // Of two started at once one gives way, and the other will answer soon.
      if (started.hasEnded()) giveUpMs = Math.min(giveUpMs, nowMs + RIVAL_LIMIT_MS);
      if (nowMs >= giveUpMs) return undefined;
      await clock.sleep(pauseMs);
    }
  }

  #spawn(): StartedDaemon {
    const { program, baseDirectory, logPath, env } = this.#parts;
    const words = openUnnamedFile();
    const logBytes = sizeOf(logPath);
    let end: string | undefined;
    const child = spawn(process.execPath, [...MEMORY_FLAGS, program, '--base-dir', baseDirectory, '--log-path', logPath], {
      detached: true,
      stdio: ['ignore', 'ignore', words.fd],
      cwd: '/',
      env,
    });
    child.once('error', (error) => {
      end = `it could not be started: ${error.message}`;
    });
    child.once('exit', (code, signal) => {
      end ??= signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
    });
    child.unref();
    return {
      hasEnded: () => end !== undefined,
      end: () => end,
      words: () => tailOf(words.fd, 0),
      logged: () => tailOfFile(logPath, logBytes),
      close: () => {
        words.close();
      },
    };
  }

  #explain(started: StartedDaemon): string {
    const { logPath } = this.#parts;
    const what = started.end() ?? `it did not answer within ${START_LIMIT_MS / 1000} seconds`;
    const words = started.words();
    const said = words === '' ? '' : `\n${indent(words)}`;
    const logged = started.logged();
    const log = logged === '' ? '' : `\nThe last lines of its log, ${logPath}:\n${indent(logged)}`;
    return `the sync daemon did not start: ${what}${said}${log}`;
  }
}

/** A daemon on its way. */
interface StartedDaemon {
  hasEnded(): boolean;
  /** How it ended, in words; `undefined` while it runs. */
  end(): string | undefined;
  /** What it wrote on standard error. */
  words(): string;
  /** What it added to its log. */
  logged(): string;
  close(): void;
}

/** A file without a name: gone when nobody has it open any more. */
function openUnnamedFile(): { readonly fd: number; close(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'wl-start-'));
  try {
    const fd = openSync(path.join(directory, 'words'), 'a+', 0o600);
    return {
      fd,
      close: () => {
        closeSync(fd);
      },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function tailOfFile(file: string, fromBytes: number): string {
  try {
    const fd = openSync(file, 'r');
    try {
      return tailOf(fd, fromBytes);
    } finally {
      closeSync(fd);
    }
  } catch {
    // There is no log, or it is not ours to read: the reason of the failure is elsewhere.
    return '';
  }
}

/** The last lines of what is in a file from a position on; from its beginning when it became shorter (rotated). */
function tailOf(fd: number, fromBytes: number): string {
  const { size } = fstatSync(fd);
  const start = Math.max(fromBytes > size ? 0 : fromBytes, size - TAIL_BYTES);
  const bytes = Buffer.alloc(Math.max(0, size - start));
  const length = bytes.length === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, start);
  return bytes.toString('utf8', 0, length).trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
