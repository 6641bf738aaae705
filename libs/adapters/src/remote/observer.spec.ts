/** What a hash belongs to that took a while to read (INV-24, T32). */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath, type Token } from '@wl/domain';

import { Observer, type RemoteFile } from './observer.js';

const HASH = 'a'.repeat(64);

describe('a hash that is read from a server', () => {
  it('T32: is that of a racy version when the file was racy as its reading began, although it is settled at the end', async () => {
    const file: RemoteFile = { kind: 'file', token: 'v1' as Token, sizeBytes: 1, mtimeMs: 0, isRacy: true };
    let isSettled = false;
    const observer = new Observer({
      look: async () => ({ ...file, isRacy: !isSettled }),
      hashContent: async () => {
        isSettled = true;
        return HASH;
      },
      knownHash: () => undefined,
      isSpeltSo: async () => true,
    });
    const path = toRelativePath('a');
    // It may have been changed after its bytes were read, in the same second: the token vouches for nothing.
    expect(await observer.hashes([path])).toMatchObject([{ kind: 'hashed', node: { hash: HASH, isRacy: true } }]);
    expect(await observer.hashes([path])).toMatchObject([{ kind: 'hashed', node: { hash: HASH, isRacy: false } }]);
  });
});
