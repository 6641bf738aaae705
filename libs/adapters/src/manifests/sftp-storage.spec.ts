import { describe, expect, it } from '@jest/globals';

import { isHostKeyFingerprint, sftpOverlap, sftpPlaceOf, sftpText, type SftpPlace } from './sftp-storage.js';

const placeOf = (fields: Readonly<Record<string, unknown>>): SftpPlace => {
  const place = sftpPlaceOf({ type: 'sftp', ...fields });
  if (!place.ok) throw new Error(place.error.message);
  return place.value;
};

describe('the place of an SFTP storage', () => {
  it.each([
    [{ host: 'Files.example.org' }, 'sftp://files.example.org/~'],
    [{ host: 'files', login: 'ann', path: './' }, 'sftp://ann@files/~'],
    [{ host: 'files', port: 2222, path: 'notes//work/' }, 'sftp://files:2222/~/notes/work'],
    [{ host: '10.0.0.1', path: '/srv/./ä b/' }, 'sftp://10.0.0.1/srv/ä b'],
    [{ host: '[fe80::1%eth0]', path: '/' }, 'sftp://[fe80::1%eth0]/'],
  ])('of %j is %s', (fields, text) => {
    expect(sftpText(placeOf(fields))).toBe(text);
  });

  it.each([
    [{}, /a name or an address/],
    [{ host: '-oProxyCommand=x' }, /a name or an address/],
    [{ host: 'sftp://ann:hunter2@host' }, /a name or an address/],
    [{ host: 'h', port: 0 }, /from 1 to 65535/],
    [{ host: 'h', port: '22' }, /from 1 to 65535/],
    [{ host: 'h', login: 'ann:hunter2' }, /without spaces/],
    [{ host: 'h', path: '' }, /text without control/],
    [{ host: 'h', path: 'a\nb' }, /text without control/],
    [{ host: 'h', path: 'a/../b' }, /no part '..'/],
    [{ host: 'h', path: '/a/.wl/b' }, /for what wl keeps/],
  ])('is refused for %j, without repeating it', (fields, why) => {
    const place = sftpPlaceOf({ type: 'sftp', ...fields });
    if (place.ok) throw new Error('it was taken');
    expect(place.error.message).toMatch(why);
    expect(place.error.message).not.toContain('hunter2');
  });

  it('INV-23: overlaps with what is above and below it, whoever logs in', () => {
    const overlap = (one: object, other: object) => sftpOverlap(placeOf({ host: 'h', ...one }), placeOf({ host: 'h', ...other }));
    expect(overlap({ path: '/a', login: 'ann' }, { path: '/a/', login: 'bob' })).toBe('same');
    expect(overlap({ path: '/a' }, { path: '/a/b' })).toBe('nested');
    expect(overlap({ path: '/' }, { path: '/a/b' })).toBe('nested');
    expect(overlap({ path: '/a' }, { path: '/ab' })).toBe('apart');
    expect(overlap({ path: '/a' }, { path: '/a', port: 23 })).toBe('apart');
    expect(overlap({ login: 'ann' }, { path: 'notes', login: 'ann' })).toBe('nested');
    expect(overlap({ login: 'ann' }, { login: 'bob' })).toBe('apart');
  });

  it('knows a fingerprint when it sees one', () => {
    expect(isHostKeyFingerprint(`SHA256:${'A'.repeat(43)}`)).toBe(true);
    for (const text of ['SHA256:short', 'MD5:00:11', `SHA256:${'A'.repeat(44)}`, 'A'.repeat(43)]) expect(isHostKeyFingerprint(text)).toBe(false);
  });
});
