/**
 * Versions of files as SFTP tells them: size, and modification time in whole seconds. A second change
 * within that second shows in nothing (T32): such a version is racy until the server's clock has
 * moved on. The protocol tells no time; the server's clock is read off the files that it has just
 * written for us. INV-22: no other clock decides where that is known.
 *
 * Where nothing may be written the server's time is not known. A version that has been seen for two
 * seconds is settled then: the clock that stamped it was not behind the stamp when it was first seen.
 * Only files of the last day, by this machine's clock, are watched so, since they are remembered.
 */

import type { Token } from '@wl/domain';
import type { Clock } from '@wl/ports';

/** Whole seconds, and the clock of file systems lags by a tick. */
const RACY_MS = 2000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Versions remembered at most (INV-40); one that is forgotten is racy again. */
const MOST_SEEN = 20_000;

/** The token of a version. */
export function tokenOf(sizeBytes: number, mtimeS: number): Token {
  return `${String(sizeBytes)}:${String(mtimeS)}` as Token;
}

/** The latest second that the protocol can tell. */
export const LATEST_S = 0xffff_ffff;
/** Versions of one file that come from so close together are kept apart, seconds. */
const CLOSE_S = 60;

/**
 * The second to date a new version with, which is `wantedS` where that will do. One of the size of the version it
 * replaces, and not dated after it, could pass for that one (INV-25), or for one before it that another machine
 * still knows: it gets the next second. A date from long before is somebody's choice, and different enough.
 */
export function tellingMtime(sizeBytes: number, wantedS: number, replaced: Token | undefined): number {
  const [, size, mtime] = /^(\d+):(\d+)$/.exec(replaced ?? '') ?? [];
  const replacedS = Number(mtime);
  if (Number(size) !== sizeBytes || wantedS > replacedS || replacedS - wantedS >= CLOSE_S) return wantedS;
  return replacedS === LATEST_S ? replacedS - 1 : replacedS + 1;
}

/** Tells racy versions. */
export class VersionClock {
  #server: { readonly ms: number; readonly atMs: number } | undefined;
  readonly #seen = new Map<string, { readonly token: Token; readonly sinceMs: number }>();

  constructor(private readonly clock: Clock) {}

  /** Notes that the server dated with `mtimeS` what it wrote for us a moment ago. */
  learn(mtimeS: number): void {
    this.#server = { ms: mtimeS * 1000, atMs: this.clock.monotonicMs() };
    this.#seen.clear();
  }

  /** What the server's clock shows at least, milliseconds since the epoch; `undefined` where that is not known. */
  get serverMs(): number | undefined {
    return this.#server === undefined ? undefined : this.#server.ms + this.clock.monotonicMs() - this.#server.atMs;
  }

  /** How long ago the server's clock was read, milliseconds. */
  get readAgoMs(): number {
    return this.#server === undefined ? Infinity : this.clock.monotonicMs() - this.#server.atMs;
  }

  /** Whether a further change of the file that shows this version now might keep its token. */
  isRacy(path: string, token: Token, mtimeS: number): boolean {
    const { serverMs } = this;
    const ageMs = (serverMs ?? this.clock.nowMs()) - mtimeS * 1000;
    if (serverMs !== undefined) return isNear(ageMs, RACY_MS);
    return isNear(ageMs, DAY_MS) && this.#isNew(path, token);
  }

  #isNew(path: string, token: Token): boolean {
    const nowMs = this.clock.monotonicMs();
    const seen = this.#seen.get(path);
    if (seen?.token === token) return nowMs - seen.sinceMs < RACY_MS;
    this.#seen.delete(path);
    if (this.#seen.size >= MOST_SEEN) this.#seen.delete(this.#seen.keys().next().value!);
    this.#seen.set(path, { token, sinceMs: nowMs });
    return true;
  }
}

/** A time that is anybody's to set, and far in the future, cannot come again by itself any time soon. */
function isNear(ageMs: number, youngMs: number): boolean {
  return ageMs < youngMs && ageMs > -DAY_MS;
}
