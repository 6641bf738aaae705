import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { err, ok, type Result } from '@wl/domain';

import { containerId, jobId } from './container-manifest.js';
import { parseEnvelope } from './envelope.js';
import { rememberTarget } from './remembered-target.js';
import { openSetup, type Setup } from './setup.js';
import { setupError, type SetupError } from './setup-error.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const value = <T>(result: Result<T, SetupError>): T => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const problem = <T>(result: Result<T, SetupError>): SetupError => {
  if (result.ok) throw new Error('expected a refusal');
  return result.error;
};

function inBase(test: (setup: Setup, base: string) => Promise<void>): Promise<void> {
  return inTemporaryDirectory((directory) => {
    const base = path.join(directory, 'base');
    return test(open(base), base);
  });
}

const open = (base: string): Setup => openSetup({ baseDirectory: base, env: { HOME: '/home/ann' }, workingDirectory: path.dirname(base) });

/** Puts a body into a container's file with the signature of the old one. */
async function rewriteBody(file: string, change: (body: string) => string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const [header, ...body] = text.split('\n---\n');
  await writeFile(file, `${header}\n---\n${change(body.join('\n---\n'))}`);
}

describe('creating a container', () => {
  it('makes a default user first, and a manifest that reads as the reference says', () =>
    inBase(async (setup, base) => {
      const container = value(
        await setup.containers.create({
          name: 'photos',
          title: 'Photos',
          categories: ['/media'],
          paths: ['/photos'],
          ignore: ['*.tmp'],
          storages: [{ type: 'local', location: '/home/ann/Photos', 'backend-id': 'one' }, { type: 's3', s3_url: 's3://b/p' }],
        }),
      );
      expect(container).toMatchObject({ name: 'photos', file: `${base}/containers/photos.container.yaml`, owner: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
      expect(container.uuid).toMatch(UUID);
      const [header, body] = (await readFile(container.file, 'utf8')).split('\n---\n');
      expect(header).toMatch(new RegExp(`^signature: \\|\\n  ${container.owner}:[A-Za-z0-9+/]{86}==$`));
      expect(body).toBe(
        [
          "version: '1'",
          'object: container',
          `owner: '${container.owner}'`,
          'paths:',
          `- /.uuid/${container.uuid}`,
          '- /photos',
          'title: Photos',
          'categories:',
          '- /media',
          'access:',
          "- user: '*'",
          'ignore:',
          "- '*.tmp'",
          'backends:',
          '  storage:',
          '  - object: storage',
          '    type: local',
          '    location: /home/ann/Photos',
          '    backend-id: one',
          '  - object: storage',
          '    type: s3',
          '    s3_url: s3://b/p',
          `    backend-id: ${(container.data.backends.storage[1] as { 'backend-id': string })['backend-id']}`,
          '',
        ].join('\n'),
      );
      expect((await stat(container.file)).mode & 0o777).toBe(0o600);
      expect((await stat(path.dirname(container.file))).mode & 0o777).toBe(0o700);
      const config = value(await setup.config.load()).saved;
      expect(config).toEqual({ '@default': container.owner, '@default-owner': container.owner, 'local-owners': [container.owner] });
      expect(await readdir(`${base}/users`)).toEqual(['default.user.yaml']);
      expect(await readdir(`${base}/keys`)).toEqual([`${container.owner}.pub`, `${container.owner}.sec`]);
      expect(await setup.containers.load('photos')).toEqual({ ok: true, value: container });
    }));

  it('uses one user for all, also when many start at once', () =>
    inBase(async (_, base) => {
      const made = await Promise.all(['a', 'b', 'c'].map((name) => open(base).containers.create({ name })));
      expect(new Set(made.map((container) => value(container).owner)).size).toBe(1);
      expect(await readdir(`${base}/users`)).toEqual(['default.user.yaml']);
    }));

  it('names it by its uuid when no name is given, and by number when the name is in use', () =>
    inBase(async (setup) => {
      const nameless = value(await setup.containers.create());
      expect(nameless.name).toBe(nameless.uuid);
      value(await setup.containers.create({ name: 'photos' }));
      expect(value(await setup.containers.create({ name: 'photos.container.yaml' })).name).toBe('photos.1');
    }));

  it('makes nothing when something is wrong with what it is to hold', () =>
    inBase(async (setup, base) => {
      expect(problem(await setup.containers.create({ name: 'a/b' })).code).toBe('bad-name');
      const relative = problem(await setup.containers.create({ name: 'a', storages: [{ type: 'local', location: 'x' }] }));
      expect(relative.message).toBe('the new container a cannot be used: backends.storage[0].location must be an absolute path');
      const double = problem(await setup.containers.create({ storages: [1, 2].map(() => ({ type: 'local', location: '/x', 'backend-id': 'same' })) }));
      expect(double.message).toContain('Duplicate backend-id found');
      await expect(readdir(`${base}/containers`)).rejects.toMatchObject({ code: 'ENOENT' });
    }));

  it('takes up the user that a crash left without configuration', () =>
    inBase(async (setup, base) => {
      const { owner } = value(await setup.containers.create({ name: 'a' }));
      await rm(`${base}/config.yaml`);
      expect(value(await open(base).containers.create({ name: 'b' })).owner).toBe(owner);
      expect(await readdir(`${base}/users`)).toEqual(['default.user.yaml']);
    }));

  it('says what to do when the configured owner\'s key is not here', () =>
    inBase(async (setup, base) => {
      const owner = `0x${'ab'.repeat(32)}`;
      value(await setup.config.update((draft) => void (draft['@default-owner'] = owner)));
      const refused = problem(await setup.containers.create({ name: 'a' }));
      expect(refused).toMatchObject({ code: 'no-secret-key', message: expect.stringContaining(`put its .sec file into ${base}/keys`) });
    }));
});

describe('opening a container', () => {
  it.each<[string, (text: string) => string, string, RegExp]>([
    ['is not signed', (text) => text.slice(text.indexOf('---\n')), 'unsigned', /is not signed\. Look through it and, if it is yours, run: wl container sign photos$/],
    ['was changed', (text) => text.replace('object: container', 'object:  container'), 'wrong-signature', /was changed after it was signed\. If the change is yours, run: wl container sign photos$/],
    ['has a signature of another form', (text) => text.replace(/0x[0-9a-f]{64}:\S+/, 'dummy.0x111'), 'wrong-signature', /signature that cannot be read/],
    ['is signed by a stranger', (text) => text.replace(/ {2}0x[0-9a-f]{4}/, '  0xffff'), 'unknown-signer', /whose public key is not known here/],
    ['has no separator', (text) => text.replace('\n---\n', '\n'), 'bad-envelope', /is no manifest: it has no line --- .*run: wl container sign photos$/],
    ['is empty', () => '', 'bad-envelope', /is no manifest/],
  ])('says what to do when it %s', (_, change, code, message) =>
    inBase(async (setup) => {
      const { file } = value(await setup.containers.create({ name: 'photos' }));
      await writeFile(file, change(await readFile(file, 'utf8')));
      expect(problem(await setup.containers.load('photos'))).toEqual({ code, message: expect.stringMatching(message), file });
    }),
  );

  it.each<[string, string, string, RegExp]>([
    ['encrypted', 'encrypted:\n  encrypted-data: x\n  encrypted-keys: []\n', 'encrypted', /is encrypted, which is not supported here/],
    ['not YAML', 'a: [\n', 'bad-yaml', /it is not valid YAML/],
    ['YAML with an anchor', 'a: &x 1\n', 'bad-yaml', /anchor/],
    ['something else', 'object: user\n', 'invalid', /the container lacks/],
  ])('does not sign what is %s', (_, body, code, message) =>
    inBase(async (setup) => {
      const { file } = value(await setup.containers.create({ name: 'photos' }));
      await rewriteBody(file, () => body);
      const before = await readFile(file, 'utf8');
      expect(problem(await setup.containers.sign('photos'))).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(await readFile(file, 'utf8')).toBe(before);
    }),
  );

  it('accepts what the user signed after changing it, byte for byte', () =>
    inBase(async (setup) => {
      const { file } = value(await setup.containers.create({ name: 'photos' }));
      await rewriteBody(file, (body) => `# my container\n${body}title: "Photos"\n`);
      expect(problem(await setup.containers.load('photos')).code).toBe('wrong-signature');
      expect(value(await setup.containers.sign('photos')).data.title).toBe('Photos');
      expect(await readFile(file, 'utf8')).toMatch(/\n---\n# my container\n[^]*title: "Photos"\n$/);
      expect(value(await setup.containers.load('photos')).data.title).toBe('Photos');
    }));

  it('signs a manifest written by hand, without a header', () =>
    inBase(async (setup, base) => {
      const { owner } = value(await setup.containers.create({ name: 'photos' }));
      await writeFile(
        `${base}/containers/mine.container.yaml`,
        `version: '1'\nobject: container\nowner: '${owner}'\npaths: [/mine, /.uuid/u]\nbackends: {storage: []}\n`,
      );
      const signed = value(await setup.containers.sign('mine'));
      expect(signed).toMatchObject({ uuid: 'u', data: { paths: ['/.uuid/u', '/mine'] } });
    }));

  it('does not let one owner speak for another', () =>
    inBase(async (setup, base) => {
      const container = value(await setup.containers.create({ name: 'photos' }));
      // A second user of the same base directory signs with a key of its own.
      await rm(`${base}/config.yaml`);
      await rm(`${base}/users/default.user.yaml`);
      const stranger = open(base);
      const other = value(await stranger.containers.create({ name: 'other' }));
      expect(other.owner).not.toBe(container.owner);
      const text = (await readFile(other.file, 'utf8')).replace(`owner: '${other.owner}'`, `owner: '${container.owner}'`);
      const body = parseEnvelope(Buffer.from(text));
      if (!body.ok) throw new Error(body.error);
      const { signBytes, toSignatureText } = await import('./keys.js');
      const { toEnvelope } = await import('./envelope.js');
      const key = value(await stranger.users.secretKey(other.owner));
      await writeFile(other.file, toEnvelope(toSignatureText(signBytes(key, body.value.body)), body.value.body));
      expect(problem(await stranger.containers.load('other'))).toMatchObject({
        code: 'wrong-signer',
        message: `${other.file} belongs to ${container.owner} but is signed by ${other.owner}, a key that this owner does not list`,
      });
    }));

  it('W-47: gives a container without a uuid one, once, and saves it', () =>
    inBase(async (setup, base) => {
      const { file, owner } = value(await setup.containers.create({ name: 'photos' }));
      await rewriteBody(file, (body) => body.replace(/- \/\.uuid\/.*\n/, '# the only one\n- /photos\n'));
      await setup.containers.sign('photos');
      const first = value(await setup.containers.load('photos'));
      expect(first.uuid).toMatch(UUID);
      expect(first.data.paths).toEqual([`/.uuid/${first.uuid}`, '/photos']);
      expect(value(await open(base).containers.load('photos'))).toEqual(first);
      expect(containerId(first)).toBe(`${owner}|${first.uuid}`);
      expect(jobId(first, { 'backend-id': 'two' })).toBe(`${owner}|${first.uuid}|two`);
    }));

  it('upgrades old names, and keeps the file as it is until it changes', () =>
    inBase(async (setup) => {
      const { file, owner } = value(await setup.containers.create({ name: 'photos' }));
      const old = `signer: '${owner}'\npaths:\n- /.uuid/u\nbackends:\n  storage:\n  - type: local\n    path: /data # the disk\n`;
      await rewriteBody(file, () => old);
      await setup.containers.sign('photos');
      expect(value(await setup.containers.load('photos')).data.backends.storage).toEqual([{ object: 'storage', type: 'local', location: '/data' }]);
      expect(await readFile(file, 'utf8')).toContain(old);
    }));
});

describe('listing containers', () => {
  it('reports a broken one and lists the rest', () =>
    inBase(async (setup, base) => {
      expect(value(await setup.containers.list())).toEqual({ containers: [], problems: [] });
      for (const name of ['b', 'a', 'c']) value(await setup.containers.create({ name }));
      await writeFile(`${base}/containers/b.container.yaml`, 'garbage');
      await mkdir(`${base}/containers/directory.yaml`);
      const listed = value(await setup.containers.list());
      expect(listed.containers.map(({ name }) => name)).toEqual(['a', 'c']);
      expect(listed.problems.map(({ code }) => code)).toEqual(['bad-envelope', 'unreadable']);
    }));
});

describe('changing a container', () => {
  it('keeps comments, signs again and leaves it usable', () =>
    inBase(async (setup) => {
      const { file } = value(await setup.containers.create({ name: 'photos', storages: [{ type: 'local', location: '/a', 'backend-id': 'one' }] }));
      await rewriteBody(file, (body) => body.replace('location: /a', 'location: /a # the disk'));
      const container = value(await setup.containers.sign('photos'));
      const changed = value(
        await setup.containers.update(container, (draft) => {
          draft.ignore = ['*.tmp'];
          return ok(undefined);
        }),
      );
      expect(changed.data.ignore).toEqual(['*.tmp']);
      expect(value(await setup.containers.load('photos'))).toEqual(changed);
      expect(await readFile(file, 'utf8')).toContain('location: /a # the disk');
    }));

  it('loses no change of many at once (W-48)', () =>
    inBase(async (setup, base) => {
      const container = value(await setup.containers.create({ name: 'photos' }));
      const ids = ['1', '2', '3', '4', '5'];
      for (const added of await Promise.all(ids.map((id) => open(base).storages.add(container, { type: 'local', location: `/${id}`, 'backend-id': `s${id}` })))) value(added);
      const storages = value(await setup.storages.storagesOf(value(await setup.containers.load('photos')))).storages;
      expect(storages.map((storage) => storage.location).sort()).toEqual(ids.map((id) => `/${id}`));
    }));

  it.each<[string, string, (draft: { paths: string[]; backends: { storage: unknown[] }; owner: string }) => void]>([
    ['loses its uuid', 'names the container and has to stay', (draft) => void (draft.paths = ['/photos'])],
    ['gets another uuid', 'names the container and has to stay', (draft) => void (draft.paths = ['/.uuid/other'])],
    ['gets two storages of one id', 'Duplicate backend-id found: x', (draft) => draft.backends.storage.push(...[1, 2].map(() => ({ object: 'storage', type: 'a', 'backend-id': 'x' })))],
    ['is not of the right form any more', 'backends.storage[0].location must be an absolute path', (draft) => draft.backends.storage.push({ object: 'storage', type: 'local', location: 'a' })],
    ['goes to an owner whose key is not here', 'the secret key of 0xab is not here', (draft) => void (draft.owner = '0xab')],
  ])('refuses a change after which it %s, and keeps the file', (_, message, change) =>
    inBase(async (setup) => {
      const container = value(await setup.containers.create({ name: 'photos' }));
      const before = await readFile(container.file, 'utf8');
      const refused = await setup.containers.update(container, (draft) => {
        change(draft);
        return ok(undefined);
      });
      expect(problem(refused).message).toContain(message);
      expect(await readFile(container.file, 'utf8')).toBe(before);
    }),
  );

  it('keeps the file when the change itself is refused', () =>
    inBase(async (setup) => {
      const container = value(await setup.containers.create({ name: 'photos' }));
      expect(problem(await setup.containers.update(container, () => err(setupError('busy', 'no')))).message).toBe('no');
      expect(value(await setup.containers.load('photos'))).toEqual(container);
    }));
});

describe('deleting a container', () => {
  it('takes its manifest and its remembered target away, and nothing else', () =>
    inBase(async (setup, base) => {
      const container = value(await setup.containers.create({ name: 'photos' }));
      const kept = value(await setup.containers.create({ name: 'docs' }));
      await rememberTarget(setup.config, container.uuid, 'one');
      await rememberTarget(setup.config, kept.uuid, 'two');
      expect(value(await setup.containers.delete('photos'))).toEqual({ file: container.file });
      expect(await readdir(`${base}/containers`)).toEqual(['docs.container.yaml']);
      expect(value(await setup.config.load()).values['default-remote-for-container']).toEqual({ [kept.uuid]: 'two' });
      expect(problem(await setup.containers.delete('photos'))).toMatchObject({ code: 'not-found', message: expect.stringContaining('container not found: photos') });
    }));

  it('can delete a broken one, but no file of another kind', () =>
    inBase(async (setup, base) => {
      const { file } = value(await setup.containers.create({ name: 'photos' }));
      await writeFile(file, 'garbage');
      expect((await setup.containers.delete('photos')).ok).toBe(true);
      expect(problem(await setup.containers.delete(`${base}/users/default.user.yaml`)).code).toBe('invalid');
      expect(problem(await setup.containers.delete(`${base}/config.yaml`)).code).toBe('bad-envelope');
      expect(await readdir(base)).toContain('config.yaml');
    }));
});
