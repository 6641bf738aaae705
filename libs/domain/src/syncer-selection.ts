/**
 * Which syncer serves a pair of storages: by traits, the most specific first.
 * Source: the traits of the original (reference §12); the order among equals is the
 * order of registration.
 */

/** What a syncer can do and between which types of storage. `['*']` means any type. */
export interface SyncerTraits {
  readonly SYNCER_NAME: string;
  readonly SOURCE_TYPES: readonly string[];
  readonly TARGET_TYPES: readonly string[];
  readonly CONTINUOUS: boolean;
  readonly ONE_SHOT: boolean;
  readonly UNIDIRECTIONAL: boolean;
  readonly REQUIRES_MOUNT: boolean;
  /** Never the best of those that can serve: taken only where it is asked for. Left out: may be chosen. */
  readonly BY_NAME_ONLY?: boolean;
}

/** What a job asks for. */
export interface SyncerRequest {
  readonly sourceType: string;
  readonly targetType: string;
  readonly continuous: boolean;
  readonly oneShot: boolean;
  readonly unidirectional: boolean;
  /** Whether file-system paths of both storages are at hand. */
  readonly allowsMount: boolean;
  /** Why they are not, one sentence without a full stop; where nobody looked it is left out. */
  readonly mountProblem?: string;
}

/** Why a syncer was not taken, one sentence. */
export type Ineligibility = string;

/** Says why a syncer cannot serve a request, or `undefined` when it can. */
export function ineligibility(traits: SyncerTraits, request: SyncerRequest): Ineligibility | undefined {
  if (request.continuous && !traits.CONTINUOUS) return 'cannot sync continuously';
  if (request.oneShot && !traits.ONE_SHOT) return 'cannot run once';
  if (request.unidirectional && !traits.UNIDIRECTIONAL) return 'cannot sync in one direction only';
  if (!matches(traits.SOURCE_TYPES, request.sourceType)) return `does not read from type ${request.sourceType}`;
  if (!matches(traits.TARGET_TYPES, request.targetType)) return `does not write to type ${request.targetType}`;
  if (traits.REQUIRES_MOUNT && !request.allowsMount) {
    const why = request.mountProblem === undefined ? '' : `: ${request.mountProblem}`;
    return `needs both storages as mounted file systems${why}`;
  }
  return undefined;
}

/** The eligible syncers, best first: fewest `*`, then registration order. */
export function rankSyncers<T extends { readonly traits: SyncerTraits }>(syncers: readonly T[], request: SyncerRequest): T[] {
  // Array.prototype.sort is stable, so ties keep the order of registration.
  return syncers
    .filter((syncer) => ineligibility(syncer.traits, request) === undefined)
    .sort((a, b) => wildcards(a.traits) - wildcards(b.traits));
}

/** What the selection says of one syncer. */
export interface SyncerVerdict {
  readonly name: string;
  readonly isChosen: boolean;
  /** Why it was chosen, or why not, one sentence without a full stop. */
  readonly reason: string;
}

/** A selection: who serves, and what is said of each, in order of registration. */
export interface SyncerSelection<T> {
  readonly chosen: T | undefined;
  readonly verdicts: readonly SyncerVerdict[];
}

/**
 * Chooses a syncer and says of each why it was chosen or not. `forcedName` takes that one
 * instead of the best, where it can serve the request; where it cannot, nobody is chosen. `unfit`
 * says what traits cannot: why a syncer is of no use here and now.
 */
export function selectSyncer<T extends { readonly traits: SyncerTraits }>(
  syncers: readonly T[],
  request: SyncerRequest,
  forcedName?: string,
  unfit: (syncer: T) => Ineligibility | undefined = () => undefined,
): SyncerSelection<T> {
  const fitting = syncers.filter((syncer) => unfit(syncer) === undefined);
  const ranked = rankSyncers(fitting, request);
  const isWanted = ({ traits }: T): boolean => (forcedName === undefined ? traits.BY_NAME_ONLY !== true : traits.SYNCER_NAME === forcedName);
  const chosen = ranked.find(isWanted);
  const verdicts = syncers.map((syncer): SyncerVerdict => {
    const name = syncer.traits.SYNCER_NAME;
    if (syncer === chosen) return { name, isChosen: true, reason: forcedName === undefined ? fit(syncer.traits) : 'was asked for' };
    const reason = ineligibility(syncer.traits, request) ?? unfit(syncer) ?? passedOver(syncer.traits, chosen?.traits, forcedName);
    return { name, isChosen: false, reason };
  });
  return { chosen, verdicts };
}

function fit(traits: SyncerTraits): string {
  const count = wildcards(traits);
  if (count === 0) return 'names both types';
  return count === 1 ? 'names one of the types' : 'serves any types';
}

/** Why one that could serve does not. */
function passedOver(traits: SyncerTraits, chosen: SyncerTraits | undefined, forcedName: string | undefined): string {
  if (forcedName !== undefined) return `could serve, but ${forcedName} was asked for`;
  if (traits.BY_NAME_ONLY === true) return `could serve, but only where it is asked for: --syncer ${traits.SYNCER_NAME}`;
  const best = chosen?.SYNCER_NAME ?? 'another';
  const isLessSpecific = chosen !== undefined && wildcards(chosen) < wildcards(traits);
  return isLessSpecific ? `could serve, but ${best} names more of the types` : `could serve as well, but ${best} was there first`;
}

function matches(types: readonly string[], type: string): boolean {
  return (types.length === 1 && types[0] === '*') || types.includes(type);
}

function wildcards(traits: SyncerTraits): number {
  return [...traits.SOURCE_TYPES, ...traits.TARGET_TYPES].filter((type) => type === '*').length;
}
