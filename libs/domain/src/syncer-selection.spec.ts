import { describe, expect, it } from '@jest/globals';

import { ineligibility, rankSyncers, selectSyncer, type SyncerRequest, type SyncerTraits } from './syncer-selection.js';

const ABLE: SyncerTraits = {
  SYNCER_NAME: 'able',
  SOURCE_TYPES: ['*'],
  TARGET_TYPES: ['*'],
  CONTINUOUS: true,
  ONE_SHOT: true,
  UNIDIRECTIONAL: true,
  REQUIRES_MOUNT: false,
};
const REQUEST: SyncerRequest = {
  sourceType: 'local',
  targetType: 's3',
  continuous: false,
  oneShot: false,
  unidirectional: false,
  allowsMount: false,
};

const BOTH = [false, true];
const SIXTEEN = BOTH.flatMap((a) => BOTH.flatMap((b) => BOTH.flatMap((c) => BOTH.map((d) => [a, b, c, d] as const))));

const syncer = (name: string, sources: string[], targets: string[]): { traits: SyncerTraits } => ({
  traits: { ...ABLE, SYNCER_NAME: name, SOURCE_TYPES: sources, TARGET_TYPES: targets },
});
const names = (syncers: readonly { traits: SyncerTraits }[], request: SyncerRequest): string[] =>
  rankSyncers(syncers, request).map(({ traits }) => traits.SYNCER_NAME);

describe('ineligibility', () => {
  it.each(SIXTEEN)('asks for no less than continuous %s, one-shot %s, one-way %s, mounted %s', (continuous, oneShot, unidirectional, mounted) => {
    for (const [hasContinuous, hasOneShot, hasUnidirectional, needsMount] of SIXTEEN) {
      const traits = { ...ABLE, CONTINUOUS: hasContinuous, ONE_SHOT: hasOneShot, UNIDIRECTIONAL: hasUnidirectional, REQUIRES_MOUNT: needsMount };
      const request = { ...REQUEST, continuous, oneShot, unidirectional, allowsMount: mounted };
      const isEligible =
        (!continuous || hasContinuous) && (!oneShot || hasOneShot) && (!unidirectional || hasUnidirectional) && (!needsMount || mounted);
      expect(ineligibility(traits, request) === undefined).toBe(isEligible);
    }
  });

  it.each<[string, Partial<SyncerTraits>, Partial<SyncerRequest>]>([
    ['cannot sync continuously', { CONTINUOUS: false }, { continuous: true }],
    ['cannot run once', { ONE_SHOT: false }, { oneShot: true }],
    ['cannot sync in one direction only', { UNIDIRECTIONAL: false }, { unidirectional: true }],
    ['needs both storages as mounted file systems', { REQUIRES_MOUNT: true }, {}],
    ['does not read from type local', { SOURCE_TYPES: ['s3'] }, {}],
    ['does not write to type s3', { TARGET_TYPES: ['local'] }, {}],
  ])('says that a syncer %s', (reason, traits, request) => {
    expect(ineligibility({ ...ABLE, ...traits }, { ...REQUEST, ...request })).toBe(reason);
  });

  it('takes `*` as any type only where it stands alone', () => {
    expect(ineligibility({ ...ABLE, SOURCE_TYPES: ['*', 'webdav'] }, REQUEST)).toBe('does not read from type local');
    expect(ineligibility({ ...ABLE, SOURCE_TYPES: ['webdav', 'local'] }, REQUEST)).toBeUndefined();
  });

  it('does not exchange the sides to find a match', () => {
    expect(ineligibility({ ...ABLE, SOURCE_TYPES: ['s3'], TARGET_TYPES: ['local'] }, REQUEST)).toBeDefined();
  });
});

describe('rankSyncers', () => {
  it('puts the fewest `*` of both lists first', () => {
    const all = [
      syncer('generic', ['*'], ['*']),
      syncer('to s3', ['*'], ['s3']),
      syncer('local to s3', ['local'], ['s3']),
      syncer('from local', ['local'], ['*']),
    ];
    expect(names(all, REQUEST)).toEqual(['local to s3', 'to s3', 'from local', 'generic']);
  });

  it('keeps the order of registration among equals', () => {
    const all = ['c', 'a', 'b'].map((name) => syncer(name, ['*'], ['*']));
    expect(names(all, REQUEST)).toEqual(['c', 'a', 'b']);
  });

  it('counts a `*` among other types although it does not match by it', () => {
    const all = [syncer('mixed', ['local', '*'], ['s3']), syncer('plain', ['local'], ['s3', 'webdav'])];
    expect(names(all, REQUEST)).toEqual(['plain', 'mixed']);
  });

  it('leaves out who cannot serve, and may be left with nobody', () => {
    expect(names([syncer('from s3', ['s3'], ['*'])], REQUEST)).toEqual([]);
  });
});

/** A dedicated syncer and the generic one, as built in or from a plugin: the order of registration is all that differs. */
const ORIGINS: readonly (readonly [string, (dedicated: { traits: SyncerTraits }, generic: { traits: SyncerTraits }) => { traits: SyncerTraits }[]])[] = [
  ['built in, before the generic one', (dedicated, generic) => [dedicated, generic]],
  ['from a plugin, after the generic one', (dedicated, generic) => [generic, dedicated]],
];

