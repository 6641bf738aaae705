/**
 * T58: what a server does is found out by trying, on this endpoint with this bucket (INV-26). A
 * condition that is ignored, a tag that wants no quotes, versions that were switched on since: all
 * of it shows in what the storage says it can do, and nothing of the trying stays behind.
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath } from '@wl/domain';
import type { AbilityReport } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import { closeBenches, listed, openBench, read, tokenAt, write, written, type Bench } from './testing/bench.js';
import { memoryNotes } from './testing/open-s3.js';
import type { S3ServerOptions } from './testing/server/index.js';

afterEach(closeBenches);

const ALL: S3Abilities = {
  createsIfAbsent: true,
  replacesIfMatch: 'quoted',
  deletesIfMatch: true,
  completesConditionally: true,
  copiesConditionally: true,
  copies: true,
  uploadsInParts: true,
  verifiesContent: true,
  keepsChecksums: true,
  tagsByMd5: true,
  isVersioned: false,
};
const PUT_ONLY = { ...ALL, deletesIfMatch: false, completesConditionally: false, copiesConditionally: false };
const NOTHING = { ...PUT_ONLY, createsIfAbsent: false, replacesIfMatch: 'no', keepsChecksums: false } as const;

interface Expected {
  readonly abilities: S3Abilities;
  readonly replace: 'atomic' | 'checked' | 'window';
  readonly remove: 'atomic' | 'checked' | 'window';
  /** What the notes speak of. */
  readonly notes: readonly RegExp[];
}

const SERVERS: readonly (readonly [name: string, options: S3ServerOptions, expected: Expected])[] = [
  ['aws', { preset: 'aws' }, { abilities: ALL, replace: 'atomic', remove: 'atomic', notes: [] }],
  ['aws with versions', { preset: 'aws', versioned: true }, { abilities: { ...ALL, isVersioned: true }, replace: 'atomic', remove: 'checked', notes: [] }],
  ['aws that wants quotes', { preset: 'aws', switches: { matchesTags: 'quoted' } }, { abilities: ALL, replace: 'atomic', remove: 'atomic', notes: [] }],
  ['aws that wants no quotes', { preset: 'aws', switches: { matchesTags: 'bare' } }, { abilities: { ...ALL, replacesIfMatch: 'bare' }, replace: 'atomic', remove: 'atomic', notes: [] }],
  ['ceph', { preset: 'ceph' }, { abilities: { ...PUT_ONLY, replacesIfMatch: 'bare', keepsChecksums: false }, replace: 'atomic', remove: 'window', notes: [/among machines with wl nothing is lost/] }],
  ['ceph with versions', { preset: 'ceph', versioned: true }, { abilities: { ...NOTHING, isVersioned: true }, replace: 'checked', remove: 'checked', notes: [/keeps every version/] }],
  ['putOnly', { preset: 'putOnly' }, { abilities: PUT_ONLY, replace: 'atomic', remove: 'window', notes: [/among machines with wl nothing is lost/] }],
  ['ignoring', { preset: 'ignoring' }, { abilities: NOTHING, replace: 'window', remove: 'window', notes: [/writes without comparing/, /may be lost/] }],
  ['refusing', { preset: 'refusing' }, { abilities: { ...NOTHING, deletesIfMatch: true }, replace: 'window', remove: 'atomic', notes: [/writes without comparing/] }],
  ['fake', { preset: 'fake' }, { abilities: { ...NOTHING, verifiesContent: false, tagsByMd5: false }, replace: 'window', remove: 'window', notes: [/writes without comparing/, /may be lost/, /read back/] }],
  ['a server that creates conditionally and replaces as it likes', { preset: 'aws', switches: { putIfMatch: 'ignored', deleteIfMatch: 'ignored', completeConditions: 'ignored', copyConditions: 'ignored' } }, { abilities: { ...PUT_ONLY, replacesIfMatch: 'no' }, replace: 'window', remove: 'window', notes: [/writes without comparing/, /may be lost/] }],
  ['a server without copies', { preset: 'aws', switches: { copies: false } }, { abilities: { ...ALL, copies: false, copiesConditionally: false }, replace: 'atomic', remove: 'atomic', notes: [/not kept in a trash/] }],
  ['a server without uploads in parts', { preset: 'aws', switches: { uploadsInParts: false } }, { abilities: { ...ALL, uploadsInParts: false, completesConditionally: false }, replace: 'atomic', remove: 'atomic', notes: [] }],
];

/** What was noted of it. */
function noted(notes: ReturnType<typeof memoryNotes>): S3Abilities {
  return (notes.get('abilities') as { readonly abilities: S3Abilities }).abilities;
}

