/**
 * What a sync replaces or removes on a bucket is kept for a while in our area, by a copy on the
 * server (INV-5): `.wl/trash/<hour>/<id>/<path>`. How long it has been kept is told by the server's
 * clock alone (INV-22): the hour, which is this machine's, only says where looking may be worth it.
 * A versioned bucket keeps versions by itself.
 */

import { utf8Length } from '@wl/domain';
import type { Clock } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import { MAX_KEY_BYTES, type KeyLayout } from './key-layout.js';
import type { S3Api } from './s3-api.js';
import { S3Error } from './s3-error.js';
import type { KeptVersions } from './writing/context.js';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Steps whose copies can be dropped again; far more than can be under way at once. */
const STEPS_NOTED = 1000;
/** Requests at a time while the trash is emptied. */
const DELETED_AT_ONCE = 16;
const HOUR_SHAPE = /(\d{4}-\d{2}-\d{2}T\d{2})Z\/$/;

/** The trash of one storage. */
export class Trash implements KeptVersions {
  /** Where versions were put whose step is still to come; one may be kept by several writers at once. */
  readonly #places = new Map<string, string[]>();

  constructor(
    private readonly api: S3Api,
    private readonly layout: KeyLayout,
    private readonly clock: Clock,
    private readonly abilities: () => S3Abilities,
    private readonly newId: () => string,
  ) {}

  /** Keeps version `etag` of an object; `stale` when it is another one, or gone. */
  async keep(key: string, etag: string, signal?: AbortSignal): Promise<'kept' | 'stale'> {
    const { isVersioned, copies } = this.abilities();
    if (isVersioned || !copies) return (await this.#isStill(key, etag, signal)) ? 'kept' : 'stale';
    const place = this.#placeFor(key);
    const copied = await this.api.copyObject({ key, etag }, place, { kind: 'none' }, undefined, signal);
    if (copied.kind !== 'done') return 'stale';
    // A copy of an object that was uploaded in parts has another ETag: then the source tells whether it was the right one.
    const isRight = copied.etag === etag || (await this.#isStill(key, etag, signal));
    this.#note(stepOf(key, etag), place);
    if (isRight) return 'kept';
    await this.unkeep(key, etag);
    return 'stale';
  }

  /** Drops what was kept for a step that was not taken. What cannot be dropped goes with its hour. */
  async unkeep(key: string, etag: string): Promise<void> {
    const place = this.#places.get(stepOf(key, etag))?.pop();
    if (place === undefined) return;
    await this.api.deleteObject(place, { kind: 'none' }).catch((error: unknown) => {
      if (!(error instanceof S3Error)) throw error;
    });
  }

  /**
   * Removes what has been kept for longer than that many days. `serverNowMs`: the server's clock now, if it
   * tells it; without it nothing is old.
   */
  async purge(retentionDays: number, serverNowMs: number | undefined, signal?: AbortSignal): Promise<void> {
    if (serverNowMs === undefined) return;
    const oldestMs = serverNowMs - retentionDays * DAY_MS;
    const prefix = `${this.layout.area}trash/`;
    const { commonPrefixes } = await this.api.list({ prefix, delimiter: '/' }, signal);
    for (const hour of commonPrefixes) {
      const stamp = HOUR_SHAPE.exec(hour)?.[1];
      if (stamp === undefined) continue;
      const namedMs = Date.parse(`${stamp}:00:00Z`);
      // Most runs are young by their name; one from the future was named by a clock that was wrong.
      if (namedMs >= oldestMs && namedMs <= serverNowMs + HOUR_MS) continue;
      await this.#purgeHour(hour, oldestMs, signal);
    }
  }

  async #purgeHour(prefix: string, oldestMs: number, signal: AbortSignal | undefined): Promise<void> {
    for (let continuation: string | undefined; ; ) {
      const page = await this.api.list({ prefix, ...(continuation !== undefined && { continuation }) }, signal);
      const old = page.objects.filter(({ lastModifiedMs }) => lastModifiedMs < oldestMs);
      for (let at = 0; at < old.length; at += DELETED_AT_ONCE) {
        await Promise.all(old.slice(at, at + DELETED_AT_ONCE).map(({ key }) => this.api.deleteObject(key, { kind: 'none' }, undefined, signal)));
      }
      if (page.next === undefined) return;
      continuation = page.next;
    }
  }

  /** Of steps that were taken nobody tells: the oldest are forgotten (INV-40). */
  #note(step: string, place: string): void {
    const places = this.#places.get(step);
    if (places !== undefined) return void places.push(place);
    this.#places.set(step, [place]);
    const [oldest] = this.#places.keys();
    if (this.#places.size > STEPS_NOTED && oldest !== undefined) this.#places.delete(oldest);
  }

  /** Where a version is kept: names may be had twice in an hour, and long ones lose their beginning. */
  #placeFor(key: string): string {
    const hour = `${new Date(this.clock.nowMs()).toISOString().slice(0, 13)}Z`;
    const directory = `${this.layout.area}trash/${hour}/${this.newId()}/`;
    let name = this.layout.relative(key);
    while (utf8Length(directory) + utf8Length(name) > MAX_KEY_BYTES) name = [...name].slice(16).join('');
    return `${directory}${name}`;
  }

  async #isStill(key: string, etag: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.api.headObject(key, signal))?.etag === etag;
  }
}

function stepOf(key: string, etag: string): string {
  return `${etag} ${key}`;
}
