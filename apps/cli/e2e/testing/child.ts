/** Child processes whose output and end can be waited for. */

import { spawn, type ChildProcess } from 'node:child_process';

import { until } from './until.js';

/** How a process ended, and what it printed. */
export interface Run {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and as what to run a process. */
export interface ChildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** A process that runs longer is killed, and its end is a failure. Milliseconds. */
  readonly limitMs?: number;
  /** What it reads on its standard input; without it, that is empty. */
  readonly stdin?: string;
}

const LIMIT_MS = 120_000;

/** A running process. */
export class Child {
  stdout = '';
  stderr = '';
  /** Settles when it has ended and its output is complete. */
  readonly ended: Promise<Run>;
  readonly #process: ChildProcess;

  constructor(command: readonly string[], { env, cwd, limitMs = LIMIT_MS, stdin = '' }: ChildOptions) {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process = child;
    // One that ends without reading is none of our business.
    child.stdin.on('error', () => undefined).end(stdin);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        // A process that inherited the pipe would keep it open for ever.
        child.stdout.destroy();
        child.stderr.destroy();
        reject(new Error(`${command.join(' ')} did not end within ${limitMs / 1000} s; ${this.#said()}`));
      }, limitMs);
      child.once('error', reject);
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
    // Whoever waits for it hears of it; nobody has to.
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('the process could not be started');
    return this.#process.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Waits until what it printed (both streams) fits. */
  async says(what: string | RegExp): Promise<void> {
    await until(() => (typeof what === 'string' ? this.#all().includes(what) : what.test(this.#all())), () => `output like ${String(what)}; ${this.#said()}`);
  }

  #all(): string {
    return this.stdout + this.stderr;
  }

  #said(): string {
    return `stdout: ${JSON.stringify(this.stdout)}, stderr: ${JSON.stringify(this.stderr)}`;
  }
}
