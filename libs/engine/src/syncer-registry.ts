/**
 * The syncers at hand, and which one serves a job: the most specific eligible one
 * (`rankSyncers`). Plugins register here beside the built-in ones.
 */

import { ineligibility, rankSyncers, type SyncerRequest } from '@wl/domain';
import type { SyncerDefinition } from '@wl/ports';

/** Holds syncer definitions in order of registration. */
export class SyncerRegistry {
  readonly #definitions: SyncerDefinition[] = [];

  /** Throws when the name is taken. */
  register(definition: SyncerDefinition): void {
    const name = definition.traits.SYNCER_NAME;
    if (this.#definitions.some(({ traits }) => traits.SYNCER_NAME === name)) {
      throw new Error(`a syncer named ${name} is registered already`);
    }
    this.#definitions.push(definition);
  }

  /** The syncer for a request, or `undefined` with the reasons, one sentence each. */
  select(request: SyncerRequest): { readonly definition: SyncerDefinition } | { readonly reasons: readonly string[] } {
    const [best] = rankSyncers(this.#definitions, request);
    if (best !== undefined) return { definition: best };
    return {
      reasons: this.#definitions.map(({ traits }) => `${traits.SYNCER_NAME} ${ineligibility(traits, request) ?? 'is eligible'}`),
    };
  }
}
