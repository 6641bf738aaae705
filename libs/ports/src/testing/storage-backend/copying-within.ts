/** The contract of copies within a storage (moves, duplicates), as tests; skipped for a storage that has no `copyWithinBytes`. */

import { describe, expect, it } from '@jest/globals';

import { RESERVED_NAME, type RelativePath } from '@wl/domain';

import type { CopyOutcome, CopyRequest } from '../../storage-backend.js';
import { at, drain, fileAt, openReader, patternOf, settledFileAt, sha256Of } from './helpers.js';
import type { CurrentBackend, OpenBackend } from './open-backend.js';

const ATTRIBUTES = { mtimeMs: 1_600_000_000_250, isExecutable: true };

/** Tests of `copyFrom` of a storage from itself. */
export function describeCopyingWithin(current: CurrentBackend): void {
  describe('copyFrom itself', () => {
    it('INV-33: makes the content of one name that of others, with the attributes given or its own', async () => {
      const opened = current();
      if (!copiesWithin(opened)) return;
      const bytes = contentFor(opened, 1);
      await opened.writeOutside('old', bytes);
      await opened.mkdirOutside('d');
      const from = await settledFileAt(opened, 'old');
      const common = { fromPath: at('old'), from: { ...from, hash: sha256Of(bytes) }, replaces: undefined };
      const outcomes = await copyWithin(opened, [
        { ...common, path: at('d/plain') },
        { ...common, path: at('d/given'), attributes: ATTRIBUTES },
        { ...common, path: at('other'), attributes: { mtimeMs: Number.NaN } },
      ]);
      for (const [i, path] of ['d/plain', 'd/given', 'other'].entries()) {
        expect(sha256Of((await opened.readOutside(path)) ?? new Uint8Array(0))).toBe(sha256Of(bytes));
        expect(outcomes[i]).toMatchObject({
          kind: 'copied',
          sha256: sha256Of(bytes),
          sizeBytes: bytes.length,
          sourceToken: from.token,
          targetToken: (await fileAt(opened.backend, path)).token,
        });
      }
      expect((await fileAt(opened.backend, 'old')).token).toBe(from.token);
      const attributesOf = async (path: string) => {
        const reader = await openReader(opened.backend, path, (await fileAt(opened.backend, path)).token);
        await drain(reader);
        await reader.close();
        return reader.attributes;
      };
      expect(Math.abs((await attributesOf('d/plain')).mtimeMs - from.mtimeMs)).toBeLessThan(1);
      const given = await attributesOf('d/given');
      expect(Math.abs(given.mtimeMs - ATTRIBUTES.mtimeMs)).toBeLessThan(1);
      // A storage that tells of programs at all must tell of this one.
      expect(given.isExecutable).not.toBe(false);
    });

    it('replaces the version expected, keeping it in the trash', async () => {
      const opened = current();
      if (!copiesWithin(opened)) return;
      const [content, replaced] = [contentFor(opened, 1), contentFor(opened, 2)];
      await opened.writeOutside('old', content);
      await opened.writeOutside('new', replaced);
      const request = { path: at('new'), fromPath: at('old'), from: await settledFileAt(opened, 'old'), replaces: await settledFileAt(opened, 'new') };
      expect(await copyWithin(opened, [{ ...request, attributes: ATTRIBUTES }])).toMatchObject([{ kind: 'copied', sha256: sha256Of(content) }]);
      expect(sha256Of((await opened.readOutside('new')) ?? new Uint8Array(0))).toBe(sha256Of(content));
      if (!opened.backend.capabilities.hasTrash || opened.trashOutside === undefined) return;
      expect((await opened.trashOutside()).map(sha256Of)).toEqual([sha256Of(replaced)]);
    });

    it('INV-17, INV-27: answers per file when the content is another or the target is taken, and copies the others', async () => {
      const opened = current();
      if (!copiesWithin(opened)) return;
      const bytes = contentFor(opened, 1);
      const requests: CopyRequest[] = [];
      // Where the bytes are not looked at, only the version can be another.
      const isLookedAt = opened.backend.capabilities.hashesByTransfer !== true;
      for (const name of ['changed', 'gone', 'other-hash', 'taken', 'replaced', 'good']) {
        await opened.writeOutside(`${name}-source`, bytes);
        if (name === 'replaced') await opened.writeOutside(name, contentFor(opened, 2));
        requests.push({
          path: at(name),
          fromPath: at(`${name}-source`),
          from: { ...(await settledFileAt(opened, `${name}-source`)), hash: sha256Of(name === 'other-hash' && isLookedAt ? contentFor(opened, 9) : bytes) },
          replaces: name === 'replaced' ? await settledFileAt(opened, name) : undefined,
          attributes: ATTRIBUTES,
        });
      }
      const theirs = contentFor(opened, 3);
      await opened.writeOutside('changed-source', contentFor(opened, 4));
      if (!isLookedAt) await opened.writeOutside('other-hash-source', contentFor(opened, 9));
      await opened.removeOutside('gone-source');
      await opened.writeOutside('taken', theirs);
      await opened.writeOutside('replaced', theirs);
      const outcomes = await copyWithin(opened, requests);
      expect(outcomes.map(({ kind }) => kind)).toEqual(['source-changed', 'source-changed', 'source-changed', 'target-changed', 'target-changed', 'copied']);
      for (const name of ['changed', 'gone', 'other-hash']) expect(await opened.readOutside(name)).toBeUndefined();
      for (const name of ['taken', 'replaced']) expect(sha256Of((await opened.readOutside(name)) ?? new Uint8Array(0))).toBe(sha256Of(theirs));
      expect(sha256Of((await opened.readOutside('good')) ?? new Uint8Array(0))).toBe(sha256Of(bytes));
    });

    it('INV-34: puts nothing under a name that belongs to the backend', async () => {
      const opened = current();
      if (!copiesWithin(opened)) return;
      await opened.writeOutside('old', contentFor(opened, 1));
      const from = await settledFileAt(opened, 'old');
      const outcomes = await copyWithin(opened, [{ path: `${RESERVED_NAME}/new` as RelativePath, fromPath: at('old'), from, replaces: undefined }]);
      expect(outcomes).toMatchObject([{ kind: 'failed' }]);
      expect(await opened.namesOutside()).toEqual(['old']);
    });
  });
}

function copiesWithin({ backend }: OpenBackend): boolean {
  return backend.capabilities.copyWithinBytes !== undefined;
}

/** Bytes of a size that is worth it there. */
function contentFor({ backend }: OpenBackend, seed: number): Uint8Array {
  return patternOf((backend.capabilities.copyWithinBytes ?? 0) + 1000, seed);
}

/** Copies and returns the outcomes in the order of the requests. */
async function copyWithin({ backend }: OpenBackend, requests: readonly CopyRequest[]): Promise<CopyOutcome[]> {
  const copying = backend.copyFrom?.(backend, requests);
  if (copying === undefined) throw new Error('a storage with copyWithinBytes has no way to copy from itself');
  const outcomes = new Map<number, CopyOutcome>();
  for await (const batch of copying) {
    for (const { index, outcome } of batch) {
      expect(outcomes.has(index)).toBe(false);
      outcomes.set(index, outcome);
    }
  }
  return requests.map((_, index) => {
    const outcome = outcomes.get(index);
    if (outcome === undefined) throw new Error(`no outcome for request ${String(index)}`);
    return outcome;
  });
}
