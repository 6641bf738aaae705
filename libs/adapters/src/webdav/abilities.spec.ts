/** What is believed of a server is proved, however slow it is while it is tried out (INV-26). */

import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@wl/ports';

import { probe } from './abilities.js';
import { davArea } from './area.js';
import type { DavApi } from './dav-api.js';
import type { DavFile, DavFound } from './multistatus.js';

/** A server that gives its versions times in whole seconds, and ETags of some kind. */
class FakeServer {
  readonly #files = new Map<string, { readonly text: string; readonly atMs: number }>();
  #nowMs = 1_700_000_000_000;

  /** `tickMs`: what each request takes by the server's clock. `etagOf`: the ETag of a version written at a time, `''` for none. */
  constructor(
    private readonly tickMs: number,
    private readonly etagOf: (atMs: number) => string,
  ) {}

  /** Time passes for the server while somebody waits. */
  readonly clock: Clock = {
    nowMs: () => this.#nowMs,
    monotonicMs: () => this.#nowMs,
    sleep: async (ms) => void (this.#nowMs += ms),
  };

  get api(): DavApi {
    const api: Pick<DavApi, 'put' | 'look' | 'move' | 'makeDirectory' | 'setNote' | 'directory' | 'delete'> = {
      put: async (path, body) => {
        this.#pass();
        this.#files.set(path, { text: Buffer.from(body as Uint8Array).toString(), atMs: this.#nowMs });
        return 'done';
      },
      look: async (path) => this.#look(path),
      move: async (from, to) => {
        this.#pass();
        this.#files.set(to, this.#files.get(from)!);
        this.#files.delete(from);
        return 'done';
      },
      makeDirectory: async () => 'made',
      setNote: async () => false,
      directory: async () => ({ entries: new Map(), notUnicode: [], isIncomplete: false, serverMs: this.#nowMs }),
      delete: async () => this.#files.clear(),
    };
    return api as DavApi;
  }

  #look(path: string): DavFound | undefined {
    this.#pass();
    const found = this.#files.get(path);
    if (found === undefined) return undefined;
    const [modifiedMs, etag, sizeBytes] = [Math.floor(found.atMs / 1000) * 1000, this.etagOf(found.atMs), found.text.length];
    const token = (etag === '' ? `m${String(modifiedMs)}:${String(sizeBytes)}` : `e${etag}:${String(sizeBytes)}`) as DavFile['token'];
    return { kind: 'file', token, sizeBytes, mtimeMs: modifiedMs, isRacy: true, etag, note: undefined };
  }

  #pass(): void {
    this.#nowMs += this.tickMs;
  }
}

const wholeSeconds = (atMs: number): string => String(Math.floor(atMs / 1000));

describe('two quick changes', () => {
  // The second ends after another request each time, also between the two.
  it.each([0, 1, 40, 130, 260, 499, 700, 1000, 2500])('INV-26, T32: are not believed to differ where only the end of a second tells them apart (%i ms a request)', async (tickMs) => {
    for (const etagOf of [wholeSeconds, () => '']) {
      const { api, clock } = new FakeServer(tickMs, etagOf);
      expect(await probe(api, davArea(api, clock), clock)).toMatchObject({ tellsQuickChanges: false });
    }
  });

  it.each([0, 1, 40, 130, 260, 400])('INV-26: are believed to differ where the ETags of one second do, though a clock ticks every 10 ms (%i ms a request)', async (tickMs) => {
    const { api, clock } = new FakeServer(tickMs, (atMs) => String(Math.floor(atMs / 10)));
    expect(await probe(api, davArea(api, clock), clock)).toMatchObject({ hasEtags: true, tellsQuickChanges: true });
  });
});
