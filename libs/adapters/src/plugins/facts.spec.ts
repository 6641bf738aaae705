import { describe, expect, it } from '@jest/globals';

import { judgeBackend, judgeSyncer, type ModuleFacts } from './facts.js';

const syncer = { name: 'fast', module: './index.js' };
const shelf = { name: 'shelf', module: './index.js' };
const values = { SYNCER_NAME: 'fast', SOURCE_TYPES: ['local'], TARGET_TYPES: ['*'], ONE_SHOT: true };
const good: ModuleFacts = { kind: 'function', values, functions: [], methods: ['one_shot_sync', 'iter_errors'] };

describe('a syncer of a plugin', () => {
  it('is good with the methods of its abilities', () => {
    expect(judgeSyncer(syncer, good)).toEqual([]);
    const continuous = { ...good, values: { ...values, ONE_SHOT: false, CONTINUOUS: true }, methods: ['start_sync', 'stop_sync', 'is_running', 'iter_errors'] };
    expect(judgeSyncer(syncer, continuous)).toEqual([]);
  });

  it.each<[string, Partial<ModuleFacts>, string]>([
    ['exports nothing', { kind: 'undefined' }, 'syncer fast is no class: ./index.js has to export one as its default'],
    ['exports no class', { kind: 'object' }, 'syncer fast is no class: ./index.js has to export one as its default'],
    ['is called otherwise', { values: { ...values, SYNCER_NAME: 'slow' } }, 'syncer fast calls itself "slow" (SYNCER_NAME), the package calls it "fast"'],
    ['has no name', { values: { SOURCE_TYPES: ['*'], TARGET_TYPES: ['*'], ONE_SHOT: true } }, 'syncer fast calls itself nothing (SYNCER_NAME), the package calls it "fast"'],
    ['says nothing of sources', { values: { ...values, SOURCE_TYPES: 'local' } }, 'syncer fast has no list of storage types in SOURCE_TYPES (["*"] stands for any)'],
    ['names no target', { values: { ...values, TARGET_TYPES: [] } }, 'syncer fast has no list of storage types in TARGET_TYPES (["*"] stands for any)'],
    ['has an odd ability', { values: { ...values, REQUIRES_MOUNT: 'yes' } }, 'syncer fast has a REQUIRES_MOUNT that is neither true nor false'],
    ['has no ability', { values: { ...values, ONE_SHOT: false } }, 'syncer fast has neither ONE_SHOT nor CONTINUOUS, so that it could never be used'],
    ['lacks one_shot_sync', { methods: ['iter_errors'] }, 'syncer fast has ONE_SHOT but no one_shot_sync'],
    ['lacks what continuous needs', { values: { ...values, CONTINUOUS: true }, methods: ['one_shot_sync', 'start_sync', 'iter_errors'] }, 'syncer fast has CONTINUOUS but no stop_sync, is_running'],
    ['lacks iter_errors', { methods: ['one_shot_sync'] }, 'syncer fast has no iter_errors'],
  ])('that %s is refused for that alone', (_what, facts, problem) => {
    expect(judgeSyncer(syncer, { ...good, ...facts })).toEqual([problem]);
  });

  it('hears of all that is wrong at once', () => {
    expect(judgeSyncer(syncer, { ...good, values: { ...values, SOURCE_TYPES: [] }, methods: [] })).toHaveLength(3);
  });
});

describe('a storage type of a plugin', () => {
  const whole: ModuleFacts = { kind: 'object', values: { TYPE: 'shelf', FIELDS: { place: { description: 'where', required: true }, key: { secret: true } } }, functions: ['create'], methods: [] };

  it('is good with a type and a way to make it', () => {
    expect(judgeBackend(shelf, whole)).toEqual([]);
    expect(judgeBackend(shelf, { ...whole, kind: 'function', values: { TYPE: 'shelf' } })).toEqual([]);
  });

  it.each<[string, Partial<ModuleFacts>, string]>([
    ['is nothing', { kind: 'undefined' }, 'storage type shelf is nothing: ./index.js has to export it as its default'],
    ['is called otherwise', { values: { TYPE: 'box' } }, 'storage type shelf calls itself "box" (TYPE), the package calls it "shelf"'],
    ['cannot make anything', { functions: [] }, 'storage type shelf has no create'],
    ['has odd fields', { values: { TYPE: 'shelf', FIELDS: { place: 'where' } } }, 'storage type shelf has FIELDS that are no table of { description, required, secret }'],
    ['has a list of fields', { values: { TYPE: 'shelf', FIELDS: [] } }, 'storage type shelf has FIELDS that are no table of { description, required, secret }'],
  ])('that %s is refused for that alone', (_what, facts, problem) => {
    expect(judgeBackend(shelf, { ...whole, ...facts })).toEqual([problem]);
  });
});
