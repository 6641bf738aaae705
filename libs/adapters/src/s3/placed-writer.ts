/** A writer that looks, before anything is shown, whether a file may stand where it is to stand. */

import { err, type Result } from '@wl/domain';
import type { Committed, ContentIdentity, FileWriter, StaleToken } from '@wl/ports';

/** What a writer is told of its place, and tells. */
export interface PlacedWriterHooks {
  /** Whether the place was free when the writer was opened. */
  readonly place: 'free' | 'taken';
  readonly lookAgain: () => Promise<'free' | 'taken'>;
  readonly onCommit: () => void;
  /** Nothing more will be written. */
  readonly onEnd: () => void;
}

/** Writes through `inner` if the place is free, at the start and at the end. */
export class PlacedWriter implements FileWriter {
  constructor(
    private readonly inner: FileWriter,
    private readonly hooks: PlacedWriterHooks,
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    // What will never be shown need not be sent.
    if (this.hooks.place === 'free') await this.inner.write(chunk);
  }

  async commit(content: ContentIdentity): Promise<Result<Committed, StaleToken>> {
    const { place, lookAgain, onCommit, onEnd } = this.hooks;
    try {
      if (place === 'taken' || (await lookAgain()) === 'taken') {
        await this.inner.abort();
        return err({ kind: 'stale-token' });
      }
      const committed = await this.inner.commit(content);
      if (committed.ok) onCommit();
      return committed;
    } finally {
      onEnd();
    }
  }

  async abort(): Promise<void> {
    await this.inner.abort();
    this.hooks.onEnd();
  }
}
