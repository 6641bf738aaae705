import { readFile, stat, symlink } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { TestBench } from '../testing/test-bench.js';

describe('wl container create', () => {
  let bench: TestBench;
  beforeEach(async () => {
    bench = await TestBench.make();
  });
  afterEach(() => bench.close());

  const manifest = (name: string): string => path.join(bench.baseDirectory, 'containers', `${name}.container.yaml`);

  it('makes a container, and a user and a key where there are none', async () => {
    const ran = await bench.wl('container', 'create', 'photos');
    expect(ran).toEqual({ exitCode: 0, stdout: `Created: ${manifest('photos')}\n`, stderr: '' });
    expect((await bench.setup.users.list()).ok).toBe(true);
    expect(bench.launches).toBe(0);
  });

  it('takes storages by path and URL, as absolute paths', async () => {
    await bench.place('docs');
    const usb = await bench.place('usb');
    expect(await bench.wl('c', 'create', 'docs', '--storage', 'docs', '--storage', `file://${usb}`)).toMatchObject({ exitCode: 0 });
    const container = await bench.setup.containers.load('docs');
    expect(container.ok && container.value.data.backends.storage).toMatchObject([
      { type: 'local', location: path.join(bench.directory, 'docs') },
      { type: 'local', location: usb },
    ]);
  });

  it('keeps the path as given where it leads over a link', async () => {
    const real = await bench.place('real');
    const link = path.join(bench.directory, 'link');
    await symlink(real, link);
    await bench.wl('container', 'create', 'docs', '--storage', link);
    expect(await readFile(manifest('docs'), 'utf8')).toContain(`location: ${link}\n`);
  });

  it('INV-23: refuses the same directory twice, also under another name', async () => {
    const real = await bench.place('real');
    const link = path.join(bench.directory, 'link');
    await symlink(real, link);
    const ran = await bench.wl('container', 'create', 'docs', '--storage', real, '--storage', link);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('are the same directory');
    await expect(stat(manifest('docs'))).rejects.toThrow('ENOENT');
  });

  it('T29: refuses storages that are in one another', async () => {
    const outer = await bench.place('outer');
    const inner = await bench.place('outer/inner');
    const ran = await bench.wl('container', 'create', 'docs', '--storage', inner, '--storage', outer);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toMatch(/^Error: .* are in one another: each storage needs a directory of its own/);
  });

  it('refuses a directory that is not there, with the command that makes it', async () => {
    const ran = await bench.wl('container', 'create', 'docs', '--storage', 'my docs');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toBe(
      `Error: there is no directory ${bench.directory}/my docs. Make it first: mkdir -p '${bench.directory}/my docs'\n`,
    );
  });

  it.each([
    ['s3://key:secret@bucket/docs', 'credentials and ports have no place in it'],
    ['s3://bucket//docs', 'an empty part'],
    ['ftp://host/docs', 'no storage type is known for ftp:// URLs'],
  ])('refuses the storage %s', async (url, message) => {
    const ran = await bench.wl('container', 'create', 'docs', '--storage', url);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain(message);
  });

  it('takes a place in a bucket beside a directory, without credentials', async () => {
    const location = await bench.place('docs');
    expect(await bench.wl('container', 'create', 'docs', '--storage', location, '--storage', 's3://bucket/docs')).toMatchObject({ exitCode: 0, stderr: '' });
    const container = await bench.setup.containers.load('docs');
    expect(container.ok && container.value.data.backends.storage).toEqual([
      { object: 'storage', type: 'local', location, 'backend-id': expect.any(String) },
      { object: 'storage', type: 's3', s3_url: 's3://bucket/docs/', 'backend-id': expect.any(String) },
    ]);
  });

  it.each([
    ['s3://bucket/docs', 's3://bucket/docs/', 'are the same place'],
    ['s3://bucket/docs', 's3://bucket/docs/old', 'are in one another'],
    ['s3://bucket', 's3://bucket/docs', 'are in one another'],
  ])('INV-23: refuses %s beside %s', async (one, other, message) => {
    const ran = await bench.wl('container', 'create', 'docs', '--storage', one, '--storage', other);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toContain(message);
  });

  it.each(['', 'a/b', '.hidden'])('refuses the name %j', async (name) => {
    const ran = await bench.wl('container', 'create', name);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toMatch(/^Error: .*cannot be the name of a container/);
  });

  it('keeps title, categories, paths and patterns', async () => {
    await bench.wl('container', 'create', 'docs', '--title', 'Docs', '--category', '/work', '--path', '/docs', '--ignore', '*.tmp');
    const container = await bench.setup.containers.load('docs');
    expect(container.ok && container.value.data).toMatchObject({
      title: 'Docs',
      categories: ['/work'],
      paths: [expect.stringMatching(/^\/\.uuid\//), '/docs'],
      ignore: ['*.tmp'],
    });
  });

  it('takes the default owner by any of its names, and no other', async () => {
    for (const owner of ['@default', 'default']) {
      expect(await bench.wl('container', 'create', '--user', owner)).toMatchObject({ exitCode: 0 });
    }
    const ran = await bench.wl('container', 'create', '--owner', 'bob');
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('only be made for the default owner');
  });

  it('says under which name it goes when the name was taken', async () => {
    await bench.wl('container', 'create', 'docs');
    const ran = await bench.wl('container', 'create', 'docs');
    expect(ran.stdout).toBe(`Created: ${manifest('docs.1')}\n`);
    expect(ran.stderr).toBe('Note: the container is called docs.1 in commands.\n');
  });

  it("warns when a storage would hold wl's own keys", async () => {
    const ran = await bench.wl('container', 'create', 'home', '--storage', bench.directory);
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toContain("holds wl's own files with your keys");
  });
});
