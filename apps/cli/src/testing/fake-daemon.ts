/** A control server with canned answers: what a command asks the daemon, and what it makes of the answers. */

import { ControlServer, NO_REPLY_CLOSE, type ControlCommand, type ControlConnection } from '@wl/adapters/socket';
import { commandArguments, type CommandName, type Status, type StatusJob } from '@wl/ports/schemas';

/** A request as it came. */
export interface SeenRequest {
  readonly cmd: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Answers a command; a thrown error is the daemon's. */
export type Answer = (args: Readonly<Record<string, unknown>>, connection: ControlConnection) => unknown;

/** A daemon that does nothing but talk. */
export class FakeDaemon {
  readonly requests: SeenRequest[] = [];
  /** What `status-json` shows. */
  jobs: StatusJob[] = [];
  version = 'source';
  /** Answers that differ from the usual ones. */
  readonly answers: Partial<Record<CommandName, Answer>> = {};
  readonly #server: ControlServer;

  constructor(path: string) {
    const names = Object.keys(commandArguments) as CommandName[];
    this.#server = new ControlServer({ path, commands: Object.fromEntries(names.map((name) => [name, this.#command(name)])) });
  }

  async start(): Promise<this> {
    await this.#server.listen();
    return this;
  }

  async stop(): Promise<void> {
    await this.#server.close();
  }

  /** The arguments of all requests of one command. */
  argsOf(cmd: CommandName): Readonly<Record<string, unknown>>[] {
    return this.requests.filter((request) => request.cmd === cmd).map(({ args }) => args);
  }

  #command(name: CommandName): ControlCommand {
    const validate = commandArguments[name];
    return {
      validate: (args) => (validate(args) ? undefined : `refused by the schema: ${JSON.stringify(validate.errors)}`),
      run: async (args, connection) => {
        this.requests.push({ cmd: name, args });
        const own = this.answers[name];
        return own === undefined ? this.#usualAnswer(name, args) : own(args, connection);
      },
    };
  }

  #usualAnswer(name: CommandName, args: Readonly<Record<string, unknown>>): unknown {
    switch (name) {
      case 'status-json':
        return { version: 1, daemon: { version: this.version, pid: 4711, since: '2026-11-22T20:15:00Z' }, jobs: this.jobs } satisfies Status;
      case 'version':
        return { version: this.version, protocol: 1, pid: 4711, 'base-dir': '/nowhere' };
      case 'start': {
        const target = args['target'] as { readonly type: string; readonly 'backend-id': string };
        return `Using remote backend ${target['backend-id']} of type ${target.type}.`;
      }
      case 'stop':
        this.jobs = this.jobs.filter((job) => job['job-id'] !== args['job-id']);
        return `Sync for job ${String(args['job-id'])} stopped`;
      case 'shutdown':
        return NO_REPLY_CLOSE;
      case 'plugins':
      case 'reload-plugins':
      case 'list-conflicts':
      case 'stop-container':
        return [];
      default:
        return null;
    }
  }
}

/** A job as status shows it, in sync unless told otherwise. */
export function someJob(fields: Partial<StatusJob> = {}): StatusJob {
  return {
    'job-id': '0xaa|uuid|two',
    container: 'photos',
    'container-id': '0xaa|uuid',
    state: 'SYNCED',
    mode: 'continuous',
    unidirectional: false,
    source: { type: 'local', 'backend-id': 'one' },
    target: { type: 'local', 'backend-id': 'two' },
    conflicts: [],
    problems: [],
    skipped: [],
    files: 7,
    bytes: 122_500,
    notes: [],
    ...fields,
  };
}
