/**
 * The daemon's end of the control socket: accepts clients and keeps them within
 * the limits. The protocol itself is in the files of its messages.
 */

import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ControlCommand, ControlLog } from './control-command.js';
import { DEFAULT_CONTROL_LIMITS, MAX_LINGERING, type ControlLimits } from './limits.js';
import { realSchedule, type Schedule } from './schedule.js';
import { refuse, ServerConnection, type ConnectionContext } from './server-connection.js';
import { claimSocketFile, releaseSocketFile, type OwnedSocketFile } from './socket-file.js';

/** What a `ControlServer` is made of. */
export interface ControlServerOptions {
  /** The socket file, of any length on Linux. */
  readonly path: string;
  readonly commands: ReadonlyMap<string, ControlCommand> | Readonly<Record<string, ControlCommand>>;
  /** Overrides of `DEFAULT_CONTROL_LIMITS`. */
  readonly limits?: Partial<ControlLimits>;
  /** Told what nobody else is; nothing by default. */
  readonly log?: ControlLog;
  /** Timers; the real clock by default. */
  readonly schedule?: Schedule;
}

/** Serves control commands on a Unix socket of mode 0600. No client and no command can bring it down. */
export class ControlServer {
  readonly #path: string;
  readonly #context: ConnectionContext;
  readonly #server: Server;
  readonly #connections = new Map<ServerConnection, Socket>();
  readonly #lingering = new Set<Socket>();
  #nextId = 1;
  #file: OwnedSocketFile | undefined;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ControlServerOptions) {
    this.#path = options.path;
    this.#context = {
      commands: options.commands instanceof Map ? options.commands : new Map(Object.entries(options.commands)),
      limits: { ...DEFAULT_CONTROL_LIMITS, ...options.limits },
      log: guarded(options.log),
      schedule: options.schedule ?? realSchedule,
      takeTurn: oneATurn(),
    };
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#accept(socket);
    });
    this.#server.on('error', (error) => {
      this.#context.log('error', 'control server failed', { error });
    });
  }

  /** Clients being served. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /**
   * Puts the socket in place and serves it. Replaces a socket file that nobody
   * answers on. To be called once. Rejects with `SocketClaimError`, code `in-use`
   * when another process answers there.
   */
  listen(): Promise<void> {
    this.#listening ??= claimSocketFile(this.#server, this.#path, this.#context.schedule).then((file) => {
      this.#file = file;
    });
    return this.#listening;
  }

  /**
   * Removes the socket file if it is still ours, accepts nobody any more, closes
   * all connections (replies already given still leave, within `lingerMs`) and
   * resolves when they are closed. Does not wait for running commands: their
   * results find the connection closed. May be called again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#listening?.catch(() => undefined);
    if (this.#file === undefined) return;
    try {
      await releaseSocketFile(this.#file);
    } catch (error) {
      this.#context.log('warn', 'unable to remove the socket file', { path: this.#path, error });
    }
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      for (const socket of this.#lingering) socket.destroy();
      for (const connection of this.#connections.keys()) connection.close();
    });
  }

  #accept(socket: Socket): void {
    if (this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    if (this.#connections.size >= this.#context.limits.maxConnections) {
      this.#turnAway(socket);
      return;
    }
    const connection = new ServerConnection(this.#nextId, socket, this.#context);
    this.#nextId += 1;
    this.#connections.set(connection, socket);
    socket.once('close', () => {
      this.#connections.delete(connection);
    });
  }

  #turnAway(socket: Socket): void {
    // Its failing harms nobody, but unheard it would end the process.
    socket.on('error', () => undefined);
    if (this.#lingering.size >= MAX_LINGERING) {
      socket.destroy();
      return;
    }
    const { maxConnections } = this.#context.limits;
    if (this.#lingering.size === 0) this.#context.log('warn', 'too many connections', { maxConnections });
    this.#lingering.add(socket);
    socket.once('close', () => {
      this.#lingering.delete(socket);
    });
    refuse(socket, `the daemon already serves ${maxConnections} connections, the most it allows; close some and try again`, this.#context);
  }
}

function oneATurn(): () => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return async () => {
    const mine = last.then(() => nextTurn());
    last = mine;
    await mine;
  };
}

/** A log that cannot fail: reporting trouble must not make more of it. */
function guarded(log: ControlLog | undefined): ControlLog {
  return (level, message, fields) => {
    try {
      log?.(level, message, fields);
    } catch {
      // There is nowhere left to say so.
    }
  };
}
