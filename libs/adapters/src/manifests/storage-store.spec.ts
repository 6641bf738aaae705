import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from '@jest/globals';
import { ok, type Result } from '@wl/domain';

import type { ContainerManifest } from './container-manifest.js';
import { rememberTarget } from './remembered-target.js';
import { openSetup, type Setup } from './setup.js';
import type { SetupError } from './setup-error.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

const value = <T>(result: Result<T, SetupError>): T => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const problem = <T>(result: Result<T, SetupError>): SetupError => {
  if (result.ok) throw new Error('expected a refusal');
  return result.error;
};

const LOCAL = { type: 'local', location: '/a', 'backend-id': 'one' };
const S3 = { type: 's3', s3_url: 's3://b/p', 'backend-id': 'two', credentials: { 'access-key': 'a', 'secret-key': 'b' } };

function withContainer(test: (setup: Setup, container: ContainerManifest, base: string) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (directory) => {
    const base = path.join(directory, 'base');
    const setup = openSetup({ baseDirectory: base, env: { HOME: '/home/ann' }, workingDirectory: directory });
    const container = value(await setup.containers.create({ name: 'photos', paths: ['/photos'], storages: [LOCAL] }));
    await test(setup, container, base);
  });
}

const reload = async (setup: Setup) => value(await setup.containers.load('photos'));

