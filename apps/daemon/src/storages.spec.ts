import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import type { S3Host, S3Params } from '@wl/adapters/s3';
import type { StorageBackend } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';

import { storageFactory, watching, type CreateStorage } from './storages.js';

describe('the table of storage types', () => {
  const clock = new ManualClock();
  let scratch: string;
  let base: string;
  let create: CreateStorage;
  let made: { readonly params: S3Params; readonly host: S3Host }[];

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'wl-storages-'));
    base = path.join(scratch, 'home/.config/wildland');
    for (const name of ['home/.config/wildland', 'photos']) mkdirSync(path.join(scratch, name), { recursive: true });
    made = [];
    create = storageFactory({ baseDir: base, clock, env: { AWS_PROFILE: 'ann' }, workers: undefined, createS3Backend: fakeS3 });
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  function fakeS3(params: S3Params, host: S3Host): StorageBackend {
    made.push({ params, host });
    // A bucket does not tell of changes by itself.
    return new MemoryBackend(new MemoryTree({ id: 'bucket', clock }), { backendId: params.backendId, hasWatcher: false });
  }

  it.each(['local', 'local-cached', 'local-dir-cached'])('serves %s by the local file system', (type) => {
    const storage = create({ type, location: path.join(scratch, 'photos'), 'backend-id': 'one' });
    expect([storage.type, storage.backendId]).toEqual([type, 'one']);
  });

  it('refuses a type it does not know, a relative place, and the place of an owner that may not name any', () => {
    expect(() => ['floppy', 'constructor'].forEach((type) => create({ type }))).toThrow('storage type floppy is not supported');
    expect(() => create({ type: 'local', location: 'photos' })).toThrow('absolute path');
    expect(() => create({ type: 'local', location: scratch, 'is-local-owner': false })).toThrow('local-owners');
  });

  it('serves the types of plugins as they come and go, and passes on why one cannot be used', () => {
    const backends = new Map<string, (params: { readonly 'backend-id': string }) => StorageBackend>();
    const own = storageFactory({ baseDir: base, clock, env: {}, workers: undefined, createS3Backend: fakeS3, pluginBackends: () => backends });
    expect(() => own({ type: 'shelf' })).toThrow('storage type shelf is not supported by this version, and no plugin serves it');
    backends.set('shelf', ({ 'backend-id': backendId }) => new MemoryBackend(new MemoryTree({ id: 'shelf', clock }), { backendId, type: 'shelf', hasWatcher: false }));
    const storage = own({ type: 'shelf', place: 'here' });
    expect([storage.type, storage.backendId]).toEqual(['shelf', expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    // One that cannot tell of changes is looked at, as other remote ones are.
    expect(watching(clock, () => 0.5).watch(storage).description).toContain('every 30 s');
    backends.set('shelf', () => { throw new Error('plugin p@1 cannot make a storage of type shelf: no place'); });
    expect(() => own({ type: 'shelf' })).toThrow('plugin p@1 cannot make a storage of type shelf: no place');
  });

  it.each(['home', 'home/.config/wildland', 'home/.config/wildland/keys'])('refuses %s, which would sync our own state', (place) => {
    expect(() => create({ type: 'local', location: path.join(scratch, place) })).toThrow('the base directory');
  });

  it('serves s3 by its driver, with the fields of the manifest and the environment of the daemon', () => {
    create({
      type: 's3',
      'backend-id': 'two',
      s3_url: 's3://bucket/photos',
      base_url: '/photos/',
      endpoint_url: 'http://127.0.0.1:7480/',
      region: 'eu-central-1',
      'path-style': false,
      'storage-class': 'STANDARD_IA',
      sse: 'aws:kms:1234',
      'with-index': true,
      'read-only': true,
      credentials: { 'access-key': 'AKIA', 'secret-key': 'hunter2' },
    });
    create({ type: 's3', 's3_url': 's3://bucket', 'backend-id': 'plain', endpoint_url: null });
    expect(made.map(({ params }) => params)).toEqual([
      {
        backendId: 'two',
        url: 's3://bucket/photos/',
        endpointUrl: 'http://127.0.0.1:7480',
        region: 'eu-central-1',
        pathStyle: false,
        storageClass: 'STANDARD_IA',
        serverSideEncryption: 'aws:kms:1234',
        withIndex: true,
        readOnly: true,
        credentials: { accessKey: 'AKIA', secretKey: 'hunter2' },
      },
      { backendId: 'plain', url: 's3://bucket/', readOnly: false },
    ]);
    expect(made[0]?.host.env).toEqual({ AWS_PROFILE: 'ann' });
  });

  it('serves webdav by its driver, looked at every 30 s, and says what is wrong with its fields', () => {
    const storage = create({ type: 'webdav', url: 'https://dav.example.org/ann', base_path: 'notes', 'backend-id': 'dav', credentials: { login: 'ann', password: 'hunter2' } });
    expect([storage.type, storage.backendId, storage.displayLocation]).toEqual(['webdav', 'dav', 'https://dav.example.org/ann/notes/']);
    expect(watching(clock).watch(storage).description).toBe('every 30 s');
    expect(() => create({ type: 'webdav' })).toThrow('begins with https');
    expect(() => create({ type: 'webdav', url: 'https://host/', credentials: { login: 'ann' } })).toThrow('a login and a password');
  });

  it('serves sftp by its driver, looked at every 30 s, and says what is wrong with its fields', () => {
    const fields = { type: 'sftp', host: 'Files.example.org', login: 'ann', path: 'notes/', identity: '/home/ann/.ssh/id', passphrase: 'hunter2', 'backend-id': 'files' };
    const storage = create(fields);
    expect([storage.type, storage.backendId, storage.displayLocation]).toEqual(['sftp', 'files', 'sftp://ann@files.example.org/~/notes']);
    expect(watching(clock).watch(storage).description).toBe('every 30 s');
    expect(() => create({ type: 'sftp' })).toThrow('a name or an address');
    expect(() => create({ ...fields, 'host-key': 'MD5:00' })).toThrow('a fingerprint');
    expect(() => create({ ...fields, identity: 'id' })).toThrow('the absolute path of a private key file');
    expect(() => create({ ...fields, 'is-local-owner': false })).toThrow('local-owners');
  });

  it('serves zip-archive by its driver, which looks at the file once a second', () => {
    const storage = create({ type: 'zip-archive', location: path.join(scratch, 'photos.zip'), 'backend-id': 'one' });
    expect([storage.type, storage.backendId, storage.capabilities.isReadOnly]).toEqual(['zip-archive', 'one', true]);
    expect(watching(clock).watch(storage).description).toBe('size and time, every 1 s');
    expect(() => create({ type: 'zip-archive', location: 'photos.zip' })).toThrow('absolute path');
    expect(() => create({ type: 'zip-archive', location: '/x.zip', 'is-local-owner': false })).toThrow('local-owners');
  });

  it.each<[object, string]>([
    [{ s3_url: 's3://bucket/a//b' }, 'an empty part'],
    [{ s3_url: 's3://bucket', endpoint_url: 'http://host/path' }, 'must end behind its host and port'],
    [{ s3_url: 's3://bucket', credentials: { 'access-key': 'AKIA' } }, 'an access-key and a secret-key'],
    [{}, 'is no S3 URL'],
  ])('refuses the S3 storage %j in a sentence', (fields, message) => {
    expect(() => create({ type: 's3', ...fields })).toThrow(message);
    expect(made).toEqual([]);
  });

  it('keeps the notes of an S3 storage in a file of its own, for the user alone, whatever its id', () => {
    for (const id of ['two', '../../escape']) {
      create({ type: 's3', s3_url: 's3://bucket', 'backend-id': id });
      made.at(-1)!.host.notes.put('id', id);
    }
    const file = path.join(base, 's3', 'two.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ id: 'two' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(made.map(({ host }) => host.notes.get('id'))).toEqual(['two', '../../escape']);
    expect(() => statSync(path.join(scratch, 'home/escape.json'))).toThrow('ENOENT');
  });

  describe('watches', () => {
    const remote = (fields: object = {}): StorageBackend => create({ type: 's3', s3_url: 's3://bucket', 'backend-id': 'two', ...fields });

    it('by interval where the manifest says so, and listens to the file system elsewhere', () => {
      const { watch } = watching(clock);
      const location = path.join(scratch, 'photos');
      expect(watch(create({ type: 'local', location, 'watcher-interval': 30 })).description).toBe('every 30 s');
      expect(watch(create({ type: 'local', location })).description).not.toMatch(/every/);
    });

    it('an S3 storage every 30 s, unless its manifest says otherwise', () => {
      const { watch } = watching(clock);
      expect(watch(remote()).description).toBe('every 30 s');
      expect(watch(remote({ 'watcher-interval': 5 })).description).toBe('every 5 s');
    });

    it.each([
      [{}, 'every 120 s while nothing changes'],
      [{ 'watcher-interval': 5 }, 'every 5 s'],
    ])('a quiet S3 storage of %j in the end %s, and tells so', async (fields, description) => {
      const { watch, describe } = watching(clock, () => 0.5);
      const storage = remote(fields);
      await storage.open();
      expect(describe(storage)).toBeUndefined();
      const watcher = watch(storage);
      await watcher.start({ hints: () => undefined, degraded: () => undefined });
      await clock.advance(3_600_000);
      expect(describe(storage)).toBe(description);
      await watcher.stop();
    });
  });
});
