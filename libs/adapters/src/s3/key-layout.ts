/**
 * Where a storage's paths are in its bucket: `prefix + path` for files, the same with `/` behind
 * it for the empty objects that stand for directories. Our own area is `prefix + .wl/`.
 */

import { RESERVED_NAME, ROOT, utf8Length, type RelativePath } from '@wl/domain';
import { BackendError } from '@wl/ports';

/** Longest key that S3 takes, in UTF-8 bytes. */
export const MAX_KEY_BYTES = 1024;

/** Keys of one storage. */
export class KeyLayout {
  /** Prefix of everything that belongs to us. */
  readonly area: string;

  /** `prefix`: empty, or ending in `/`. */
  constructor(readonly prefix: string) {
    this.area = `${prefix}${RESERVED_NAME}/`;
  }

  /** Key of the file at a path; throws `name-not-representable` where it would be too long (T76). */
  file(path: RelativePath, operation: string): string {
    return this.#checked(`${this.prefix}${path}`, path, operation);
  }

  /** Key of the directory at a path, and prefix of everything in it; the root's is the storage's prefix. */
  directory(path: RelativePath, operation: string): string {
    return path === ROOT ? this.prefix : this.#checked(`${this.prefix}${path}/`, path, operation);
  }

  /** Whether a path lies in our own area. */
  isReserved(path: RelativePath): boolean {
    return path === RESERVED_NAME || path.startsWith(`${RESERVED_NAME}/`);
  }

  /** A key as people see it: relative to the root. */
  relative(key: string): string {
    return key.slice(this.prefix.length);
  }

  #checked(key: string, path: RelativePath, operation: string): string {
    if (utf8Length(key) <= MAX_KEY_BYTES) return key;
    throw new BackendError('name-not-representable', { operation, path, retryable: false }, {
      explanation: `an object's key has at most ${String(MAX_KEY_BYTES)} bytes, with the folder in the bucket`,
    });
  }
}
