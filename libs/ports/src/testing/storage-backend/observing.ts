/** The contract of `stat`, `getFileToken` and `getHashes`, as tests. */

import { describe, expect, it } from '@jest/globals';
import { RESERVED_NAME, ROOT, type RelativePath, type Token } from '@wl/domain';

import { PATIENCE_MS } from '../patience.js';
import { at, bytesOf, failureOf, fileAt, letPass, listRows, settledFileAt, sha256Of } from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

/** Tests of looking at single paths. */
export function describeObserving(current: CurrentBackend): void {
  describe('stat and getFileToken', () => {
    it('tell files, directories and absence apart', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a/b', bytesOf('five!'));
      expect(await backend.stat(at('a/b'))).toMatchObject({ kind: 'file', sizeBytes: 5 });
      expect(await backend.stat(at('a'))).toEqual({ kind: 'directory' });
      expect(await backend.stat(ROOT)).toEqual({ kind: 'directory' });
      expect(await backend.stat(at('b'))).toEqual({ kind: 'absent' });
      expect(await backend.stat(at('x/y/z'))).toEqual({ kind: 'absent' });
      expect(await backend.stat(at('a/b/c'))).toEqual({ kind: 'absent' });
    });

    it('agree on the token, which only files have', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a/b', bytesOf('x'));
      expect(await backend.getFileToken(at('a/b'))).toBe((await fileAt(backend, 'a/b')).token);
      for (const path of ['a', 'b', 'x/y', 'a/b/c']) expect(await backend.getFileToken(at(path))).toBeUndefined();
    });

    it('answer absent for everything in the reserved area', async () => {
      const { backend, writeOutside } = current();
      await writeOutside(`${RESERVED_NAME}/stray`, bytesOf('x'));
      for (const path of [RESERVED_NAME, `${RESERVED_NAME}/stray`, `${RESERVED_NAME}/other`]) {
        expect(await backend.stat(path as RelativePath)).toEqual({ kind: 'absent' });
        expect(await backend.getFileToken(path as RelativePath)).toBeUndefined();
      }
    });

    it('keep the token while nothing changes, however often the file is read', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('content'));
      const { token } = await fileAt(backend, 'a');
      await backend.getHashes([at('a')]);
      await letPass(current(), 30);
      expect((await fileAt(backend, 'a')).token).toBe(token);
      expect((await listRows(backend))[0]?.token).toBe(token);
    });

    it('change the token when the content changes, at the same size too', async () => {
      const { backend, writeOutside, removeOutside } = current();
      const contents = new Map<Token, string>();
      // Content that comes back may come under the token it had: a token only stands for one content.
      for (const content of ['one', 'two', 'three', 'one']) {
        await writeOutside('a', bytesOf(content));
        const { token } = await settledFileAt(current(), 'a');
        expect(contents.get(token) ?? content).toBe(content);
        contents.set(token, content);
      }
      await removeOutside('a');
      expect(await backend.getFileToken(at('a'))).toBeUndefined();
    });

    it('INV-24, T33: show a new modification time, which makes no new content', async () => {
      const { backend, writeOutside, touchOutside } = current();
      if (touchOutside === undefined) return;
      await writeOutside('a', bytesOf('content'));
      await touchOutside('a', 1_500_000_000_000);
      expect((await fileAt(backend, 'a')).mtimeMs).toBe(1_500_000_000_000);
      expect(await backend.getHashes([at('a')])).toMatchObject([{ kind: 'hashed', node: { hash: sha256Of(bytesOf('content')) } }]);
    });

    it('mark a token as racy as long as a further change might keep it', async () => {
      const { backend, writeOutside } = current();
      for (let i = 0; i < 20; i += 1) {
        await writeOutside('a', bytesOf(`${String(i % 10)}one`));
        const before = await fileAt(backend, 'a');
        await writeOutside('a', bytesOf(`${String(i % 10)}two`));
        const after = await fileAt(backend, 'a');
        expect(before.token !== after.token || before.isRacy).toBe(true);
      }
    });

    it('INV-34: do not look through links', async () => {
      const { backend, writeOutside, symlinkOutside } = current();
      if (symlinkOutside === undefined) return;
      await writeOutside('real/file', bytesOf('x'));
      await symlinkOutside('link', 'real');
      expect(await backend.stat(at('link'))).toEqual({ kind: 'unknown', reason: 'symlink' });
      expect((await backend.stat(at('link/file'))).kind).not.toBe('file');
      expect(await backend.getFileToken(at('link/file'))).toBeUndefined();
    });

    it('T73: compare names exactly where case does not matter to the storage', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('Readme', bytesOf('x'));
      const other = await backend.stat(at('README'));
      expect(other).toEqual(backend.capabilities.isCaseSensitive ? { kind: 'absent' } : { kind: 'unknown', reason: 'name-collision' });
      expect(await backend.getFileToken(at('README'))).toBeUndefined();
    });
  });

  describe('getHashes', () => {
    it('hashes in the order asked for, each with the node it belongs to', async () => {
      const { backend, writeOutside } = current();
      const contents = ['', 'b', 'a longer text', '\u{1f600}'];
      for (const [i, content] of contents.entries()) await writeOutside(`d/${String(i)}`, bytesOf(content));
      const outcomes = await backend.getHashes([at('d/3'), at('d/0'), at('d/2'), at('d/1')]);
      const hashes = outcomes.map((outcome) => (outcome.kind === 'hashed' ? outcome.node.hash : outcome.kind));
      expect(hashes).toEqual([3, 0, 2, 1].map((i) => sha256Of(bytesOf(contents[i] ?? ''))));
      for (const [i, outcome] of outcomes.entries()) {
        const { token, sizeBytes } = await fileAt(backend, `d/${String([3, 0, 2, 1][i])}`);
        expect(outcome).toMatchObject({ kind: 'hashed', node: { kind: 'file', token, sizeBytes } });
      }
    });

    it('answers absent for what is not there and keeps the places of the others', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('x'));
      const outcomes = await backend.getHashes([at('b'), at('a'), at('c/d'), at('a')]);
      expect(outcomes.map((outcome) => outcome.kind)).toEqual(['absent', 'hashed', 'absent', 'hashed']);
      expect(await backend.getHashes([])).toEqual([]);
    });

    it('answers for a directory neither with a hash nor that nothing is there', async () => {
      const { backend, writeOutside, symlinkOutside } = current();
      await writeOutside('a/b', bytesOf('x'));
      await symlinkOutside?.('link', 'a/b');
      const paths = symlinkOutside === undefined ? [at('a')] : [at('a'), at('link')];
      for (const outcome of await backend.getHashes(paths)) expect(['unknown', 'changing']).toContain(outcome.kind);
    });

    it('hashes many files and a large one', async () => {
      const { backend, writeOutside } = current();
      const paths = Array.from({ length: 60 }, (_, i) => `many/${String(i)}`);
      for (const path of paths) await writeOutside(path, bytesOf(path));
      const large = new Uint8Array(3 << 20).fill(7);
      await writeOutside('large', large);
      const outcomes = await backend.getHashes([...paths, 'large'].map(at));
      expect(outcomes.map((outcome) => (outcome.kind === 'hashed' ? outcome.node.hash : outcome.kind))).toEqual([
        ...paths.map((path) => sha256Of(bytesOf(path))),
        sha256Of(large),
      ]);
    }, PATIENCE_MS);

    it('stops with cancelled when the signal has aborted', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('x'));
      expect(await failureOf(backend.getHashes([at('a')], AbortSignal.abort()))).toBe('cancelled');
    });
  });
}
