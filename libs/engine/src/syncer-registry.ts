/**
 * The syncers at hand, and which one serves a job: the most specific eligible one
 * (`selectSyncer`), or the one the user asks for. Plugins register here beside the built-in
 * ones and may come and go while jobs run: a job keeps the syncer that it was started with.
 */

import { ineligibility, selectSyncer, type SyncerRequest, type SyncerSelection } from '@wl/domain';
import type { StorageBackend, SyncerDefinition } from '@wl/ports';

/** Holds syncer definitions in order of registration. */
export class SyncerRegistry {
  #definitions: SyncerDefinition[] = [];

  /** Throws when the name is taken. */
  register(definition: SyncerDefinition): void {
    const name = definition.traits.SYNCER_NAME;
    if (this.find(name) !== undefined) throw new Error(`a syncer named ${name} is registered already`);
    this.#definitions.push(definition);
  }

  /** Forgets a syncer; one that is not there is no failure. */
  unregister(name: string): void {
    this.#definitions = this.#definitions.filter(({ traits }) => traits.SYNCER_NAME !== name);
  }

  /** The syncer of that name. */
  find(name: string): SyncerDefinition | undefined {
    return this.#definitions.find(({ traits }) => traits.SYNCER_NAME === name);
  }

  /** All of them, in order of registration. */
  get definitions(): readonly SyncerDefinition[] {
    return this.#definitions;
  }

  /** The syncer for a request, `forcedName` where it can serve, and what is said of each. */
  select(request: SyncerRequest, storages: Storages, forcedName?: string): SyncerSelection<SyncerDefinition> {
    return selectSyncer(this.#definitions, request, forcedName, ({ unfit }) => unfit?.({ ...storages, isUnidirectional: request.unidirectional }));
  }

  /**
   * Whether file-system paths of the storages would let a further syncer serve: finding them costs
   * a look at both. Those that serve by name alone count where they are asked for, or where all are to be told of.
   */
  wantsMounts(request: SyncerRequest, forcedName: string | undefined, isForTelling: boolean): boolean {
    const mounted = { ...request, allowsMount: true };
    const mayBeChosen = ({ BY_NAME_ONLY, SYNCER_NAME }: SyncerDefinition['traits']): boolean => BY_NAME_ONLY !== true || SYNCER_NAME === forcedName || isForTelling;
    return this.#definitions.some(({ traits }) => traits.REQUIRES_MOUNT && mayBeChosen(traits) && ineligibility(traits, mounted) === undefined);
  }
}

/** Both ends of a job. */
export interface Storages {
  readonly source: StorageBackend;
  readonly target: StorageBackend;
}
