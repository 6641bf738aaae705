import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import type { StorageBackend } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';
import { ManualClock } from '@wl/ports/testing';

import { mountFinder, type MountHost } from './find-mount.js';

const clock = new ManualClock();
const REMOTE: StorageParams = { type: 's3', 'mount-path': '/mnt/bucket/photos' };

/** A storage with a root marker, and the text of the marker. */
async function marked(): Promise<{ readonly storage: StorageBackend; readonly marker: string }> {
  const storage = new MemoryBackend(new MemoryTree({ id: 'tree', clock }), { backendId: 'b' });
  await storage.open();
  const { ids } = await storage.rootIdentity({ mark: true });
  return { storage, marker: ids.find((id) => id.startsWith('marker:'))!.slice('marker:'.length) };
}

/** A file system on which `/mnt/bucket` is a mount point that shows `marker`. */
function host(marker: string | undefined, overrides: Partial<MountHost> = {}): MountHost {
  return {
    realpath: async (place) => place,
    deviceOf: async (place) => (place.startsWith('/mnt/bucket') ? 7 : 1),
    readStart: async (file) => {
      if (marker === undefined || file !== '/mnt/bucket/photos/.wl/root-id') throw new Error('ENOENT');
      return `${marker}\n`;
    },
    ...overrides,
  };
}

const find = (mounts?: MountHost) => mountFinder({ clock, isLocal: ({ type }) => type === 'local', ...(mounts !== undefined && { host: mounts }) });

describe('the mount of a storage', () => {
  it('is its own directory for a local one, links resolved', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'wl-mount-'));
    try {
      const { storage } = await marked();
      expect(await find()({ type: 'local', location: directory }, storage)).toEqual({ ok: true, value: await realpath(directory) });
      expect(await find()({ type: 'local', location: path.join(directory, 'gone') }, storage)).toMatchObject({ ok: false, error: expect.stringContaining('is not there at') });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('INV-10: is its mount-path while that is mounted and bears its marker', async () => {
    const { storage, marker } = await marked();
    expect(await find(host(marker))(REMOTE, storage)).toEqual({ ok: true, value: '/mnt/bucket/photos' });
  });

  it('INV-10: is nowhere where nothing is mounted, whatever lies there', async () => {
    const { storage, marker } = await marked();
    const unmounted = host(marker, { deviceOf: async () => 1 });
    expect(await find(unmounted)(REMOTE, storage)).toEqual({ ok: false, error: 'is not mounted at /mnt/bucket/photos' });
  });

  it('INV-10: is nowhere where another storage is mounted, or one that nobody knows', async () => {
    const { storage } = await marked();
    expect(await find(host('5b1d4a52-0000-4000-8000-000000000000'))(REMOTE, storage)).toEqual({
      ok: false,
      error: 'is not what is mounted at /mnt/bucket/photos: that is another storage',
    });
    expect(await find(host(undefined))(REMOTE, storage)).toMatchObject({ ok: false, error: expect.stringContaining('there is no root marker to be read') });
  });

  it('is nowhere for a storage that was never synced, since nothing tells it from another', async () => {
    const storage = new MemoryBackend(new MemoryTree({ id: 'tree', clock }), { backendId: 'b' });
    expect(await find(host('x'))(REMOTE, storage)).toMatchObject({ ok: false, error: expect.stringContaining('has no root marker yet') });
  });

  it('is nowhere for a storage that cannot be reached', async () => {
    const { marker } = await marked();
    const tree = new MemoryTree({ id: 'gone', clock });
    tree.unmount();
    expect(await find(host(marker))(REMOTE, new MemoryBackend(tree, { backendId: 'b' }))).toMatchObject({ ok: false, error: expect.stringContaining('cannot be looked at') });
  });

  it.each([
    [{ type: 's3' }, '(type s3) has no mount-path in its manifest'],
    [{ type: 's3', 'mount-path': 'mnt' }, 'has a mount-path that is not absolute: mnt'],
  ])('is nowhere for %j', async (params, error) => {
    const { storage } = await marked();
    expect(await find(host('x'))(params, storage)).toEqual({ ok: false, error });
  });

  it('is given up where the file system does not answer', async () => {
    const { storage, marker } = await marked();
    const hung = host(marker, { realpath: () => new Promise(() => undefined) });
    const found = find(hung)(REMOTE, storage);
    expect(await clock.runUntil(found)).toEqual({ ok: false, error: 'does not answer at /mnt/bucket/photos' });
  });
});
