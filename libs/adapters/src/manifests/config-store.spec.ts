import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { err, ok } from '@wl/domain';

import { ConfigStore } from './config-store.js';
import { forgetTarget, rememberTarget } from './remembered-target.js';
import { setupError } from './setup-error.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

const env = { HOME: '/home/ann', XDG_RUNTIME_DIR: '/run/user/1000' };
const OWNER = `0x${'ab'.repeat(32)}`;

const store = (directory: string, overrides = {}) => new ConfigStore({ baseDirectory: path.join(directory, 'base'), env, overrides });

async function withFile(directory: string, text: string): Promise<ConfigStore> {
  await mkdir(path.join(directory, 'base'));
  await writeFile(path.join(directory, 'base/config.yaml'), text);
  return store(directory);
}

async function values(config: ConfigStore) {
  const loaded = await config.load();
  if (!loaded.ok) throw new Error(loaded.error.message);
  return loaded.value.values;
}

describe('the configuration', () => {
  it('has a default for everything but the users', () =>
    inTemporaryDirectory(async (directory) => {
      const base = path.join(directory, 'base');
      expect(await values(store(directory))).toEqual({
        'user-dir': `${base}/users`,
        'storage-dir': `${base}/storage`,
        'cache-dir': `${base}/cache`,
        'container-dir': `${base}/containers`,
        'bridge-dir': `${base}/bridges`,
        'key-dir': `${base}/keys`,
        'template-dir': `${base}/templates`,
        'mount-dir': '/home/ann/wildland',
        'fs-socket-path': '/run/user/1000/wlfuse.sock',
        'sync-socket-path': expect.stringMatching(/^\/run\/user\/1000\/wlsync-[0-9a-f]{12}\.sock$/),
        'alt-bridge-separator': false,
        dummy: false,
        aliases: {},
        'local-hostname': 'localhost',
        'local-owners': [],
        'default-containers': [],
        'default-remote-for-container': {},
      });
      expect(await readdir(directory)).toEqual([]);
    }));

  it('takes the file over the defaults and the command line over the file', () =>
    inTemporaryDirectory(async (directory) => {
      await withFile(directory, 'container-dir: /c\nsync-socket-path: /file.sock\n');
      const config = store(directory, { 'sync-socket-path': '/option.sock' });
      expect(await values(config)).toMatchObject({ 'container-dir': '/c', 'sync-socket-path': '/option.sock' });
      const loaded = await config.load();
      expect(loaded.ok && loaded.value.saved).toEqual({ 'container-dir': '/c', 'sync-socket-path': '/file.sock' });
    }));

  it('says what the file says now, also after somebody else or itself changed it', () =>
    inTemporaryDirectory(async (directory) => {
      const config = await withFile(directory, 'container-dir: /c # one\n');
      expect(await values(config)).toMatchObject({ 'container-dir': '/c' });
      expect(await values(config)).toMatchObject({ 'container-dir': '/c' });
      await writeFile(config.file, 'container-dir: /d # one\n');
      expect(await values(config)).toMatchObject({ 'container-dir': '/d' });
      await config.update((draft) => void (draft['container-dir'] = '/e'));
      expect(await values(config)).toMatchObject({ 'container-dir': '/e' });
      expect(await readFile(config.file, 'utf8')).toBe('container-dir: /e # one\n');
      // A change that is not written leaves nothing of itself behind.
      const refused = await config.update(async (draft) => {
        draft['container-dir'] = '/f';
        return err(setupError('busy', 'not now'));
      });
      expect(refused.ok).toBe(false);
      expect(await values(config)).toMatchObject({ 'container-dir': '/e' });
    }));

  it('counts an empty file as one that says nothing', () =>
    inTemporaryDirectory(async (directory) => {
      expect(await values(await withFile(directory, '# to come\n'))).toMatchObject({ dummy: false });
    }));

  it.each([
    ['an unknown key', 'contianer-dir: /c\n', 'unknown-key', /config\.yaml has the unknown key 'contianer-dir': correct its spelling or remove it\. Known keys: .*container-dir/],
    ['a wrong value', 'container-dir: c\n', 'invalid', /config\.yaml cannot be used: container-dir must be an absolute path/],
    ['an owner without quotes', "'@default': 0xab\n", 'invalid', /@default must be text \(put it in quotes/],
    ['a list', '- a\n', 'invalid', /the configuration must be a mapping/],
    ['broken YAML', 'a: [\n', 'bad-yaml', /config\.yaml cannot be used: at line 2, column 1 it is not valid YAML/],
    ['a key twice', 'dummy: true\ndummy: false\n', 'bad-yaml', /the key "dummy" is given twice/],
  ])('refuses %s and says where it is', (_, text, code, message) =>
    inTemporaryDirectory(async (directory) => {
      const config = await withFile(directory, text);
      const refused = { ok: false, error: { code, message: expect.stringMatching(message), file: config.file } };
      expect(await config.load()).toEqual(refused);
      // What cannot be understood is not written over either.
      expect(await config.update((draft) => void (draft.dummy = true))).toEqual(refused);
      expect(await readFile(config.file, 'utf8')).toBe(text);
    }),
  );

  it('does not take a file that it may not read for a missing one', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(path.join(directory, 'base/config.yaml'), { recursive: true });
      expect(await store(directory).load()).toMatchObject({ ok: false, error: { code: 'unreadable' } });
    }));

  it('turns obsolete keys into today\'s, with a warning, and saves them so', () =>
    inTemporaryDirectory(async (directory) => {
      const config = await withFile(directory, `local-signers:\n- '${OWNER}'\n'@default-signer': '${OWNER}'\ndefault-storage-set-for-user: {}\n`);
      const loaded = await config.load();
      if (!loaded.ok) throw new Error(loaded.error.message);
      expect(loaded.value.values).toMatchObject({ 'local-owners': [OWNER], '@default-owner': OWNER });
      expect(loaded.value.warnings.map((warning) => /the key '([^']+)'/.exec(warning)?.[1])).toEqual([
        'local-signers',
        '@default-signer',
        'default-storage-set-for-user',
      ]);
      await config.update(() => undefined);
      expect(await readFile(config.file, 'utf8')).toBe(`local-owners:\n- '${OWNER}'\n'@default-owner': '${OWNER}'\n`);
    }));
});

