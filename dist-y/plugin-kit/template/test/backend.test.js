import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as kit from '@wl/plugin-kit';
import { describeReadOnlyBackend, describeStorageBackend } from '@wl/plugin-kit/testing';

import backend from '../src/backend.js';

/** Everything below a folder, without following links. */
async function namesIn(place, prefix = '') {
  const names = [];
  for (const entry of await readdir(place, { withFileTypes: true })) {
    names.push(prefix + entry.name);
    if (entry.isDirectory()) names.push(...(await namesIn(path.join(place, entry.name), `${prefix}${entry.name}/`)));
  }
  return names;
}

/** A storage in a folder of its own, and the hands of somebody outside it. */
const open = (more = {}) => async () => {
  const place = await mkdtemp(path.join(tmpdir(), '@@TYPE@@-'));
  const at = (name) => path.join(place, name);
  const openOne = async () => {
    const made = backend.create({ type: '@@TYPE@@', 'backend-id': 'test', place, ...more }, { kit });
    await made.open();
    return made;
  };
  const opened = await openOne();
  return {
    backend: opened,
    close: async () => {
      await opened.close();
      await rm(place, { recursive: true, force: true });
    },
    writeOutside: async (name, bytes) => {
      await mkdir(path.dirname(at(name)), { recursive: true });
      await writeFile(at(name), bytes);
    },
    readOutside: (name) => readFile(at(name)).catch(() => undefined),
    removeOutside: (name) => rm(at(name), { recursive: true, force: true }),
    mkdirOutside: (name) => mkdir(at(name), { recursive: true }).then(() => undefined),
    renameOutside: (from, to) => rename(at(from), at(to)),
    namesOutside: async () => (await namesIn(place)).filter((name) => name !== '.wl' && !name.startsWith('.wl/')),
    symlinkOutside: (name, target) => symlink(target, at(name)),
    touchOutside: (name, mtimeMs) => utimes(at(name), mtimeMs / 1000, mtimeMs / 1000),
    removeRoot: () => rm(place, { recursive: true }),
    reopen: async () => {
      await opened.close();
      return openOne();
    },
  };
};

describeStorageBackend('@@TYPE@@', open());
describeReadOnlyBackend('@@TYPE@@', open({ 'read-only': true }));
