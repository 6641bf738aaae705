/** The built daemon as a process, under the tracer or not, and a client of its socket that knows nothing but the wire format. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { DAEMON } from '../programs.mjs';

/** A run that takes longer is a failure, milliseconds: far beyond what one takes on a busy machine. */
export const LIMIT_MS = 60_000;

/** The process that was talked to is gone: expected where it is killed. */
export class Gone extends Error {}

/** Environment of the programs: nothing of the surroundings but the way to programs, everything below `home`. */
export function environment(home) {
  return {
    PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8', UV_USE_IO_URING: '0', AWS_EC2_METADATA_DISABLED: 'true',
    XDG_CONFIG_HOME: path.join(home, 'config'), XDG_DATA_HOME: path.join(home, 'data'), XDG_CACHE_HOME: path.join(home, 'cache'),
    XDG_STATE_HOME: path.join(home, 'state'), XDG_RUNTIME_DIR: path.join(home, 'run'),
  };
}

/** A running daemon. `trace` are words put before its command line (see tracer.mjs). */
export class Daemon {
  constructor({ home, base, socket, trace = [], logFile }) {
    this.socket = socket;
    this.logFile = logFile;
    const log = openSync(logFile, 'w');
    const [program, ...args] = [...trace, process.execPath, DAEMON, '-b', base, '-l', '-', '-s', socket];
    // In a group of its own: a Ctrl-C meant for whoever plays must not end what is played.
    this.process = spawn(program, args, { env: environment(home), cwd: home, stdio: ['pipe', 'pipe', log], detached: true });
    closeSync(log);
    this.process.stdin.on('error', () => undefined);
    this.said = '';
    this.process.stdout.setEncoding('utf8').on('data', (text) => (this.said += text));
    this.hasEnded = false;
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('exit', (code, signal) => {
        this.hasEnded = true;
        resolve({ code, signal });
      });
    });
  }

  /** Connects as soon as it listens; throws `Gone` when it ends before. */
  async connect() {
    for (const end = performance.now() + LIMIT_MS; performance.now() < end; await sleep(8)) {
      if (this.hasEnded) throw new Gone('it ended before it listened');
      if (this.said.includes('stopped')) throw new Gone('it is held still');
      const client = await Client.connect(this.socket);
      if (client !== undefined) return client;
    }
    throw new Error(`the daemon did not listen within ${LIMIT_MS / 1000} s`);
  }

  /** Waits until the tracer holds it still (true), or it has ended (false). */
  async untilHeld() {
    while (!this.hasEnded && !this.said.includes('stopped')) await sleep(5);
    return !this.hasEnded;
  }

  /** What it wrote to its log. */
  log() {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Ends it and everything it started. */
  async kill() {
    // Of a traced one the tracer alone is killed: the kernel takes the traced with it.
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

/** One connection. */
export class Client {
  static connect(socketPath) {
    return new Promise((resolve) => {
      const socket = createConnection({ path: socketPath });
      socket.once('error', () => resolve(undefined));
      socket.once('connect', () => resolve(new Client(socket)));
    });
  }

  constructor(socket) {
    this.socket = socket;
    this.waiting = [];
    let received = '';
    socket.setEncoding('utf8').on('data', (text) => {
      received += text;
      for (let end = received.indexOf('\n\n'); end >= 0; end = received.indexOf('\n\n')) {
        const message = JSON.parse(received.slice(0, end));
        received = received.slice(end + 2);
        if (message.event === undefined) this.waiting.shift()?.resolve(message);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#giveUp());
  }

  /** The result; throws the daemon's error, or `Gone`. */
  async ask(cmd, args) {
    const { result, error } = await this.#send(cmd, args);
    if (error !== undefined) throw new Error(`${cmd}: ${error.class}: ${error.desc}`);
    return result;
  }

  /** Asks it to end. */
  async shutdown() {
    await this.#send('shutdown').catch((error) => {
      if (!(error instanceof Gone)) throw error;
    });
  }

  close() {
    this.socket.destroy();
  }

  #send(cmd, args) {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) return reject(new Gone('the connection is closed'));
      this.waiting.push({ resolve, reject });
      this.socket.write(`${JSON.stringify({ cmd, args })}\n\n`);
    });
  }

  #giveUp() {
    for (const { reject } of this.waiting.splice(0)) reject(new Gone('the connection was closed'));
  }
}
