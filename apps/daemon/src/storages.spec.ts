import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@wl/adapters/system-clock';

import { storageFactory, watcherFactory, type CreateStorage } from './storages.js';

describe('the table of storage types', () => {
  let scratch: string;
  let create: CreateStorage;

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'wl-storages-'));
    for (const name of ['home/.config/wildland', 'photos']) mkdirSync(path.join(scratch, name), { recursive: true });
    create = storageFactory(path.join(scratch, 'home/.config/wildland'), systemClock, undefined);
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  it.each(['local', 'local-cached', 'local-dir-cached'])('serves %s by the local file system', (type) => {
    const storage = create({ type, location: path.join(scratch, 'photos'), 'backend-id': 'one' });
    expect([storage.type, storage.backendId]).toEqual([type, 'one']);
  });

  it('refuses a type it does not know, a relative place, and the place of an owner that may not name any', () => {
    expect(() => create({ type: 'floppy' })).toThrow('storage type floppy is not supported');
    expect(() => create({ type: 'local', location: 'photos' })).toThrow('absolute path');
    expect(() => create({ type: 'local', location: scratch, 'is-local-owner': false })).toThrow('local-owners');
  });

  it.each(['home', 'home/.config/wildland', 'home/.config/wildland/keys'])('refuses %s, which would sync our own state', (place) => {
    expect(() => create({ type: 'local', location: path.join(scratch, place) })).toThrow('the base directory');
  });

  it('polls where the manifest names an interval, and listens to the file system elsewhere', () => {
    const watch = watcherFactory(systemClock);
    const location = path.join(scratch, 'photos');
    expect(watch(create({ type: 'local', location, 'watcher-interval': 30 })).description).toBe('every 30 s');
    expect(watch(create({ type: 'local', location })).description).not.toMatch(/every/);
  });
});