describe('changing the configuration', () => {
  it('makes base directory and file, for the owner alone', () =>
    inTemporaryDirectory(async (directory) => {
      const config = store(directory);
      expect((await config.update((draft) => void (draft['@default-owner'] = OWNER))).ok).toBe(true);
      expect(await readFile(config.file, 'utf8')).toBe(`'@default-owner': '${OWNER}'\n`);
      expect((await stat(config.file)).mode & 0o777).toBe(0o600);
      expect((await stat(path.dirname(config.file))).mode & 0o777).toBe(0o700);
      expect(await readdir(path.dirname(config.file))).toEqual(['config.yaml']);
    }));

  it('keeps comments, order and the defaults out of the file', () =>
    inTemporaryDirectory(async (directory) => {
      const config = await withFile(directory, '# my settings\n\ndummy: false # for now\ncontainer-dir: /c\n');
      await config.update((draft) => void (draft['local-hostname'] = 'box'));
      expect(await readFile(config.file, 'utf8')).toBe('# my settings\n\ndummy: false # for now\ncontainer-dir: /c\nlocal-hostname: box\n');
    }));

  it('loses no update of many at once (W-48)', () =>
    inTemporaryDirectory(async (directory) => {
      const names = Array.from({ length: 12 }, (_, index) => `uuid-${index}`);
      const results = await Promise.all(names.map((uuid) => rememberTarget(store(directory), uuid, `target-of-${uuid}`)));
      expect(results.every(({ ok: isFine }) => isFine)).toBe(true);
      expect((await values(store(directory)))['default-remote-for-container']).toEqual(Object.fromEntries(names.map((uuid) => [uuid, `target-of-${uuid}`])));
    }));

  it('leaves the file alone when the change is refused, wrong or none', () =>
    inTemporaryDirectory(async (directory) => {
      const config = await withFile(directory, 'dummy:   true\n');
      const refusal = setupError('busy', 'not now');
      expect(await config.update(async () => err(refusal))).toEqual({ ok: false, error: refusal });
      expect(await config.update((draft) => void (draft['container-dir'] = 'relative'))).toMatchObject({ ok: false, error: { code: 'invalid' } });
      expect((await config.update(async () => ok(undefined))).ok).toBe(true);
      expect(await readFile(config.file, 'utf8')).toBe('dummy:   true\n');
    }));

  it('keeps a link to a file kept elsewhere', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(path.join(directory, 'base'));
      await writeFile(path.join(directory, 'dotfiles.yaml'), 'dummy: true\n');
      await symlink('../dotfiles.yaml', path.join(directory, 'base/config.yaml'));
      await store(directory).update((draft) => void (draft.dummy = false));
      expect(await readFile(path.join(directory, 'dotfiles.yaml'), 'utf8')).toBe('dummy: false\n');
    }));

  it('says why it cannot write', () =>
    inTemporaryDirectory(async (directory) => {
      await writeFile(path.join(directory, 'base'), 'a file in the way');
      await chmod(path.join(directory, 'base'), 0o600);
      expect(await store(directory).update((draft) => void (draft.dummy = true))).toMatchObject({ ok: false, error: { code: 'unwritable' } });
    }));
});

describe('the remembered target (W-42)', () => {
  it('is forgotten with its storage and not with another', () =>
    inTemporaryDirectory(async (directory) => {
      const config = store(directory);
      await rememberTarget(config, 'one', 'a');
      await rememberTarget(config, 'two', 'b');
      await forgetTarget(config, 'one', 'other');
      expect((await values(config))['default-remote-for-container']).toEqual({ one: 'a', two: 'b' });
      await forgetTarget(config, 'one', 'a');
      expect((await values(config))['default-remote-for-container']).toEqual({ two: 'b' });
      await forgetTarget(config, 'two');
      expect((await values(config))['default-remote-for-container']).toEqual({});
    }));

  it('needs no file to forget what was never there', () =>
    inTemporaryDirectory(async (directory) => {
      expect(await forgetTarget(store(directory), 'one')).toEqual({ ok: true, value: undefined });
      expect(await readdir(directory)).toEqual([]);
    }));
});
