/** The inbox of a local storage: a directory of its staging that another program fills (`Inbox` of the port). */

import { join } from 'node:path';

import type { Inbox, InboxItem, InboxOutcome } from '@wl/ports';

import { cutBatches } from './batches.js';
import type { CancelFlag } from './worker/cancellation.js';
import { failure, fromWireError, toWireError } from './worker/failure.js';
import { inboxPath, type TakenItem } from './worker/inbox.js';
import type { BatchOutcome } from './worker/staged-batch.js';

/** What is taken together shares one flush. */
const BATCH = { files: 512, bytes: 64 << 20 } as const;

/** What is needed of the storage. */
export interface InboxHost {
  /** Absolute path of the root. */
  readonly location: string;
  /** Name of this instance's directory in staging. */
  readonly instance: string;
  /** How many tasks run side by side. */
  readonly width: number;
  assertWritable(): void;
  /** A flag that is raised when the signal aborts or the storage closes, until it is released; throws `cancelled` when that is so already. */
  hold(signal: AbortSignal | undefined): { readonly flag: CancelFlag; readonly release: () => void };
  make(inbox: string): Promise<void>;
  take(inbox: string, items: readonly TakenItem[], flag: CancelFlag): Promise<readonly (BatchOutcome | undefined)[]>;
  drop(inbox: string): Promise<void>;
}

/** The inboxes of one local storage. */
export class LocalInbox implements Inbox {
  /** Those that are open: absolute path → relative to the root. */
  readonly #open = new Map<string, string>();
  #count = 0;

  constructor(private readonly host: InboxHost) {}

  async open(): Promise<string> {
    this.host.assertWritable();
    this.#count += 1;
    const inbox = inboxPath(this.host.instance, `inbox-${String(this.#count)}`);
    await this.host.make(inbox);
    const directory = join(this.host.location, inbox);
    this.#open.set(directory, inbox);
    return directory;
  }

  async take(directory: string, items: readonly InboxItem[], signal?: AbortSignal): Promise<readonly InboxOutcome[]> {
    const inbox = this.#known(directory);
    const { flag, release } = this.host.hold(signal);
    try {
      const batches = cutBatches(items, ({ sizeBytes }) => sizeBytes, { ...BATCH, width: this.host.width });
      const taken: (readonly InboxOutcome[])[] = [];
      const waiting = batches.entries();
      const work = async (): Promise<void> => {
        for (const [index, { start, end }] of waiting) taken[index] = await this.#takeBatch(inbox, items.slice(start, end), flag);
      };
      const ends = await Promise.allSettled(Array.from({ length: this.host.width }, work));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      return taken.flat();
    } finally {
      release();
    }
  }

  async close(directory: string): Promise<void> {
    const inbox = this.#known(directory);
    this.#open.delete(directory);
    await this.host.drop(inbox);
  }

  /** What kept a batch from being taken at all is each item's failure. */
  async #takeBatch(inbox: string, items: readonly InboxItem[], flag: CancelFlag): Promise<readonly InboxOutcome[]> {
    let outcomes: readonly (BatchOutcome | undefined)[];
    try {
      outcomes = await this.host.take(inbox, items.map(({ expected: replaces, ...item }) => ({ ...item, replaces })), flag);
    } catch (error) {
      const wire = toWireError(error, 'replace');
      if (wire.code === 'cancelled') throw fromWireError(wire);
      outcomes = items.map(() => ({ kind: 'failed', error: wire }));
    }
    return outcomes.map((outcome) => {
      if (outcome === undefined) throw failure('cancelled', 'replace', undefined, 'stopped on request');
      return outcomeOf(outcome);
    });
  }

  #known(directory: string): string {
    const inbox = this.#open.get(directory);
    if (inbox === undefined) throw new Error(`${directory} is no open inbox of this storage`);
    return inbox;
  }
}

function outcomeOf(outcome: BatchOutcome): InboxOutcome {
  switch (outcome.kind) {
    case 'shown':
      return { kind: 'taken', token: outcome.token, isRacy: outcome.isRacy };
    case 'source-changed':
      return { kind: 'missing' };
    case 'target-changed':
      return outcome.leftover === undefined ? { kind: 'stale' } : { kind: 'stale', leftover: outcome.leftover };
    case 'failed':
      return { kind: 'failed', error: fromWireError(outcome.error) };
  }
}
