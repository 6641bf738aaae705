/**
 * Content that the destination holds under another name is copied within it instead of being
 * transferred: the new half of a rename, a duplicate (issue 3).
 *
 * INV-33: what comes of it is what a transfer would have come to; whatever does not fit is left
 * to an ordinary copy. The baseline only says where to look (INV-24): the storage itself verifies
 * that what it copies is the version the baseline recorded, and has the hash (INV-27), and that
 * the target still is as planned (INV-17). Deletions come last in a pass, so the old name of a
 * renamed file is still there.
 */

import { invariant, isTrusted, otherSide, pathOfKey, type FileNode, type RelativePath, type Sha256, type SideName, type Token } from '@wl/domain';
import { FINDABLE_BYTES, isBackendError, type CopyRequest, type FileAttributes, type FoundFile, type StorageBackend } from '@wl/ports';

import { copyAll, settle, type CopyRecord, type PlannedCopy } from './copier.js';
import { hashFiles } from './hashing.js';
import { concernsWholeStorage, storageAt, type PassContext } from './pass-context.js';
import { runStreams, settleAll } from './run-all.js';

/**
 * Files of the sizes of one chunk that are considered. Many may be of one size (the pieces of a
 * disk image), so each size is looked up once a chunk, not once a file.
 */
const CANDIDATES = 20_000;

/** Files that are hashed, then copied, together: the first is done long before the last of a chunk was read. */
const GROUP = 64;

/** Files whose attributes are asked for at the same time. */
const STREAMS = 8;

/** Copies all, from within the destination where it has the content; as `copyAll` otherwise. */
export async function copyAllSparingly(copies: readonly PlannedCopy[], context: PassContext, record: CopyRecord): Promise<void> {
  const { plain, likely } = sortOut(copies, context);
  await settleAll([copyAll(plain, context, record), copyDuplicates(likely, context, record)]);
}

/** Where on the destination a content is said to be. */
interface Place {
  readonly path: RelativePath;
  readonly token: Token;
}

/** A copy with the places that hold files of its size, by hash. */
interface Likely {
  readonly copy: PlannedCopy;
  readonly places: ReadonlyMap<Sha256, readonly Place[]>;
}

/** The same once it is known which place. */
interface Found {
  readonly copy: PlannedCopy;
  readonly source: FileNode & { readonly hash: Sha256 };
  readonly place: Place;
  readonly attributes: FileAttributes;
}

/** Tells those copies apart for which the destination may hold the content. */
function sortOut(copies: readonly PlannedCopy[], context: PassContext): { readonly plain: PlannedCopy[]; readonly likely: Likely[] } {
  const plain: PlannedCopy[] = [];
  const likely: Likely[] = [];
  let budget = CANDIDATES;
  const smallest = { source: smallestWithin('source', context), target: smallestWithin('target', context) };
  const known = new Map<string, ReadonlyMap<Sha256, readonly Place[]>>();
  for (const copy of copies) {
    const { to, from } = copy;
    if (from.sizeBytes < smallest[to]) {
      plain.push(copy);
      continue;
    }
    const id = `${to} ${String(from.sizeBytes)}`;
    let places = known.get(id);
    if (places === undefined) {
      const files = budget > 0 ? context.pair.filesOfSize(from.sizeBytes, budget) : [];
      budget -= files.length;
      known.set(id, (places = placesOf(files, to)));
    }
    if (places.size === 0) plain.push(copy);
    else likely.push({ copy, places });
  }
  return { plain, likely };
}

/** From which size on a copy within a side is better than one from the other; never where both are within one medium. */
function smallestWithin(to: SideName, context: PassContext): number {
  const target = storageAt(context, to);
  const { copyWithinBytes } = target.capabilities;
  if (copyWithinBytes === undefined) return Infinity;
  // A direct way reads the source once and needs no hash beforehand: nothing is gained beside it.
  const hasDirectWay = target.copyFrom?.(storageAt(context, otherSide(to)), []) !== undefined;
  return hasDirectWay ? Infinity : Math.max(copyWithinBytes, FINDABLE_BYTES);
}

/** Files by hash that a side was seen to hold; those that may have changed since without a trace are left out. */
function placesOf(files: readonly FoundFile[], on: SideName): ReadonlyMap<Sha256, readonly Place[]> {
  const places = new Map<Sha256, Place[]>();
  for (const { key, row } of files) {
    const token = on === 'target' ? row.targetToken : row.sourceToken;
    if (!isTrusted(token)) continue;
    const same = places.get(row.hash);
    if (same === undefined) places.set(row.hash, [{ path: pathOfKey(key), token }]);
    else same.push({ path: pathOfKey(key), token });
  }
  return places;
}

/** Copies what is found, group by group; the rest of each group is transferred. */
async function copyDuplicates(likely: readonly Likely[], context: PassContext, record: CopyRecord): Promise<void> {
  for (const to of ['target', 'source'] as const) {
    const all = likely.filter(({ copy }) => copy.to === to);
    for (let start = 0; start < all.length; start += GROUP) {
      const hashed = await hashSources(all.slice(start, start + GROUP), to, context);
      const found = await findPlaces(hashed, to, context);
      const left = new Set(hashed.map(({ copy }) => copy));
      for (const copy of await copyWithin(found, to, context, record)) left.delete(copy);
      await copyAll([...left], context, record);
    }
  }
}

