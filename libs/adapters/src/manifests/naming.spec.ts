import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { createManifestFile, fileOfUrl, findManifest, isUrl, listManifestFiles, nameOfManifest, toManifestName } from './naming.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

describe('names of manifests', () => {
  it.each([
    ['photos', 'photos'],
    ['photos.yaml', 'photos'],
    ['photos.container.yaml', 'photos'],
    ['photos.container', 'photos'],
    ['photos.storage', 'photos.storage'],
    ['my photos ❤', 'my photos ❤'],
  ])('turns %s into %s', (given, name) => {
    expect(toManifestName('container', given)).toEqual({ ok: true, value: name });
  });

  it.each(['', '.yaml', '.hidden', '..', 'a/b', '/a', 'a\nb', 'a\0', '-n', 's3://b/p', ':/photos:', 'x'.repeat(201)])('refuses %j', (given) => {
    expect(toManifestName('container', given)).toMatchObject({ ok: false, error: { code: 'bad-name' } });
  });

  it('reads the name back from the file', () => {
    expect(nameOfManifest('container', '/x/photos.1.container.yaml')).toBe('photos.1');
    expect(nameOfManifest('container', '/x/photos.yaml')).toBe('photos');
  });
});

describe('finding a manifest', () => {
  const find = async (directory: string, argument: string) => {
    const result = findManifest('container', argument, {
      directory: path.join(directory, 'containers'),
      workingDirectory: path.join(directory, 'cwd'),
      localHostname: 'Box',
    });
    return result.ok ? path.relative(directory, result.value) : result.error.message;
  };

  it('takes the first that is there, in the order of the original', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(path.join(directory, 'containers/photos'), { recursive: true });
      await mkdir(path.join(directory, 'cwd/photos'), { recursive: true });
      await writeFile(path.join(directory, 'cwd/x.container.yaml'), '');
      expect(await find(directory, 'photos')).toBe('container not found: photos (wl container list shows those there are)');
      expect(await find(directory, 'x.container.yaml')).toBe('cwd/x.container.yaml');
      expect(await find(directory, path.join(directory, 'cwd/x.container.yaml'))).toBe('cwd/x.container.yaml');
      await writeFile(path.join(directory, 'containers/x.container.yaml'), '');
      expect(await find(directory, 'x.container.yaml')).toBe('containers/x.container.yaml');
      expect(await find(directory, 'x.container')).toBe('containers/x.container.yaml');
      expect(await find(directory, 'x')).toBe('containers/x.container.yaml');
      await writeFile(path.join(directory, 'containers/x.yaml'), '');
      expect(await find(directory, 'x')).toBe('containers/x.yaml');
    }));

  it('opens file:// URLs of this machine and no others', () =>
    inTemporaryDirectory(async (directory) => {
      expect(await find(directory, `file://${directory}/a%20b.yaml`)).toBe('a b.yaml');
      expect(await find(directory, `file://box${directory}/a.yaml`)).toBe('a.yaml');
      for (const url of ['file://elsewhere/a.yaml', 'https://example.org/a.yaml', ':/photos:', '@default:/photos:', `wildland:0xab:/photos:`]) {
        expect(await find(directory, url)).toContain('only file:// URLs of this machine are supported');
      }
    }));

  it('finds nothing under impossible names', () =>
    inTemporaryDirectory(async (directory) => {
      for (const argument of ['', 'a\0b', 'x'.repeat(5000)]) expect(await find(directory, argument)).toContain('container not found');
    }));

  it('knows URLs from names', () => {
    expect(['a:b', 'C:/x', 'photos', './x:/y'].map(isUrl)).toEqual([false, false, false, false]);
    expect(fileOfUrl('file:///x/%2e%2e/y', 'localhost')).toEqual({ ok: true, value: '/y' });
    expect(fileOfUrl('file:///a%2Fb', 'localhost').ok).toBe(false);
  });
});

describe('creating manifests', () => {
  it('numbers a name that is in use', () =>
    inTemporaryDirectory(async (directory) => {
      const target = path.join(directory, 'base/containers');
      const made = await Promise.all(['a', 'b', 'c'].map((text) => createManifestFile('container', target, 'C', Buffer.from(text))));
      expect(made.map((file) => (file.ok ? path.basename(file.value) : file.error.message)).sort()).toEqual([
        'C.1.container.yaml',
        'C.2.container.yaml',
        'C.container.yaml',
      ]);
      expect((await readdir(target)).length).toBe(3);
      expect((await stat(path.join(target, 'C.container.yaml'))).mode & 0o777).toBe(0o600);
    }));

  it('lists *.yaml, sorted, and nothing where there is no directory', () =>
    inTemporaryDirectory(async (directory) => {
      for (const name of ['b.container.yaml', 'a.yaml', '.hidden.yaml', 'c.txt']) await writeFile(path.join(directory, name), '');
      expect(listManifestFiles(directory)).toEqual({ ok: true, value: [path.join(directory, 'a.yaml'), path.join(directory, 'b.container.yaml')] });
      expect(listManifestFiles(path.join(directory, 'none'))).toEqual({ ok: true, value: [] });
      expect(listManifestFiles(path.join(directory, 'a.yaml'))).toMatchObject({ ok: false, error: { code: 'unreadable' } });
    }));
});
