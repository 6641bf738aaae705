/** Connections that are cut, servers that go and come back, disks that fill: nothing half is shown, and nothing is called absent (INV-6, INV-8, INV-18). */

import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath as at, toSha256 } from '@wl/domain';
import type { StorageBackend } from '@wl/ports';

import { connector, type Connect } from './connector.js';
import { createSftpBackend } from './create-sftp-backend.js';
import { ConnectionLost } from './failure.js';
import { CuttingProxy } from './testing/cutting-proxy.js';
import { filesBelow, openSftp, paramsFor, realClock, serverFromEnv, type OpenSftp } from './testing/open-sftp.js';
import { OwnServer } from './testing/own-server.js';

const server = serverFromEnv(process.env);
const ATTRIBUTES = { mtimeMs: 1_600_000_000_000 };
const unreachable = { code: 'unreachable', details: { retryable: true } };

let opened: OpenSftp;
let wire: CuttingProxy;
let cuttable: StorageBackend;
beforeEach(async () => {
  opened = await openSftp(server);
  wire = await CuttingProxy.to(server.port);
  cuttable = await opened.openAnother({ port: wire.port });
});
afterEach(async () => {
  await cuttable.close();
  await wire.close();
  await opened.close();
});

const identityOf = (bytes: Uint8Array) => ({ sha256: toSha256(createHash('sha256').update(bytes).digest('hex')), sizeBytes: bytes.length });

async function put(backend: StorageBackend, path: string, bytes: Uint8Array, expected?: string) {
  const writer = await backend.openForSafeReplace(at(path), expected as never, ATTRIBUTES);
  try {
    for (let start = 0; start < bytes.length; start += 1 << 18) await writer.write(bytes.subarray(start, start + (1 << 18)));
    return await writer.commit(identityOf(bytes));
  } finally {
    await writer.abort();
  }
}

async function keysOf(backend: StorageBackend): Promise<string[]> {
  const keys: string[] = [];
  for await (const batch of backend.list(ROOT)) keys.push(...batch.keys);
  return keys;
}

/** After failures the connection is not tried at once. */
async function untilReached<T>(act: () => Promise<T>): Promise<T> {
  for (const startMs = Date.now(); ; ) {
    try {
      return await act();
    } catch (error) {
      if ((error as { code?: string }).code !== 'unreachable' || Date.now() - startMs > 60_000) throw error;
      await realClock.sleep(200);
    }
  }
}

const staged = (): string[] => filesBelow(join(opened.location, '.wl/staging'));

describe('a connection that is cut', () => {
  it('INV-6: in the middle of a write shows nothing of it, and the next write makes a new one', async () => {
    await opened.writeOutside('old', Buffer.from('old'));
    const { token } = (await cuttable.stat(at('old'))) as { token: string };
    await put(cuttable, 'first', Buffer.from('x'));
    const bytes = randomBytes(3 << 20);
    wire.cutAfter(1 << 20);
    await expect(put(cuttable, 'old', bytes, token)).rejects.toMatchObject(unreachable);
    expect(Buffer.from((await opened.readOutside('old'))!).toString()).toBe('old');
    expect([...(await opened.namesOutside())].sort()).toEqual(['first', 'old']);
    expect(await put(cuttable, 'old', bytes, token)).toMatchObject({ ok: true });
    expect(Buffer.compare((await opened.readOutside('old'))!, bytes)).toBe(0);
    expect(staged()).toEqual([]);
  });

  it('INV-8: in the middle of a listing leaves nothing out: it goes on over a new connection', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `d${String(i).padStart(2, '0')}/f`);
    for (const name of names) await opened.writeOutside(name, Buffer.from('x'));
    wire.cutAfter(4000);
    expect((await keysOf(cuttable)).filter((key) => !key.endsWith('/'))).toEqual(names);
    expect(wire.count).toBe(2);
  });

  it('INV-8: for good is a failure of everything, and nothing is called absent', async () => {
    for (let i = 0; i < 30; i += 1) await opened.writeOutside(`d${String(i)}/f`, Buffer.from('x'));
    const listing = cuttable.list(ROOT)[Symbol.asyncIterator]();
    wire.isDown = true;
    wire.cut();
    const listAll = async (): Promise<void> => {
      while ((await listing.next()).done !== true);
    };
    await expect(listAll()).rejects.toMatchObject(unreachable);
    await expect(cuttable.stat(at('d1/f'))).rejects.toMatchObject(unreachable);
    await expect(cuttable.getHashes([at('d1/f')])).rejects.toMatchObject(unreachable);
    await expect(cuttable.rootIdentity({ mark: false })).rejects.toMatchObject(unreachable);
    wire.isDown = false;
    expect(await untilReached(() => cuttable.stat(at('d1/f')))).toMatchObject({ kind: 'file' });
  });

  it('INV-27: in the middle of a read is an error, not the end', async () => {
    await opened.writeOutside('large', randomBytes(6 << 20));
    const { token } = (await cuttable.stat(at('large'))) as { token: string };
    const reading = await cuttable.read(at('large'), token as never);
    if (!reading.ok) throw new Error('stale');
    const read = async (): Promise<void> => {
      for await (const chunk of reading.value.chunks()) {
        expect(chunk.length).toBeGreaterThan(0);
        wire.cut();
      }
    };
    await expect(read()).rejects.toMatchObject(unreachable);
    expect(await reading.value.isUnchanged()).toBe(false);
    await reading.value.close();
  });
});

