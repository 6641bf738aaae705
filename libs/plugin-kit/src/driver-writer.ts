/**
 * Writes one file through a driver: collected aside first (INV-6), compared with what it was to
 * be (INV-27), put in place only if the path still holds what was expected (INV-17), and read back.
 */

import { createHash } from 'node:crypto';

import { err, ok, type RelativePath, type Result, type Token } from '@wl/domain';
import type { Committed, ContentIdentity, FileAttributes, FileWriter, StaleToken } from '@wl/ports';

import type { Attr, Driver, NewContent } from './driver.js';
import type { Spool } from './spool.js';
import { assertGoing, failure, translated } from './translate.js';
import { isVersion } from './versions.js';

/** What a writer works with. */
export interface WriterParts {
  readonly driver: Driver;
  readonly path: RelativePath;
  readonly expected: Token | undefined;
  readonly attributes: FileAttributes;
  readonly signal: AbortSignal | undefined;
  readonly look: () => Promise<Attr | undefined>;
  /** Rejects where there is no directory to write into. */
  readonly assertParent: () => Promise<void>;
  /** Runs with no other writer of ours at this path. */
  readonly alone: <T>(action: () => Promise<T>) => Promise<T>;
  readonly onEnd: (writer: FileWriter) => void;
}

/** The last millisecond of the year 9999: later ones are mistakes that stores refuse. */
const LAST_MTIME_MS = 253_402_300_799_999;
const STALE: Result<Committed, StaleToken> = err({ kind: 'stale-token' });

/** A replacement being written. */
export class DriverWriter implements FileWriter {
  #state: 'open' | 'committed' | 'ended' = 'open';
  #result: Result<Committed, StaleToken> | undefined;

  constructor(
    private readonly parts: WriterParts,
    private readonly spool: Spool,
  ) {}

  async write(chunk: Uint8Array): Promise<void> {
    const { path, signal } = this.parts;
    assertGoing(signal, 'write', path);
    this.#assertOpen();
    await this.spool.write(chunk);
  }

  async commit(content: ContentIdentity): Promise<Result<Committed, StaleToken>> {
    const { path, signal, alone } = this.parts;
    // INV-18: said again, not done again.
    if (this.#result !== undefined) return this.#result;
    assertGoing(signal, 'write', path);
    this.#assertOpen();
    for (const promised of [content, this.parts.attributes.content ?? content]) {
      if (this.spool.size !== promised.sizeBytes || this.spool.sha256 !== promised.sha256) throw failure('damaged', 'write', path, 'what came is not what was to come');
    }
    this.#result = await alone(() => this.#swapIn());
    this.#state = 'committed';
    return this.#result;
  }

  async abort(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.parts.onEnd(this);
    await this.spool.close();
  }

  async #swapIn(): Promise<Result<Committed, StaleToken>> {
    const { driver, path, expected, signal, look, assertParent } = this.parts;
    await assertParent();
    const before = await look();
    const isAsExpected = expected === undefined ? before === undefined : isVersion(before, expected);
    if (!isAsExpected) return STALE;
    const isDone = await translated('write', path, async () => {
      if (driver.safe_replace === undefined) throw failure('unsupported', 'write', path, 'the driver cannot write');
      return driver.safe_replace(path, this.#newContent(), expected, signal);
    });
    if (!isDone) return STALE;
    const after = await look();
    // Somebody was quicker than our look: what they wrote is theirs.
    if (after?.kind !== 'file') return STALE;
    if (driver.verifies !== true && (await this.#readBack()) !== this.spool.sha256) {
      if (!isVersion(await look(), after.token)) return STALE;
      throw failure('damaged', 'write', path, 'what was stored is not what was written', { retryable: true });
    }
    return ok({ token: after.token as Token, isRacy: after.is_racy ?? false });
  }

  #newContent(): NewContent {
    const { mtimeMs, isExecutable } = this.parts.attributes;
    const isDate = Number.isFinite(mtimeMs) && mtimeMs >= 0 && mtimeMs <= LAST_MTIME_MS;
    const { spool } = this;
    return { size: spool.size, sha256: spool.sha256, mtime_ms: isDate ? mtimeMs : undefined, is_executable: isExecutable, chunks: () => spool.chunks() };
  }

  async #readBack(): Promise<string> {
    const { driver, path, signal } = this.parts;
    const hash = createHash('sha256');
    await translated('read back', path, async () => {
      for await (const chunk of driver.read(path, signal)) hash.update(chunk);
    });
    return hash.digest('hex');
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw failure('cancelled', 'write', this.parts.path, 'the writer has ended');
  }
}
