/** The contract of `read`, as tests. */

import { describe, expect, it } from '@jest/globals';
import type { Token } from '@wl/domain';

import { PATIENCE_MS } from '../patience.js';
import { at, bytesOf, drain, failureOf, fileAt, openReader, patternOf, putOrFail, readFile, settledFileAt, sha256Of, textOf } from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

/** Tests of reading. */
export function describeReading(current: CurrentBackend): void {
  describe('read', () => {
    it('gives the bytes of the version asked for', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a/b', bytesOf('content'));
      const reader = await openReader(backend, 'a/b', (await fileAt(backend, 'a/b')).token);
      expect(textOf(await drain(reader))).toBe('content');
      expect(await reader.isUnchanged()).toBe(true);
      await reader.close();
    });

    it('gives an empty file as no bytes', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('empty', new Uint8Array(0));
      const reader = await openReader(backend, 'empty', (await fileAt(backend, 'empty')).token);
      expect(await drain(reader)).toHaveLength(0);
      expect(await reader.isUnchanged()).toBe(true);
      await reader.close();
    });

    it('gives three megabytes in order', async () => {
      const { backend, writeOutside } = current();
      const bytes = patternOf(3 << 20);
      await writeOutside('large', bytes);
      expect(sha256Of(await readFile(backend, 'large'))).toBe(sha256Of(bytes));
    }, PATIENCE_MS);

    it('tells the modification time that stat tells', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('x'));
      const node = await fileAt(backend, 'a');
      const reader = await openReader(backend, 'a', node.token);
      expect(reader.attributes.mtimeMs).toBeCloseTo(node.mtimeMs, 3);
      await reader.close();
    });

    it('answers stale-token when the file is another version, a directory or gone', async () => {
      const { backend, writeOutside, removeOutside } = current();
      const stale = { ok: false, error: { kind: 'stale-token' } };
      await writeOutside('a', bytesOf('one'));
      const { token } = await settledFileAt(current(), 'a');
      await writeOutside('a', bytesOf('two'));
      expect(await backend.read(at('a'), token)).toMatchObject(stale);
      await removeOutside('a');
      expect(await backend.read(at('a'), token)).toMatchObject(stale);
      await writeOutside('a/b', bytesOf('x'));
      expect(await backend.read(at('a'), token)).toMatchObject(stale);
      expect(await backend.read(at('x/y'), token)).toMatchObject(stale);
      expect(await backend.read(at('a/b'), '' as Token)).toMatchObject(stale);
    });

    it('T42: notices a file rewritten in place while it is read', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', patternOf(3 << 20, 1));
      const reader = await openReader(backend, 'a', (await settledFileAt(current(), 'a')).token);
      const chunks = reader.chunks()[Symbol.asyncIterator]();
      await chunks.next();
      await writeOutside('a', patternOf(3 << 20, 2));
      const failure = await failureOf((async () => void (await drainRest(chunks)))());
      if (failure === undefined) expect(await reader.isUnchanged()).toBe(false);
      await reader.close();
    }, PATIENCE_MS);

    it('T42: notices a file replaced or removed while it is read', async () => {
      const { backend, writeOutside, removeOutside, renameOutside } = current();
      for (const change of [
        async () => removeOutside('a'),
        async () => {
          await writeOutside('b', bytesOf('other content'));
          await renameOutside('b', 'a');
        },
      ]) {
        await writeOutside('a', patternOf(1 << 20));
        const reader = await openReader(backend, 'a', (await settledFileAt(current(), 'a')).token);
        const chunks = reader.chunks()[Symbol.asyncIterator]();
        await chunks.next();
        await change();
        const failure = await failureOf((async () => void (await drainRest(chunks)))());
        if (failure === undefined) expect(await reader.isUnchanged()).toBe(false);
        await reader.close();
      }
    }, PATIENCE_MS);

    it('INV-27, T41: never ends a shortened file as if it had been read whole', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', patternOf(3 << 20));
      const reader = await openReader(backend, 'a', (await settledFileAt(current(), 'a')).token);
      const chunks = reader.chunks()[Symbol.asyncIterator]();
      const first = await chunks.next();
      let sizeBytes = first.done === true ? 0 : first.value.length;
      await writeOutside('a', bytesOf('short'));
      const failure = await failureOf((async () => void (sizeBytes += await drainRest(chunks)))());
      // A store may go on serving the version that was opened: then all of it must come.
      expect(failure !== undefined || sizeBytes === 3 << 20).toBe(true);
      await reader.close();
    }, PATIENCE_MS);

    it('can be closed early and twice', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', patternOf(1 << 20));
      const reader = await openReader(backend, 'a', (await fileAt(backend, 'a')).token);
      for await (const chunk of reader.chunks()) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      await reader.close();
      await reader.close();
    });

    it('stops with cancelled when the signal aborts, before and in the middle', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', patternOf(3 << 20));
      const { token } = await fileAt(backend, 'a');
      expect(await failureOf(backend.read(at('a'), token, AbortSignal.abort()))).toBe('cancelled');
      const abort = new AbortController();
      const opened = await backend.read(at('a'), token, abort.signal);
      if (!opened.ok) throw new Error('a is stale');
      let sizeBytes = 0;
      const failure = await failureOf(
        (async () => {
          for await (const chunk of opened.value.chunks()) {
            sizeBytes += chunk.length;
            abort.abort();
          }
        })(),
      );
      expect(failure === 'cancelled' || sizeBytes === 3 << 20).toBe(true);
      await opened.value.close();
    }, PATIENCE_MS);

    it('reads what it wrote itself', async () => {
      const { backend } = current();
      if (backend.capabilities.isReadOnly) return;
      const committed = await putOrFail(backend, 'a', bytesOf('mine'));
      const reader = await openReader(backend, 'a', committed.token);
      expect(textOf(await drain(reader))).toBe('mine');
      await reader.close();
    });
  });
}

async function drainRest(chunks: AsyncIterator<Uint8Array>): Promise<number> {
  let sizeBytes = 0;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) sizeBytes += next.value.length;
  return sizeBytes;
}
