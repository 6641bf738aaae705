/** Making local files executable: what the system says to it, and who else is at the file. */

import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, type Token } from '@wl/domain';
import type { Programs } from '@wl/ports';

import { instrument, type BeforeCall, type InstrumentedDisk } from './testing/instrumented-disk.js';
import { openLocal, type OpenLocal } from './testing/open-local.js';
import { createDisk, errnoException, type Disk } from './worker/disk.js';
import { loadNative } from './worker/native.js';

const native = loadNative({ ownsThread: false });
const at = toRelativePath;
const { errno } = osConstants;

let opened: OpenLocal;
let instrumented: InstrumentedDisk;
beforeEach(async () => {
  instrumented = instrument(createDisk(native));
  opened = await openLocal({ deps: { disk: instrumented.disk } });
});
afterEach(async () => {
  instrumented.watch(undefined);
  await opened.close();
});

const place = (path: string): string => join(opened.location, path);
const modeOf = (path: string): number => fs.statSync(place(path)).mode & 0o7777;

function plant(path: string, mode: number): void {
  fs.writeFileSync(place(path), 'content');
  fs.chmodSync(place(path), mode);
  fs.utimesSync(place(path), 1e9, 1e9);
}

function programs(): Programs {
  if (opened.backend.programs === undefined) throw new Error('this storage tells nothing of programs');
  return opened.backend.programs;
}

const tokenAt = async (path: string): Promise<Token> => (await opened.backend.getFileToken(at(path)))!;

/** Makes calls of one name fail. */
function failing(name: Parameters<BeforeCall>[0]['name'], code: keyof typeof errno): void {
  instrumented.watch((call) => {
    if (call.name === name) throw errnoException(name, errno[code]);
  });
}

describe('permissions of a program', () => {
  it.each([
    [0o644, 0o755],
    [0o640, 0o750],
    [0o600, 0o700],
    [0o664, 0o775],
    [0o444, 0o555],
    [0o2644, 0o2755],
  ])('are added for whoever may read: %i becomes %i', async (plain, program) => {
    plant('a', plain);
    expect(await programs().setExecutable(at('a'), await tokenAt('a'), true)).toMatchObject({ ok: true });
    expect(modeOf('a')).toBe(program);
    expect(await programs().setExecutable(at('a'), await tokenAt('a'), false)).toMatchObject({ ok: true });
    expect(modeOf('a')).toBe(plain);
  });

  it('are told of whoever may execute it', async () => {
    for (const [mode, isProgram] of [[0o644, false], [0o744, true], [0o654, true], [0o645, true]] as const) {
      plant('a', mode);
      expect(programs().isExecutable(await tokenAt('a'))).toBe(isProgram);
    }
  });

  it.each([['EPERM', 'it belongs to another user'], ['EOPNOTSUPP', 'its file system does not keep it']] as const)('that the system refuses for good (%s) are not kept', async (code, message) => {
    plant('a', 0o644);
    const token = await tokenAt('a');
    failing('fchmod', code);
    expect(await programs().setExecutable(at('a'), token, true)).toEqual({ ok: false, error: { kind: 'not-kept', message: expect.stringContaining(message) } });
    expect(modeOf('a')).toBe(0o644);
  });

  it.each([['EIO', 'io-error'], ['ENOSPC', 'no-space'], ['EROFS', 'read-only']] as const)('INV-8: that fail (%s) are a failure', async (code, expected) => {
    plant('a', 0o644);
    const token = await tokenAt('a');
    failing('fchmod', code);
    await expect(programs().setExecutable(at('a'), token, true)).rejects.toMatchObject({ code: expected, details: { path: 'a' } });
  });

  it('INV-15: are no success as long as they may be lost', async () => {
    plant('a', 0o644);
    const token = await tokenAt('a');
    failing('fsync', 'EIO');
    await expect(programs().setExecutable(at('a'), token, true)).rejects.toMatchObject({ code: 'io-error' });
  });

  it('cannot be set in a storage that is read only', async () => {
    const readOnly = await openLocal({ readOnly: true });
    try {
      fs.writeFileSync(join(readOnly.location, 'a'), 'content');
      const token = (await readOnly.backend.getFileToken(at('a')))!;
      await expect(readOnly.backend.programs?.setExecutable(at('a'), token, true)).rejects.toMatchObject({ code: 'read-only' });
    } finally {
      await readOnly.close();
    }
  });
});

