import { describe, expect, it } from '@jest/globals';
import type { StorageParams } from '@wl/adapters/manifests';

import { initialSync } from './initial-sync.js';

const local: StorageParams = { type: 'local', 'backend-id': 'disk', location: '/disk' };
const other: StorageParams = { type: 'local', 'backend-id': 'usb', location: '/usb' };
const bucket: StorageParams = { type: 's3', 'backend-id': 'bucket' };
const archive: StorageParams = { type: 's3', 'backend-id': 'archive' };

describe('initialSync', () => {
  it.each<[string, StorageParams, StorageParams[], boolean, string]>([
    ['--skip-sync', bucket, [local, bucket], true, 'as asked for'],
    ['the only storage', bucket, [bucket], false, 'it is the only storage of its container'],
    ['the only storage, a local one', local, [local], false, 'it is the only storage of its container'],
    ['a second local storage', other, [local, other], false, 'it is local'],
    ['a read-only storage', { ...bucket, 'read-only': true }, [local, bucket], false, 'it is read-only'],
  ])('is skipped for %s', (_, added, all, isSkipped, why) => {
    expect(initialSync(added, all, isSkipped)).toEqual({ kind: 'skip', why });
  });

  it('fills a remote storage from the first local one', () => {
    expect(initialSync(bucket, [archive, local, other, bucket], false)).toEqual({ kind: 'sync', source: local });
  });

  it('fills it from the first remote one where none is local', () => {
    expect(initialSync(bucket, [archive, bucket], false)).toEqual({ kind: 'sync', source: archive });
  });
});
