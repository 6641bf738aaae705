import { describe, expect, it } from '@jest/globals';

import { chooseStorages, type StorageChoice } from './choose-storages.js';
import type { StorageParams } from './storage-params.js';

const storage = (type: string, id: string, isReadOnly = false): StorageParams => ({
  type,
  'backend-id': id,
  ...(type.startsWith('local') ? { location: `/${id}` } : {}),
  ...(isReadOnly ? { 'read-only': true } : {}),
});

const A = storage('local', 'A');
const B = storage('local-cached', 'B');
const roA = storage('local', 'roA', true);
const S = storage('s3', 'S');
const T = storage('webdav', 'T');
const roS = storage('s3', 'roS', true);
const D = storage('delegate', 'D');

type Options = Omit<StorageChoice, 'containerName' | 'storages' | 'isUnidirectional'> & { isUnidirectional?: boolean };

function choose(storages: readonly StorageParams[], options: Options = {}) {
  const result = chooseStorages({ containerName: 'photos', isUnidirectional: false, ...options, storages });
  if (!result.ok) return result.error.code;
  return `${result.value.source['backend-id']}-${result.value.target['backend-id']}`;
}

describe('which two storages are synced', () => {
  it.each<[string, readonly StorageParams[], Options, string]>([
    ['the first local one and the first remote one', [S, A, T, B], {}, 'A-S'],
    ['two local ones in their order when all are local', [A, B], {}, 'A-B'],
    ['a remote one before a second local one', [A, B, S], {}, 'A-S'],
    ['no delegate of its own accord', [A, D, S], {}, 'A-S'],
    ['a delegate when asked for', [A, D, S], { targetStorage: 'D' }, 'A-D'],
    ['zip archives as remote ones', [A, storage('zip-archive', 'Z')], {}, 'A-Z'],
    ['writable ones first', [roA, A, roS, S], {}, 'A-S'],
    ['the target asked for by id', [A, S, T], { targetStorage: 'T' }, 'A-T'],
    ['the target asked for by type', [A, S, T], { targetStorage: 'webdav' }, 'A-T'],
    ['the source asked for by id', [A, B, S], { sourceStorage: 'B' }, 'B-S'],
    ['the source asked for by type, also a remote one', [A, S, T], { sourceStorage: 's3' }, 'S-T'],
    ['a local target when the only remote one is the source', [A, S], { sourceStorage: 'S' }, 'S-A'],
    ['both asked for', [A, B, S, T], { sourceStorage: 'T', targetStorage: 'B' }, 'T-B'],
    ['another source when the target asked for is the first local one', [A, B, S], { targetStorage: 'A' }, 'B-A'],
    ['two different ones of the type asked for', [A, storage('local', 'A2'), S], { targetStorage: 'local' }, 'A-A2'],
    ['two different ones of one type asked for twice', [A, storage('local', 'A2')], { sourceStorage: 'local', targetStorage: 'local' }, 'A-A2'],
    ['the remembered target', [A, S, T], { rememberedTarget: 'T' }, 'A-T'],
    ['the remembered target, although it is the first local one', [A, B], { rememberedTarget: 'A' }, 'B-A'],
    ['the target asked for over the remembered one', [A, S, T], { rememberedTarget: 'T', targetStorage: 'S' }, 'A-S'],
    ['another when the remembered target is no more (W-42)', [A, S, T], { rememberedTarget: 'gone' }, 'A-S'],
    ['another when the remembered target is the source now', [A, S, T], { rememberedTarget: 'T', sourceStorage: 'T' }, 'T-S'],
    ['another when the remembered target is the only local one', [A, S], { rememberedTarget: 'A' }, 'A-S'],
    ['a read-only source in one direction', [roA, S], { isUnidirectional: true }, 'roA-S'],
  ])('chooses %s', (_, storages, options, expected) => {
    expect(choose(storages, options)).toBe(expected);
  });

  it.each<[string, readonly StorageParams[], Options, string]>([
    ['a container without storages', [], {}, 'no-storages'],
    ['a container with one storage', [A], {}, 'one-storage'],
    ['two storages of one id', [A, { ...B, 'backend-id': 'A' }], {}, 'duplicate-backend-id'],
    ['a source that is not there', [A, S], { sourceStorage: 'X' }, 'storage-not-found'],
    ['a target that is not there', [A, S], { targetStorage: 'X' }, 'storage-not-found'],
    ['no local source', [S, T], {}, 'no-local-source'],
    ['no local source beside the target asked for', [A, S], { targetStorage: 'A' }, 'no-local-source'],
    ['nothing but a delegate to be the target', [A, D], {}, 'no-target'],
    ['one storage as both (W-41)', [A, S], { sourceStorage: 'A', targetStorage: 'A' }, 'same-storage'],
    ['one storage as both, once by type (W-41)', [A, S], { sourceStorage: 'S', targetStorage: 's3' }, 'same-storage'],
    ['a read-only target (W-08)', [A, roS], {}, 'read-only-target'],
    ['a read-only target in one direction (W-08)', [A, roS], { isUnidirectional: true }, 'read-only-target'],
    ['a read-only target that is remembered (W-08)', [A, S, roS], { rememberedTarget: 'roS' }, 'read-only-target'],
    ['a read-only source in a two-way sync (W-08)', [roA, S], {}, 'read-only-source'],
    ['a read-only source asked for in a two-way sync (W-08)', [A, roA, S], { sourceStorage: 'roA' }, 'read-only-source'],
  ])('refuses %s', (_, storages, options, expected) => {
    expect(choose(storages, options)).toBe(expected);
  });

  it('remembers only what was asked for', () => {
    const remembered = (options: Options) => {
      const result = chooseStorages({ containerName: 'photos', isUnidirectional: false, storages: [A, S, T], ...options });
      return result.ok ? result.value.rememberTarget : result.error;
    };
    expect(remembered({})).toBeUndefined();
    expect(remembered({ rememberedTarget: 'T' })).toBeUndefined();
    expect(remembered({ targetStorage: 'webdav' })).toBe('T');
  });

  it('tells about a remembered target that it did not take', () => {
    const notices = (options: Options) => {
      const result = chooseStorages({ containerName: 'photos', isUnidirectional: false, storages: [A, S, T], ...options });
      return result.ok ? result.value.notices : result.error;
    };
    expect(notices({})).toEqual([]);
    expect(notices({ rememberedTarget: 'T' })).toEqual([]);
    expect(notices({ rememberedTarget: 'gone', targetStorage: 'S' })).toEqual([]);
    expect(notices({ rememberedTarget: 'gone' })).toEqual(['The target used before, gone, is no longer a storage of photos; choosing another.']);
    expect(notices({ rememberedTarget: 'T', sourceStorage: 'T' })).toEqual([
      "The target used before, 'webdav'(backend_id=T), is the source now; choosing 's3'(backend_id=S).",
    ]);
  });

  it('says what to do', () => {
    const message = (storages: readonly StorageParams[], options: Options = {}) => {
      const result = chooseStorages({ containerName: 'photos', isUnidirectional: false, storages, ...options });
      return result.ok ? '' : result.error.message;
    };
    expect(message([A])).toContain('wl storage create <type> --container photos');
    expect(message([A, S], { targetStorage: 'X' })).toContain("Storage X not found in container photos. It has: 'local'(backend_id=A), 's3'(backend_id=S)");
    expect(message([S, T])).toContain('No local storage backend found to be the source: name one with --source-storage');
    expect(message([roA, S])).toContain('--unidirectional');
    expect(message([A, roS])).toContain('--target-storage');
  });
});