/** Nothing of the trying is to be seen, in any version. */
function expectClean(bench: Bench): void {
  expect(bench.hands.keys().filter((key) => key.includes('.wl/probe/'))).toEqual([]);
  expect(bench.hands.uploads()).toEqual([]);
  const tried = new Set(bench.server.log.entries.map(({ key }) => key).filter((key) => key.includes('.wl/probe/')));
  expect(tried.size).toBeGreaterThan(5);
  expect([...tried].flatMap((key) => bench.hands.versions(key))).toEqual([]);
}

describe.each(SERVERS)('%s', (_name, options, { abilities, replace, remove, notes: sentences }) => {
  it('T58, INV-26: is found out, says so, and nothing of the trying stays', async () => {
    const bench = await openBench(options);
    const notes = memoryNotes();
    const backend = await bench.machine({ isNew: true, notes });
    // Before anything is known the least is assumed.
    expect(backend.capabilities).toMatchObject({ replace: 'window', remove: 'window', notes: [] });
    await written(backend, 'a', 'one');
    expect(noted(notes)).toEqual(abilities);
    expect(backend.capabilities).toMatchObject({ replace, remove, hasTrash: abilities.copies || abilities.isVersioned });
    // Where a copy compares nothing, but a placeholder can hold the name for it, small objects take fewer requests when they are carried.
    const wantsPlaceholders = abilities.copies && !abilities.copiesConditionally && abilities.createsIfAbsent && abilities.replacesIfMatch !== 'no';
    expect(backend.copyFromBytes !== undefined).toBe(wantsPlaceholders);
    expect(backend.capabilities.notes).toHaveLength(sentences.length);
    sentences.forEach((sentence, index) => expect(backend.capabilities.notes[index]).toMatch(sentence));
    expectClean(bench);
  });

  it('T58: what was found out is used: no version is replaced that was not seen', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine({ isNew: true });
    const one = await written(backend, 'a', 'one');
    bench.put('a', 'of another machine');
    expect(await write(backend, 'a', 'two', one)).toEqual({ kind: 'stale' });
    expect(await write(backend, 'a', 'two')).toEqual({ kind: 'stale' });
    expect(await backend.remove(toRelativePath('a'), one)).toMatchObject({ ok: false });
    expect(bench.text('a')).toBe('of another machine');
    const token = await tokenAt(backend, 'a');
    await written(backend, 'a', 'three', token);
    expect([bench.text('a'), await read(backend, 'a', await tokenAt(backend, 'a'))]).toEqual(['three', 'three']);
  });

  it('T58: a check tells what was tried', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine({ isNew: true });
    const reports = await backend.check();
    expect(Object.fromEntries(reports.map(({ ability, outcome }: AbilityReport) => [ability, outcome]))).toMatchObject({
      list: 'works',
      'create only if absent': abilities.createsIfAbsent ? 'works' : 'missing',
      'replace only the version seen': abilities.replacesIfMatch === 'no' ? 'missing' : 'works',
      'delete only the version seen': abilities.deletesIfMatch ? 'works' : 'missing',
    });
    expect(reports.every(({ detail }) => detail.length > 10)).toBe(true);
    expectClean(bench);
  });
});

