/**
 * Finds out what an endpoint does with a bucket, by trying (INV-26, T58): a server that takes a
 * condition and ignores it is found out, one that wants the ETag without quotes is served. All
 * of it happens on objects of our own under `.wl/probe/`, which are removed afterwards.
 */

import type { S3Abilities } from './abilities.js';
import type { Condition, S3Api, WriteAnswer } from './s3-api.js';
import { S3Error } from './s3-error.js';
import { md5Of, sha256Of } from './writing/digests.js';

const PLAIN: Condition = { kind: 'none' };
const ABSENT: Condition = { kind: 'absent' };

/** How often something is tried whose answers were lost on the way. */
const MOST_TURNS = 4;

/** An answer was lost and the request repeated: the refusal may have been met by what we wrote ourselves, and proves nothing. */
class Unclear extends Error {
  override readonly name = 'Unclear';
}

/** Tries everything with objects whose keys start with `area`. Rejects when the bucket cannot be used at all. */
export async function probe(api: S3Api, area: string, newId: () => string, signal?: AbortSignal): Promise<S3Abilities> {
  const run = new Probe(api, `${area}probe/${newId()}`, signal);
  try {
    return await run.run();
  } finally {
    await run.cleanUp();
  }
}

class Probe {
  readonly #used = new Set<string>();
  #isVersioned = false;

