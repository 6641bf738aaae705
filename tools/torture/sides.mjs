/**
 * The two sides of a pair as a person and an independent checker see them: plain walks and
 * SHA-256, no code of the product. A side is a directory or a bucket of the S3 server for tests.
 */
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { sha256 } from './sha256.mjs';

/** The product's own area at the top of a storage. */
const OWN_AREA = '.wl';

/** A directory. `workshop` is a directory on the same file system, outside of it, where a person prepares files; `user` owns what is made. */
export class Folder {
  constructor(root, workshop, user) {
    Object.assign(this, { root, workshop, user });
    mkdirSync(workshop, { recursive: true });
  }

  /** Saves by renaming over, or in place where the content is small. */
  write(name, bytes, inPlace = false) {
    const place = path.join(this.root, name);
    this.#makeParents(path.dirname(name));
    const draft = path.join(this.workshop, 'draft');
    try {
      writeFileSync(inPlace ? place : draft, bytes);
      if (this.user !== undefined) chownSync(inPlace ? place : draft, this.user, this.user);
      if (!inPlace) renameSync(draft, place);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  remove(name) {
    rmSync(path.join(this.root, name), { force: true });
  }

  /** Files by name as their hashes; what is in the own area as a set of hashes. */
  look() {
    const [files, kept] = [new Map(), new Set()];
    const walk = (directory, prefix) => {
      for (const name of readdirSync(directory)) {
        const shown = prefix + name;
        const place = path.join(directory, name);
        const stats = lstatSync(place);
        if (stats.isDirectory()) walk(place, `${shown}/`);
        else if (stats.isFile()) {
          const hash = sha256(readFileSync(place));
          if (shown.startsWith(`${OWN_AREA}/`)) kept.add(hash);
          else files.set(shown, hash);
        }
      }
    };
    if (existsSync(this.root)) walk(this.root, '');
    return { files, kept };
  }

  #makeParents(directory) {
    if (directory === '.') return;
    this.#makeParents(path.dirname(directory));
    const place = path.join(this.root, directory);
    if (existsSync(place)) return;
    mkdirSync(place);
    if (this.user !== undefined) chownSync(place, this.user, this.user);
  }
}

/** A bucket, by the hands of an outsider (`BucketHands`); objects live below `prefix`, which ends in a slash. */
export class BucketSide {
  constructor(hands, prefix) {
    Object.assign(this, { hands, prefix });
  }

  write(name, bytes) {
    this.hands.put(this.prefix + name, bytes);
  }

  remove(name) {
    this.hands.delete(this.prefix + name);
  }

  look() {
    const [files, kept] = [new Map(), new Set()];
    for (const key of this.hands.keys(this.prefix)) {
      const name = key.slice(this.prefix.length);
      const hash = sha256(this.hands.get(key));
      if (name.startsWith(`${OWN_AREA}/`)) kept.add(hash);
      else if (!name.endsWith('/')) files.set(name, hash);
    }
    return { files, kept };
  }
}
