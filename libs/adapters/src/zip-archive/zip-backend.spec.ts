/** The driver of zip archives under the conformance suites, and as a file that its owner replaces. */

import { createHash } from 'node:crypto';
import { appendFile, mkdir, rm, truncate, writeFile } from 'node:fs/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toRelativePath as at } from '@wl/domain';
import { EntryKind, isBackendError } from '@wl/ports';
import { describeReadableBackend, describeReadOnlyBackend, ManualClock, RecordingListener } from '@wl/ports/testing';

import { openZip, type OpenZip } from './testing/open-zip.js';
import { zipOf } from './testing/zip-writer.js';
import { createZipBackend } from './zip-backend.js';

describeReadableBackend('ZipBackend', openZip);
describeReadOnlyBackend('ZipBackend', openZip);

let opened: OpenZip;
beforeEach(async () => {
  opened = await openZip();
});
afterEach(() => opened.close());

const bytes = (text: string): Uint8Array => Buffer.from(text);
const keys = async (): Promise<string[]> => {
  const all: string[] = [];
  for await (const batch of opened.backend.list('' as never)) all.push(...batch.keys);
  return all;
};
const failure = async (act: Promise<unknown>): Promise<string> => {
  const error = await act.then(() => undefined, (reason: unknown) => reason);
  if (!isBackendError(error)) throw new Error(`it did not fail as it should: ${String(error)}`);
  return error.code;
};

describe('an archive that its owner replaces', () => {
  it('INV-24: keeps the tokens of what did not change in it', async () => {
    await opened.writeOutside('same', bytes('same'));
    await opened.writeOutside('other', bytes('one'));
    const [same, other] = [await opened.backend.getFileToken(at('same')), await opened.backend.getFileToken(at('other'))];
    await opened.writeOutside('other', bytes('two'));
    expect(await opened.backend.getFileToken(at('same'))).toBe(same);
    expect(await opened.backend.getFileToken(at('other'))).not.toBe(other);
  });

  it('INV-8, T05: is never empty while it is half-written, cut at any byte', async () => {
    const whole = zipOf([{ name: 'a/b', bytes: bytes('content') }, { name: 'c', bytes: bytes('content') }, { name: 'd/', mode: 0o040755 }]);
    for (let length = 0; length < whole.length; length += 1) {
      await opened.replaceArchive(whole.subarray(0, length));
      expect([length, await failure(keys())]).toEqual([length, 'damaged']);
    }
    expect(await failure(opened.backend.stat(at('c')))).toBe('damaged');
    expect(await failure(opened.backend.getHashes([at('c')]))).toBe('damaged');
    await opened.replaceArchive(whole);
    expect(await keys()).toEqual(['a/', 'a/b', 'c', 'd/']);
  });

  it('INV-8: is seen again after it was overwritten in place and was not whole meanwhile', async () => {
    await opened.writeOutside('a', bytes('one'));
    expect(await keys()).toEqual(['a']);
    const next = zipOf([{ name: 'a', bytes: bytes('two') }, { name: 'b', bytes: bytes('two') }]);
    await truncate(opened.location, 0);
    await appendFile(opened.location, next.subarray(0, 40));
    expect(await failure(keys())).toBe('damaged');
    await appendFile(opened.location, next.subarray(40));
    expect(await keys()).toEqual(['a', 'b']);
  });

  it('T04: rejects everything with not-found when it is gone, and says nowhere that files are absent', async () => {
    await opened.writeOutside('a', bytes('x'));
    await rm(opened.location);
    const { backend } = opened;
    const looks = [() => backend.open(), () => backend.rootIdentity({ mark: true }), keys, () => backend.stat(at('a')), () => backend.getHashes([at('a')])];
    for (const look of looks) expect(await failure(look())).toBe('not-found');
  });

  it('is none where there is a directory of that name', async () => {
    await rm(opened.location);
    await mkdir(opened.location);
    expect(await failure(opened.backend.open())).toBe('unsupported');
  });

  it('T42: goes on giving the version that was opened, and says that it is no longer the one there', async () => {
    await opened.writeOutside('a', bytes('one'));
    const token = await opened.backend.getFileToken(at('a'));
    const read = await opened.backend.read(at('a'), token ?? ('' as never));
    if (!read.ok) throw new Error('a is stale');
    await opened.writeOutside('a', bytes('two'));
    const chunks: Uint8Array[] = [];
    for await (const chunk of read.value.chunks()) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('one');
    expect(await read.value.isUnchanged()).toBe(false);
    await read.value.close();
  });

  it('names its place as what it is known by, since the file is another one each time', async () => {
    const before = await opened.backend.rootIdentity({ mark: true });
    await opened.writeOutside('a', bytes('x'));
    expect(await opened.backend.rootIdentity({ mark: false })).toEqual(before);
    expect(before.ids).toEqual([`place:${before.location}`]);
  });

  it('tells that it was replaced, once, by its size and time alone', async () => {
    const clock = new ManualClock();
    const backend = createZipBackend({ backendId: 'watched', location: opened.location }, { clock });
    const [watcher, listener] = [backend.watcher(), new RecordingListener()];
    await watcher?.start(listener);
    await clock.advance(5000);
    expect(listener.seen).toEqual([]);
    await opened.writeOutside('a', bytes('x'));
    await settle(clock, () => listener.seen.length > 0);
    expect(listener.seen).toEqual([{ scope: 'subtree', path: '' }]);
    await rm(opened.location);
    await settle(clock, () => listener.messages.length > 0);
    expect(listener.messages).toEqual([expect.stringContaining('not-found')]);
    await opened.writeOutside('b', bytes('x'));
    await settle(clock, () => listener.seen.length > 1);
    await watcher?.stop();
  });
});

