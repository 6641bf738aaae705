/** What is recorded with objects, and what is believed of them. */

import { describe, expect, it } from '@jest/globals';

import type { ObjectHead } from '../s3-api.js';

import { sha256Of } from './digests.js';
import { attributesOf, formatMtime, parseMtime, propertiesFor, trustedHash } from './object-properties.js';

const HASH = sha256Of(Buffer.from('content'));

function head(metadata: Readonly<Record<string, string>>, more: Partial<ObjectHead> = {}): ObjectHead {
  return { etag: 'tag', sizeBytes: 7, lastModifiedMs: 5000, versionId: undefined, metadata: new Map(Object.entries(metadata)), sha256: undefined, serverTimeMs: undefined, ...more };
}

describe('properties of objects', () => {
  it.each([
    [1_600_000_000_123, '1600000000.123000000'],
    [1_600_000_000_000, '1600000000.000000000'],
    [1_600_000_000_123.25, '1600000000.123250000'],
    [0, '0.000000000'],
    [-1500, '-1.500000000'],
    [-0.25, '-0.000250000'],
    [999.9999999, '1.000000000'],
  ])('tell a time of %d ms as rclone does: %s', (ms, text) => {
    expect(formatMtime(ms)).toBe(text);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 8.65e15])('leave out a time that is none: %d', (ms) => {
    expect(formatMtime(ms)).toBeUndefined();
    expect(propertiesFor('a', { attributes: { mtimeMs: ms }, sha256: undefined, etag: undefined, writeId: 'w' }).metadata.has('mtime')).toBe(false);
  });

  it('INV-25: give back the very time that was written', () => {
    for (let turn = 0; turn < 5000; turn += 1) {
      const ms = (turn * 7_919_171.371 + 1_400_000_000_000.1) * (turn % 7 === 0 ? -1 : 1);
      expect(parseMtime(formatMtime(ms))).toBe(ms);
    }
  });

  it.each(['', 'yesterday', '1e9', '1.2.3', '99999999999999999', '--1', '1.'])('take no time from %j', (text) => {
    expect(parseMtime(text)).toBeUndefined();
    expect(attributesOf(head({ mtime: text })).mtimeMs).toBe(5000);
  });

  it('read what others write: seconds alone, or more digits than we', () => {
    expect(parseMtime('1600000000')).toBe(1_600_000_000_000);
    expect(parseMtime('1600000000.5')).toBe(1_600_000_000_500);
    expect(parseMtime('1600000000.123456789123')).toBe(1_600_000_000_123.4568);
  });

  it('mark executables', () => {
    const written = (isExecutable: boolean): ReadonlyMap<string, string> =>
      propertiesFor('a', { attributes: { mtimeMs: 1, isExecutable }, sha256: HASH, etag: 'tag', writeId: 'w' }).metadata;
    expect(attributesOf(head(Object.fromEntries(written(true))))).toEqual({ mtimeMs: 1, isExecutable: true, content: { sha256: HASH, sizeBytes: 7 } });
    expect(attributesOf(head(Object.fromEntries(written(false)))).isExecutable).toBe(false);
  });

  it('T37: believe a recorded hash only of the version it was written with', () => {
    expect(trustedHash(head({ sha256: HASH, 'wl-etag': 'tag' }))).toBe(HASH);
    expect(trustedHash(head({ sha256: HASH, 'wl-etag': 'other' }))).toBeUndefined();
    expect(trustedHash(head({ sha256: HASH }))).toBeUndefined();
    expect(trustedHash(head({ sha256: HASH, 'wl-etag': '' }, { etag: '' }))).toBeUndefined();
    expect(trustedHash(head({ sha256: HASH.toUpperCase(), 'wl-etag': 'tag' }))).toBeUndefined();
    expect(attributesOf(head({ sha256: HASH })).content).toBeUndefined();
  });

  it('believe the hash that the server itself keeps, before any other', () => {
    const servers = sha256Of(Buffer.from('other'));
    expect(trustedHash(head({ sha256: HASH, 'wl-etag': 'tag' }, { sha256: servers }))).toBe(servers);
  });

  it.each([
    ['index.html', 'text/html; charset=utf-8'],
    ['a.b/PHOTO.JPG', 'image/jpeg'],
    ['a.html/file', undefined],
    ['.html', undefined],
    ['noextension', undefined],
  ])('say that %s is %s', (key, type) => {
    expect(propertiesFor(key, { attributes: { mtimeMs: 0 }, sha256: undefined, etag: undefined, writeId: 'w' }).contentType).toBe(type);
  });
});
