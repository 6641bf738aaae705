/** The driver against real servers: Apache with Basic and Digest, and nginx. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath as at } from '@wl/domain';
import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openWebdav, type OpenWebdavOptions } from './testing/open-webdav.js';

/** `isApache`: Apache keeps modification times and lists names that begin with a dot; nginx does neither. */
const server = (name: string, isApache: boolean): OpenWebdavOptions => {
  const [url, login, password] = [name, 'WL_DAV_LOGIN', 'WL_DAV_PASSWORD'].map((variable) => process.env[variable]);
  if (url === undefined || login === undefined || password === undefined) throw new Error(`${name} is not set: eval "$(tools/webdav-server/start.sh DIR)"`);
  return { url, credentials: { login, password }, keepsTimes: isApache, listsDotNames: isApache };
};
const apache = server('WL_DAV_APACHE', true);
const digest = server('WL_DAV_APACHE_DIGEST', true);
const nginx = server('WL_DAV_NGINX', false);

describeStorageBackend('WebdavBackend on Apache', () => openWebdav(apache));
describeReadOnlyBackend('WebdavBackend on Apache with Digest', () => openWebdav({ ...digest, readOnly: true }));
describeStorageBackend('WebdavBackend on nginx', () => openWebdav(nginx));

describe('probing a real server', () => {
  it.each([
    ['Apache', apache, { replaces: 'compares before', reports: ['works', 'works', 'works', 'works', 'works', 'works', 'works'] }],
    ['Apache with Digest', digest, { replaces: 'compares before', reports: ['works', 'works', 'works', 'works', 'works', 'works', 'works'] }],
    ['nginx', nginx, { replaces: 'writes without comparing', reports: ['works', 'missing', 'missing', 'missing', 'missing', 'missing', 'works'] }],
  ])('INV-26: has found out what %s is known to do, and leaves nothing behind', async (_name, options, known) => {
    const opened = await openWebdav(options);
    try {
      expect((await opened.backend.check?.())?.map(({ outcome }) => outcome)).toEqual(known.reports);
      expect(opened.backend.capabilities.notes.join()).toContain(known.replaces);
      expect(await opened.namesOutside()).toEqual([]);
    } finally {
      await opened.close();
    }
  });

  it('INV-8: brings nothing to nginx that its listings leave out', async () => {
    const opened = await openWebdav(nginx);
    try {
      const { backend } = opened;
      await expect(backend.makeDirectory(at('.git'))).rejects.toMatchObject({ code: 'name-not-representable' });
      await expect(backend.openForSafeReplace(at('a/.hidden'), undefined, { mtimeMs: 0 })).rejects.toMatchObject({ code: 'name-not-representable' });
    } finally {
      await opened.close();
    }
  });

  it('says that a wrong password is one, and does not show it', async () => {
    const wrong = { ...apache, credentials: { login: 'tester', password: 'hunter2' } };
    await expect(openWebdav(wrong)).rejects.toThrow(/login and password/);
    await expect(openWebdav(wrong)).rejects.not.toThrow(/hunter2/);
  });
});
