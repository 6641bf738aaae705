/**
 * The storage driver for folders of SFTP servers (`sftp`). This class speaks the port and holds what
 * lasts; the protocol is behind `SftpApi`, the rules of writing are in `placing.ts`.
 */

import { ABSENT, err, nameOf, ok, parentOf, ROOT, type Node, type RelativePath, type Result, type Token } from '@wl/domain';
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
import { Observer } from '../remote/observer.js';
import { PathTurns } from '../remote/path-turns.js';
import { ProvedAbilities } from '../remote/proved-abilities.js';
import type { RootMarker } from '../remote/root-marker.js';
import { abilityReports, assertUsable, capabilitiesOf, probe, type SftpAbilities } from './abilities.js';
import { failure } from './failure.js';
import { listFolder } from './lister.js';
import { Placing } from './placing.js';
import { readServerClock, sftpArea, sftpMarker } from './sftp-area.js';
import { fileOf, NOT_UNICODE, type SftpApi } from './sftp-api.js';
import type { SftpFile } from './sftp-found.js';
import { SftpReader } from './sftp-reader.js';
import { SftpWriter } from './sftp-writer.js';
import type { VersionClock } from './version.js';

/** What the driver is put together from. */
export interface SftpParts {
  readonly backendId: string;
  readonly isReadOnly: boolean;
  /** `host[:port]`, without the login. */
  readonly server: string;
  /** For people. */
  readonly display: string;
  readonly api: SftpApi;
  readonly versions: VersionClock;
  readonly clock: Clock;
  readonly trashRetentionDays: number;
}

/** Closing waits so long for a server that does not answer. */
const MOST_CLEARING_MS = 5000;
/** The server's clock is read anew after so long: somebody may have set it. */
const CLOCK_READ_MS = 60_000;

/** A folder of an SFTP server as a storage. */
export class SftpBackend implements StorageBackend {
  readonly backendId: string;
  readonly type = 'sftp';
  readonly displayLocation: string;
  readonly #parts: SftpParts;
  readonly #area: Area;
  readonly #observer: Observer<SftpFile>;
  readonly #placing: Placing;
  readonly #marker: RootMarker;
  readonly #gate: Gate;
  readonly #abilities: ProvedAbilities<SftpAbilities>;
  readonly #readers = new Set<SftpReader>();
  readonly #writers = new Set<SftpWriter>();

