/**
 * The storage driver for WebDAV folders (`webdav`). This class speaks the port and holds what lasts;
 * the protocol is behind `DavApi`, the rules of writing are in `placing.ts`.
 */

import { ABSENT, err, ok, ROOT, type Node, type RelativePath, type Result, type Token } from '@wl/domain';
import type {
  AbilityReport,
  Clock,
  FileAttributes,
  FileReader,
  FileWriter,
  HashOutcome,
  ListingBatch,
  ListOptions,
  RootIdentity,
  StaleToken,
  StorageBackend,
  StorageCapabilities,
  Watcher,
} from '@wl/ports';

import { isReserved, type Area } from '../remote/area.js';
import { Gate } from '../remote/gate.js';
import type { Observer } from '../remote/observer.js';
import { PathTurns } from '../remote/path-turns.js';
import { ProvedAbilities } from '../remote/proved-abilities.js';
import type { RootMarker } from '../remote/root-marker.js';
import { abilityReports, capabilitiesOf, probe, type DavAbilities } from './abilities.js';
import type { DavApi } from './dav-api.js';
import type { DavLocation } from './dav-location.js';
import { DavReader } from './dav-reader.js';
import { DavWriter } from './dav-writer.js';
import { failure, type Concern } from './failure.js';
import { listFolder } from './lister.js';
import type { DavFile } from './multistatus.js';
import { davObserver } from './observer.js';
import { Placing } from './placing.js';
import { davMarker } from './root-marker.js';

/** What the driver is put together from. */
export interface WebdavParts {
  readonly backendId: string;
  readonly isReadOnly: boolean;
  readonly location: DavLocation;
  readonly api: DavApi;
  readonly area: Area;
  readonly clock: Clock;
  readonly trashRetentionDays: number;
}

/** A folder of a WebDAV server as a storage. */
export class WebdavBackend implements StorageBackend {
  readonly backendId: string;
  readonly type = 'webdav';
  readonly displayLocation: string;
  readonly #parts: WebdavParts;
  readonly #observer: Observer<DavFile>;
  readonly #placing: Placing;
  readonly #marker: RootMarker;
  readonly #gate: Gate;
  readonly #abilities: ProvedAbilities<DavAbilities>;
  readonly #readers = new Set<DavReader>();
  readonly #writers = new Set<DavWriter>();

  constructor(parts: WebdavParts) {
    const { api, area, clock } = parts;
    this.#parts = parts;
    this.backendId = parts.backendId;
    this.displayLocation = parts.location.display;
    this.#observer = davObserver(api, () => this.#abilities.known?.isCaseSensitive ?? true);
    this.#placing = new Placing({ api, area, clock, turns: new PathTurns(), abilities: () => this.#abilities.get() });
    this.#marker = davMarker(api, area);
    this.#gate = new Gate(parts.isReadOnly);
    this.#abilities = new ProvedAbilities({ area, probe: () => probe(api, area, clock), trashRetentionDays: parts.trashRetentionDays, closing: this.#gate.signal });
  }

