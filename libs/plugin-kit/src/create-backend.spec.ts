import { describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath } from '@wl/domain';
import { isBackendError, type StorageBackend } from '@wl/ports';
import { describeReadOnlyBackend, describeStorageBackend, type OpenBackend } from '@wl/ports/testing';

import { createBackend } from './create-backend.js';
import type { Driver } from './driver.js';
import { MapStore, mapDriver } from './testing/map-driver.js';

const params = { type: 'map', 'backend-id': 'one' };

async function openMap({ keepsEmptyDirectories = true, isReadOnly = false, overrides = {} } = {}): Promise<OpenBackend> {
  const store = new MapStore(keepsEmptyDirectories);
  const openOne = async (): Promise<StorageBackend> => {
    const made = createBackend({ ...params, 'read-only': isReadOnly }, mapDriver(store, overrides));
    await made.open();
    return made;
  };
  const backend = await openOne();
  return {
    backend,
    close: () => backend.close(),
    writeOutside: async (path, bytes) => store.write(path, bytes),
    readOutside: async (path) => store.files.get(path)?.bytes,
    removeOutside: async (path) => store.remove(path),
    mkdirOutside: async (path) => store.mkdir(path),
    renameOutside: async (from, to) => store.rename(from, to),
    namesOutside: async () => store.paths().filter((name) => name !== '.wl' && !name.startsWith('.wl/')),
    removeRoot: async () => {
      store.isThere = false;
      store.files.clear();
      store.directories.clear();
    },
    reopen: async () => {
      await backend.close();
      return openOne();
    },
    touchOutside: async (path, mtimeMs) => store.write(path, store.files.get(path)?.bytes ?? new Uint8Array(0), mtimeMs),
    passTime: async () => undefined,
  };
}

describeStorageBackend('a storage made of a driver', () => openMap());
describeStorageBackend('a storage made of a driver without empty directories', () => openMap({ keepsEmptyDirectories: false }));
describeStorageBackend('a storage made of a driver that verifies', () => openMap({ overrides: { verifies: true } }));
describeReadOnlyBackend('a storage made of a driver', () => openMap({ isReadOnly: true }));

const failing = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error(`${code}: it says`), { code });
};
const codeOf = async (action: Promise<unknown>): Promise<unknown> => action.then(() => undefined, (error: unknown) => (isBackendError(error) ? [error.code, error.details.retryable] : error));

describe('what a driver fails with', () => {
  it.each([
    ['ECONNREFUSED', ['unreachable', true]],
    ['EACCES', ['permission-denied', false]],
    ['ENOSPC', ['no-space', false]],
    ['EWHATEVER', ['io-error', true]],
  ])('%s is told as %j', async (code, expected) => {
    const backend = createBackend(params, mapDriver(new MapStore(true), { mkdir: failing(code) }));
    expect(await codeOf(backend.makeDirectory(toRelativePath('d')))).toEqual(expected);
  });

  it('INV-8: is never an absence', async () => {
    const backend = createBackend(params, mapDriver(new MapStore(true), { getattr: failing('EIO'), readdir: failing('EIO') }));
    expect(await codeOf(backend.stat(toRelativePath('a')))).toEqual(['io-error', true]);
    expect(await codeOf(backend.list(ROOT)[Symbol.asyncIterator]().next())).toEqual(['io-error', true]);
  });

  it('INV-8: marks a directory that could not be read, and ends a listing where the store is out of reach', async () => {
    const store = new MapStore(true);
    store.write('d/a', new Uint8Array(1));
    const whole = mapDriver(store);
    const partly = (code: string): Driver => ({ ...whole, readdir: async (path) => (path === 'd' ? failing(code)() : whole.readdir(path)) });
    const list = async (driver: Driver): Promise<unknown[]> => {
      const rows: unknown[] = [];
      for await (const { keys, reasons } of createBackend(params, driver).list(ROOT)) rows.push(...keys.map((key, i) => [key, reasons.get(i)]));
      return rows;
    };
    expect(await list(partly('EACCES'))).toEqual([['d/', 'permission-denied']]);
    expect(await list(partly('EIO'))).toEqual([['d/', 'read-error']]);
    expect(await codeOf(list(partly('ECONNRESET')))).toEqual(['unreachable', true]);
  });
});

describe('what a driver stores', () => {
  const write = async (driver: Driver): Promise<unknown> => {
    const backend = createBackend(params, driver);
    const writer = await backend.openForSafeReplace(toRelativePath('a'), undefined, { mtimeMs: 0 });
    await writer.write(new TextEncoder().encode('x'));
    return codeOf(writer.commit({ sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' as never, sizeBytes: 1 }));
  };

  it('INV-27: is read back, unless the driver verifies it', async () => {
    const store = new MapStore(true);
    const lying = mapDriver(store, { safe_replace: async (path) => (store.write(path, new Uint8Array([7])), true) });
    expect(await write(lying)).toEqual(['damaged', true]);
    store.remove('a');
    expect(await write({ ...lying, verifies: true })).toBeUndefined();
  });

  it('INV-26: may be nothing, for a driver that cannot write and does not say so', async () => {
    const { safe_replace: _none, ...driver } = mapDriver(new MapStore(true));
    expect(await write(driver)).toEqual(['unsupported', false]);
  });
});