  constructor(parts: SftpParts) {
    const { api, versions, clock } = parts;
    this.#parts = parts;
    this.backendId = parts.backendId;
    this.displayLocation = parts.display;
    this.#area = sftpArea(api, versions, clock);
    this.#marker = sftpMarker(api, this.#area);
    this.#gate = new Gate(parts.isReadOnly, unlistedName);
    this.#abilities = new ProvedAbilities({
      ...{ area: this.#area, assertUsable, trashRetentionDays: parts.trashRetentionDays, closing: this.#gate.signal },
      probe: () => probe(api, this.#area, versions),
    });
    this.#placing = new Placing({ api, area: this.#area, turns: new PathTurns(), abilities: () => this.#abilities.get() });
    this.#observer = new Observer<SftpFile>({
      look: (path, concern, signal) => api.look(path, concern, signal),
      hashContent: (path, sizeBytes, concern, signal) => api.hash(path, sizeBytes, concern, signal),
      knownHash: () => undefined,
      isSpeltSo: async (path, concern, signal) => {
        if (this.#abilities.known?.isCaseSensitive !== false || path === ROOT) return true;
        const listed = await api.directory(parentOf(path), concern, signal);
        return 'entries' in listed && listed.entries.has(nameOf(path));
      },
    });
  }

  get capabilities(): StorageCapabilities {
    return capabilitiesOf(this.#abilities.known, this.#parts.isReadOnly);
  }

  async open(signal?: AbortSignal): Promise<void> {
    const concern = { operation: 'open the storage' };
    this.#gate.assertOpen(concern, signal);
    const { api } = this.#parts;
    api.tieTo(undefined);
    await api.assertRoot(concern, this.#gate.signalFor(signal));
    api.tieTo(await this.#marker.read(this.#gate.signalFor(signal)));
  }

  async close(): Promise<void> {
    if (this.#gate.signal.aborted) return;
    const { api, clock } = this.#parts;
    // Nobody connects anew just to clear away; what is left goes with the other leftovers.
    if (!api.isConnected) await api.disconnect();
    const cleared = new AbortController();
    await Promise.race([this.#clear().finally(() => cleared.abort()), clock.sleep(MOST_CLEARING_MS, cleared.signal)]);
    this.#gate.close();
    await api.disconnect();
  }

  async rootIdentity({ mark }: { readonly mark: boolean }): Promise<RootIdentity> {
    const concern = { operation: 'look at the root' };
    this.#gate.assertOpen(concern);
    const { isReadOnly, api, versions, server } = this.#parts;
    const { signal } = this.#gate;
    await api.assertRoot(concern, signal);
    const mayWrite = mark && !isReadOnly;
    const id = mayWrite ? await this.#marker.make(signal) : await this.#marker.read(signal);
    if (id !== undefined) api.tieTo(id);
    if (mayWrite && versions.readAgoMs > CLOCK_READ_MS) await readServerClock(api, this.#area, versions, signal);
    const place = `${server}${await api.realPath(concern, signal)}`;
    return { ids: id === undefined ? [`place:${place}`] : [`marker:${id}`, `place:${place}`], location: place.replace(/\/$/, '') };
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
    const { api } = this.#parts;
    const file = await this.#observer.version(path, expected, concern, within);
    const open = file && (await api.open(path, concern, within));
    if (file === undefined || open === undefined) return stale;
    const isSame = async (): Promise<boolean> => fileOf(await api.current(path, open, concern))?.token === expected;
    if (!(await isSame())) {
      await api.close(open);
      return stale;
    }
    const reader = new SftpReader({
      ...{ path, file, open, signal: within },
      isCurrent: async () => (await isSame()) && (await this.#observer.version(path, expected, concern, this.#gate.signal)) !== undefined,
      close: () => api.close(open),
      onEnd: (ended) => this.#readers.delete(ended),
    });
    this.#readers.add(reader);
    return ok(reader);
  }

  async openForSafeReplace(path: RelativePath, expected: Token | undefined, attributes: FileAttributes, signal?: AbortSignal): Promise<FileWriter> {
    const concern = { operation: 'replace', path };
    this.#gate.assertWritable(concern, signal);
    const within = this.#gate.signalFor(signal);
    const abilities = await this.#abilities.ensure();
    if (expected === undefined) await this.#placing.assertParent(path, concern, within);
    const { api, versions } = this.#parts;
    const writer = new SftpWriter({
      ...{ api, area: this.#area, abilities, placing: this.#placing, versions, path, expected, attributes, signal: within },
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
    this.#gate.assertWritable({ operation: 'make directory', path });
    await this.#abilities.ensure();
    return this.#placing.makeDirectory(path, this.#gate.signal);
  }

  async removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    this.#gate.assertWritable({ operation: 'remove directory', path });
    return this.#placing.removeDirectory(path, this.#gate.signal);
  }

  /** Each file was made durable before it was shown; a directory cannot be, in this protocol. */
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
    const { api, versions } = this.#parts;
    return abilityReports(await probe(api, this.#area, versions));
  }

  /** What was staged is removed while requests still go out. */
  async #clear(): Promise<void> {
    await Promise.allSettled([...this.#writers].map((writer) => writer.abort()));
    this.#gate.close();
    await Promise.allSettled([...this.#readers].map((reader) => reader.close()));
    await this.#abilities.settle();
    await this.#area.dropStaging().catch(() => undefined);
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

/** INV-8: such a name could not be told from one whose bytes are no Unicode, and is not listed. */
function unlistedName(path: RelativePath): string | undefined {
  return path.includes(NOT_UNICODE) ? 'the name has a replacement character (U+FFFD), which stands for bytes that are no Unicode' : undefined;
}
