/**
 * Gathers single requests into messages: one message a request is the slow way. What is
 * asked for while a message is under way waits for the next one.
 */

/** Sends what was gathered; answers in order. */
export type Send<S, A> = (steps: readonly S[]) => Promise<readonly A[]>;

/** How many requests a message holds at most. */
const MAX_STEPS = 256;
/** Fewer are not worth two messages. */
const MIN_STEPS = 8;

interface Waiting<S, A> {
  readonly step: S;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers requests for one kind of task. */
export class Batcher<S, A> {
  private readonly queue: Waiting<S, A>[] = [];
  private underWay = 0;
  private isScheduled = false;

  constructor(
    private readonly send: Send<S, A>,
    private readonly maxUnderWay: number,
  ) {}

  /** Adds a request; resolves with its answer. */
  add(step: S): Promise<A> {
    return new Promise((resolve, reject) => {
      this.queue.push({ step, resolve, reject });
      if (this.isScheduled) return;
      this.isScheduled = true;
      // What the same turn asks for goes together.
      queueMicrotask(() => {
        this.isScheduled = false;
        this.pump();
      });
    });
  }

  private pump(): void {
    while (this.underWay < this.maxUnderWay && this.queue.length > 0) {
      // What is worth it is shared out among all messages there may be.
      const share = Math.ceil(this.queue.length / (this.maxUnderWay - this.underWay));
      void this.sendNext(this.queue.splice(0, Math.min(MAX_STEPS, Math.max(share, MIN_STEPS))));
    }
  }

  private async sendNext(batch: readonly Waiting<S, A>[]): Promise<void> {
    this.underWay += 1;
    try {
      const answers = await this.send(batch.map(({ step }) => step));
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as A);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.underWay -= 1;
      this.pump();
    }
  }
}