describe('INV-17: somebody else at the file', () => {
  /** Does something right before a call of that name. */
  function actingBefore(name: Parameters<BeforeCall>[0]['name'], act: () => void): void {
    instrumented.watch((call) => {
      if (call.name !== name) return;
      instrumented.watch(undefined);
      act();
    });
  }

  it.each(['open', 'fstat', 'fchmod'] as const)('who saves it by rename before the %s meets no success, and keeps what was saved', async (name) => {
    plant('a', 0o644);
    const token = await tokenAt('a');
    actingBefore(name, () => {
      plant('new', 0o600);
      fs.renameSync(place('new'), place('a'));
    });
    expect(await programs().setExecutable(at('a'), token, true)).toMatchObject({ ok: false, error: { kind: 'stale-token' } });
    expect([fs.readFileSync(place('a'), 'utf8'), modeOf('a')]).toEqual(['content', 0o600]);
  });

  it.each(['fstat', 'fchmod'] as const)('who writes to it before the %s meets no success', async (name) => {
    plant('a', 0o644);
    const token = await tokenAt('a');
    actingBefore(name, () => fs.appendFileSync(place('a'), ' and more'));
    expect(await programs().setExecutable(at('a'), token, true)).toMatchObject({ ok: false, error: { kind: 'stale-token' } });
    expect(fs.readFileSync(place('a'), 'utf8')).toBe('content and more');
  });
});

describe('INV-26: a file system on which all files are alike', () => {
  /** A disk that takes permissions and does not keep them. */
  const forgetful = (): Disk => ({ ...createDisk(native), fchmod: () => undefined });

  it('is found out by trying, and says nothing of programs', async () => {
    const alike = await openLocal({ deps: { disk: forgetful() } });
    try {
      await alike.backend.rootIdentity({ mark: true });
      expect(alike.backend.programs).toBeUndefined();
      // What was tried is not forgotten by a look that leaves no trace.
      await alike.backend.rootIdentity({ mark: false });
      expect(alike.backend.programs).toBeUndefined();
    } finally {
      await alike.close();
    }
  });

  it('makes no programs of what is copied from it, nor directories for everybody', async () => {
    const alike = await openLocal({ deps: { disk: forgetful() } });
    try {
      await alike.backend.rootIdentity({ mark: true });
      plant('replaced', 0o640);
      for (const name of ['new', 'replaced']) {
        fs.writeFileSync(join(alike.location, name), 'from a stick');
        fs.chmodSync(join(alike.location, name), 0o777);
      }
      fs.mkdirSync(join(alike.location, 'd'));
      fs.chmodSync(join(alike.location, 'd'), 0o777);
      const requests = [];
      for (const path of [at('new'), at('replaced')]) {
        const [from, replaces] = [await alike.backend.stat(path), await opened.backend.stat(path)];
        if (from.kind !== 'file') throw new Error('no file');
        requests.push({ path, from, replaces: replaces.kind === 'file' ? replaces : undefined });
      }
      const outcomes = [];
      for await (const batch of opened.backend.copyFrom(alike.backend, requests) ?? []) outcomes.push(...batch.map(({ outcome }) => outcome.kind));
      await opened.backend.makeDirectory(at('d'), alike.backend);
      const mask = process.umask();
      expect([outcomes, modeOf('new'), modeOf('replaced'), modeOf('d')]).toEqual([['copied', 'copied'], 0o666 & ~mask, 0o640, 0o777 & ~mask]);
      // To other kinds of storages it tells nothing either.
      const token = (await alike.backend.getFileToken(at('new')))!;
      const opening = await alike.backend.read(at('new'), token);
      if (!opening.ok) throw new Error('it cannot be read');
      expect(opening.value.attributes).not.toHaveProperty('isExecutable');
      await opening.value.close();
      for await (const [answer] of alike.backend.wholeFiles.read([{ path: at('new'), expected: token, sizeBytes: 12 }])) {
        expect(answer).toMatchObject({ outcome: { kind: 'read' } });
        expect(answer?.outcome).not.toHaveProperty('attributes.isExecutable');
      }
    } finally {
      await alike.close();
    }
  });

  it.each([[0x4d44, true], [0x65735546, true], [0xef53, false]])('is expected of kind %i as long as nothing was tried: %s', async (kind, isAlike) => {
    const untried = await openLocal({ deps: { disk: { ...createDisk(native), fileSystemType: () => kind } } });
    try {
      expect(untried.backend.programs === undefined).toBe(isAlike);
      await untried.backend.rootIdentity({ mark: true });
      expect(untried.backend.programs).toBeDefined();
    } finally {
      await untried.close();
    }
  });
});
