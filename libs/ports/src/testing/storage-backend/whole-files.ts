/** The contract of `wholeFiles`, as tests; skipped for a storage that has no such way (INV-5, INV-6, INV-17, INV-27). */

import { describe, expect, it } from '@jest/globals';
import type { RelativePath, Sha256, Token } from '@wl/domain';

import type { WholeFiles, WholeRead, WholeReadOutcome, WholeWrite } from '../../storage-backend.js';
import { PATIENCE_MS } from '../patience.js';
import { at, bytesOf, failureOf, fileAt, listKeys, patternOf, putOrFail, settledFileAt, sha256Of, textOf } from './helpers.js';
import type { CurrentBackend, OpenBackend } from './open-backend.js';

/** Some day in 2020, with a fraction of a second. */
const MTIME_MS = 1_600_000_000_123;
const NEVER_A_TOKEN = 'no version ever had this token' as Token;

/** Tests of small files in bulk. */
export function describeWholeFiles(current: CurrentBackend): void {
  describe('wholeFiles.read', () => {
    it('reads many files with hash, modification time and token state, each index once', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const contents = new Map<string, Uint8Array>([['empty', new Uint8Array(0)], ['d/largest', patternOf(whole.maxBytes)]]);
      for (let i = 0; i < 300; i += 1) contents.set(`d${String(i % 3)}/${String(i)}`, patternOf(1 + ((i * 37) % 900), i + 1));
      for (const [path, bytes] of contents) await opened.writeOutside(path, bytes);
      const requests: WholeRead[] = [];
      for (const path of contents.keys()) requests.push(await readOf(opened, path));
      const outcomes = await readAll(whole, requests);
      for (const [i, { path, expected }] of requests.entries()) {
        const bytes = contents.get(path) ?? new Uint8Array(0);
        const outcome = outcomes[i];
        if (outcome?.kind !== 'read') throw new Error(`${path} was not read: ${String(outcome?.kind)}`);
        expect(Buffer.compare(outcome.content, bytes)).toBe(0);
        expect(outcome.sha256).toBe(sha256Of(bytes));
        expect(outcome.isRacy).toBe(false);
        const node = await fileAt(opened.backend, path);
        expect(node.token).toBe(expected);
        expect(Math.abs(outcome.attributes.mtimeMs - node.mtimeMs)).toBeLessThan(1);
      }
    }, PATIENCE_MS);

    it('gives bytes that the caller may keep and change', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      for (const name of ['a', 'b']) await opened.writeOutside(name, bytesOf(`text of ${name}`));
      const requests = [await readOf(opened, 'a'), await readOf(opened, 'b')];
      const first = await readAll(whole, requests);
      for (const outcome of first) if (outcome.kind === 'read') outcome.content.fill(0);
      const again = await readAll(whole, requests);
      expect(again.map((outcome) => outcome.kind === 'read' && textOf(outcome.content))).toEqual(['text of a', 'text of b']);
      expect(textOf(await opened.readOutside('a'))).toBe('text of a');
    });

    it('INV-17: answers changed for another version, a missing file and a directory, and reads the others', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const requests: WholeRead[] = [];
      for (const name of ['rewritten', 'longer', 'gone', 'directory-now', 'good']) {
        await opened.writeOutside(name, bytesOf('some text'));
        requests.push(await readOf(opened, name));
      }
      await opened.writeOutside('rewritten', bytesOf('SOME TEXT'));
      await opened.writeOutside('longer', bytesOf('some text, and more of it'));
      await opened.removeOutside('gone');
      await opened.removeOutside('directory-now');
      await opened.writeOutside('directory-now/x', bytesOf('x'));
      requests.push({ path: at('never/was'), expected: NEVER_A_TOKEN, sizeBytes: 3 });
      const outcomes = await readAll(whole, requests);
      expect(outcomes.map(({ kind }) => kind)).toEqual(['changed', 'changed', 'changed', 'changed', 'read', 'changed']);
    });

    it('INV-8, INV-16: a file that cannot be reached has failed to be read, and the others are read', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined || opened.makeUnreadable === undefined) return;
      for (const path of ['shut/a', 'b']) await opened.writeOutside(path, bytesOf('text'));
      const requests = [await readOf(opened, 'shut/a'), await readOf(opened, 'b')];
      await opened.makeUnreadable('shut');
      const outcomes = await readAll(whole, requests);
      expect(outcomes).toMatchObject([{ kind: 'failed', error: { code: 'permission-denied', details: { operation: 'read' } } }, { kind: 'read' }]);
    });

    it('T42: what is read while somebody writes is one version or changed', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const texts = Array.from({ length: 30 }, (_, i) => String(i % 10).repeat(5000));
      for (const [round, text] of texts.entries()) {
        await opened.writeOutside('a', bytesOf(text));
        const node = await fileAt(opened.backend, 'a');
        const [[outcome]] = await Promise.all([
          readAll(whole, [{ path: at('a'), expected: node.token, sizeBytes: node.sizeBytes }]),
          Promise.resolve().then(() => opened.writeOutside('a', bytesOf(texts[round + 1] ?? 'the end'))),
        ]);
        if (outcome?.kind !== 'read') continue;
        expect(texts).toContain(textOf(outcome.content));
        expect(outcome.sha256).toBe(sha256Of(outcome.content));
      }
    }, PATIENCE_MS);

    it('stops with cancelled when the signal aborts, also in the middle', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const requests: WholeRead[] = [];
      for (let i = 0; i < 40; i += 1) {
        await opened.writeOutside(`f${String(i)}`, bytesOf('x'));
        requests.push(await readOf(opened, `f${String(i)}`));
      }
      const read = async (signal: AbortSignal, onBatch: () => void): Promise<number> => {
        let count = 0;
        for await (const batch of whole.read(requests, signal)) {
          count += batch.length;
          onBatch();
        }
        return count;
      };
      expect(await failureOf(read(AbortSignal.abort(), () => undefined))).toBe('cancelled');
      const abort = new AbortController();
      const failure = await failureOf(read(abort.signal, () => abort.abort()).then((count) => expect(count).toBe(40)));
      expect([undefined, 'cancelled']).toContain(failure);
    });

    it('lets go of everything when the caller stops asking', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const requests: WholeRead[] = [];
      for (let i = 0; i < 40; i += 1) {
        await opened.writeOutside(`f${String(i)}`, bytesOf(String(i)));
        requests.push(await readOf(opened, `f${String(i)}`));
      }
      for await (const batch of whole.read(requests)) {
        expect(batch.length).toBeGreaterThan(0);
        break;
      }
      expect((await readAll(whole, requests)).every(({ kind }) => kind === 'read')).toBe(true);
    });
  });

  describe('wholeFiles.write', () => {
    it('creates many files, the empty and the largest too, and answers in order with the tokens that stat tells (INV-25)', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const { backend } = opened;
      for (const directory of ['d0', 'd1', 'd2']) await backend.makeDirectory(at(directory));
      const requests = [writeOf('empty', new Uint8Array(0)), writeOf('d0/largest', patternOf(whole.maxBytes))];
      for (let i = 0; i < 300; i += 1) requests.push(writeOf(`d${String(i % 3)}/${String(i)}`, patternOf(1 + ((i * 37) % 900), i + 1)));
      const outcomes = await whole.write(requests);
      expect(outcomes).toHaveLength(requests.length);
      for (const [i, { path, content }] of requests.entries()) {
        const node = await fileAt(backend, path);
        expect(outcomes[i]).toMatchObject({ kind: 'written', token: node.token });
        expect(Math.abs(node.mtimeMs - MTIME_MS)).toBeLessThan(1);
        expect(sha256Of((await opened.readOutside(path)) ?? bytesOf('missing'))).toBe(sha256Of(content));
      }
      await backend.flush();
      expect((await listKeys(backend)).filter((key) => !key.endsWith('/'))).toHaveLength(requests.length);
    }, PATIENCE_MS);

    it('replaces the version expected, keeping it in the trash', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const { backend } = opened;
      const names = Array.from({ length: 12 }, (_, i) => `f${String(i)}`);
      const requests: WholeWrite[] = [];
      for (const name of names) {
        const { token } = await putOrFail(backend, name, bytesOf(`old ${name}`));
        requests.push(writeOf(name, bytesOf(`new ${name}`), { expected: token }));
      }
      const outcomes = await whole.write(requests);
      for (const [i, name] of names.entries()) {
        expect(outcomes[i]).toMatchObject({ kind: 'written', token: await backend.getFileToken(at(name)) });
        expect(textOf(await opened.readOutside(name))).toBe(`new ${name}`);
      }
      if (!backend.capabilities.hasTrash || opened.trashOutside === undefined) return;
      expect((await opened.trashOutside()).map(textOf).sort()).toEqual(names.map((name) => `old ${name}`).sort());
    }, PATIENCE_MS);

    it('INV-17, INV-16: what is not as expected is stale, untouched, and stops no other', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const { backend } = opened;
      const before = new Map<string, Token>();
      for (const name of ['edited', 'vanished', 'as-expected']) before.set(name, (await putOrFail(backend, name, bytesOf('ours'))).token);
      await opened.writeOutside('in-the-way', bytesOf('theirs'));
      await opened.writeOutside('directory-in-the-way/x', bytesOf('theirs'));
      await opened.writeOutside('edited', bytesOf('theirs'));
      await opened.removeOutside('vanished');
      const names = ['in-the-way', 'directory-in-the-way', 'edited', 'vanished', 'as-expected', 'new'];
      const outcomes = await whole.write(names.map((name) => writeOf(name, bytesOf(`new ${name}`), { expected: before.get(name) })));
      expect(outcomes.map(({ kind }) => kind)).toEqual(['stale', 'stale', 'stale', 'stale', 'written', 'written']);
      const texts: Record<string, string | undefined> = {};
      for (const name of await opened.namesOutside()) texts[name] = textOf(await opened.readOutside(name));
      expect(texts).toMatchObject({
        'in-the-way': 'theirs',
        'directory-in-the-way/x': 'theirs',
        edited: 'theirs',
        'as-expected': 'new as-expected',
        new: 'new new',
      });
      expect(Object.keys(texts)).not.toContain('vanished');
    });

    it('answers failed for a file whose parent directory is missing', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined || !opened.backend.capabilities.keepsEmptyDirectories) return;
      const outcomes = await whole.write([writeOf('d/a', bytesOf('x')), writeOf('b', bytesOf('x'))]);
      expect(outcomes).toMatchObject([{ kind: 'failed', error: { code: 'not-found', details: { path: 'd/a' } } }, { kind: 'written' }]);
      expect(await opened.namesOutside()).toEqual(['b']);
    });

    it('INV-34: writes nothing into the reserved area', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const reserved = { ...writeOf('a', bytesOf('x')), path: '.wl/trash/x' as RelativePath };
      const outcomes = await whole.write([reserved, writeOf('b', bytesOf('x'))]);
      expect(outcomes.map(({ kind }) => kind)).toEqual(['failed', 'written']);
      expect(await opened.namesOutside()).toEqual(['b']);
    });

    it('INV-27: content that does not have the hash is damaged and never shown', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const { token } = await putOrFail(opened.backend, 'old', bytesOf('old'));
      const wrong = { sha256: sha256Of(bytesOf('another text')) };
      const requests = [writeOf('new', bytesOf('some text'), wrong), writeOf('old', bytesOf('some text'), { ...wrong, expected: token }), writeOf('good', bytesOf('good'))];
      const outcomes = await whole.write(requests);
      expect(outcomes).toMatchObject([{ kind: 'failed', error: { code: 'damaged' } }, { kind: 'failed', error: { code: 'damaged' } }, { kind: 'written' }]);
      expect([...(await opened.namesOutside())].sort()).toEqual(['good', 'old']);
      expect(textOf(await opened.readOutside('old'))).toBe('old');
    });

    it('T34: a modification time that makes no sense is no reason to fail', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const times = [NaN, Infinity, -Infinity, 1e300, 0, -1, 3.4e12];
      const outcomes = await whole.write(times.map((mtimeMs, i) => ({ ...writeOf(`f${String(i)}`, bytesOf(String(i))), attributes: { mtimeMs } })));
      expect(outcomes.map(({ kind }) => kind)).toEqual(times.map(() => 'written'));
      for (const i of times.keys()) expect(textOf(await opened.readOutside(`f${String(i)}`))).toBe(String(i));
    });

    it('carries over whether a file is executable', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const choices = [true, false] as const;
      const outcomes = await whole.write(choices.map((isExecutable) => ({ ...writeOf(String(isExecutable), bytesOf('#!/bin/sh\n')), attributes: { mtimeMs: MTIME_MS, isExecutable } })));
      expect(outcomes.map(({ kind }) => kind)).toEqual(['written', 'written']);
      const read = await readAll(whole, [await readOf(opened, 'true'), await readOf(opened, 'false')]);
      expect(read).toMatchObject(choices.map((isExecutable) => ({ kind: 'read', attributes: { isExecutable } })));
    });

    it('leaves the bytes it was given to the caller', async () => {
      const { whole } = openWhole(current());
      if (whole === undefined) return;
      const memory = patternOf(10_000);
      const before = sha256Of(memory);
      const requests = [0, 1, 2].map((i) => writeOf(`f${String(i)}`, memory.subarray(i * 1000, i * 1000 + 500)));
      expect((await whole.write(requests)).map(({ kind }) => kind)).toEqual(['written', 'written', 'written']);
      expect(sha256Of(memory)).toBe(before);
    });

    it('takes several calls at once, and of those for one name lets exactly one win (T57)', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined || opened.backend.capabilities.replace === 'window') return;
      const names = Array.from({ length: 20 }, (_, i) => `f${String(i)}`);
      const writers = ['first', 'second', 'third'];
      // The others take the names in the opposite order.
      const orders = [names, [...names].reverse(), names];
      const outcomes = await Promise.all(writers.map((writer, i) => whole.write(orders[i]!.map((name) => writeOf(name, bytesOf(`${writer} ${name}`))))));
      for (const name of names) {
        const winners = writers.filter((_, i) => outcomes[i]![orders[i]!.indexOf(name)]!.kind === 'written');
        expect(winners).toHaveLength(1);
        expect(textOf(await opened.readOutside(name))).toBe(`${winners[0]!} ${name}`);
      }
    }, PATIENCE_MS);

    it('T56: loses no save of somebody outside who replaces files at any moment of a write', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined || opened.trashOutside === undefined || opened.dropsMeetingWrites === true || opened.backend.capabilities.replace === 'window') return;
      const names = Array.from({ length: 8 }, (_, i) => `f${String(i)}`);
      const requests: WholeWrite[] = [];
      for (const name of names) {
        const { token } = await putOrFail(opened.backend, name, bytesOf('old'));
        await opened.writeOutside(`${name}.tmp`, bytesOf(`theirs ${name}`));
        requests.push(writeOf(name, bytesOf(`ours ${name}`), { expected: token }));
      }
      const save = async (): Promise<void> => {
        for (const name of names) {
          await new Promise((resolve) => setImmediate(resolve));
          await opened.renameOutside(`${name}.tmp`, name);
        }
      };
      await Promise.all([whole.write(requests), save()]);
      const kept = (await opened.trashOutside()).map(textOf);
      for (const name of names) expect([textOf(await opened.readOutside(name)), ...kept]).toContain(`theirs ${name}`);
    }, PATIENCE_MS);

    it('stops with cancelled when the signal aborts, leaving every visible file whole (INV-6)', async () => {
      const { opened, whole } = openWhole(current());
      if (whole === undefined) return;
      const requests = Array.from({ length: 60 }, (_, i) => writeOf(`f${String(i)}`, bytesOf(`f${String(i)}`)));
      expect(await failureOf(whole.write(requests, AbortSignal.abort()))).toBe('cancelled');
      expect(await opened.namesOutside()).toEqual([]);
      const abort = new AbortController();
      const writing = whole.write(requests, abort.signal);
      abort.abort();
      expect([undefined, 'cancelled']).toContain(await failureOf(writing));
      for (const name of await opened.namesOutside()) expect(textOf(await opened.readOutside(name))).toBe(name);
    });
  });

  describe('openForSafeReplace with the content told beforehand', () => {
    it('shows that content', async () => {
      const { backend, readOutside } = current();
      const bytes = patternOf(300_000);
      const content = { sha256: sha256Of(bytes), sizeBytes: bytes.length };
      await putOrFail(backend, 'a', bytes, { attributes: { mtimeMs: MTIME_MS, content }, chunkBytes: 77_777 });
      expect(sha256Of((await readOutside('a')) ?? bytesOf('missing'))).toBe(content.sha256);
    });

    it('INV-27: shows nothing when the bytes turn out to be others', async () => {
      const { backend, readOutside, namesOutside } = current();
      const { token } = await putOrFail(backend, 'old', bytesOf('old'));
      for (const told of ['same length!', 'longer than it turned out to be', 'shorter']) {
        const attributes = { mtimeMs: MTIME_MS, content: { sha256: sha256Of(bytesOf(told)), sizeBytes: told.length } };
        for (const [path, expected] of [['new', undefined], ['old', token]] as const) {
          const writer = await backend.openForSafeReplace(at(path), expected, attributes);
          const other = bytesOf('what it was ');
          const write = async (): Promise<void> => {
            await writer.write(other);
            await writer.commit({ sha256: sha256Of(other), sizeBytes: other.length });
          };
          expect(await failureOf(write())).toBeDefined();
          await writer.abort();
        }
      }
      expect(await namesOutside()).toEqual(['old']);
      expect(textOf(await readOutside('old'))).toBe('old');
    });
  });
}

function openWhole(opened: OpenBackend): { readonly opened: OpenBackend; readonly whole: WholeFiles | undefined } {
  return { opened, whole: opened.backend.wholeFiles };
}

/** The request to read a file as it is, once its token is no longer racy. */
async function readOf(opened: OpenBackend, path: string): Promise<WholeRead> {
  const { token, sizeBytes } = await settledFileAt(opened, path);
  return { path: at(path), expected: token, sizeBytes };
}

/** The request to write a file. */
function writeOf(path: string, content: Uint8Array, more: { readonly expected?: Token | undefined; readonly sha256?: Sha256 } = {}): WholeWrite {
  return { path: at(path), expected: more.expected, content, sha256: more.sha256 ?? sha256Of(content), attributes: { mtimeMs: MTIME_MS } };
}

/** Reads all; the outcomes in the order of the requests. */
async function readAll(whole: WholeFiles, requests: readonly WholeRead[]): Promise<WholeReadOutcome[]> {
  const outcomes = new Map<number, WholeReadOutcome>();
  for await (const batch of whole.read(requests)) {
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
