/**
 * The storage type `@@TYPE@@`: a plain folder. What is here is what an author writes; ordered
 * listings, hashes, verification and the root marker come from the kit.
 */

import { createReadStream } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rm, rmdir, unlink, utimes } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import path from 'node:path';

/** Within this time two writes may leave the same time stamps behind. Milliseconds. */
const RACY_MS = 50;

/** @type {import('@wl/plugin-kit').PluginBackend} */
export default {
  TYPE: '@@TYPE@@',
  FIELDS: { place: { description: 'absolute path of the folder', required: true } },
  create(params, { kit }) {
    const { place } = params;
    if (typeof place !== 'string' || !path.isAbsolute(place)) throw new Error('the field place must be the absolute path of a folder');
    return kit.createBackend(params, folderDriver(place));
  },
};

/** @type {(root: string) => import('@wl/plugin-kit').Driver} */
const folderDriver = (root) => ({
  location: root,
  getattr: async (name) => attrOf(await inside(root, name)),

  async readdir(name) {
    const directory = await inside(root, name);
    const entries = await Promise.all((await readdir(directory)).map(async (entry) => ({ name: entry, ...(await attrOf(path.join(directory, entry))) })));
    // One that went away in between has no kind.
    return entries.filter(({ kind }) => kind !== undefined);
  },

  async *read(name, signal) {
    yield* createReadStream(await inside(root, name), { signal });
  },

  // Written aside on the same disk, made durable, then shown in one step.
  async safe_replace(name, content, expected) {
    const target = await inside(root, name);
    const aside = path.join(root, '.wl', `staging-${randomUUID()}`);
    await mkdir(path.dirname(aside), { recursive: true });
    try {
      const file = await open(aside, 'wx', content.is_executable ? 0o755 : 0o644);
      try {
        for await (const chunk of content.chunks()) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      if (content.mtime_ms !== undefined) await utimes(aside, content.mtime_ms / 1000, content.mtime_ms / 1000);
      // A link fails where the name is taken; a rename would not.
      if (expected === undefined) await link(aside, target);
      else if ((await attrOf(target))?.token === expected) await rename(aside, target);
      else return false;
      return true;
    } catch (error) {
      if (error.code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(aside, { force: true });
    }
  },

  async unlink(name, expected) {
    const target = await inside(root, name);
    if ((await attrOf(target))?.token !== expected) return false;
    await unlink(target);
    return true;
  },

  mkdir: async (name) => mkdir(await inside(root, name)),

  async rmdir(name) {
    try {
      await rmdir(await inside(root, name));
      return true;
    } catch (error) {
      if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
      throw error;
    }
  },
});

/** Where a path is. A link on the way leads nowhere: it may point out of the folder. */
async function inside(root, name) {
  let directory = root;
  for (const part of name.split('/').slice(0, -1)) {
    directory = path.join(directory, part);
    if (!(await lstat(directory)).isDirectory()) throw Object.assign(new Error(`${directory} is no directory`), { code: 'ENOTDIR' });
  }
  return path.join(root, name);
}

/** What is at a place, without following a link there. */
async function attrOf(place) {
  let stats;
  try {
    stats = await lstat(place, { bigint: true });
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
  if (stats.isDirectory()) return { kind: 'directory' };
  if (!stats.isFile()) return { kind: 'other', reason: stats.isSymbolicLink() ? 'symlink' : 'special-file' };
  return {
    kind: 'file',
    size: Number(stats.size),
    mtime_ms: Number(stats.mtimeNs) / 1e6,
    token: [stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino].join('-'),
    is_racy: Date.now() - Number(stats.ctimeMs) < RACY_MS,
    is_executable: (stats.mode & 0o100n) !== 0n,
  };
}
