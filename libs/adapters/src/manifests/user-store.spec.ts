import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import type { User } from '@wl/ports/schemas';

import { ConfigStore } from './config-store.js';
import { generateKey, toPublicText, type SecretKey } from './keys.js';
import { toSignedManifest } from './manifest.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';
import { UserStore } from './user-store.js';
import { writeYaml } from './yaml-edit.js';

function inBase(test: (users: UserStore, base: string) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (base) => {
    await mkdir(path.join(base, 'users'));
    await test(new UserStore(new ConfigStore({ baseDirectory: base, env: { HOME: '/home/ann' } })), base);
  });
}

async function writeUser(base: string, name: string, key: SecretKey, change: Partial<User> = {}, signer = key): Promise<string> {
  const data: User = {
    version: '1',
    object: 'user',
    owner: key.publicKey.fingerprint,
    paths: [`/users/${name}`],
    pubkeys: [toPublicText(key.publicKey)],
    ...change,
  };
  const file = path.join(base, `users/${name}.user.yaml`);
  await writeFile(file, toSignedManifest(signer, Buffer.from(await writeYaml(undefined, data))));
  return file;
}

describe('users', () => {
  it('may list further keys that sign for them', () =>
    inBase(async (users, base) => {
      const [ann, phone, stranger] = [generateKey(), generateKey(), generateKey()];
      const owner = ann.publicKey.fingerprint;
      await writeUser(base, 'ann', ann, { pubkeys: [toPublicText(ann.publicKey), toPublicText(phone.publicKey)] });
      await writeUser(base, 'eve', stranger);
      expect(await users.mayActFor(phone.publicKey.fingerprint, owner)).toEqual({ ok: true, value: true });
      expect(await users.mayActFor(stranger.publicKey.fingerprint, owner)).toEqual({ ok: true, value: false });
      expect(await users.mayActFor(owner, phone.publicKey.fingerprint)).toEqual({ ok: true, value: false });
      expect(await users.publicKey(phone.publicKey.fingerprint)).toEqual({ ok: true, value: { ...phone.publicKey, blob: Buffer.from(phone.publicKey.blob) } });
      expect(await users.publicKey(generateKey().publicKey.fingerprint)).toEqual({ ok: true, value: undefined });
    }));

  it('are believed only when signed with the first of their own keys', () =>
    inBase(async (users, base) => {
      const [ann, eve] = [generateKey(), generateKey()];
      await writeUser(base, 'good', generateKey());
      // Eve signs as Ann, puts her key first, or claims Ann's name with her own key.
      await writeUser(base, 'a', ann, {}, eve);
      await writeUser(base, 'b', ann, { pubkeys: [toPublicText(eve.publicKey), toPublicText(ann.publicKey)] }, eve);
      await writeUser(base, 'c', eve, { owner: ann.publicKey.fingerprint });
      const changed = await writeUser(base, 'd', ann);
      await writeFile(changed, (await readFile(changed, 'utf8')).replace('/users/d', '/users/x'));
      const unsigned = await writeUser(base, 'e', ann);
      await writeFile(unsigned, (await readFile(unsigned, 'utf8')).replace(/^[^]*?---\n/, '---\n'));
      const listed = await users.list();
      if (!listed.ok) throw new Error(listed.error.message);
      expect(listed.value.users.map(({ name }) => name)).toEqual(['good']);
      expect(listed.value.problems.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'wrong-signature'));
      expect(await users.mayActFor(eve.publicKey.fingerprint, ann.publicKey.fingerprint)).toEqual({ ok: true, value: false });
    }));
});
