import { mkdir, realpath, symlink } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { canonicalPath, checkSocketPath, defaultBaseDirectory, defaultSyncSocketPath, homeDirectory, resolveBaseDirectory, resolveLogPath } from './paths.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

const ann = { HOME: '/home/ann' };

describe('the base directory', () => {
  it.each([
    ['is what the option names', '/elsewhere', { ...ann, XDG_CONFIG_HOME: '/cfg' }, '/elsewhere'],
    ['is taken from the working directory when the option is relative', 'mine', ann, '/cwd/mine'],
    ['is below XDG_CONFIG_HOME without an option', undefined, { ...ann, XDG_CONFIG_HOME: '/cfg' }, '/cfg/wildland'],
    ['is below the home directory without either', undefined, ann, '/home/ann/.config/wildland'],
    ['ignores a relative XDG_CONFIG_HOME', undefined, { ...ann, XDG_CONFIG_HOME: 'cfg' }, '/home/ann/.config/wildland'],
    ['ignores an empty XDG_CONFIG_HOME', undefined, { ...ann, XDG_CONFIG_HOME: '' }, '/home/ann/.config/wildland'],
    ['ignores an empty option', '', ann, '/home/ann/.config/wildland'],
  ])('%s', (_, option, env, expected) => {
    expect(resolveBaseDirectory(option, env, '/cwd')).toBe(expected);
  });

  it('falls back to the user database when HOME is not set', () => {
    expect(path.isAbsolute(homeDirectory({}))).toBe(true);
  });
});

describe('the socket path (W-33)', () => {
  const env = { HOME: '/nowhere/ann', XDG_RUNTIME_DIR: '/run/user/1000' };

  it('is the plain name for the default base directory', () => {
    expect(defaultSyncSocketPath(defaultBaseDirectory(env), env)).toBe('/run/user/1000/wlsync.sock');
  });

  it('is another one for every other base directory', () => {
    const first = defaultSyncSocketPath('/data/one', env);
    expect(first).toMatch(/^\/run\/user\/1000\/wlsync-[0-9a-f]{12}\.sock$/);
    expect(defaultSyncSocketPath('/data/two', env)).not.toBe(first);
    expect(defaultSyncSocketPath('/data/../data/one/', env)).toBe(first);
  });

  it('is in the base directory without XDG_RUNTIME_DIR', () => {
    expect(defaultSyncSocketPath('/data/one', { HOME: '/nowhere/ann' })).toBe('/data/one/wlsync.sock');
  });

  it('is the same for a directory and a link to it', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(path.join(directory, 'real'));
      await symlink('real', path.join(directory, 'link'));
      expect(defaultSyncSocketPath(path.join(directory, 'link'), env)).toBe(defaultSyncSocketPath(path.join(directory, 'real'), env));
    }));

  it('is the same before and after the directory is made', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(path.join(directory, 'real'));
      await symlink('real', path.join(directory, 'link'));
      const base = path.join(directory, 'link/not/yet');
      const before = defaultSyncSocketPath(base, env);
      await mkdir(base, { recursive: true });
      expect(defaultSyncSocketPath(base, env)).toBe(before);
    }));

  it('is refused when it is longer than a socket may be', () => {
    expect(checkSocketPath(`/${'a'.repeat(102)}`).ok).toBe(true);
    expect(checkSocketPath(`/${'a'.repeat(103)}`)).toMatchObject({ ok: false, error: { code: 'socket-path-too-long' } });
    // Bytes count, not characters.
    expect(checkSocketPath(`/${'ä'.repeat(52)}`).ok).toBe(false);
  });
});

describe('canonicalPath', () => {
  it('resolves links in what exists and keeps the rest', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(path.join(directory, 'real'));
      await symlink('real', path.join(directory, 'link'));
      expect(canonicalPath(path.join(directory, 'link/a/b'))).toBe(path.join(await realpath(directory), 'real/a/b'));
    }));

  it('answers with the spelling as given where it cannot look', () =>
    inTemporaryDirectory(async (directory) => {
      await symlink('loop', path.join(directory, 'loop'));
      expect(canonicalPath(path.join(directory, 'loop'))).toBe(path.join(directory, 'loop'));
    }));
});

describe('the log path', () => {
  it.each([
    ['is what the option names', '/var/log/wl.log', { ...ann, WL_SYNC_LOG_PATH: '/x' }, '/var/log/wl.log'],
    ['is - for standard error', '-', ann, '-'],
    ['is what WL_SYNC_LOG_PATH names without an option', undefined, { ...ann, WL_SYNC_LOG_PATH: '/x.log', XDG_DATA_HOME: '/data' }, '/x.log'],
    ['is - when WL_SYNC_LOG_PATH says so', undefined, { ...ann, WL_SYNC_LOG_PATH: '-' }, '-'],
    ['is below XDG_DATA_HOME without either', undefined, { ...ann, XDG_DATA_HOME: '/data' }, '/data/wildland/wl-sync.log'],
    ['is below the home directory otherwise', undefined, ann, '/home/ann/.local/share/wildland/wl-sync.log'],
    ['is taken from the working directory when relative', 'wl.log', ann, '/cwd/wl.log'],
  ])('%s', (_, option, env, expected) => {
    expect(resolveLogPath(option, env, '/cwd')).toBe(expected);
  });
});
