/** Runs `wl` in the process of a test: a base directory of its own, a fake daemon, time by hand. */

import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { openSetup, type Setup } from '@wl/adapters/manifests';
import { pluginPlaces } from '@wl/adapters/plugins';
import { ControlClient } from '@wl/adapters/socket';
import type { Clock } from '@wl/ports';

import type { GlobalOptions, Services } from '../context.js';
import { Daemon } from '../daemon/daemon.js';
import { findSocketPath } from '../daemon/socket-path.js';
import type { Interrupts } from '../interrupts.js';
import { Output } from '../output.js';
import type { RunNpm } from '../plugins/npm.js';
import { runProgram } from '../program.js';
import { STORAGE_TYPES } from '../storage-types.js';
import { OneShotRunner } from '../sync/one-shot-runner.js';
import { VERSION } from '../version.js';
import { CapturedStream } from './captured-stream.js';
import { FakeDaemon } from './fake-daemon.js';

/** What a run left behind. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Interrupts that a test makes. */
export class HandInterrupts implements Interrupts {
  readonly #listeners = new Set<() => void>();

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  interrupt(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Time that passes as fast as somebody waits for it. */
class LeapingClock implements Clock {
  nowMs = (): number => Date.parse('2026-11-22T20:20:00Z') + this.#passedMs;
  monotonicMs = (): number => this.#passedMs;
  #passedMs = 0;

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await nextTurn();
    if (signal?.aborted !== true) this.#passedMs += ms;
  }
}

/** A base directory, a place for storages, and a daemon that may be running. */
export class TestBench {
  readonly interrupts = new HandInterrupts();
  readonly clock: Clock = new LeapingClock();
  readonly env: Record<string, string | undefined>;
  /** Processes that `wl stop` waits for: each answers once that it still runs. */
  readonly endingProcesses: number[] = [];
  /** How often the daemon had to be started. */
  launches = 0;
  isTTY = false;
  /** Stands for npm. */
  npm: RunNpm = async () => ({ kind: 'missing' });
  /** Standard input of the next run; an empty one unless told otherwise. */
  stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean } = new PassThrough();
  #daemon: FakeDaemon | undefined;

  static async make(): Promise<TestBench> {
    return new TestBench(await realpath(await mkdtemp(path.join(tmpdir(), 'wl-cli-'))));
  }

  private constructor(readonly directory: string) {
    this.env = { HOME: directory };
  }

  /** The daemon; its socket is there once it was started. */
  get daemon(): FakeDaemon {
    this.#daemon ??= new FakeDaemon(path.join(this.baseDirectory, 'wlsync.sock'));
    return this.#daemon;
  }

  get baseDirectory(): string {
    return path.join(this.directory, 'base');
  }

  get setup(): Setup {
    return openSetup({ baseDirectory: this.baseDirectory, env: this.env, workingDirectory: this.directory });
  }

  /** Makes a directory for a storage. */
  async place(name: string): Promise<string> {
    const place = path.join(this.directory, name);
    await mkdir(place, { recursive: true });
    return place;
  }

  /** Starts the daemon, as the launcher would. */
  async startDaemon(): Promise<FakeDaemon> {
    await mkdir(this.baseDirectory, { recursive: true });
    return this.daemon.start();
  }

  /** Makes a container of directories, whose backend-ids are their names. */
  async container(name: string, ...places: string[]): Promise<{ readonly id: string }> {
    const storages = await Promise.all(places.map(async (place) => ({ type: 'local', location: await this.place(place), 'backend-id': place })));
    const made = await this.setup.containers.create({ name, storages });
    if (!made.ok) throw new Error(made.error.message);
    return { id: `${made.value.owner}|${made.value.uuid}` };
  }

  /** Runs one command line on this base directory. */
  async wl(...argv: string[]): Promise<Ran> {
    const stdout = new CapturedStream({ isTTY: this.isTTY });
    const stderr = new CapturedStream({ isTTY: this.isTTY });
    const exitCode = await runProgram(argv, {
      stdin: this.stdin,
      stdout,
      stderr,
      env: this.env,
      open: (options) => this.#open(options, stdout, stderr),
    });
    return { exitCode, stdout: stdout.text, stderr: stderr.text };
  }

  async close(): Promise<void> {
    await this.#daemon?.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  #open(options: GlobalOptions, stdout: CapturedStream, stderr: CapturedStream): Services {
    const { baseDirectory, clock, env, interrupts, setup } = this;
    const output = new Output(stdout, stderr, env, options.verbosity);
    const launcher = {
      launch: async (socketPath: string): Promise<ControlClient> => {
        this.launches += 1;
        await this.startDaemon();
        return ControlClient.connect(socketPath);
      },
    };
    const daemon = new Daemon({ findSocketPath: () => findSocketPath(setup.config, env), launcher, output, version: VERSION });
    return {
      ...setup,
      baseDirectory,
      workingDirectory: this.directory,
      env,
      clock,
      interrupts,
      output,
      daemon,
      oneShot: new OneShotRunner({ daemon, clock, interrupts, output }),
      stillRuns: (pid) => {
        const index = this.endingProcesses.indexOf(pid);
        if (index < 0) return false;
        this.endingProcesses.splice(index, 1);
        return true;
      },
      storageTypes: STORAGE_TYPES,
      npm: (...run) => this.npm(...run),
      pluginPlaces: pluginPlaces(baseDirectory, this.directory),
      kitDirectory: path.join(this.directory, 'kit'),
      toCommand: (command) => command,
    };
  }
}
