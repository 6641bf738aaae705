/** The contract of `copyFrom`, as tests; skipped for a storage that has no such way. */

import { describe, expect, it } from '@jest/globals';

import type { CopyOutcome, CopyRequest, StorageBackend } from '../../storage-backend.js';
import { at, bytesOf, failureOf, fileAt, letPass, patternOf, settledFileAt, sha256Of, textOf } from './helpers.js';
import type { CurrentBackend, OpenBackend } from './open-backend.js';
import { PATIENCE_MS } from '../patience.js';

/** Tests of copying within one medium. */
export function describeCopying(current: CurrentBackend): void {
  describe('copyFrom', () => {
    it('copies files as read and openForSafeReplace would, each index once', async () => {
      const pair = await openPair(current());
      if (pair === undefined) return;
      const { source, target } = pair;
      const contents = new Map<string, Uint8Array>([['empty', new Uint8Array(0)], ['d/large', patternOf(3 << 20)]]);
      for (let i = 0; i < 20; i += 1) contents.set(`d/${String(i)}`, bytesOf(`content ${String(i)}`));
      await target.backend.makeDirectory(at('d'));
      for (const [path, bytes] of contents) await source.writeOutside(path, bytes);
      const requests: CopyRequest[] = [];
      for (const path of contents.keys()) {
        requests.push({ path: at(path), from: await settledFileAt(source, path), replaces: undefined });
      }
      const outcomes = await copy(pair, requests);
      for (const [i, request] of requests.entries()) {
        const bytes = contents.get(request.path) ?? new Uint8Array(0);
        const node = await fileAt(target.backend, request.path);
        expect(outcomes[i]).toMatchObject({
          kind: 'copied',
          sha256: sha256Of(bytes),
          sizeBytes: bytes.length,
          sourceToken: request.from.token,
          targetToken: node.token,
        });
        expect(Math.abs(node.mtimeMs - request.from.mtimeMs)).toBeLessThan(1);
        expect(sha256Of((await target.readOutside(request.path)) ?? patternOf(1))).toBe(sha256Of(bytes));
      }
    }, PATIENCE_MS);

    it('replaces the version expected, keeping it in the trash', async () => {
      const pair = await openPair(current());
      if (pair === undefined) return;
      const { source, target } = pair;
      await source.writeOutside('a', bytesOf('new'));
      await target.writeOutside('a', bytesOf('old'));
      const request = { path: at('a'), from: await settledFileAt(source, 'a'), replaces: await settledFileAt(target, 'a') };
      expect(await copy(pair, [request])).toMatchObject([{ kind: 'copied' }]);
      expect(textOf(await target.readOutside('a'))).toBe('new');
      if (!target.backend.capabilities.hasTrash || target.trashOutside === undefined) return;
      expect((await target.trashOutside()).map(textOf)).toEqual(['old']);
    });

    it('INV-17: answers per file when source or target are not as expected, and copies the others', async () => {
      const pair = await openPair(current());
      if (pair === undefined) return;
      const { source, target } = pair;
      const names = ['changed', 'gone', 'in-the-way', 'directory-in-the-way', 'other-version', 'vanished-target', 'good'];
      const requests: CopyRequest[] = [];
      for (const name of names) {
        await source.writeOutside(name, bytesOf(`source ${name}`));
        const replaces = ['other-version', 'vanished-target'].includes(name);
        if (replaces) await target.writeOutside(name, bytesOf('target one'));
        requests.push({
          path: at(name),
          from: await settledFileAt(source, name),
          replaces: replaces ? await settledFileAt(target, name) : undefined,
        });
      }
      await source.writeOutside('changed', bytesOf('source Changed'));
      await source.removeOutside('gone');
      await target.writeOutside('in-the-way', bytesOf('theirs'));
      await target.writeOutside('directory-in-the-way/x', bytesOf('theirs'));
      await target.writeOutside('other-version', bytesOf('target two'));
      await target.removeOutside('vanished-target');
      const outcomes = await copy(pair, requests);
      expect(outcomes.map((outcome) => outcome.kind)).toEqual([
        'source-changed',
        'source-changed',
        'target-changed',
        'target-changed',
        'target-changed',
        'target-changed',
        'copied',
      ]);
      expect([...(await target.namesOutside())].sort()).toEqual([
        'directory-in-the-way',
        'directory-in-the-way/x',
        'good',
        'in-the-way',
        'other-version',
      ]);
      expect(textOf(await target.readOutside('in-the-way'))).toBe('theirs');
      expect(textOf(await target.readOutside('other-version'))).toBe('target two');
    });

    it('answers failed for a file whose parent directory is missing', async () => {
      const pair = await openPair(current());
      if (pair === undefined || !pair.target.backend.capabilities.keepsEmptyDirectories) return;
      const { source, target } = pair;
      await source.writeOutside('d/a', bytesOf('x'));
      await source.writeOutside('b', bytesOf('x'));
      const requests = [
        { path: at('d/a'), from: await settledFileAt(source, 'd/a'), replaces: undefined },
        { path: at('b'), from: await settledFileAt(source, 'b'), replaces: undefined },
      ];
      expect(await copy(pair, requests)).toMatchObject([{ kind: 'failed', error: { code: 'not-found' } }, { kind: 'copied' }]);
      expect(await target.namesOutside()).toEqual(['b']);
    });

    it('stops with cancelled when the signal aborts, leaving every visible file whole', async () => {
      const pair = await openPair(current());
      if (pair === undefined) return;
      const { source, target } = pair;
      const requests: CopyRequest[] = [];
      for (let i = 0; i < 30; i += 1) {
        const path = `f${String(i)}`;
        await source.writeOutside(path, bytesOf(path));
        requests.push({ path: at(path), from: await settledFileAt(source, path), replaces: undefined });
      }
      const run = async (signal: AbortSignal, onBatch: () => void): Promise<void> => {
        for await (const _batch of copier(target.backend, source.backend, requests, signal)) onBatch();
      };
      expect(await failureOf(run(AbortSignal.abort(), () => undefined))).toBe('cancelled');
      expect(await target.namesOutside()).toEqual([]);
      const abort = new AbortController();
      const failure = await failureOf(run(abort.signal, () => abort.abort()));
      const names = await target.namesOutside();
      expect(failure === 'cancelled' || names.length === 30).toBe(true);
      for (const name of names) {
        const bytes = await readListed(target, name);
        // Withdrawn, as long as it is not to be seen any more.
        if (bytes === undefined) expect(await target.namesOutside()).not.toContain(name);
        else expect(textOf(bytes)).toBe(name);
      }
    });

    it('has no way from a storage of another kind', () => {
      const { backend } = current();
      const stranger = { ...backend, type: 'stranger' } as StorageBackend;
      expect(backend.copyFrom?.(stranger, [])).toBeUndefined();
    });
  });
}