describe('an answer that is lost', () => {
  /** A connection that is cut when the answer to the first such step with a path outside of our area should have come. */
  const losing = (step: 'hardlink' | 'posixRename' | 'mkdir' | 'rmdir'): Connect => {
    const connect = connector(paramsFor(server, opened.location), { env: {} });
    let left = 1;
    return async (onLost) => {
      const session = await connect(onLost);
      return new Proxy(session, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== 'function') return value;
          return async (...values: unknown[]) => {
            const result: unknown = await Reflect.apply(value, target, values);
            const isOurs = values.every((one) => typeof one !== 'string' || one.includes('/.wl'));
            if (key !== step || left === 0 || isOurs) return result;
            left -= 1;
            target.end();
            throw new ConnectionLost();
          };
        },
      });
    };
  };
  const lossy = async (connect: Connect): Promise<StorageBackend> => {
    const backend = createSftpBackend(paramsFor(server, opened.location), { clock: realClock, env: {} }, connect);
    await backend.open();
    return backend;
  };

  it.each(['hardlink', 'posixRename'] as const)('INV-18: to a %s is found out: what was made is made, once', async (step) => {
    const backend = await lossy(losing(step));
    try {
      const made = await put(backend, 'a', Buffer.from('one'));
      if (!made.ok) throw new Error('stale');
      expect(await put(backend, 'a', Buffer.from('other'), made.value.token)).toMatchObject({ ok: true });
      const { token } = (await backend.stat(at('a'))) as { token: string };
      expect(await backend.remove(at('a'), token as never)).toMatchObject({ ok: true });
      expect(await opened.namesOutside()).toEqual([]);
      expect((await opened.trashOutside!()).map((bytes) => Buffer.from(bytes).toString()).sort()).toEqual(['one', 'other']);
    } finally {
      await backend.close();
    }
    expect(staged()).toEqual([]);
  });

  it.each(['mkdir', 'rmdir'] as const)('INV-18: to a %s of a directory is found out', async (step) => {
    const backend = await lossy(losing(step));
    try {
      await put(backend, 'a', Buffer.from('x')).catch(() => undefined);
      expect(await backend.makeDirectory(at('d'))).toEqual({ ok: true, value: undefined });
      expect(await backend.removeDirectory(at('d'))).toEqual({ ok: true, value: undefined });
    } finally {
      await backend.close();
    }
  });
});

describe('a server that goes and comes back', () => {
  let own: OwnServer;
  beforeAll(async () => {
    own = await OwnServer.start();
  });
  afterAll(() => own.close());

  it('is unreachable meanwhile and of use again afterwards, with what was there', async () => {
    const there = await openSftp(own.server);
    try {
      await put(there.backend, 'a', Buffer.from('one'));
      own.cut();
      expect(await there.backend.stat(at('a'))).toMatchObject({ kind: 'file', sizeBytes: 3 });
      own.stop();
      await expect(there.backend.stat(at('a'))).rejects.toMatchObject(unreachable);
      await expect(there.backend.stat(at('a'))).rejects.toThrow(/nothing accepts connections there/);
      await own.startAgain();
      expect(await untilReached(() => keysOf(there.backend))).toEqual(['a']);
      expect(await put(there.backend, 'b', Buffer.from('two'))).toMatchObject({ ok: true });
    } finally {
      await there.close();
    }
  });
});

const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

describe('a disk that is full', () => {
  itAsRoot('is told as such, and leaves what was there', async () => {
    const files = mkdtempSync(join(tmpdir(), 'wl-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', files]);
    let full: OpenSftp | undefined;
    try {
      full = await openSftp({ ...server, files });
      const made = await put(full.backend, 'a', Buffer.from('one'));
      if (!made.ok) throw new Error('stale');
      await expect(put(full.backend, 'a', randomBytes(5 << 20), made.value.token)).rejects.toMatchObject({ code: 'no-space' });
      await expect(put(full.backend, 'new', randomBytes(5 << 20))).rejects.toThrow(/disk of the server is full/);
      expect(await full.namesOutside()).toEqual(['a']);
      expect(Buffer.from((await full.readOutside('a'))!).toString()).toBe('one');
      expect(await put(full.backend, 'small', Buffer.from('x'))).toMatchObject({ ok: true });
    } finally {
      await full?.close();
      execFileSync('umount', [files]);
      rmSync(files, { recursive: true });
    }
  });

  itAsRoot('T04: that is taken out leaves no storage, and no absent file', async () => {
    const files = mkdtempSync(join(tmpdir(), 'wl-disk-'));
    const place = join(files, 'place');
    mkdirSync(place);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', place]);
    const backend = createSftpBackend(paramsFor(server, place), { clock: realClock, env: {} });
    try {
      await backend.open();
      await put(backend, 'a', Buffer.from('one'));
      await backend.rootIdentity({ mark: true });
      execFileSync('umount', [place]);
      expect(statSync(place).isDirectory()).toBe(true);
      await expect(backend.stat(at('a'))).rejects.toMatchObject({ code: 'not-found' });
      await expect(keysOf(backend)).rejects.toMatchObject({ code: 'not-found' });
      await expect(put(backend, 'b', Buffer.from('x'))).rejects.toBeDefined();
    } finally {
      await backend.close();
      rmSync(files, { recursive: true });
    }
  });
});