describe('selectSyncer', () => {
  describe.each(ORIGINS)('with a dedicated syncer %s', (_origin, register) => {
    it.each(SIXTEEN)('takes it where it can what is asked: continuous %s, one-shot %s, one-way %s, mounted %s', (continuous, oneShot, unidirectional, mounted) => {
      const request = { ...REQUEST, continuous, oneShot, unidirectional, allowsMount: mounted };
      for (const [hasContinuous, hasOneShot, hasUnidirectional, needsMount] of SIXTEEN) {
        const able = { ...ABLE, CONTINUOUS: hasContinuous, ONE_SHOT: hasOneShot, UNIDIRECTIONAL: hasUnidirectional, REQUIRES_MOUNT: needsMount };
        const dedicated = { traits: { ...able, SYNCER_NAME: 'dedicated', SOURCE_TYPES: ['local'], TARGET_TYPES: ['s3'] } };
        const { chosen, verdicts } = selectSyncer(register(dedicated, { traits: { ...ABLE, SYNCER_NAME: 'generic' } }), request);
        const fits = (!continuous || hasContinuous) && (!oneShot || hasOneShot) && (!unidirectional || hasUnidirectional) && (!needsMount || mounted);
        expect(chosen?.traits.SYNCER_NAME).toBe(fits ? 'dedicated' : 'generic');
        expect(verdicts.filter(({ isChosen }) => isChosen).map(({ name }) => name)).toEqual([chosen?.traits.SYNCER_NAME]);
        const generic = verdicts.find(({ name }) => name === 'generic');
        expect(generic?.reason).toBe(fits ? 'could serve, but dedicated names more of the types' : 'serves any types');
      }
    });
  });

  const three = [syncer('first', ['*'], ['*']), syncer('second', ['*'], ['*']), syncer('from s3', ['s3'], ['*'])];
  const told = (forced?: string): string[] => selectSyncer(three, REQUEST, forced).verdicts.map(({ name, isChosen, reason }) => `${isChosen ? '+' : '-'} ${name}: ${reason}`);

  it('says of each why it was chosen or not, in order of registration', () => {
    expect(told()).toEqual([
      '+ first: serves any types',
      '- second: could serve as well, but first was there first',
      '- from s3: does not read from type local',
    ]);
  });

  it('takes the one that is asked for where it can serve', () => {
    expect(selectSyncer(three, REQUEST, 'second').chosen?.traits.SYNCER_NAME).toBe('second');
    expect(told('second')).toEqual([
      '- first: could serve, but second was asked for',
      '+ second: was asked for',
      '- from s3: does not read from type local',
    ]);
  });

  it('takes nobody else where the one that is asked for cannot serve, or is not there', () => {
    for (const name of ['from s3', 'nobody']) expect(selectSyncer(three, REQUEST, name).chosen).toBeUndefined();
  });

  it('says why there is no mount where somebody looked', () => {
    const mounted = { traits: { ...ABLE, REQUIRES_MOUNT: true } };
    const request = { ...REQUEST, mountProblem: 'the bucket is not mounted' };
    expect(selectSyncer([mounted], request).verdicts[0]?.reason).toBe('needs both storages as mounted file systems: the bucket is not mounted');
  });

  describe('with one that serves by name alone', () => {
    const generic = { traits: { ...ABLE, SYNCER_NAME: 'generic' } };
    const shy = { traits: { ...ABLE, SYNCER_NAME: 'shy', SOURCE_TYPES: ['local'], TARGET_TYPES: ['s3'], BY_NAME_ONLY: true } };

    it('takes it only where it is asked for, and says so', () => {
      const { chosen, verdicts } = selectSyncer([shy, generic], REQUEST);
      expect(chosen).toBe(generic);
      expect(verdicts[0]).toEqual({ name: 'shy', isChosen: false, reason: 'could serve, but only where it is asked for: --syncer shy' });
      expect(selectSyncer([shy, generic], REQUEST, 'shy').chosen).toBe(shy);
    });

    it('says first why it could not serve at all', () => {
      const { verdicts } = selectSyncer([shy, generic], { ...REQUEST, targetType: 'webdav' });
      expect(verdicts[0]?.reason).toBe('does not write to type webdav');
    });
  });

  it('passes over one that is of no use here, even where it is asked for, and says why', () => {
    const [generic, fast] = [syncer('generic', ['*'], ['*']), syncer('fast', ['local'], ['s3'])];
    const unfit = ({ traits }: { traits: SyncerTraits }): string | undefined => (traits.SYNCER_NAME === 'fast' ? 'needs a program that is not installed' : undefined);
    const { chosen, verdicts } = selectSyncer([generic, fast], REQUEST, undefined, unfit);
    expect(chosen).toBe(generic);
    expect(verdicts[1]).toEqual({ name: 'fast', isChosen: false, reason: 'needs a program that is not installed' });
    expect(selectSyncer([generic, fast], REQUEST, 'fast', unfit).chosen).toBeUndefined();
  });
});