interface Pair {
  readonly source: OpenBackend;
  readonly target: OpenBackend;
}

/** A source to copy from and the backend under test as target; `undefined` where it cannot copy. */
async function openPair(target: OpenBackend): Promise<Pair | undefined> {
  const source = await target.openCopySource?.();
  return source === undefined ? undefined : { source, target };
}

function copier(target: StorageBackend, source: StorageBackend, requests: readonly CopyRequest[], signal?: AbortSignal) {
  const copying = target.copyFrom?.(source, requests, signal);
  if (copying === undefined) throw new Error('copyFrom has no way from the source that openCopySource gave');
  return copying;
}

/** Copies and returns the outcomes in the order of the requests. */
async function copy({ source, target }: Pair, requests: readonly CopyRequest[]): Promise<CopyOutcome[]> {
  const outcomes = new Map<number, CopyOutcome>();
  for await (const batch of copier(target.backend, source.backend, requests)) {
    for (const { index, outcome } of batch) {
      expect(outcomes.has(index)).toBe(false);
      outcomes.set(index, outcome);
    }
  }
  expect(outcomes.size).toBe(requests.length);
  return requests.map((_, index) => {
    const outcome = outcomes.get(index);
    if (outcome === undefined) throw new Error(`no outcome for request ${String(index)}`);
    return outcome;
  });
}

/**
 * The content of a file that a listing has just shown. A server that is still at a request which was
 * given up may list a name a moment before it can be read (Ceph, in a bucket with versions).
 */
async function readListed(opened: OpenBackend, path: string): Promise<Uint8Array | undefined> {
  for (let turn = 0; turn < 250; turn += 1) {
    const bytes = await opened.readOutside(path);
    if (bytes !== undefined) return bytes;
    await letPass(opened, 20);
  }
  return undefined;
}