describe('a server that changes', () => {
  const DAY_MS = 24 * 3_600_000;

  it('T58, INV-26: versions switched on between two runs are found out before the next write', async () => {
    const bench = await openBench({ preset: 'ceph' });
    const notes = memoryNotes();
    const before = await bench.machine({ isNew: true, notes });
    const token = await written(before, 'a', 'one');
    await before.close();
    bench.hands.setVersioning('Enabled');
    const after = await bench.machine({ notes });
    // On a versioned bucket Ceph refuses every If-Match: with what was known this could not succeed.
    await written(after, 'a', 'two', token);
    expect([noted(notes).isVersioned, after.capabilities.replace]).toEqual([true, 'checked']);
    expect(bench.hands.versions('photos/a').map(({ bytes }) => bytes.toString())).toEqual(['two', 'one']);
  });

  it('T58, INV-26: versions switched off are found out as well', async () => {
    const bench = await openBench({ preset: 'ceph', versioned: true });
    const notes = memoryNotes();
    const before = await bench.machine({ isNew: true, notes });
    await written(before, 'a', 'one');
    await before.close();
    bench.hands.setVersioning('off');
    const after = await bench.machine({ notes });
    await written(after, 'b', 'two');
    expect([noted(notes).isVersioned, noted(notes).replacesIfMatch, after.capabilities.replace]).toEqual([false, 'bare', 'atomic']);
  });

  it('T58, INV-26: what was proved is not believed for another day, nor of another bucket', async () => {
    const bench = await openBench({ preset: 'aws' });
    const notes = memoryNotes();
    const first = await bench.machine({ isNew: true, notes });
    await written(first, 'a', 'one');
    await first.close();
    const again = await bench.machine({ isNew: true, notes });
    await written(again, 'b', 'two');
    expect(bench.server.log.entries.filter(({ key }) => key.includes('probe'))).toEqual([]);
    await again.close();

    bench.server.createBucket('other');
    const other = await bench.machine({ isNew: true, notes, params: { url: 's3://other/photos/' } });
    expect(other.capabilities.replace).toBe('window');
    await other.close();

    bench.server.variant = { ...bench.server.variant, putIfMatch: 'ignored', putIfAbsent: 'ignored', deleteIfMatch: 'ignored' };
    bench.clock.skip(DAY_MS + 1);
    const late = await bench.machine({ isNew: true, notes });
    await written(late, 'c', 'three');
    expect(late.capabilities).toMatchObject({ replace: 'window', remove: 'window' });
  });

  it('T53, INV-26: a hiccup while it is tried is no ability that is missing', async () => {
    for (let skip = 0; skip < 24; skip += 3) {
      const bench = await openBench({ preset: 'aws' });
      const notes = memoryNotes();
      const backend = await bench.machine({ isNew: true, notes });
      bench.server.fault({ operation: '*', skip, times: 2, effect: skip % 2 === 0 ? { kind: 'error', status: 503, code: 'SlowDown' } : { kind: 'lose-reply' } });
      await written(backend, 'a', 'one');
      expect([skip, noted(notes)]).toEqual([skip, ALL]);
    }
  });

  it.each([
    ['is overloaded', { kind: 'error', status: 503, code: 'ServiceUnavailable' }],
    ['is behind a proxy that is not', { kind: 'replace-body', status: 502, body: '<html>Bad gateway</html>' }],
    ['is not reached', { kind: 'lose-request' }],
  ] as const)('T58, INV-26, INV-27: a server that %s when it is sent bytes under a wrong hash has not verified them', async (_name, effect) => {
    const bench = await openBench({ preset: 'fake' });
    const notes = memoryNotes();
    const backend = await bench.machine({ isNew: true, notes });
    const fault = bench.server.fault({ operation: 'PutObject', key: (key) => key.includes('tampered'), times: 2, effect });
    await written(backend, 'a', 'one');
    expect([fault.hits, noted(notes).verifiesContent]).toEqual([2, false]);
  });

  it('T53, INV-26: nothing is written where trying does not come to an end', async () => {
    const bench = await openBench({ preset: 'aws' });
    const notes = memoryNotes();
    const backend = await bench.machine({ isNew: true, notes });
    bench.server.fault({ operation: 'CopyObject', times: Infinity, effect: { kind: 'error', status: 503, code: 'ServiceUnavailable' } });
    await expect(write(backend, 'a', 'one')).rejects.toMatchObject({ code: 'unreachable', details: { retryable: true } });
    expect([notes.get('abilities'), bench.paths()]).toEqual([undefined, []]);
    bench.server.clearFaults();
    await written(backend, 'a', 'one');
  });
});

describe('INV-38, T84: nothing is written', () => {
  it('before something is to be written: looking, listing, reading and hashing leave no trace', async () => {
    const bench = await openBench({ preset: 'aws' });
    const token = bench.put('d/a', 'one');
    bench.put('odd//key');
    const before = bench.hands.changeCount;
    const notes = memoryNotes();
    const backend = await bench.machine({ isNew: true, notes, params: { withIndex: true } });
    await backend.rootIdentity({ mark: false });
    const { tokens } = await listed(backend);
    expect(tokens.get('d/a')).toContain(token);
    await backend.stat(toRelativePath('d/a'));
    await backend.stat(toRelativePath('none'));
    await backend.getHashes([toRelativePath('d/a')]);
    expect(await read(backend, 'd/a', tokens.get('d/a')!)).toBe('one');
    await backend.flush();
    await backend.close();
    expect([bench.server.log.writes, bench.hands.changeCount, notes.get('abilities')]).toEqual([[], before, undefined]);
  });

  it('by a storage that may only be read, whatever it is asked', async () => {
    const bench = await openBench({ preset: 'aws' });
    bench.put('a', 'one');
    const backend = await bench.machine({ isNew: true, params: { readOnly: true } });
    await backend.rootIdentity({ mark: true });
    expect(await backend.check()).toHaveLength(1);
    await listed(backend, ROOT);
    await expect(backend.remove(toRelativePath('a'), await tokenAt(backend, 'a'))).rejects.toMatchObject({ code: 'read-only' });
    await expect(backend.makeDirectory(toRelativePath('d'))).rejects.toMatchObject({ code: 'read-only' });
    await backend.flush();
    expect([bench.server.log.writes, backend.capabilities]).toMatchObject([[], { isReadOnly: true, hasTrash: false, notes: [] }]);
  });
});