/** Gives the planned files the hashes that deciding needs. One that turns out to be another version is left as it was planned. */
async function hashSources(likely: readonly Likely[], to: SideName, context: PassContext): Promise<Likely[]> {
  const storage = storageAt(context, otherSide(to));
  const known = likely.map((item) => withHash(item, hashOf(item.copy, storage, context)));
  if (storage.capabilities.hashesByTransfer === true) return known;
  const unread = known.filter(({ copy }) => copy.from.hash === undefined);
  const outcomes = await hashFiles(storage, unread.map(({ copy }) => copy.path), context.signal);
  const learnt = new Map<PlannedCopy, FileNode & { readonly hash: Sha256 }>();
  for (const [i, { copy }] of unread.entries()) {
    const outcome = outcomes[i];
    if (outcome?.kind === 'hashed' && outcome.node.token === copy.from.token) learnt.set(copy, outcome.node);
  }
  const lasting = [...learnt].filter(([, node]) => !node.isRacy).map(([{ path }, { token, hash }]) => ({ path, token, hash }));
  if (lasting.length > 0) context.cache.putMany(storage.backendId, lasting);
  return known.map((item) => withNode(item, learnt.get(item.copy)));
}

function hashOf({ path, from }: PlannedCopy, storage: StorageBackend, { cache }: PassContext): Sha256 | undefined {
  return from.hash ?? (from.isRacy ? undefined : cache.get(storage.backendId, path, from.token));
}

function withHash(item: Likely, hash: Sha256 | undefined): Likely {
  return hash === undefined ? item : withNode(item, { ...item.copy.from, hash });
}

function withNode(item: Likely, from: FileNode | undefined): Likely {
  return from === undefined ? item : { ...item, copy: { ...item.copy, from } };
}

/**
 * Finds where the content of each is, and what an ordinary copy would give the file. This also
 * looks whether the planned version is still there, now that it was hashed.
 */
async function findPlaces(likely: readonly Likely[], to: SideName, context: PassContext): Promise<Found[]> {
  const storage = storageAt(context, otherSide(to));
  const found: Found[] = [];
  // Many files may be of one content, and each place may fail: they take turns.
  const turns = new Map<Sha256, number>();
  const choose = (hash: Sha256, { copy, places }: Likely): Place | undefined => {
    const turn = turns.get(hash) ?? 0;
    turns.set(hash, turn + 1);
    const same = (places.get(hash) ?? []).filter(({ path }) => path !== copy.path);
    return same[turn % Math.max(same.length, 1)];
  };
  const worthIt = likely.filter(({ copy: { from }, places }) => from.hash === undefined || places.has(from.hash));
  await runStreams(worthIt, STREAMS, async (item) => {
    const { path, from } = item.copy;
    const attributes = await attributesOf(storage, path, from.token, context.signal);
    const stored = attributes?.content?.sizeBytes === from.sizeBytes ? attributes.content.sha256 : undefined;
    const hash = from.hash ?? stored;
    const place = hash === undefined ? undefined : choose(hash, item);
    if (attributes === undefined || hash === undefined || place === undefined) return;
    found.push({ copy: item.copy, source: { ...from, hash }, place, attributes });
  });
  return found;
}

/** What a reader tells of a version; `undefined` where it cannot be opened: an ordinary copy will tell why. */
async function attributesOf(
  storage: StorageBackend,
  path: RelativePath,
  token: Token,
  signal: AbortSignal | undefined,
): Promise<FileAttributes | undefined> {
  try {
    const opened = await storage.read(path, token, signal);
    if (!opened.ok) return undefined;
    await opened.value.close();
    return opened.value.attributes;
  } catch (error) {
    if (!isBackendError(error) || concernsWholeStorage(error)) throw error;
    return undefined;
  }
}

/** Copies within a side; answers which copies are settled by that. */
async function copyWithin(found: readonly Found[], to: SideName, context: PassContext, record: CopyRecord): Promise<PlannedCopy[]> {
  const storage = storageAt(context, to);
  const requests = found.map(({ copy, source, place, attributes }): CopyRequest => {
    const { path, replaces } = copy;
    const { sizeBytes, hash, mtimeMs } = source;
    const from: FileNode = { kind: 'file', token: place.token, sizeBytes, mtimeMs, hash, isRacy: false };
    return { path, fromPath: place.path, from, replaces, attributes: { ...attributes, content: { sha256: hash, sizeBytes } } };
  });
  const settled: PlannedCopy[] = [];
  if (requests.length === 0) return settled;
  for await (const outcomes of storage.copyFrom?.(storage, requests, context.signal) ?? []) {
    for (const { index, outcome } of outcomes) {
      const { copy, source } = found[index]!;
      // Somebody came first: to be looked at again, however the content comes. What else failed here may succeed by a transfer.
      if (outcome.kind !== 'copied' && outcome.kind !== 'target-changed') continue;
      invariant(outcome.kind !== 'copied' || outcome.sha256 === source.hash, 'INV-27: a copy within a storage has the hash asked for');
      settled.push(copy);
      settle(copy, outcome.kind === 'copied' ? { ...outcome, sourceToken: source.token, isSourceRacy: source.isRacy } : outcome, to, context, record);
    }
  }
  return settled;
}