describe('entries that make no file', () => {
  const rows = async (archive: Uint8Array): Promise<Record<string, string>> => {
    await opened.replaceArchive(archive);
    const found: Record<string, string> = {};
    const unnamed: string[] = [];
    for await (const batch of opened.backend.list('' as never, { onUnrepresentable: ({ display }) => unnamed.push(display) })) {
      for (const [index, key] of batch.keys.entries()) found[key] = batch.reasons.get(index) ?? (batch.kinds[index] === EntryKind.file ? 'file' : 'directory');
    }
    return { ...found, ...(unnamed.length > 0 && { unnamed: unnamed.join(' ') }) };
  };
  const x = bytes('x');

  it.each([
    ['../../evil', { evil: 'name-not-representable' }],
    ['/etc/evil', { 'etc/': 'directory', 'etc/evil': 'name-not-representable' }],
    ['a/../../evil', { evil: 'name-not-representable' }],
    ['C:/evil', { evil: 'name-not-representable' }],
    ['a//evil', { 'a/': 'directory', 'a/evil': 'name-not-representable' }],
    ['..', { unnamed: '..' }],
    ['/', { unnamed: '/' }],
    ['./fine', { fine: 'file' }],
    ['.wl/root-id', {}],
  ])('INV-34: %j leads nowhere, and is never taken for absent', async (name, expected) => {
    expect(await rows(zipOf([{ name, bytes: x }]))).toEqual(expected);
    const [key = '', kind] = Object.entries(expected).at(-1) ?? [];
    if (kind === 'name-not-representable') expect(await opened.backend.stat(at(key))).toEqual({ kind: 'unknown', reason: kind });
  });

  it('INV-34: a name that leads out takes nothing away from one that rightly is there', async () => {
    expect(await rows(zipOf([{ name: '../a', bytes: x }, { name: 'a', bytes: x }]))).toEqual({ a: 'file', unnamed: '../a' });
  });

  it('T72: links and devices are skipped, encrypted and outlandishly packed ones are unknown', async () => {
    const archive = zipOf([
      { name: 'link', bytes: bytes('target'), mode: 0o120777 },
      { name: 'fifo', mode: 0o010644 },
      { name: 'secret', bytes: x, flags: 1 },
      { name: 'lzma', bytes: x, method: 14 },
      { name: 'odd', bytes: x, method: 0, claims: { sizeBytes: 7 } },
      { name: 'good', bytes: x },
    ]);
    expect(await rows(archive)).toEqual({ link: 'symlink', fifo: 'special-file', secret: 'permission-denied', lzma: 'read-error', odd: 'read-error', good: 'file' });
    expect(await opened.backend.getHashes([at('secret'), at('link')])).toMatchObject([{ kind: 'unknown', reason: 'permission-denied' }, { kind: 'unknown', reason: 'symlink' }]);
    expect(await opened.backend.stat(at('link/below'))).toEqual({ kind: 'unknown', reason: 'symlink' });
  });

  it('INV-35: two entries of one name are a place that could not be observed', async () => {
    expect(await rows(zipOf([{ name: 'a', bytes: x }, { name: 'a', bytes: bytes('y') }, { name: 'd/' }, { name: 'd/' }]))).toEqual({ a: 'name-collision', 'd/': 'directory' });
  });

  it('INV-35: a file that is a directory too hides what is in it, which is unknown and not absent', async () => {
    expect(await rows(zipOf([{ name: 'a', bytes: x }, { name: 'a/b/c', bytes: x }]))).toEqual({ a: 'file-and-directory' });
    expect(await opened.backend.stat(at('a/b/c'))).toEqual({ kind: 'unknown', reason: 'file-and-directory' });
    expect(await failure(list('a'))).toBe('not-a-directory');
  });

  it('reads names as code page 437, as UTF-8, and with the slashes of DOS', async () => {
    const archive = zipOf([
      { name: Buffer.from([0x81, 0x2e, 0x74]), bytes: x, host: 0 },
      { name: 'ä', bytes: x },
      { name: Buffer.from('ö'), bytes: x, host: 19 },
      { name: Buffer.from([0xff]), bytes: x, host: 3 },
      { name: Buffer.from('d\\e'), bytes: x, host: 0 },
      { name: 'f\\g', bytes: x },
      { name: Buffer.from([0x68, 0xff]), bytes: x, flags: 0x800 },
    ]);
    expect(await rows(archive)).toEqual({ 'd/': 'directory', 'd/e': 'file', 'f\\g': 'file', '\u00a0': 'file', 'ä': 'file', 'ö': 'file', 'ü.t': 'file', unnamed: 'h\ufffd' });
  });

  it('reads 64-bit sizes, offsets and ends', async () => {
    expect(await rows(zipOf([{ name: 'a', bytes: x, isZip64: true }, { name: 'b', bytes: x }], { isZip64: true, comment: 'large' }))).toEqual({ a: 'file', b: 'file' });
    expect(await opened.backend.getHashes([at('a'), at('b')])).toMatchObject([{ kind: 'hashed' }, { kind: 'hashed' }]);
  });

  it('INV-8: refuses an archive whose end counts fewer entries than there are, as old programs count 65,537 as one', async () => {
    const entries = ['a', 'b', 'c'].map((name) => ({ name }));
    for (const claimedEntries of [0, 1, 2, 4]) {
      for (const isZip64 of [false, true]) {
        await opened.replaceArchive(zipOf(entries, { claimedEntries, isZip64 }));
        expect(await failure(keys())).toBe('damaged');
      }
    }
  });

  it('INV-27: a file whose bytes are not what the directory says cannot be read', async () => {
    const archive = zipOf([
      { name: 'checksum', bytes: bytes('content'), claims: { crc32: 1 } },
      { name: 'longer', bytes: bytes('content'), claims: { sizeBytes: 3 } },
      { name: 'shorter', bytes: bytes('content'), claims: { sizeBytes: 30 } },
    ]);
    await opened.replaceArchive(archive);
    for (const name of ['checksum', 'longer', 'shorter'].map(at)) {
      expect(await opened.backend.getHashes([name])).toMatchObject([{ kind: 'unknown', reason: 'read-error' }]);
      const read = await opened.backend.read(name, (await opened.backend.getFileToken(name)) ?? ('' as never));
      if (!read.ok) throw new Error(`${name} is stale`);
      expect(await failure((async () => { for await (const _ of read.value.chunks()); })())).toBe('damaged');
      expect(await read.value.isUnchanged()).toBe(false);
      await read.value.close();
    }
  });

  it('INV-27: every byte of a packed file that flips is noticed', async () => {
    const content = bytes('some text that is long enough to be packed, packed, packed, packed');
    const hash = createHash('sha256').update(content).digest('hex');
    const archive = zipOf([{ name: 'a', bytes: content }]);
    for (let place = 31; place < archive.indexOf(Buffer.from([0x50, 0x4b, 1, 2])); place += 1) {
      const flipped = Buffer.from(archive);
      flipped[place]! ^= 4;
      await writeFile(opened.location, flipped);
      const [outcome] = await opened.backend.getHashes([at('a')]);
      // Some bits of a packed stream fill it up and mean nothing.
      if (outcome?.kind === 'hashed') expect([place, outcome.node.hash]).toEqual([place, hash]);
      else expect([place, outcome?.kind]).toEqual([place, 'unknown']);
    }
  });

  async function list(directory: string): Promise<void> {
    for await (const batch of opened.backend.list(at(directory))) expect(batch.keys.length).toBeGreaterThan(0);
  }
});

/** Lets seconds pass until something holds; the looks in between are real ones. */
async function settle(clock: ManualClock, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !holds(); turn += 1) {
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(holds()).toBe(true);
}

