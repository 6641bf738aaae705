/**
 * Reads the objects of a prefix in key order, several ranges of keys at a time. Any key can part
 * two ranges (`StartAfter`), whether it exists or not, so the parting keys are only a hint: they
 * are remembered from the listing before.
 *
 * INV-8, T06: pages are checked by the wire; here it is checked that ranges meet. Where the server
 * says that nothing follows, it is asked once more for what comes after the last key: a page that
 * ends early for whatever reason makes a listing longer by a request, never shorter.
 */

import { compareKeys } from '@wl/domain';

import { S3Error } from './s3-error.js';
import type { ListedObject, S3Api } from './s3-api.js';

/** Keys after `after` (`undefined`: from the start) up to `upTo`, itself included (`undefined`: to the end). */
export interface KeyRange {
  readonly after: string | undefined;
  readonly upTo: string | undefined;
}

/** Pages fetched ahead in each range that is being read. */
const PAGES_AHEAD = 2;

/** Parts everything below a prefix at the given keys, which are in order. */
export function rangesAt(keys: readonly string[]): KeyRange[] {
  return [undefined, ...keys].map((after, index) => ({ after, upTo: keys[index] }));
}

/**
 * The objects of all ranges, page by page, in order. `width` ranges are read at a time.
 * Rejects when any page could not be had; nothing may be concluded then.
 */
export async function* readRanges(
  api: Pick<S3Api, 'list'>,
  prefix: string,
  ranges: readonly KeyRange[],
  width: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ListedObject[]> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  const running: PagesAhead[] = [];
  let next = 0;
  try {
    for (;;) {
      while (running.length < width && next < ranges.length) {
        running.push(new PagesAhead(pagesOf(api, prefix, ranges[next]!, stop.signal)));
        next += 1;
      }
      const first = running[0];
      if (first === undefined) return;
      for (let page = await first.next(); page !== undefined; page = await first.next()) if (page.length > 0) yield page;
      running.shift();
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    abort();
    await Promise.all(running.map((pages) => pages.close()));
  }
}

/** The pages of one range. */
async function* pagesOf(api: Pick<S3Api, 'list'>, prefix: string, range: KeyRange, signal: AbortSignal): AsyncGenerator<readonly ListedObject[]> {
  let last = range.after;
  for (;;) {
    let found = 0;
    for (let continuation: string | undefined; ; ) {
      const start = continuation !== undefined ? { continuation } : last !== undefined ? { startAfter: last } : {};
      const { objects, next } = await api.list({ prefix, ...start }, signal);
      const within = upTo(objects, range.upTo);
      assertFollows(last, within);
      last = within.at(-1)?.key ?? last;
      found += within.length;
      yield within;
      if (range.upTo !== undefined && objects.length > 0 && compareKeys(objects.at(-1)!.key, range.upTo) >= 0) return;
      if (next === undefined) break;
      continuation = next;
    }
    // Nothing after the last key, twice: the end. What was found now may have come meanwhile.
    if (found === 0) return;
  }
}

function upTo(objects: readonly ListedObject[], limit: string | undefined): readonly ListedObject[] {
  const last = objects.at(-1);
  if (limit === undefined || last === undefined || compareKeys(last.key, limit) <= 0) return objects;
  return objects.filter(({ key }) => compareKeys(key, limit) <= 0);
}

function assertFollows(last: string | undefined, objects: readonly ListedObject[]): void {
  const [first] = objects;
  if (last === undefined || first === undefined || compareKeys(last, first.key) < 0) return;
  throw new S3Error('damaged', `the listing goes backwards: ${JSON.stringify(first.key)} follows ${JSON.stringify(last)}`, { isRetryable: true });
}

/** Reads pages before they are asked for, a few. */
class PagesAhead {
  readonly #pages: AsyncGenerator<readonly ListedObject[]>;
  readonly #ready: Promise<IteratorResult<readonly ListedObject[]>>[] = [];

  constructor(pages: AsyncGenerator<readonly ListedObject[]>) {
    this.#pages = pages;
    this.#fill();
  }

  /** The next page, `undefined` at the end. */
  async next(): Promise<readonly ListedObject[] | undefined> {
    this.#fill();
    const page = await this.#ready.shift()!;
    if (page.done === true) return undefined;
    this.#fill();
    return page.value;
  }

  async close(): Promise<void> {
    await this.#pages.return(undefined).catch(() => undefined);
  }

  /** A generator answers its calls one after another, so asking early is reading ahead. */
  #fill(): void {
    while (this.#ready.length < PAGES_AHEAD) {
      const page = this.#pages.next();
      // A failure is met when the page is asked for; until then it must not count as unhandled.
      page.catch(() => undefined);
      this.#ready.push(page);
    }
  }
}