describe('the storages of a container', () => {
  it('come with everything a backend is made from', () =>
    withContainer(async (setup, container) => {
      expect(value(await setup.storages.storagesOf(container))).toEqual({
        storages: [
          {
            ...LOCAL,
            object: 'storage',
            owner: container.owner,
            'container-path': `/.uuid/${container.uuid}`,
            version: '1',
            'is-local-owner': true,
          },
        ],
        problems: [],
      });
    }));

  it('have an id that stays the same even when none is written', () =>
    withContainer(async (setup, container) => {
      const changed = value(
        await setup.containers.update(container, (draft) => {
          draft.backends.storage = [{ object: 'storage', type: 'local', location: '/a' }];
          return ok(undefined);
        }),
      );
      const [first] = value(await setup.storages.storagesOf(changed)).storages;
      const [again] = value(await setup.storages.storagesOf(await reload(setup))).storages;
      expect(first?.['backend-id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(again).toEqual(first);
      const emptied = value(await setup.storages.remove(changed, first?.['backend-id'] ?? ''));
      expect(emptied.data.backends.storage).toEqual([]);
    }));

  it('are passed over and reported where they cannot be used', () =>
    withContainer(async (setup, container, base) => {
      const changed = value(
        await setup.containers.update(container, (draft) => {
          draft.backends.storage.push(
            'https://example.org/x.storage.yaml',
            `file://${base}/storage/none.storage.yaml`,
            { encrypted: { 'encrypted-data': 'x', 'encrypted-keys': [] } },
            { object: 'link', file: '/x.storage.yaml', storage: { type: 'local' } },
          );
          return ok(undefined);
        }),
      );
      const { storages, problems } = value(await setup.storages.storagesOf(changed));
      expect(storages.map((storage) => storage['backend-id'])).toEqual(['one']);
      expect(problems.map(({ message }) => message)).toEqual([
        expect.stringContaining('https://example.org/x.storage.yaml cannot be opened'),
        expect.stringContaining('there is no file'),
        expect.stringContaining('it is encrypted'),
        expect.stringContaining('links to manifests in other storages'),
      ]);
    }));

  it('end with the cache storage, when there is one', () =>
    withContainer(async (setup, container, base) => {
      const cache = value(await setup.storages.add(container, { type: 'local', location: '/cache', 'backend-id': 'cache' }, { standalone: { name: 'cache' } }));
      const text = await readFile(cache.file ?? '', 'utf8');
      await mkdir(`${base}/cache`);
      await writeFile(`${base}/cache/${container.owner}.${container.uuid}.storage.yaml`, text);
      const withoutReference = value(await setup.storages.remove(cache.container, 'cache'));
      const { storages } = value(await setup.storages.storagesOf(withoutReference));
      expect(storages.map((storage) => storage['backend-id'])).toEqual(['one', 'cache']);
    }));
});

describe('adding a storage', () => {
  it('writes it into the container, with a random id', () =>
    withContainer(async (setup, container) => {
      const added = value(await setup.storages.add(container, { type: 'local', location: '/b', 'read-only': true }));
      expect(added.storage).toMatchObject({ type: 'local', location: '/b', 'backend-id': expect.stringMatching(/^[0-9a-f-]{36}$/), owner: container.owner });
      expect((await reload(setup)).data.backends.storage).toEqual([
        { object: 'storage', ...LOCAL },
        { object: 'storage', type: 'local', location: '/b', 'read-only': true, 'backend-id': added.storage['backend-id'] },
      ]);
      expect(added.container).toEqual(await reload(setup));
    }));

  it('can give it a manifest of its own, which the container names', () =>
    withContainer(async (setup, container, base) => {
      const added = value(await setup.storages.add(container, S3, { standalone: {} }));
      expect(added.file).toBe(`${base}/storage/${container.uuid}.two.storage.yaml`);
      expect((await reload(setup)).data.backends.storage[1]).toBe(pathToFileURL(added.file ?? '').href);
      const { storages, problems } = value(await setup.storages.storagesOf(await reload(setup)));
      expect(problems).toEqual([]);
      expect(storages[1]).toMatchObject({ ...S3, 'container-path': `/.uuid/${container.uuid}`, owner: container.owner });
      expect(value(await setup.storages.list()).storages.map(({ name }) => name)).toEqual([`${container.uuid}.two`]);
      expect(value(await setup.storages.load(`${container.uuid}.two`)).params).toEqual(storages[1]);
    }));

  it('refuses an id that the container has already, wherever it stands', () =>
    withContainer(async (setup, container) => {
      expect(problem(await setup.storages.add(container, LOCAL)).message).toContain('Duplicate backend-id found: one');
      const { container: changed } = value(await setup.storages.add(container, S3, { standalone: {} }));
      expect(problem(await setup.storages.add(changed, { ...LOCAL, 'backend-id': 'two' })).code).toBe('duplicate-backend-id');
    }));

  it('refuses what is no storage, and keeps the container', () =>
    withContainer(async (setup, container, base) => {
      expect(problem(await setup.storages.add(container, { type: 'local', location: 'relative' })).message).toContain('location must be an absolute path');
      expect(problem(await setup.storages.add(container, { type: 's3', s3_url: 'https://x' }, { standalone: {} })).message).toContain('s3_url must be an s3://');
      expect(await reload(setup)).toEqual(container);
      expect(await readdir(base)).not.toContain('storage');
    }));

  it('reports two storages of one id in a container that somebody wrote by hand', () =>
    withContainer(async (setup, container) => {
      const twice = { ...container, data: { ...container.data, backends: { storage: [1, 2].map(() => ({ object: 'storage' as const, ...LOCAL })) } } };
      expect(problem(await setup.storages.storagesOf(twice))).toEqual({
        code: 'duplicate-backend-id',
        message: `Duplicate backend-id found: one in ${container.file}. Give one of the storages another`,
        file: container.file,
      });
    }));
});

describe('removing a storage', () => {
  it('takes it out of the container and forgets it as a target (W-42)', () =>
    withContainer(async (setup, container) => {
      const { container: changed } = value(await setup.storages.add(container, S3));
      await rememberTarget(setup.config, container.uuid, 'two');
      const removed = value(await setup.storages.remove(changed, 'two'));
      expect(removed.data.backends.storage).toEqual([{ object: 'storage', ...LOCAL }]);
      expect(value(await setup.config.load()).values['default-remote-for-container']).toEqual({});
      expect(problem(await setup.storages.remove(removed, 'two'))).toMatchObject({ code: 'not-found', message: 'storage not found: two in container photos' });
    }));

  it('keeps the manifest of its own, until that is deleted', () =>
    withContainer(async (setup, container) => {
      const added = value(await setup.storages.add(container, S3, { standalone: { name: 'bucket' } }));
      expect(value(await setup.storages.containersWith('two')).containers.map(({ name }) => name)).toEqual(['photos']);
      value(await setup.storages.remove(added.container, 'two'));
      expect(value(await setup.storages.containersWith('two')).containers).toEqual([]);
      const manifest = value(await setup.storages.load('bucket'));
      value(await setup.storages.delete(manifest));
      expect(problem(await setup.storages.load('bucket')).code).toBe('not-found');
    }));
});

describe('standalone storage manifests', () => {
  it('are refused when they were changed, and accepted when they were signed again', () =>
    withContainer(async (setup, container) => {
      const { file = '' } = value(await setup.storages.add(container, S3, { standalone: { name: 'bucket' } }));
      await writeFile(file, (await readFile(file, 'utf8')).replace('s3://b/p', 's3://b/q'));
      expect(problem(await setup.storages.load('bucket')).message).toContain('run: wl storage sign bucket');
      expect(value(await setup.storages.list())).toMatchObject({ storages: [], problems: [{ code: 'wrong-signature' }] });
      expect(value(await setup.storages.storagesOf(await reload(setup))).storages.map((storage) => storage['backend-id'])).toEqual(['one']);
      expect(value(await setup.storages.sign('bucket')).params).toMatchObject({ s3_url: 's3://b/q' });
      expect(value(await setup.storages.storagesOf(await reload(setup))).storages).toHaveLength(2);
    }));

  it('serve only the container they are for', () =>
    withContainer(async (setup, container) => {
      const { file = '' } = value(await setup.storages.add(container, S3, { standalone: {} }));
      const other = value(await setup.containers.create({ name: 'other' }));
      const borrowing = value(
        await setup.containers.update(other, (draft) => {
          draft.backends.storage.push(pathToFileURL(file).href);
          return ok(undefined);
        }),
      );
      expect(value(await setup.storages.storagesOf(borrowing))).toMatchObject({ storages: [], problems: [{ message: expect.stringContaining('is for the container at') }] });
    }));
});

describe('secrets', () => {
  it('are in no message, whatever is wrong', () =>
    withContainer(async (setup, container) => {
      const secret = 'hunter2-hunter2';
      for (const credentials of [{ 'secret-key': secret }, secret, { 'access-key': secret, 'secret-key': [secret] }]) {
        const refused = problem(await setup.storages.add(container, { type: 's3', s3_url: 's3://b/p', credentials }));
        expect(JSON.stringify(refused)).not.toContain(secret);
      }
      const added = value(await setup.storages.add(container, { type: 's3', s3_url: 's3://b/p', credentials: { 'access-key': 'a', 'secret-key': secret } }));
      for (const change of [(text: string) => text.replace('secret-key:', 'secret-key: :'), (text: string) => text.replace('type: s3', 'type: [')]) {
        const text = await readFile(added.container.file, 'utf8');
        await writeFile(added.container.file, change(text));
        expect(JSON.stringify(problem(await setup.containers.sign('photos')))).not.toContain(secret);
        await writeFile(added.container.file, text);
      }
    }));
});