  constructor(
    private readonly api: S3Api,
    private readonly base: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async run(): Promise<S3Abilities> {
    const first = await this.#put('plain', 'first', PLAIN);
    if (first.kind !== 'done') throw new S3Error('io-error', 'a plain write was refused', { isRetryable: true });
    const [isVersioned, replacesIfMatch] = await Promise.all([this.#isVersionedNow(first.versionId !== undefined), this.#replacing()]);
    this.#isVersioned = isVersioned;
    const tag = (etag: string): Condition => ({ kind: 'etag', etag, isBare: replacesIfMatch === 'bare' });
    const [createsIfAbsent, deletesIfMatch, completesConditionally, copiesConditionally, copies, uploadsInParts, verifiesContent, head] = await Promise.all([
      this.#creating(),
      this.#deleting(tag),
      this.#isObeyed('complete', tag, (key, condition) => this.#complete(key, condition)),
      this.#isObeyed('copy', tag, (key, condition) => this.#copy(key, condition)),
      this.#works(() => this.#copy(this.#key('copied'), PLAIN)),
      this.#works(() => this.#complete(this.#key('parts'), PLAIN)),
      this.#verifying(),
      this.api.headObject(this.#key('plain'), this.signal),
    ]);
    return {
      createsIfAbsent,
      replacesIfMatch,
      deletesIfMatch,
      completesConditionally,
      copiesConditionally,
      copies,
      uploadsInParts,
      verifiesContent,
      keepsChecksums: head?.sha256 !== undefined,
      tagsByMd5: first.etag === md5Of(Buffer.from('first')),
      isVersioned,
    };
  }

  /** Removes what was tried with, versions and all. What is left over is small, and is ours. */
  async cleanUp(): Promise<void> {
    const remove = async (key: string): Promise<void> => {
      try {
        await this.api.deleteObject(key, PLAIN);
        if (!this.#isVersioned) return;
        for (const { versionId } of await this.api.listVersions(key)) await this.api.deleteObject(key, PLAIN, versionId);
      } catch (error) {
        if (!(error instanceof S3Error)) throw error;
      }
    };
    await Promise.all([...this.#used].map(remove));
  }

  async #isVersionedNow(answersVersions: boolean): Promise<boolean> {
    try {
      return await this.api.isVersioned(this.signal);
    } catch (error) {
      // Not everybody who may write may ask; the answer of a write tells as well.
      if (error instanceof S3Error && error.kind !== 'cancelled') return answersVersions;
      throw error;
    }
  }

  async #creating(): Promise<boolean> {
    return this.#unlessUnsupported(false, async (turn) => {
      const name = `create${turn}`;
      const created = await this.#put(name, 'one', ABSENT);
      if (created.kind !== 'done') return false;
      const again = await this.#put(name, 'two', ABSENT);
      return again.kind === 'refused' && (await this.#etag(name)) === created.etag;
    });
  }

  async #replacing(): Promise<S3Abilities['replacesIfMatch']> {
    for (const [style, isBare] of [['quoted', false], ['bare', true]] as const) {
      const isObeyed = await this.#unlessUnsupported(false, async (turn) => {
        const name = `replace-${style}${turn}`;
        const one = await this.#put(name, 'one', PLAIN);
        if (one.kind !== 'done') return false;
        const two = await this.#put(name, 'two', { kind: 'etag', etag: one.etag, isBare });
        if (two.kind !== 'done') return false;
        const stale = await this.#put(name, 'three', { kind: 'etag', etag: one.etag, isBare });
        return stale.kind === 'refused' && (await this.#etag(name)) === two.etag;
      });
      if (isObeyed) return style;
    }
    return 'no';
  }

  async #deleting(tag: (etag: string) => Condition): Promise<boolean> {
    return this.#unlessUnsupported(false, async (turn) => {
      const name = `delete${turn}`;
      const one = await this.#put(name, 'one', PLAIN);
      const two = await this.#put(name, 'two', PLAIN);
      if (one.kind !== 'done' || two.kind !== 'done') return false;
      const stale = clear(await this.api.deleteObject(this.#key(name), tag(one.etag), undefined, this.signal));
      if (stale.kind !== 'refused' || (await this.#etag(name)) !== two.etag) return false;
      const right = clear(await this.api.deleteObject(this.#key(name), tag(two.etag), undefined, this.signal));
      return right.kind === 'done' && (await this.#etag(name)) === undefined;
    });
  }

  /** Whether a way of writing obeys both conditions, in both directions. */
  async #isObeyed(
    way: string,
    tag: (etag: string) => Condition,
    write: (key: string, condition: Condition) => Promise<WriteAnswer | { readonly kind: 'stale' }>,
  ): Promise<boolean> {
    return this.#unlessUnsupported(false, async (turn) => {
      const name = `${way}${turn}`;
      const key = this.#key(name);
      const old = await this.#put(name, 'old', PLAIN);
      const now = await this.#put(name, 'now', PLAIN);
      if (old.kind !== 'done' || now.kind !== 'done') return false;
      for (const condition of [ABSENT, tag(old.etag)]) {
        if ((await write(key, condition)).kind !== 'refused' || (await this.#etag(name)) !== now.etag) return false;
      }
      if ((await write(key, tag(now.etag))).kind !== 'done' || (await this.#etag(name)) === now.etag) return false;
      return (await write(this.#key(`${name}-free`), ABSENT)).kind === 'done';
    });
  }

  async #complete(key: string, condition: Condition): Promise<WriteAnswer> {
    this.#used.add(key);
    const { uploadId } = await this.api.createUpload(key, { metadata: new Map() }, this.signal);
    let isOver = false;
    try {
      const content = Buffer.from('part');
      const part = await this.api.uploadPart(key, uploadId, 1, content, sha256Of(content), this.signal);
      const answer = await this.api.completeUpload(key, uploadId, [part], condition, this.signal);
      isOver = answer.kind === 'done';
      return clear(answer);
    } finally {
      if (!isOver) await this.api.abortUpload(key, uploadId).catch(() => undefined);
    }
  }

  async #copy(key: string, condition: Condition): Promise<WriteAnswer | { readonly kind: 'stale' }> {
    this.#used.add(key);
    const source = this.#key('plain');
    const etag = await this.#etag('plain');
    if (etag === undefined) return { kind: 'stale' };
    return clear(await this.api.copyObject({ key: source, etag }, key, condition, undefined, this.signal));
  }

  async #verifying(): Promise<boolean> {
    const content = Buffer.from('sent');
    const wrong = sha256Of(Buffer.from('signed'));
    return this.#unlessUnsupported(false, async (turn) => {
      const key = this.#key(`tampered${turn}`);
      try {
        // Once: a server that verifies would be asked again and again.
        await this.api.putObject(key, content, wrong, { metadata: new Map() }, { kind: 'none', isOnce: true }, this.signal);
        return false;
      } catch (error) {
        if (!(error instanceof S3Error) || error.kind === 'cancelled') throw error;
        // Overloaded or not reached: that is no refusal of the content.
        if (error.details.isRetryable && error.kind !== 'damaged') throw new Unclear('the server did not look at the content');
      }
      return (await this.api.headObject(key, this.signal)) === undefined;
    });
  }

  async #works(step: () => Promise<WriteAnswer | { readonly kind: 'stale' }>): Promise<boolean> {
    return this.#unlessUnsupported(false, async () => (await step()).kind === 'done');
  }

  /**
   * What a server answers that does not know a request: that it cannot do it. What keeps it from
   * answering at all is thrown on. A step that came to nothing clear is taken again under other
   * names: `turn` is to be part of them.
   */
  async #unlessUnsupported<T>(otherwise: T, step: (turn: string) => Promise<T>): Promise<T> {
    for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
      try {
        return await step(turn === 1 ? '' : `-${String(turn)}`);
      } catch (error) {
        if (error instanceof Unclear) continue;
        const hasAnswered = error instanceof S3Error && error.details.status !== undefined && !error.details.isRetryable;
        if (hasAnswered) return otherwise;
        throw error;
      }
    }
    throw new S3Error('unreachable', 'Too many answers were lost to find out what the server can do.', { isRetryable: true });
  }

  async #put(name: string, text: string, condition: Condition): Promise<WriteAnswer> {
    const content = Buffer.from(text);
    return clear(await this.api.putObject(this.#key(name), content, sha256Of(content), { metadata: new Map() }, condition, this.signal));
  }

  async #etag(name: string): Promise<string | undefined> {
    return (await this.api.headObject(this.#key(name), this.signal))?.etag;
  }

  #key(name: string): string {
    const key = `${this.base}/${name}`;
    this.#used.add(key);
    return key;
  }
}

/** An answer that proves something. */
function clear<A extends { readonly kind: string; readonly mayBeOurs?: boolean }>(answer: A): A {
  if (answer.mayBeOurs === true) throw new Unclear('the answer to an earlier try was lost');
  return answer;
}
