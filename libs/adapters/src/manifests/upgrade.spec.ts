import { describe, expect, it } from '@jest/globals';

import { upgradeManifest } from './upgrade.js';

describe('old names in manifests', () => {
  it.each([
    [
      'of a container without a version',
      { signer: '0x1', paths: ['/a'], backends: { storage: [{ type: 'local', path: '/data' }, 'file:///x'] } },
      {
        version: '1',
        object: 'container',
        owner: '0x1',
        paths: ['/a'],
        backends: { storage: [{ object: 'storage', type: 'local', location: '/data' }, 'file:///x'] },
      },
    ],
    [
      'of a storage without a version',
      { signer: '0x1', type: 'local-cached', path: '/data', 'inner-container': '/c' },
      { version: '1', object: 'storage', owner: '0x1', type: 'local-cached', location: '/data', 'reference-container': '/c' },
    ],
    ['of a user without a version', { signer: '0x1', pubkeys: ['k'], infrastructures: [] }, { version: '1', object: 'user', owner: '0x1', pubkeys: ['k'], 'manifests-catalog': [] }],
    ['but not the path of a type that has one', { type: 'sshfs', path: './' }, { version: '1', object: 'storage', type: 'sshfs', path: './' }],
    ['and not what version 1 calls so itself', { version: '1', signer: '0x1', type: 'local', path: '/x' }, { version: '1', signer: '0x1', type: 'local', path: '/x' }],
    ['of types, in any version', { version: '1', type: 'http-index' }, { version: '1', type: 'http' }],
    ['of types inside a container', { version: '1', backends: { storage: [{ type: 'date-proxy' }] } }, { version: '1', backends: { storage: [{ type: 'timeline' }] } }],
    ['of where manifests are', { version: '1', type: 'x', subcontainers: ['/a'] }, { version: '1', type: 'x', 'manifest-pattern': { type: 'list', paths: ['/a'] } }],
    ['without overwriting today\'s', { signer: '0x1', owner: '0x2', type: 'x' }, { version: '1', object: 'storage', owner: '0x2', type: 'x' }],
  ])('are upgraded: %s', (_, before, after) => {
    expect(upgradeManifest(before)).toEqual(after);
  });

  it('leaves anything else for the schema to refuse', () => {
    for (const value of [null, 'text', [1], 7]) expect(upgradeManifest(value)).toBe(value);
  });
});
