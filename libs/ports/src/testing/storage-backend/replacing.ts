/** The contract of `openForSafeReplace`, as tests (INV-5, INV-6, INV-17, INV-25, INV-27). */

import { describe, expect, it } from '@jest/globals';
import { NO_TOKEN, type Token } from '@wl/domain';

import { PATIENCE_MS } from '../patience.js';
import {
  at,
  bytesOf,
  failureOf,
  fileAt,
  listKeys,
  openReader,
  patternOf,
  put,
  putOrFail,
  readFile,
  settledFileAt,
  sha256Of,
  textOf,
} from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

const stale = { ok: false, error: { kind: 'stale-token' } };

/** Tests of creating and replacing files. */
export function describeReplacing(current: CurrentBackend): void {
  describe('openForSafeReplace', () => {
    it('creates a file, an empty one too', async () => {
      const { backend, readOutside, mkdirOutside } = current();
      await mkdirOutside('d');
      await putOrFail(backend, 'd/a', bytesOf('content'));
      await putOrFail(backend, 'empty', new Uint8Array(0));
      expect(textOf(await readOutside('d/a'))).toBe('content');
      expect(await readOutside('empty')).toHaveLength(0);
    });

    it('writes three megabytes from chunks of any size', async () => {
      const { backend, readOutside } = current();
      const bytes = patternOf(3 << 20);
      await putOrFail(backend, 'large', bytes, { chunkBytes: 77_777 });
      expect(sha256Of((await readOutside('large')) ?? new Uint8Array(0))).toBe(sha256Of(bytes));
    }, PATIENCE_MS);

    it('does not keep the chunks it was given: the caller may reuse its buffer', async () => {
      const { backend, readOutside } = current();
      const writer = await backend.openForSafeReplace(at('a'), undefined, { mtimeMs: NaN });
      const buffer = bytesOf('one');
      await writer.write(buffer);
      buffer.set(bytesOf('two'));
      await writer.write(buffer);
      expect(await writer.commit({ sha256: sha256Of(bytesOf('onetwo')), sizeBytes: 6 })).toMatchObject({ ok: true });
      expect(textOf(await readOutside('a'))).toBe('onetwo');
    });

    it('INV-25: returns the token that stat and list tell afterwards', async () => {
      const { backend } = current();
      const created = await putOrFail(backend, 'a', bytesOf('one'));
      expect(await backend.getFileToken(at('a'))).toBe(created.token);
      const replaced = await putOrFail(backend, 'a', bytesOf('two'), { expected: created.token });
      expect((await fileAt(backend, 'a')).token).toBe(replaced.token);
      expect(replaced.token).not.toBe(created.token);
      expect((await settledFileAt(current(), 'a')).token).toBe(replaced.token);
    });

    it('keeps the modification time to the millisecond, or as finely as the store can', async () => {
      const { backend, keepsTimes = true, timeStepMs = 1 } = current();
      if (!keepsTimes) return;
      for (const mtimeMs of [1_600_000_000_123, 86_400_000, 1_700_000_000_999]) {
        const path = `t${String(mtimeMs)}`;
        await putOrFail(backend, path, bytesOf('x'), { attributes: { mtimeMs } });
        expect(Math.abs((await fileAt(backend, path)).mtimeMs - mtimeMs)).toBeLessThan(timeStepMs);
      }
    });

    it('T34: writes the content when the modification time makes no sense', async () => {
      const { backend, readOutside } = current();
      for (const [i, mtimeMs] of [NaN, Infinity, -Infinity, 1e300, -1e300, 0, -1, 3.4e12].entries()) {
        await putOrFail(backend, `f${String(i)}`, bytesOf(String(i)), { attributes: { mtimeMs } });
        expect(textOf(await readOutside(`f${String(i)}`))).toBe(String(i));
      }
    });

    it('refuses to create over an existing file, which stays', async () => {
      const { backend, writeOutside, readOutside } = current();
      await writeOutside('a', bytesOf('theirs'));
      const { token } = await fileAt(backend, 'a');
      expect(await put(backend, 'a', bytesOf('ours'))).toMatchObject(stale);
      expect(textOf(await readOutside('a'))).toBe('theirs');
      expect(await backend.getFileToken(at('a'))).toBe(token);
    });

    it('refuses to create or replace where a directory stands, which stays', async () => {
      const { backend, writeOutside, readOutside } = current();
      await writeOutside('a', bytesOf('x'));
      const { token } = await fileAt(backend, 'a');
      const { removeOutside } = current();
      await removeOutside('a');
      await writeOutside('a/b', bytesOf('inner'));
      expect(await put(backend, 'a', bytesOf('ours'))).toMatchObject(stale);
      expect(await put(backend, 'a', bytesOf('ours'), { expected: token })).toMatchObject(stale);
      expect(textOf(await readOutside('a/b'))).toBe('inner');
      expect(await listKeys(backend)).toEqual(['a/', 'a/b']);
    });

    it('refuses to create over a link or to write through one', async () => {
      const { backend, writeOutside, symlinkOutside, readOutside, namesOutside } = current();
      if (symlinkOutside === undefined) return;
      await writeOutside('real/file', bytesOf('theirs'));
      await symlinkOutside('link', 'real/file');
      await symlinkOutside('dangling', 'nowhere');
      await symlinkOutside('directory', 'real');
      for (const path of ['link', 'dangling']) expect(await put(backend, path, bytesOf('ours'))).toMatchObject(stale);
      // T71: a parent that became a link leads nowhere.
      const through = await put(backend, 'directory/new', bytesOf('ours')).catch((error: unknown) => error);
      expect(through).not.toMatchObject({ ok: true });
      expect(textOf(await readOutside('real/file'))).toBe('theirs');
      expect([...(await namesOutside())].sort()).toEqual(['dangling', 'directory', 'link', 'real', 'real/file']);
    });

    it('INV-17: refuses to replace a file whose token has moved on', async () => {
      const { backend, writeOutside, readOutside } = current();
      await writeOutside('a', bytesOf('one'));
      const { token } = await settledFileAt(current(), 'a');
      await writeOutside('a', bytesOf('two'));
      expect(await put(backend, 'a', bytesOf('ours'), { expected: token })).toMatchObject(stale);
      expect(textOf(await readOutside('a'))).toBe('two');
    });

    it('INV-17, T55: refuses when the file changes after the writer was opened', async () => {
      const { backend, writeOutside, readOutside } = current();
      await writeOutside('a', bytesOf('one'));
      const { token } = await settledFileAt(current(), 'a');
      const writer = await backend.openForSafeReplace(at('a'), token, { mtimeMs: 0 });
      await writer.write(bytesOf('ours'));
      await writeOutside('a', bytesOf('two'));
      expect(await writer.commit({ sha256: sha256Of(bytesOf('ours')), sizeBytes: 4 })).toMatchObject(stale);
      await writer.abort();
      expect(textOf(await readOutside('a'))).toBe('two');
    });

    it('INV-17, T57: refuses to create when somebody else created meanwhile', async () => {
      const { backend, writeOutside, readOutside } = current();
      const writer = await backend.openForSafeReplace(at('a'), undefined, { mtimeMs: 0 });
      await writer.write(bytesOf('ours'));
      await writeOutside('a', bytesOf('theirs'));
      expect(await writer.commit({ sha256: sha256Of(bytesOf('ours')), sizeBytes: 4 })).toMatchObject(stale);
      await writer.abort();
      expect(textOf(await readOutside('a'))).toBe('theirs');
    });

    it('refuses to replace a file that is gone, creating nothing', async () => {
      const { backend, writeOutside, removeOutside, namesOutside } = current();
      await writeOutside('a', bytesOf('one'));
      const { token } = await fileAt(backend, 'a');
      await removeOutside('a');
      expect(await put(backend, 'a', bytesOf('ours'), { expected: token })).toMatchObject(stale);
      expect(await namesOutside()).toEqual([]);
    });

    it('takes a token that equals no other for stale', async () => {
      const { backend, writeOutside, readOutside } = current();
      await writeOutside('a', bytesOf('one'));
      for (const expected of [NO_TOKEN, 'no such token' as Token]) {
        expect(await put(backend, 'a', bytesOf('ours'), { expected })).toMatchObject(stale);
      }
      expect(textOf(await readOutside('a'))).toBe('one');
    });

    it('INV-6: shows nothing before commit and everything after', async () => {
      const { backend, writeOutside, readOutside, namesOutside } = current();
      await writeOutside('old', bytesOf('old'));
      const { token } = await settledFileAt(current(), 'old');
      const created = await backend.openForSafeReplace(at('new'), undefined, { mtimeMs: 0 });
      const replaced = await backend.openForSafeReplace(at('old'), token, { mtimeMs: 0 });
      const content = patternOf(300_000);
      for (const writer of [created, replaced]) await writer.write(content);
      expect(await listKeys(backend)).toEqual(['old']);
      expect(await namesOutside()).toEqual(['old']);
      expect(await backend.stat(at('new'))).toEqual({ kind: 'absent' });
      expect(textOf(await readOutside('old'))).toBe('old');
      expect(await backend.getFileToken(at('old'))).toBe(token);
      for (const writer of [created, replaced]) {
        expect(await writer.commit({ sha256: sha256Of(content), sizeBytes: content.length })).toMatchObject({ ok: true });
      }
      expect([...(await namesOutside())].sort()).toEqual(['new', 'old']);
      for (const path of ['new', 'old']) expect(sha256Of((await readOutside(path)) ?? new Uint8Array(0))).toBe(sha256Of(content));
    });

    it('leaves a reader of the old version its bytes, or tells it', async () => {
      const { backend } = current();
      const old = await putOrFail(backend, 'a', patternOf(1 << 20, 1));
      const reader = await openReader(backend, 'a', old.token);
      await putOrFail(backend, 'a', patternOf(1 << 20, 2), { expected: old.token });
      const chunks: Uint8Array[] = [];
      const failure = await failureOf(
        (async () => {
          for await (const chunk of reader.chunks()) chunks.push(new Uint8Array(chunk));
        })(),
      );
      if (failure === undefined) expect(sha256Of(Buffer.concat(chunks))).toBe(sha256Of(patternOf(1 << 20, 1)));
      await reader.close();
    });

    it('leaves nothing behind after abort, at any time', async () => {
      const { backend, writeOutside, namesOutside, readOutside } = current();
      await writeOutside('old', bytesOf('old'));
      const { token } = await fileAt(backend, 'old');
      const untouched = await backend.openForSafeReplace(at('new'), undefined, { mtimeMs: 0 });
      await untouched.abort();
      const begun = await backend.openForSafeReplace(at('old'), token, { mtimeMs: 0 });
      await begun.write(bytesOf('half'));
      await begun.abort();
      await begun.abort();
      expect(await failureOf(begun.commit({ sha256: sha256Of(bytesOf('half')), sizeBytes: 4 }))).toBeDefined();
      expect(await namesOutside()).toEqual(['old']);
      expect(await listKeys(backend)).toEqual(['old']);
      expect(textOf(await readOutside('old'))).toBe('old');
    });

    it('does nothing when aborted after commit', async () => {
      const { backend, readOutside } = current();
      const writer = await backend.openForSafeReplace(at('a'), undefined, { mtimeMs: 0 });
      await writer.write(bytesOf('x'));
      expect(await writer.commit({ sha256: sha256Of(bytesOf('x')), sizeBytes: 1 })).toMatchObject({ ok: true });
      await writer.abort();
      expect(textOf(await readOutside('a'))).toBe('x');
    });

    it('INV-18: changes nothing when commit is called twice', async () => {
      const { backend, readOutside, namesOutside } = current();
      const writer = await backend.openForSafeReplace(at('a'), undefined, { mtimeMs: 0 });
      await writer.write(bytesOf('x'));
      const content = { sha256: sha256Of(bytesOf('x')), sizeBytes: 1 };
      expect(await writer.commit(content)).toMatchObject({ ok: true });
      const token = await backend.getFileToken(at('a'));
      await writer.commit(content).catch(() => undefined);
      await writer.abort();
      expect(textOf(await readOutside('a'))).toBe('x');
      expect(await backend.getFileToken(at('a'))).toBe(token);
      expect(await namesOutside()).toEqual(['a']);
    });

    it('INV-27, T41: rejects with damaged when stored and declared content differ, showing nothing', async () => {
      const { backend, writeOutside, readOutside, namesOutside } = current();
      await writeOutside('old', bytesOf('old'));
      const { token } = await fileAt(backend, 'old');
      const good = bytesOf('content');
      const lies = [
        { sha256: sha256Of(bytesOf('other')), sizeBytes: good.length },
        { sha256: sha256Of(good), sizeBytes: good.length + 1 },
        { sha256: sha256Of(good), sizeBytes: 0 },
      ];
      for (const declared of lies) {
        for (const [path, expected] of [['new', undefined], ['old', token]] as const) {
          const writer = await backend.openForSafeReplace(at(path), expected, { mtimeMs: 0 });
          await writer.write(good);
          expect(await failureOf(writer.commit(declared))).toBe('damaged');
          await writer.abort();
        }
      }
      expect(await namesOutside()).toEqual(['old']);
      expect(textOf(await readOutside('old'))).toBe('old');
      expect(await backend.getFileToken(at('old'))).toBe(token);
    });

    it('rejects with not-found when the parent directory is missing', async () => {
      const { backend, namesOutside } = current();
      if (!backend.capabilities.keepsEmptyDirectories) return;
      expect(await failureOf(put(backend, 'no/such/a', bytesOf('x')))).toBe('not-found');
      expect(await namesOutside()).toEqual([]);
    });

    it('rejects, or answers stale-token, when the parent vanishes before commit', async () => {
      const { backend, mkdirOutside, removeOutside, namesOutside } = current();
      if (!backend.capabilities.keepsEmptyDirectories) return;
      await mkdirOutside('d');
      const writer = await backend.openForSafeReplace(at('d/a'), undefined, { mtimeMs: 0 });
      await writer.write(bytesOf('x'));
      await removeOutside('d');
      const outcome = await writer.commit({ sha256: sha256Of(bytesOf('x')), sizeBytes: 1 }).catch((error: unknown) => error);
      expect(outcome).not.toMatchObject({ ok: true });
      await writer.abort();
      expect(await namesOutside()).toEqual([]);
    });

    it('never makes a child under a file', async () => {
      const { backend, writeOutside, readOutside, namesOutside } = current();
      await writeOutside('a', bytesOf('file'));
      const outcome = await put(backend, 'a/b', bytesOf('x')).catch((error: unknown) => error);
      expect(outcome).not.toMatchObject({ ok: true });
      expect(textOf(await readOutside('a'))).toBe('file');
      expect(await namesOutside()).toEqual(['a']);
    });

    it('INV-5: keeps what it replaces in the trash', async () => {
      const { backend, trashOutside } = current();
      if (!backend.capabilities.hasTrash || trashOutside === undefined) return;
      const first = await putOrFail(backend, 'a', bytesOf('first'));
      const second = await putOrFail(backend, 'a', bytesOf('second'), { expected: first.token });
      await putOrFail(backend, 'a', bytesOf('third'), { expected: second.token });
      expect((await trashOutside()).map(textOf).sort()).toEqual(['first', 'second']);
    });

    it('stops with cancelled when the signal has aborted, showing nothing', async () => {
      const { backend, namesOutside } = current();
      expect(await failureOf(put(backend, 'a', bytesOf('x'), { signal: AbortSignal.abort() }))).toBe('cancelled');
      const abort = new AbortController();
      const writer = await backend.openForSafeReplace(at('a'), undefined, { mtimeMs: 0 }, abort.signal);
      await writer.write(bytesOf('x'));
      abort.abort();
      expect(await failureOf(writer.commit({ sha256: sha256Of(bytesOf('x')), sizeBytes: 1 }))).toBe('cancelled');
      await writer.abort();
      expect(await namesOutside()).toEqual([]);
    });

    it('can be read back at once', async () => {
      const { backend } = current();
      await putOrFail(backend, 'a', bytesOf('content'));
      expect(textOf(await readFile(backend, 'a'))).toBe('content');
    });
  });
}