  get capabilities(): StorageCapabilities {
    return capabilitiesOf(this.#abilities.known, this.#parts.isReadOnly);
  }

  async open(signal?: AbortSignal): Promise<void> {
    const concern = { operation: 'open the storage' };
    this.#gate.assertOpen(concern, signal);
    await this.#parts.api.assertRoot(concern, this.#gate.signalFor(signal));
  }

  async close(): Promise<void> {
    if (this.#gate.signal.aborted) return;
    // What was staged is removed while requests still go out.
    await Promise.allSettled([...this.#writers].map((writer) => writer.abort()));
    this.#gate.close();
    await Promise.allSettled([...this.#readers].map((reader) => reader.close()));
    await this.#abilities.settle();
    await this.#parts.area.dropStaging().catch(() => undefined);
    await this.#parts.api.close();
  }

  async rootIdentity({ mark }: { readonly mark: boolean }): Promise<RootIdentity> {
    const concern = { operation: 'look at the root' };
    this.#gate.assertOpen(concern);
    const { isReadOnly, api } = this.#parts;
    await api.assertRoot(concern, this.#gate.signal);
    const id = mark && !isReadOnly ? await this.#marker.make(this.#gate.signal) : await this.#marker.read(this.#gate.signal);
    const place = `place:${this.displayLocation}`;
    return { ids: id === undefined ? [place] : [`marker:${id}`, place], location: this.displayLocation.replace(/^https?:\/\//, '').replace(/\/$/, '') };
  }

  list(directory: RelativePath, options: ListOptions = {}): AsyncIterable<ListingBatch> {
    return { [Symbol.asyncIterator]: () => this.#list(directory, options) };
  }

  async stat(path: RelativePath): Promise<Node> {
    const concern = { operation: 'stat', path };
    this.#gate.assertOpen(concern);
    return isReserved(path) ? ABSENT : this.#observer.stat(path, concern, this.#gate.signal);
  }

  async getFileToken(path: RelativePath): Promise<Token | undefined> {
    const node = await this.stat(path);
    return node.kind === 'file' ? node.token : undefined;
  }

  async getHashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    this.#gate.assertOpen({ operation: 'hash' }, signal);
    return this.#observer.hashes(paths, this.#gate.signalFor(signal));
  }

  async read(path: RelativePath, expected: Token, signal?: AbortSignal): Promise<Result<FileReader, StaleToken>> {
    const concern = { operation: 'read', path };
    this.#gate.assertOpen(concern, signal);
    const within = this.#gate.signalFor(signal);
    const stale = err({ kind: 'stale-token' } as const);
    if (path === ROOT || isReserved(path)) return stale;
    const file = await this.#observer.version(path, expected, concern, within);
    const opened = file && (await this.#parts.api.get(path, concern, within));
    if (file === undefined || opened === undefined) return stale;
    if (opened.sizeBytes !== undefined && opened.sizeBytes !== file.sizeBytes) {
      opened.body.destroy();
      return stale;
    }
    const isCurrent = async (): Promise<boolean> => (await this.#observer.version(path, expected, concern, this.#gate.signal)) !== undefined;
    const reader = new DavReader(path, file, opened.body, isCurrent, within, (ended) => this.#readers.delete(ended));
    this.#readers.add(reader);
    return ok(reader);
  }

  async openForSafeReplace(path: RelativePath, expected: Token | undefined, attributes: FileAttributes, signal?: AbortSignal): Promise<FileWriter> {
    const concern = { operation: 'replace', path };
    this.#gate.assertWritable(concern, signal);
    const within = this.#gate.signalFor(signal);
    const abilities = await this.#abilities.ensure();
    assertListed(abilities, concern);
    if (expected === undefined) await this.#placing.assertParent(path, concern, within);
    const { api, area, clock } = this.#parts;
    const writer = new DavWriter({
      ...{ api, area, abilities, placing: this.#placing, clock, path, expected, attributes, signal: within },
      onEnd: (ended) => this.#writers.delete(ended),
    });
    this.#writers.add(writer);
    return writer;
  }

  async remove(path: RelativePath, expected: Token): Promise<Result<void, StaleToken>> {
    this.#gate.assertWritable({ operation: 'remove', path });
    await this.#abilities.ensure();
    return this.#placing.remove(path, expected, this.#gate.signal);
  }

  async makeDirectory(path: RelativePath): Promise<Result<void, 'exists' | 'parent-missing'>> {
    const concern = { operation: 'make directory', path };
    this.#gate.assertWritable(concern);
    assertListed(await this.#abilities.ensure(), concern);
    const { api } = this.#parts;
    const made = await api.makeDirectory(path, concern, this.#gate.signal);
    if (made === 'made') return ok(undefined);
    if (made === 'no-parent') return err('parent-missing');
    const found = await api.look(path, concern, this.#gate.signal);
    if (found === undefined) throw failure('io-error', concern, 'the server says that it is there, and that it is not', true);
    return found.kind === 'directory' ? ok(undefined) : err('exists');
  }

  async removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    this.#gate.assertWritable({ operation: 'remove directory', path });
    return this.#placing.removeDirectory(path, this.#gate.signal);
  }

  /** What a server has answered to is as durable as it makes it. */
  async flush(): Promise<void> {
    this.#gate.assertOpen({ operation: 'flush' });
  }

  /** Folders are looked through at intervals. */
  watcher(): Watcher | undefined {
    return undefined;
  }

  async check(signal?: AbortSignal): Promise<readonly AbilityReport[]> {
    await this.open(signal);
    if (this.#parts.isReadOnly) return [{ ability: 'list', outcome: 'works', detail: 'the folder can be listed; nothing else was tried, since the storage is read-only' }];
    return abilityReports(await this.#abilities.ensure());
  }

  async *#list(directory: RelativePath, options: ListOptions): AsyncGenerator<ListingBatch> {
    const concern = { operation: 'list', path: directory };
    this.#gate.assertOpen(concern, options.signal);
    if (isReserved(directory)) throw failure('not-found', concern, 'there is no such directory');
    for await (const batch of listFolder(this.#parts.api, directory, { ...options, signal: this.#gate.signalFor(options.signal) })) {
      yield batch;
      this.#gate.assertOpen(concern, options.signal);
    }
  }
}

/** INV-8: what is written must show in listings, or the next one would take it for deleted. */
function assertListed({ listsDotNames }: DavAbilities, concern: Concern & { readonly path: RelativePath }): void {
  if (listsDotNames || !concern.path.split('/').some((part) => part.startsWith('.'))) return;
  throw failure('name-not-representable', concern, 'this server leaves names that begin with a dot out of its listings');
}
