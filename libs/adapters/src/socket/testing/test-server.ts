/** A control server with commands for tests, in a directory of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { NO_REPLY_CLOSE, type ControlCommand, type ControlConnection } from '../control-command.js';
import { ControlServer, type ControlServerOptions } from '../control-server.js';
import { ManualSchedule } from './manual-schedule.js';
import { RawClient } from './raw-client.js';

/** One line of the server's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A running server and what a test needs around it. */
export class TestServer {
  readonly time = new ManualSchedule();
  readonly log: LogLine[] = [];
  /** Connections that called `subscribe`, in order. */
  readonly subscribers: ControlConnection[] = [];
  /** Names of the commands run, in the order they began (`>name`) and ended (`<name`). */
  readonly trace: string[] = [];
  readonly #clients: RawClient[] = [];
  readonly #gates: (() => void)[] = [];
  readonly directory: string;
  readonly path: string;
  readonly server: ControlServer;

  static async start(options: Partial<ControlServerOptions> = {}): Promise<TestServer> {
    const test = new TestServer(await mkdtemp(join(tmpdir(), 'wl-control-')), options);
    await test.server.listen();
    return test;
  }

  private constructor(directory: string, options: Partial<ControlServerOptions>) {
    this.directory = directory;
    this.path = join(directory, 'wlsync.sock');
    this.server = new ControlServer({
      path: this.path,
      commands: this.#commands(),
      log: (level, message, fields) => {
        this.log.push({ level, message, fields });
      },
      schedule: this.time.schedule,
      ...options,
    });
  }

  async connect(options?: { reading: boolean }): Promise<RawClient> {
    const client = await RawClient.connect(this.path, options);
    this.#clients.push(client);
    return client;
  }

  /** Lets the longest waiting `wait` command go on, once there is one. */
  async openGate(): Promise<void> {
    await until(() => this.#gates.length > 0);
    this.#gates.shift()?.();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.socket.destroy();
    await this.server.close();
    await rm(this.directory, { recursive: true });
  }

  #commands(): Record<string, ControlCommand> {
    const command = (run: ControlCommand['run']): ControlCommand => ({ validate: () => undefined, run });
    return {
      echo: command(async (args) => args),
      nothing: command(async () => undefined),
      tick: command(async () => {
        this.trace.push('tick');
      }),
      picky: {
        validate: (args) => ('job-id' in args ? undefined : "'job-id' is a required property"),
        run: async (args) => args['job-id'],
      },
      wait: command(async (args) => {
        this.trace.push(`>${String(args['name'])}`);
        await new Promise<void>((resolve) => {
          this.#gates.push(resolve);
        });
        this.trace.push(`<${String(args['name'])}`);
        return args['name'];
      }),
      waitUnlessGone: command(async (args, connection) => {
        this.trace.push(`>${String(args['name'])}`);
        const isGone = await new Promise<boolean>((resolve) => {
          connection.onGone(() => resolve(true));
          this.#gates.push(() => resolve(false));
        });
        this.trace.push(`${isGone ? 'x' : '<'}${String(args['name'])}`);
        return args['name'];
      }),
      subscribe: command(async (_args, connection) => {
        this.subscribers.push(connection);
        return null;
      }),
      announce: command(async (args, connection) => {
        connection.sendEvent({ type: 'state', value: String(args['value']), jobId: '0xaa|1' });
        return 'announced';
      }),
      large: command(async (args) => 'x'.repeat(Number(args['bytes']))),
      fail: command(async (args) => {
        throw Object.assign(new Error(String(args['desc'])), { className: args['class'] });
      }),
      bug: command(async () => (undefined as unknown as { length: number }).length),
      throwString: command(() => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what careless code may do
        throw 'a string';
      }),
      unwritable: command(async () => 1n),
      shutdown: command(async () => NO_REPLY_CLOSE),
    };
  }
}

/** Resolves when `holds` does, looking again after each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}

/** Lets the event loop turn often enough for bytes on their way to arrive. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}
