import { execFileSync } from 'node:child_process';
import { lstat, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { createFile, makePrivateDirectory, MAX_FILE_BYTES, readSmallFile, removeFile, replaceFile } from './durable-file.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

const bytes = Buffer.from('new');

describe('replacing a file', () => {
  it('puts the new bytes in place with the mode asked for, and leaves nothing beside', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      await writeFile(file, 'old', { mode: 0o644 });
      expect(await replaceFile(file, bytes, 0o600)).toEqual({ ok: true, value: undefined });
      expect(await readFile(file, 'utf8')).toBe('new');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await readdir(directory)).toEqual(['config.yaml']);
    }));

  it('writes to the file that a link leads to and keeps the link', () =>
    inTemporaryDirectory(async (directory) => {
      await writeFile(path.join(directory, 'real.yaml'), 'old');
      await symlink('real.yaml', path.join(directory, 'config.yaml'));
      await replaceFile(path.join(directory, 'config.yaml'), bytes, 0o600);
      expect((await lstat(path.join(directory, 'config.yaml'))).isSymbolicLink()).toBe(true);
      expect(await readFile(path.join(directory, 'real.yaml'), 'utf8')).toBe('new');
    }));

  it('goes ahead over what a crash left aside', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      await replaceFile(file, bytes, 0o600);
      // The name aside follows from the file's name: find it by making the directory refuse the rename.
      const { createHash } = await import('node:crypto');
      const aside = `.wl-${createHash('sha256').update('config.yaml').digest('hex').slice(0, 16)}.tmp`;
      await writeFile(path.join(directory, aside), 'torn');
      expect((await replaceFile(file, Buffer.from('newer'), 0o600)).ok).toBe(true);
      expect(await readdir(directory)).toEqual(['config.yaml']);
      expect(await readFile(file, 'utf8')).toBe('newer');
    }));

  it('says why it cannot', () =>
    inTemporaryDirectory(async (directory) => {
      const result = await replaceFile(path.join(directory, 'missing/config.yaml'), bytes, 0o600);
      expect(result).toMatchObject({ ok: false, error: { code: 'unwritable' } });
      expect(result.ok ? '' : result.error.message).toMatch(/^unable to write .*config\.yaml: no such file or directory \(ENOENT\)$/);
    }));
});

describe('creating a file', () => {
  it('never takes a name that is in use', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'a.yaml');
      expect(await createFile(file, bytes, 0o600)).toEqual({ ok: true, value: true });
      expect(await createFile(file, Buffer.from('other'), 0o600)).toEqual({ ok: true, value: false });
      expect(await readFile(file, 'utf8')).toBe('new');
      expect(await readdir(directory)).toEqual(['a.yaml']);
    }));
});

describe('reading a small file', () => {
  it('tells a missing file from one that cannot be read', () =>
    inTemporaryDirectory(async (directory) => {
      expect(readSmallFile(path.join(directory, 'none'))).toMatchObject({ error: { code: 'not-found' } });
      expect(readSmallFile(directory)).toMatchObject({ error: { code: 'unreadable' } });
      await symlink('loop', path.join(directory, 'loop'));
      expect(readSmallFile(path.join(directory, 'loop'))).toMatchObject({ error: { code: 'unreadable' } });
    }));

  it('refuses a file that is too large, unread', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'huge');
      await writeFile(file, '');
      await truncate(file, MAX_FILE_BYTES + 1);
      expect(readSmallFile(file)).toMatchObject({ error: { code: 'too-large' } });
      await truncate(file, MAX_FILE_BYTES);
      expect((readSmallFile(file)).ok).toBe(true);
    }));

  it('does not wait for the other end of a FIFO', () =>
    inTemporaryDirectory(async (directory) => {
      execFileSync('mkfifo', [path.join(directory, 'fifo')]);
      expect(readSmallFile(path.join(directory, 'fifo'))).toMatchObject({ error: { code: 'unreadable' } });
    }));
});

describe('directories and removal', () => {
  it('makes directories for the owner alone', () =>
    inTemporaryDirectory(async (directory) => {
      await makePrivateDirectory(path.join(directory, 'a/b'));
      expect((await stat(path.join(directory, 'a'))).mode & 0o777).toBe(0o700);
      expect((await stat(path.join(directory, 'a/b'))).mode & 0o777).toBe(0o700);
    }));

  it('removes a file, once', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'a');
      await writeFile(file, '');
      expect((await removeFile(file)).ok).toBe(true);
      expect(await removeFile(file)).toMatchObject({ error: { code: 'not-found' } });
    }));
});
