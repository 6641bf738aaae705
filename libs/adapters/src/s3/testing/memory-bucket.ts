/**
 * State of a bucket in memory, with the manners of one server: which conditions it obeys, what
 * its ETags are, whether it keeps versions. Every operation is one step.
 */

import { createHash } from 'node:crypto';

import type { Sha256 } from '@wl/domain';

import type { Condition, ObjectProperties, UploadedPart } from '../s3-api.js';

/** How a server behaves. Defaults: as AWS. */
export interface Manners {
  /** `PUT` with `If-None-Match: *` is compared. */
  readonly absent: boolean;
  /** How `If-Match` has to be written; `ignored`: nothing is compared. */
  readonly match: 'quoted' | 'bare' | 'ignored';
  readonly deleteMatch: boolean;
  readonly completeConditions: boolean;
  readonly copyConditions: boolean;
  readonly copySourceMatch: boolean;
  /** What comes of copying a range into a part: that range, all of the source, or 501. */
  readonly copiesParts: 'range' | 'whole' | 'refused';
  /** The source of such a copy is compared. */
  readonly partSourceMatch: boolean;
  /** Content that does not have the signed hash is refused. */
  readonly verifies: boolean;
  readonly keepsChecksums: boolean;
  readonly md5Tags: boolean;
  readonly isVersioned: boolean;
  /** The answer to a completed upload tells its ETag. */
  readonly completeTells: boolean;
  /** A copy of an object written in parts keeps its ETag. */
  readonly copyKeepsTag: boolean;
  readonly tellsTime: boolean;
}

/** Most obliging of all servers. */
export const AWS: Manners = {
  absent: true,
  match: 'quoted',
  deleteMatch: true,
  completeConditions: true,
  copyConditions: true,
  copySourceMatch: true,
  copiesParts: 'range',
  partSourceMatch: true,
  verifies: true,
  keepsChecksums: true,
  md5Tags: true,
  isVersioned: false,
  completeTells: true,
  copyKeepsTag: false,
  tellsTime: true,
};

/** Ceph's gateway, as measured. */
export const CEPH: Manners = {
  ...AWS,
  match: 'bare',
  deleteMatch: false,
  completeConditions: false,
  copyConditions: false,
  partSourceMatch: false,
  keepsChecksums: false,
  completeTells: false,
  copyKeepsTag: true,
};

/** Compares nothing at all. */
export const CARELESS: Manners = { ...CEPH, absent: false, match: 'ignored', copySourceMatch: false };

/** Ceph with versions: conditions are not to be used. */
export const VERSIONED: Manners = { ...CARELESS, isVersioned: true };

/** One version. */
export interface MemoryVersion {
  readonly versionId: string;
  readonly etag: string;
  readonly content: Uint8Array;
  readonly properties: ObjectProperties;
  readonly lastModifiedMs: number;
  readonly isDeleteMarker: boolean;
  readonly sha256: Sha256 | undefined;
}

/** An upload in parts. */
export interface MemoryUpload {
  readonly key: string;
  readonly properties: ObjectProperties;
  readonly initiatedMs: number;
  readonly parts: Map<number, { readonly content: Uint8Array; readonly etag: string }>;
}

/** Objects and uploads of one bucket. */
export class MemoryBucket {
  /** Versions of each key, latest first; without versions one at most. */
  readonly versions = new Map<string, MemoryVersion[]>();
  readonly uploads = new Map<string, MemoryUpload>();
  /** What the disk makes of bytes: for servers that store something else than they were sent. */
  corrupt: (content: Uint8Array, key: string) => Uint8Array = (content) => content;
  #serial = 0;

  constructor(
    readonly manners: Manners,
    /** The server's clock, milliseconds since the epoch. */
    readonly nowMs: () => number,
    readonly name = 'bucket',
  ) {}

  current(key: string): MemoryVersion | undefined {
    const latest = this.versions.get(key)?.[0];
    return latest?.isDeleteMarker === true ? undefined : latest;
  }

  /** Content under a key as text. */
  text(key: string): string | undefined {
    const version = this.current(key);
    return version === undefined ? undefined : Buffer.from(version.content).toString();
  }

  keys(): readonly string[] {
    return [...this.versions.keys()].filter((key) => this.current(key) !== undefined).sort();
  }

  /** As another program writes: without a condition. */
  put(key: string, text: string | Uint8Array, metadata: Readonly<Record<string, string>> = {}): MemoryVersion {
    return this.store(key, Buffer.from(text), { metadata: new Map(Object.entries(metadata)) });
  }

  store(key: string, sent: Uint8Array, properties: ObjectProperties, options: { etag?: string; sha256?: Sha256 | undefined } = {}): MemoryVersion {
    const content = new Uint8Array(this.corrupt(sent, key));
    const etag = options.etag ?? (this.manners.md5Tags ? digest(content) : `tag-${String((this.#serial += 1))}`);
    return this.#push(key, { etag, content, properties, isDeleteMarker: false, sha256: this.manners.keepsChecksums ? options.sha256 : undefined });
  }

  /** As another program removes. */
  remove(key: string, versionId?: string): string | undefined {
    if (versionId !== undefined) {
      const rest = (this.versions.get(key) ?? []).filter((version) => version.versionId !== versionId);
      if (rest.length === 0) this.versions.delete(key);
      else this.versions.set(key, rest);
      return versionId;
    }
    if (!this.manners.isVersioned) {
      this.versions.delete(key);
      return undefined;
    }
    const marker = { etag: '', content: new Uint8Array(), properties: { metadata: new Map() }, isDeleteMarker: true, sha256: undefined };
    return this.#push(key, marker).versionId;
  }

  /** Whether a condition holds, for a kind of request that is compared. */
  holds(key: string, condition: Condition): boolean {
    const current = this.current(key);
    switch (condition.kind) {
      case 'none':
        return true;
      case 'absent':
        return !this.manners.absent || current === undefined;
      case 'etag':
        if (this.manners.match === 'ignored') return true;
        return current?.etag === condition.etag && condition.isBare === (this.manners.match === 'bare');
    }
  }

  nextId(prefix: string): string {
    this.#serial += 1;
    return `${prefix}${String(this.#serial)}`;
  }

  /** Joins parts, as named by the client. */
  assemble(upload: MemoryUpload, parts: readonly UploadedPart[]): { content: Uint8Array; etag: string } | undefined {
    const chosen = parts.map(({ partNumber, etag }) => {
      const part = upload.parts.get(partNumber);
      return part?.etag === etag ? part : undefined;
    });
    const isOrdered = parts.every(({ partNumber }, index) => index === 0 || parts[index - 1]!.partNumber < partNumber);
    if (!isOrdered || chosen.includes(undefined)) return undefined;
    const whole = chosen.map((part) => part!);
    const tag = digest(Buffer.concat(whole.map(({ content }) => Buffer.from(digest(content), 'hex'))));
    return { content: Buffer.concat(whole.map(({ content }) => content)), etag: `${tag}-${String(whole.length)}` };
  }

  #push(key: string, version: Omit<MemoryVersion, 'versionId' | 'lastModifiedMs'>): MemoryVersion {
    const pushed = { ...version, versionId: this.nextId('v'), lastModifiedMs: this.nowMs() };
    const older = this.manners.isVersioned ? (this.versions.get(key) ?? []) : [];
    this.versions.set(key, [pushed, ...older]);
    return pushed;
  }
}

/** MD5, hex. */
export function digest(content: Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}
