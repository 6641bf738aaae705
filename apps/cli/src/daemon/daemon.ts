/** The sync daemon of a base directory, as commands reach it: running, or started when needed. */

import { ControlClient, ControlClientUnableToConnectError } from '@wl/adapters/socket';

import type { DaemonLauncher } from '../daemon-launcher.js';
import type { Output } from '../output.js';
import { DaemonConnection } from './daemon-connection.js';

/** What a `Daemon` is made of. */
export interface DaemonParts {
  readonly findSocketPath: () => Promise<string>;
  readonly launcher: Pick<DaemonLauncher, 'launch'>;
  readonly output: Output;
  /** Of this program. */
  readonly version: string;
}

/** A connection, and whether the daemon was started for it. */
export interface Reached {
  readonly connection: DaemonConnection;
  readonly isNew: boolean;
}

/** The way to the daemon. */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #open = new Set<DaemonConnection>();
  #hasWarned = false;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
  }

  /** A connection; starts the daemon when none runs. Rejects with `CommandFailure` when that fails. */
  async connect(): Promise<DaemonConnection> {
    return (await this.reach()).connection;
  }

  /** `connect`, telling whether the daemon was started for it. */
  async reach(): Promise<Reached> {
    const running = await this.connectIfRunning();
    if (running !== undefined) return { connection: running, isNew: false };
    const path = await this.#parts.findSocketPath();
    this.#parts.output.detail(`Starting the sync daemon; it will listen at ${path}`);
    return { connection: this.#keep(await this.#parts.launcher.launch(path)), isNew: true };
  }

  /** A connection to a daemon that runs already, else `undefined`. */
  async connectIfRunning(): Promise<DaemonConnection | undefined> {
    const path = await this.#parts.findSocketPath();
    try {
      return this.#keep(await ControlClient.connect(path));
    } catch (error) {
      if (isNobodyThere(error)) return undefined;
      throw error;
    }
  }

  /** Closes whatever is still open: nothing of ours then keeps the process alive. */
  close(): void {
    for (const connection of this.#open) connection.close();
    this.#open.clear();
  }

  #keep(client: ControlClient): DaemonConnection {
    const connection = new DaemonConnection(client, (version) => {
      this.#warnOfOtherVersion(version);
    });
    this.#open.add(connection);
    return connection;
  }

  /** Says once when the daemon is of another version than this program. */
  #warnOfOtherVersion(version: string): void {
    if (this.#hasWarned || version === this.#parts.version) return;
    this.#hasWarned = true;
    this.#parts.output.notice(
      `Note: the sync daemon is of version ${version}, this is wl ${this.#parts.version}. \`wl stop\` ends it; the next command starts the new one.`,
    );
  }
}

/** Whether a connection failed because no daemon runs: there is no socket, or one that nobody answers on. */
export function isNobodyThere(error: unknown): boolean {
  if (!(error instanceof ControlClientUnableToConnectError)) return false;
  const code = (error.cause as { readonly code?: unknown } | undefined)?.code;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}
