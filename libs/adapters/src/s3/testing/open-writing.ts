/** A writing context over a bucket in memory, with a trash that shows what it was asked to keep. */

import type { RelativePath, Token } from '@wl/domain';
import { ManualClock } from '@wl/ports/testing';

import type { S3Abilities } from '../abilities.js';
import { HashRecords } from '../hash-records.js';
import { KeyLayout } from '../key-layout.js';
import type { KnownParts, PartsMemory } from '../known-parts.js';
import type { S3Notes } from '../s3-params.js';
import type { WriteContext } from '../writing/context.js';
import { Limiter } from '../writing/limiter.js';
import { ReusableParts } from '../writing/reusable-parts.js';
import { UploadJournal } from '../writing/upload-journal.js';

import { AWS, MemoryBucket, type Manners } from './memory-bucket.js';
import { MemoryS3Api } from './memory-s3-api.js';

/** What a probe would find out of a server with these manners. */
export function abilitiesOf(manners: Manners): S3Abilities {
  return {
    createsIfAbsent: manners.absent,
    replacesIfMatch: manners.match === 'ignored' ? 'no' : manners.match,
    deletesIfMatch: manners.deleteMatch,
    completesConditionally: manners.completeConditions,
    copiesConditionally: manners.copyConditions,
    copies: true,
    uploadsInParts: true,
    verifiesContent: manners.verifies,
    keepsChecksums: manners.keepsChecksums,
    tagsByMd5: manners.md5Tags,
    isVersioned: manners.isVersioned,
  };
}

/** Notes in memory. */
export class MemoryNotes implements S3Notes {
  readonly #values = new Map<string, string>();

  get(name: string): unknown {
    const text = this.#values.get(name);
    return text === undefined ? undefined : JSON.parse(text);
  }

  put(name: string, value: unknown): void {
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, JSON.stringify(value));
  }
}

/** Parts in memory. */
export class MemoryParts implements PartsMemory {
  readonly known = new Map<string, KnownParts>();

  recall(key: string): KnownParts | undefined {
    return this.known.get(key);
  }

  remember(parts: KnownParts): void {
    this.known.set(parts.key, parts);
  }
}

/** One machine at a bucket. */
export interface Machine {
  readonly context: WriteContext;
  readonly api: MemoryS3Api;
  readonly clock: ManualClock;
  /** Versions in its trash, as `key etag`. */
  readonly kept: Set<string>;
}

/** Options of a machine. */
export interface MachineOptions {
  readonly name?: string;
  readonly clock?: ManualClock;
  readonly notes?: S3Notes;
  readonly atOnce?: number;
  readonly others?: ReadonlyMap<string, MemoryBucket>;
  readonly prefix?: string;
  /** What it remembers of the parts of large objects; default: nothing. */
  readonly parts?: PartsMemory;
  /** Abilities that differ from what the manners give. */
  readonly abilities?: Partial<S3Abilities>;
}

/** A bucket on a clock of its own. */
export function openBucket(manners: Partial<Manners> = {}, clock = new ManualClock()): { bucket: MemoryBucket; clock: ManualClock } {
  return { bucket: new MemoryBucket({ ...AWS, ...manners }, () => clock.nowMs()), clock };
}

/** A machine that uses the bucket. */
export function openMachine(bucket: MemoryBucket, options: MachineOptions = {}): Machine {
  const { name = 'machine', clock = new ManualClock(), notes = new MemoryNotes(), prefix = '' } = options;
  const api = new MemoryS3Api(bucket, options.others);
  const kept = new Set<string>();
  let serial = 0;
  const context: WriteContext = {
    api,
    abilities: () => ({ ...abilitiesOf(bucket.manners), ...options.abilities }),
    clock,
    journal: new UploadJournal(notes),
    parts: new ReusableParts(options.parts),
    hashes: new HashRecords(api, new KeyLayout(prefix)),
    limiter: new Limiter(options.atOnce),
    newId: () => `${name}-${String((serial += 1))}`,
    keep: async (key, etag) => {
      if (bucket.current(key)?.etag !== etag) return 'stale';
      kept.add(`${key} ${etag}`);
      return 'kept';
    },
    unkeep: async (key, etag) => void kept.delete(`${key} ${etag}`),
    keyOf: (path: RelativePath) => `${prefix}${path}`,
    etagOf: (token: Token) => token.split(':')[0],
    tokenOf: ({ etag, sizeBytes }) => `${etag}:${String(sizeBytes)}` as Token,
  };
  return { context, api, clock, kept };
}
