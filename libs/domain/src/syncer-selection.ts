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
}

/** Why a syncer was not taken, one sentence. */
export type Ineligibility = string;

/** Says why a syncer cannot serve a request, or `undefined` when it can. */
export function ineligibility(traits: SyncerTraits, request: SyncerRequest): Ineligibility | undefined {
  if (request.continuous && !traits.CONTINUOUS) return 'cannot sync continuously';
  if (request.oneShot && !traits.ONE_SHOT) return 'cannot run once';
  if (request.unidirectional && !traits.UNIDIRECTIONAL) return 'cannot sync in one direction only';
  if (traits.REQUIRES_MOUNT && !request.allowsMount) return 'needs both storages as mounted file systems';
  if (!matches(traits.SOURCE_TYPES, request.sourceType)) return `does not read from type ${request.sourceType}`;
  if (!matches(traits.TARGET_TYPES, request.targetType)) return `does not write to type ${request.targetType}`;
  return undefined;
}

/** The eligible syncers, best first: fewest `*`, then registration order. */
export function rankSyncers<T extends { readonly traits: SyncerTraits }>(syncers: readonly T[], request: SyncerRequest): T[] {
  // Array.prototype.sort is stable, so ties keep the order of registration.
  return syncers
    .filter((syncer) => ineligibility(syncer.traits, request) === undefined)
    .sort((a, b) => wildcards(a.traits) - wildcards(b.traits));
}

function matches(types: readonly string[], type: string): boolean {
  return (types.length === 1 && types[0] === '*') || types.includes(type);
}

function wildcards(traits: SyncerTraits): number {
  return [...traits.SOURCE_TYPES, ...traits.TARGET_TYPES].filter((type) => type === '*').length;
}
