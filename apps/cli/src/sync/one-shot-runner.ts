/**
 * Runs one pass in the daemon and waits for it: shows progress, ends it cleanly on Ctrl-C, and
 * clears the finished job. Events of the daemon only hasten the next look at its status, so
 * one that is lost costs a moment (W-38 of the reference: the original waited for it for ever).
 */

import { ControlClientError } from '@wl/adapters/socket';
import type { Clock } from '@wl/ports';
import type { StartArgs, StatusJob } from '@wl/ports/schemas';

import type { Daemon } from '../daemon/daemon.js';
import type { DaemonConnection } from '../daemon/daemon-connection.js';
import { CommandFailure } from '../errors.js';
import type { Interrupts } from '../interrupts.js';
import type { Output } from '../output.js';
import { createProgressView } from './progress-view.js';

/** What a runner needs. */
export interface OneShotParts {
  readonly daemon: Pick<Daemon, 'connect' | 'connectIfRunning'>;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
  readonly output: Output;
}

/** How it ended. */
export type OneShotOutcome =
  /** It ran to its end, well or badly; the job is cleared. */
  | { readonly kind: 'finished'; readonly job: StatusJob }
  /** The user ended it; `job` is how far it was. Nothing runs any more. */
  | { readonly kind: 'interrupted'; readonly job: StatusJob | undefined }
  /** The user would not wait for the end; the daemon is still ending it. */
  | { readonly kind: 'abandoned' }
  /** Somebody else ended it. */
  | { readonly kind: 'stopped' };

/** Time between two looks at the status, in milliseconds. */
const LOOK_MS = 250;

/** Runs one-shot jobs. */
export class OneShotRunner {
  readonly #parts: OneShotParts;

  constructor(parts: OneShotParts) {
    this.#parts = parts;
  }

  /**
   * Starts the job of `request` and waits for its end. `onStarted` gets the daemon's answer once
   * the job has started. Rejects when it could not be started or the daemon is lost.
   */
  async run(request: StartArgs, onStarted: (answer: string) => Promise<void>): Promise<OneShotOutcome> {
    const interrupted = new AbortController();
    let leave: (outcome: OneShotOutcome) => void;
    const left = new Promise<OneShotOutcome>((resolve) => {
      leave = resolve;
    });
    const release = this.#parts.interrupts.listen(() => {
      if (interrupted.signal.aborted) leave({ kind: 'abandoned' });
      else interrupted.abort();
    });
    try {
      return await Promise.race([this.#run(request, onStarted, interrupted.signal), left]);
    } finally {
      release();
    }
  }

  async #run(request: StartArgs, onStarted: (answer: string) => Promise<void>, interrupted: AbortSignal): Promise<OneShotOutcome> {
    const connection = await this.#parts.daemon.connect();
    // Who leaves at once hears nothing of what still fails behind them.
    await onStarted(await connection.start(request));
    const jobId = request['job-id'];
    const job = await this.#wait(connection, jobId, interrupted);
    if (job === 'interrupted') return { kind: 'interrupted', job: await this.#end(jobId) };
    if (job === undefined) return { kind: 'stopped' };
    await connection.stop(jobId).catch(ignoreIfGone);
    return { kind: 'finished', job };
  }

  /** The job when it has finished; `undefined` when it is gone. */
  async #wait(connection: DaemonConnection, jobId: string, interrupted: AbortSignal): Promise<StatusJob | 'interrupted' | undefined> {
    const { clock, output } = this.#parts;
    const view = createProgressView(output, clock);
    let wake = new AbortController();
    const forget = connection.onEvent((event) => {
      if (event.jobId !== jobId) return;
      if (event.type === 'progress') output.detail(event.value);
      else wake.abort();
    });
    const wakeNow = (): void => {
      wake.abort();
    };
    interrupted.addEventListener('abort', wakeNow);
    try {
      for (;;) {
        if (interrupted.aborted) return 'interrupted';
        wake = new AbortController();
        const job = await findJob(connection, jobId);
        if (job === undefined || isFinished(job)) return job;
        view.update(job.progress);
        await clock.sleep(LOOK_MS, wake.signal);
      }
    } catch (error) {
      if (error instanceof ControlClientError && error.className === 'ConnectionClosed') {
        throw new CommandFailure('the sync daemon ended while it was syncing. Every file is whole; run the command again to go on', undefined, {
          cause: error,
        });
      }
      throw error;
    } finally {
      view.end();
      interrupted.removeEventListener('abort', wakeNow);
      forget();
    }
  }

  /** Stops the job, on a connection of its own: the first may be waiting for an answer. */
  async #end(jobId: string): Promise<StatusJob | undefined> {
    const { daemon, output } = this.#parts;
    output.notice('Stopping where every file is whole; press Ctrl-C again to leave without waiting.');
    const connection = await daemon.connectIfRunning();
    if (connection === undefined) return undefined;
    const job = await findJob(connection, jobId);
    await connection.stop(jobId).catch(ignoreIfGone);
    connection.close();
    return job;
  }
}

/** Whether a one-shot job has run to its end. */
export function isFinished(job: StatusJob): boolean {
  return job.mode === 'one-shot' && (job.state === 'SYNCED' || job.state === 'ERROR');
}

async function findJob(connection: DaemonConnection, jobId: string): Promise<StatusJob | undefined> {
  return (await connection.status()).jobs.find((job) => job['job-id'] === jobId);
}

/** Clearing a job that somebody else has cleared already is no failure. */
function ignoreIfGone(error: unknown): void {
  if (!(error instanceof ControlClientError) || error.origin !== 'daemon') throw error;
}
