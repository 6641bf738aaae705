/** The listing half of `S3Api` over a set of keys, for tests that need no more: sorted, paged, and misbehaving on demand. */

import { compareKeys } from '@wl/domain';

import type { ListedObject, ListPage, ListRequest, S3Api } from '../s3-api.js';

/** Lists keys. `requests` has what was asked; `misbehave` may change an answer. */
export class ListApi implements Pick<S3Api, 'list'> {
  readonly requests: ListRequest[] = [];
  misbehave: (page: ListPage, request: ListRequest, count: number) => ListPage = (page) => page;
  readonly #objects: ListedObject[];

  constructor(keys: readonly string[], private readonly pageSize = 3) {
    this.#objects = [...keys].sort(compareKeys).map((key) => ({ key, etag: `etag of ${key}`, sizeBytes: key.length, lastModifiedMs: 1_600_000_000_123 }));
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage> {
    if (signal?.aborted === true) return Promise.reject(new Error('aborted'));
    this.requests.push(request);
    const after = request.continuation ?? request.startAfter;
    const matching = this.#objects.filter(({ key }) => key.startsWith(request.prefix) && (after === undefined || compareKeys(key, after) > 0));
    const objects = matching.slice(0, Math.min(this.pageSize, request.maxKeys ?? 1000));
    const next = objects.length < matching.length ? objects.at(-1)!.key : undefined;
    return Promise.resolve(this.misbehave({ objects, commonPrefixes: [], next }, request, this.requests.length));
  }
}
