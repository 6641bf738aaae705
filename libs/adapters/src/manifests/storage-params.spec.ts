import { describe, expect, it } from '@jest/globals';

import { storageFromArgument } from './storage-argument.js';
import { deterministicBackendId, fromInlineStorage, toInlineStorage, withNewBackendIds } from './storage-params.js';

const OWNER = `0x${'ab'.repeat(32)}`;
const container = {
  file: '/c.container.yaml',
  name: 'c',
  owner: OWNER,
  uuid: 'u',
  data: { version: '1', object: 'container', owner: OWNER, paths: ['/.uuid/u', '/c'], backends: { storage: [] } },
} as const;
const mutable = { ...container, data: { ...container.data, paths: [...container.data.paths], backends: { storage: [] } } };

describe('the parameters of an inline storage', () => {
  it('are filled in from the container and taken out again', () => {
    const inline = { object: 'storage', type: 'local', location: '/a', 'backend-id': 'one', extra: { x: 1 } } as const;
    const params = fromInlineStorage(inline, mutable, [OWNER]);
    expect(params).toEqual({ ...inline, owner: OWNER, 'container-path': '/.uuid/u', version: '1', 'is-local-owner': true });
    expect(toInlineStorage(params)).toEqual(inline);
  });

  it('say when the owner may not name local paths', () => {
    expect(fromInlineStorage({ object: 'storage', type: 'local', location: '/a' }, mutable, [])).toMatchObject({ 'is-local-owner': false });
  });
});

describe('the id of a storage that names none', () => {
  const storage = { type: 's3', s3_url: 's3://b/p', 'with-index': false, 'watcher-interval': 30, credentials: { 'access-key': 'a', 'secret-key': 'b' } };

  it('is a UUID that stays the same', () => {
    expect(deterministicBackendId(storage)).toBe('2ae22d92-f482-dbd7-0e41-a2cffc8ba1d7');
  });

  it('does not depend on the order of keys, nor on what is added at run time', () => {
    const { type, credentials, ...others } = storage;
    const reordered = { credentials: { 'secret-key': credentials['secret-key'], 'access-key': credentials['access-key'] }, ...others, type };
    expect(deterministicBackendId({ ...reordered, 'is-local-owner': true, 'backend-id': 'x' })).toBe(deterministicBackendId(storage));
  });

  it('differs with the parameters', () => {
    expect(deterministicBackendId({ ...storage, s3_url: 's3://b/q' })).not.toBe(deterministicBackendId(storage));
    expect(fromInlineStorage({ object: 'storage', type: 'local', location: '/a' }, mutable, [])['backend-id']).not.toBe(
      fromInlineStorage({ object: 'storage', type: 'local', location: '/b' }, mutable, [])['backend-id'],
    );
  });
});

describe('ids of storages that are added', () => {
  const add = (...ids: (string | undefined)[]) => {
    const result = withNewBackendIds(
      ids.map((id) => ({ type: 'local', location: '/a', ...(id === undefined ? {} : { 'backend-id': id }) })),
      () => 'made-up',
    );
    return result.ok ? result.value.map((storage) => storage['backend-id']) : result.error.message;
  };

  it('are made up where none is given', () => {
    expect(add('mine', undefined)).toEqual(['mine', 'made-up']);
  });

  it('are refused when two are the same', () => {
    expect(add('mine', 'mine')).toBe('Duplicate backend-id found: mine. Give one of the storages another');
  });

  it.each(['', 'local', 'local-cached', 'a|b', 'a b', '-a', 'a\n', 'x'.repeat(129)])('are refused when they are %j', (id) => {
    expect(add(id)).toContain('cannot be a backend-id');
  });
});

describe('a storage named in one word', () => {
  const context = { env: { HOME: '/home/ann' }, workingDirectory: '/cwd', localHostname: 'box' };
  it.each([
    ['/mnt/usb/docs', { type: 'local', location: '/mnt/usb/docs' }],
    ['docs/../photos/', { type: 'local', location: '/cwd/photos' }],
    ['~/Docs', { type: 'local', location: '/home/ann/Docs' }],
    ['~', { type: 'local', location: '/home/ann' }],
    ['~ann', { type: 'local', location: '/cwd/~ann' }],
    ['file:///mnt/a%20b/', { type: 'local', location: '/mnt/a b' }],
    ['file://box/mnt', { type: 'local', location: '/mnt' }],
    ['S3://bucket/docs', { type: 's3', s3_url: 's3://bucket/docs/' }],
    ['C:/x', { type: 'local', location: '/cwd/C:/x' }],
  ])('%s is understood', (text, storage) => {
    expect(storageFromArgument(text, context)).toEqual({ ok: true, value: storage });
  });

  it.each(['', 's3://', 's3:///x', 's3://key:secret@bucket/x', 'ftp://host/x', 'file://elsewhere/x', 'a\0b'])('%j is refused', (text) => {
    expect(storageFromArgument(text, context).ok).toBe(false);
  });
});
