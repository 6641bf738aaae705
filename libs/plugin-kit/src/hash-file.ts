/** The hash of a file, which belongs to one version of it: a file that changes meanwhile is read again a few times. */

import { createHash } from 'node:crypto';

import { toSha256, type RelativePath } from '@wl/domain';
import type { HashOutcome } from '@wl/ports';

import type { Attr, Driver } from './driver.js';
import { assertGoing, toBackendError } from './translate.js';
import { isVersion, toNode } from './versions.js';

/** What hashing works with. */
export interface HashParts {
  readonly look: () => Promise<Attr | undefined>;
  readonly driver: Driver;
  readonly signal: AbortSignal | undefined;
}

const ATTEMPTS = 3;

/** Hashes the file at a path; rejects only when stopped. */
export async function hashFile(path: RelativePath, { look, driver, signal }: HashParts): Promise<HashOutcome> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    assertGoing(signal, 'hash', path);
    try {
      const before = await look();
      if (before === undefined) return { kind: 'absent' };
      if (before.kind === 'directory') return { kind: 'changing' };
      if (before.kind === 'other') return { kind: 'unknown', reason: before.reason, message: `${path} is no file` };
      if (before.sha256 !== undefined) return hashed(before, before.sha256);
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of driver.read(path, signal)) {
        assertGoing(signal, 'hash', path);
        hash.update(chunk);
        size += chunk.length;
      }
      const after = await look();
      if (isVersion(after, before.token) && size === after.size) return hashed(after, hash.digest('hex'));
    } catch (error) {
      const failed = toBackendError(error, 'hash', path);
      if (failed.code === 'cancelled') throw failed;
      // It went away under the reader: looking again tells.
      if (failed.code === 'not-found') continue;
      const reason = failed.code === 'permission-denied' ? 'permission-denied' : 'read-error';
      return { kind: 'unknown', reason, message: failed.message };
    }
  }
  return { kind: 'changing' };
}

function hashed(file: Extract<Attr, { kind: 'file' }>, sha256: string): HashOutcome {
  return { kind: 'hashed', node: { ...toNode(file), hash: toSha256(sha256) } };
}
