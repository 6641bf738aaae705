/**
 * Machines that share a bucket and write the same names as fast as they can (T57, T92). Each
 * content is written once in the world, so the history of a name must be a chain: every version
 * was replaced or removed at most once, by somebody who expected exactly it. `WL_RACES` sets the
 * number of operations, of which most meet others.
 */

import { createHash } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath, toSha256, type RelativePath, type Token } from '@wl/domain';

import type { S3Backend } from './s3-backend.js';
import { openS3 } from './testing/open-s3.js';
import { openOnTestServer, type OnTestServer } from './testing/open-test-server.js';
import type { S3ServerOptions } from './testing/server/index.js';

const RACES = Number(process.env['WL_RACES'] ?? 600);
const PATHS = ['a', 'b', 'd/c'].map(toRelativePath);
const MACHINES = 3;

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** Several machines on one bucket, each with notes and connections of its own. */
async function machines(options: S3ServerOptions): Promise<{ readonly first: OnTestServer; readonly backends: S3Backend[] }> {
  const first = await openOnTestServer(options);
  opened.push(first);
  const backends = [first.backend];
  const { server, prefix, hands } = first;
  while (backends.length < MACHINES) {
    const other = await openS3({
      params: { endpointUrl: server.endpointUrl, credentials: { accessKey: server.accessKey, secretKey: server.secretKey } },
      bucket: 'bucket',
      prefix,
      outside: { put: async () => undefined, get: async () => undefined, delete: async () => undefined, keys: async (of) => hands.keys(of) },
    });
    opened.push(other);
    backends.push(other.backend);
  }
  await first.backend.makeDirectory(toRelativePath('d'));
  for (const backend of backends) for await (const _batch of backend.list(ROOT)) continue;
  return { first, backends };
}

/** What became of each version of one name. */
class Chain {
  /** Content that was written and acknowledged. */
  readonly written = new Set<string>();
  /** Expected content → how often an acknowledged step replaced or removed it. */
  readonly taken = new Map<string, number>();
  creations = 0;
  removals = 0;

  take(expected: string | undefined): void {
    if (expected === undefined) this.creations += 1;
    else this.taken.set(expected, (this.taken.get(expected) ?? 0) + 1);
  }
}

/** One machine's life: look, then write or remove what was seen. */
async function live(backend: S3Backend, name: string, operations: number, chains: ReadonlyMap<RelativePath, Chain>, contents: Map<Token, string>): Promise<void> {
  for (let turn = 0; turn < operations; turn += 1) {
    const path = PATHS[turn % PATHS.length]!;
    const chain = chains.get(path)!;
    const expected = await backend.getFileToken(path);
    const seen = expected === undefined ? undefined : contents.get(expected);
    // A version whose write was not acknowledged yet is nobody's to replace in this account.
    if (expected !== undefined && seen === undefined) continue;
    if (expected !== undefined && turn % 5 === 4) {
      if (!(await backend.remove(path, expected)).ok) continue;
      chain.take(seen);
      chain.removals += 1;
      continue;
    }
    const text = `${name} ${String(turn)}`;
    const content = Buffer.from(text);
    const sha256 = toSha256(createHash('sha256').update(content).digest('hex'));
    const [outcome] = await backend.wholeFiles.write([{ path, expected, content, sha256, attributes: { mtimeMs: 0 } }]);
    if (outcome?.kind === 'failed') throw outcome.error;
    if (outcome?.kind !== 'written') continue;
    chain.take(seen);
    chain.written.add(text);
    contents.set(outcome.token, text);
  }
}

describe.each<[string, S3ServerOptions]>([
  ['a server that compares everything', { preset: 'aws' }],
  ['Ceph, which compares when it writes only', { preset: 'ceph' }],
])('%s', (_name, options) => {
  it('T57, T92, INV-17: loses no update, however machines race', async () => {
    const { first, backends } = await machines(options);
    const chains = new Map(PATHS.map((path) => [path, new Chain()]));
    const contents = new Map<Token, string>();
    await Promise.all(backends.map((backend, i) => live(backend, `machine ${String(i)}`, Math.ceil(RACES / MACHINES), chains, contents)));
    for (const [path, chain] of chains) {
      const twice = [...chain.taken].filter(([, times]) => times > 1);
      expect([path, twice]).toEqual([path, []]);
      const last = first.hands.text(first.prefix + path);
      const untaken = [...chain.written].filter((text) => !chain.taken.has(text));
      expect([path, untaken]).toEqual([path, last === undefined ? [] : [last]]);
      expect(chain.creations).toBe(chain.removals + (last === undefined ? 0 : 1));
      expect(chain.written.size).toBeGreaterThan(0);
    }
  }, 1_200_000);
});
