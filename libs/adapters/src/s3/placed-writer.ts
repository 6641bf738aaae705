/** A writer that looks, before anything is shown, whether a file may stand where it is to stand. */

import { err, type Result } from '@wl/domain';
import type { Committed, ContentIdentity, FileWriter, StaleToken } from '@wl/ports';

/** Writes through `inner` if the place is free, at the start and at the end. */
export class PlacedWriter implements FileWriter {
  constructor(
    private readonly inner: FileWriter,
    private readonly place: 'free' | 'taken',
    private readonly lookAgain: () => Promise<'free' | 'taken'>,
    private readonly onCommit: () => void,
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    // What will never be shown need not be sent.
    if (this.place === 'free') await this.inner.write(chunk);
  }

  async commit(content: ContentIdentity): Promise<Result<Committed, StaleToken>> {
    if (this.place === 'taken' || (await this.lookAgain()) === 'taken') {
      await this.inner.abort();
      return err({ kind: 'stale-token' });
    }
    const committed = await this.inner.commit(content);
    if (committed.ok) this.onCommit();
    return committed;
  }

  abort(): Promise<void> {
    return this.inner.abort();
  }
}
