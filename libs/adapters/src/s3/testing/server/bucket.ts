/**
 * A bucket in memory. Every change is one synchronous step, so that races between clients are
 * decided here and nowhere else. It remembers the last changes, for answers that are stale.
 */

import { type KeyOrder, lowerBound } from './key-order.js';
import type { StoredObject } from './stored-object.js';
import type { PendingUpload } from './uploads.js';

/** Whether versions are kept. */
export type Versioning = 'off' | 'Enabled' | 'Suspended';

/** Number of last changes that stale answers can go back by. */
const journalLength = 256;

/** What becomes a `StoredObject` when the bucket gives it its version. */
export type NewObject = Omit<StoredObject, 'versionId'>;

/** One bucket. */
export class Bucket {
  /** Uploads in parts under way, by id. */
  readonly uploads = new Map<string, PendingUpload>();
  versioning: Versioning = 'off';
  readonly #versions = new Map<string, StoredObject[]>();
  /** Keys with any version, in listing order. */
  readonly #keys: string[] = [];
  readonly #journal: { readonly key: string; readonly before: StoredObject | undefined }[] = [];
  /** Number of the last change of a key, counted over the whole bucket. */
  readonly #changes = new Map<string, number>();
  #changeCount = 0;
  #versionCount = 0;

  constructor(
    readonly name: string,
    readonly order: KeyOrder,
    readonly createdMs: number,
  ) {}

  /** Changes so far; compare with `changedAt` to learn whether a key changed since. */
  get changeCount(): number {
    return this.#changeCount;
  }

  /** Number of the last change of a key; 0 for none. */
  changedAt(key: string): number {
    return this.#changes.get(key) ?? 0;
  }

  /** The live object of a key. */
  current(key: string): StoredObject | undefined {
    const latest = this.#versions.get(key)?.[0];
    return latest?.isDeleteMarker === false ? latest : undefined;
  }

  /** All versions of a key, latest first. */
  versions(key: string): readonly StoredObject[] {
    return this.#versions.get(key) ?? [];
  }

  /** Keys with any version, in listing order. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  /** A key as it was before its last change. */
  before(key: string): StoredObject | undefined {
    const change = this.#journal.findLast((entry) => entry.key === key);
    return change === undefined ? this.current(key) : change.before;
  }

  /** Objects of the keys that the last `count` changes touched, as they were before. */
  changedBefore(count: number): ReadonlyMap<string, StoredObject | undefined> {
    const changed = new Map<string, StoredObject | undefined>();
    for (const entry of this.#journal.slice(-count)) if (!changed.has(entry.key)) changed.set(entry.key, entry.before);
    return changed;
  }

  /** Stores an object as the live one. */
  store(object: NewObject): StoredObject {
    const stored: StoredObject = { ...object, versionId: this.#nextVersionId() };
    this.#note(object.key);
    const versions = this.#versions.get(object.key);
    if (versions === undefined) {
      this.#keys.splice(lowerBound(this.#keys, object.key, this.order), 0, object.key);
      this.#versions.set(object.key, [stored]);
    } else {
      this.#replaceSameVersion(versions, stored);
    }
    return stored;
  }

  /** Removes the live object, or puts a marker over it where versions are kept; returns the marker. */
  remove(key: string, nowMs: number): StoredObject | undefined {
    if (this.versioning !== 'off') {
      return this.store({ key, isDeleteMarker: true, bytes: Buffer.alloc(0), etag: '', headers: {}, checksum: undefined, lastModifiedMs: nowMs });
    }
    if (this.#versions.has(key)) this.#drop(key);
    return undefined;
  }

  /** Removes one version for good; returns it. */
  removeVersion(key: string, versionId: string): StoredObject | undefined {
    const versions = this.#versions.get(key) ?? [];
    const index = versions.findIndex((version) => version.versionId === versionId);
    if (index < 0) return undefined;
    if (versions.length === 1) return this.#drop(key);
    if (index === 0) this.#note(key);
    return versions.splice(index, 1)[0];
  }

  /** Puts another object in place of a stored version, with no trace: bit rot. */
  tamper(key: string, change: (object: StoredObject) => StoredObject): void {
    const versions = this.#versions.get(key);
    if (versions?.[0] === undefined) throw new Error(`nothing to tamper with at ${key}`);
    versions[0] = change(versions[0]);
  }

  #drop(key: string): StoredObject | undefined {
    this.#note(key);
    const versions = this.#versions.get(key);
    this.#versions.delete(key);
    this.#keys.splice(lowerBound(this.#keys, key, this.order), 1);
    return versions?.[0];
  }

  #replaceSameVersion(versions: StoredObject[], stored: StoredObject): void {
    const same = versions.findIndex((version) => version.versionId === stored.versionId);
    if (same >= 0) versions.splice(same, 1);
    versions.unshift(stored);
  }

  #note(key: string): void {
    this.#journal.push({ key, before: this.current(key) });
    if (this.#journal.length > journalLength) this.#journal.shift();
    this.#changeCount += 1;
    this.#changes.set(key, this.#changeCount);
  }

  #nextVersionId(): string {
    if (this.versioning !== 'Enabled') return 'null';
    this.#versionCount += 1;
    return `v${String(this.#versionCount).padStart(10, '0')}`;
  }
}
