import { describe, expect, it } from '@jest/globals';

import { parseWebdavUrl, webdavOverlap, webdavUrlOf } from './webdav-storage.js';

describe('the place of a WebDAV storage', () => {
  it.each([
    ['https://dav.example.org', undefined, 'https://dav.example.org/'],
    ['HTTPS://Dav.example.org:443//a/b', undefined, 'https://dav.example.org/a/b/'],
    ['http://127.0.0.1:8080/dav/', '/notes/ä b', 'http://127.0.0.1:8080/dav/notes/%C3%A4%20b/'],
    ['http://host/a%2Fb', '/', 'http://host/a%2Fb/'],
  ])('of %s with %s is %s', (url, basePath, whole) => {
    expect(webdavUrlOf({ type: 'webdav', url, ...(basePath !== undefined && { base_path: basePath }) })).toEqual({ ok: true, value: whole });
  });

  it.each([
    ['', /begins with https/],
    ['dav://host/', /begins with https/],
    ['https://', /begins with https/],
    ['https://ann:hunter2@host/', /credentials have no place/],
    ['https://host/?x', /no '\?'/],
    ['https://host/.wl/x', /for what wl keeps/],
  ])('is refused for %j, without repeating it', (url, why) => {
    const parsed = parseWebdavUrl(url);
    if (parsed.ok) throw new Error('it was taken');
    expect(parsed.error.message).toMatch(why);
    expect(parsed.error.message).not.toContain('hunter2');
  });

  it('INV-34: a base_path does not climb', () => {
    expect(webdavUrlOf({ type: 'webdav', url: 'https://host/a', base_path: 'b/../../c' }).ok).toBe(false);
  });

  it('INV-23: overlaps with what is above and below it, however it is reached', () => {
    expect(webdavOverlap('https://host/a/', 'http://host/a/')).toBe('same');
    expect(webdavOverlap('https://host/a/', 'https://host/a/b/')).toBe('nested');
    expect(webdavOverlap('https://host/a/', 'https://host/ab/')).toBe('apart');
    expect(webdavOverlap('https://host/', 'https://other/')).toBe('apart');
  });
});
