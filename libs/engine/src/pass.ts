/**
 * One pass: scan both storages, reconcile with the baseline, apply (DESIGN §2, §5).
 *
 * Copies start while listing goes on; deletions wait until both sides were listed to the
 * end and the safety rules have seen all of them. INV-16: a failed path changes no baseline
 * row and stops no other. INV-40: rows on which all agree cost nothing, others go through
 * in chunks; only deletions and conflicts are kept to the end.
 */

import {
  ABSENT,
  ancestorsOf,
  directoryKey,
  fileKey,
  hashesNeeded,
  isWithin,
  parentOf,
  pathOfKey,
  ROOT,
  SKIP_REASONS,
  TreePlanner,
  type BaselineNode,
  type Node,
  type PlanItem,
  type RelativePath,
  type SideName,
} from '@wl/domain';
import { baselineNodeOf, isBackendError, type BaselineBatch, type BaselineRow, type Halt, type ListingBatch, type PassReport } from '@wl/ports';

import { ConflictBook, type FoundConflict } from './conflict-book.js';
import { copyAll, trusted, type PlannedCopy } from './copier.js';
import { BaselineCursor, batchOf, ListingCursor } from './cursors.js';
import { deleteAll, deletionHalt, keepDirectory, type PlannedDeletion, type SideCounts } from './deletions.js';
import { joinStreams, type JoinedRow } from './join.js';
import { BaselineWriter, PassLog, storageAt, type PassContext } from './pass-context.js';
import { checkRoots, markRoots } from './root-guard.js';

/** What to look at: everything, or these names with all below them. */
export type Scope = 'all' | readonly RelativePath[];

/** Options of one pass. */
export interface PassOptions {
  readonly allowMassDelete: boolean;
  readonly acceptNewRoot: boolean;
  /** Wait this long before deleting, in milliseconds: a file that an editor is about to put back is not missing (T39). */
  readonly deletionDelayMs: number;
  /** How often paths that changed under the pass are looked at again before they are left to the next one. */
  readonly retries: number;
}

/** What a pass did, and what it left because it was still changing. */
export interface PassResult {
  readonly report: PassReport;
  readonly unsettled: readonly RelativePath[];
}

const CHUNK_ROWS = 1024;

/** A file that was emptied less than this ago, in milliseconds, is about to be written (T39, INV-28). */
const EMPTIED_SETTLE_MS = 2000;

/** Runs one pass. Rejects when a whole storage or the state failed; everything smaller is in the report. */
export async function runPass(context: PassContext, scope: Scope, options: PassOptions): Promise<PassResult> {
  return new Pass(context, options).run(scope);
}

class Pass {
  readonly #context: PassContext;
  readonly #options: PassOptions;
  readonly #log: PassLog;
  readonly #baseline: BaselineWriter;
  #conflicts: ConflictBook;
  readonly #failedDirectories = new Set<RelativePath>();
  #deletions: PlannedDeletion[] = [];
  /** What was copied since the last deletions were judged; for telling moves from deletions. */
  #copies: PlannedCopy[] = [];
  #copying: Promise<void> = Promise.resolve();

  constructor(context: PassContext, options: PassOptions) {
    this.#context = context;
    this.#options = options;
    this.#log = new PassLog(context);
    this.#baseline = new BaselineWriter(context);
    this.#conflicts = new ConflictBook(context, this.#log);
  }

  async run(scope: Scope): Promise<PassResult> {
    const { pair, clock, isDryRun } = this.#context;
    const roots = await this.#checkRoots();
    if (roots !== undefined) return { report: this.#log.report(pair.conflicts().length, false, roots), unsettled: [] };
    try {
      const counts = await this.#scan(scope);
      this.#log.totalsAreFinal();
      let halt = await this.#delete(counts);
      halt ??= await this.#retry();
      await this.#baseline.flush(true);
      this.#conflicts.settle((path) => scope === 'all' || scope.some((point) => isWithin(path, point)));
      if (scope === 'all' && !isDryRun && halt === undefined) pair.setLastFullPass(clock.nowMs());
      const conflicts = isDryRun ? this.#conflicts.count : pair.conflicts().length;
      return { report: this.#log.report(conflicts, true, halt), unsettled: [...this.#log.retry] };
    } catch (error) {
      // What was copied is done and durable; only its rows are still to be written (INV-16).
      await this.#copying.catch(() => undefined);
      await this.#baseline.flush(true).catch(() => undefined);
      throw error;
    }
  }

  async #checkRoots(): Promise<Halt | undefined> {
    const check = await checkRoots(this.#context);
    if (!check.ok) {
      const isAccepted = check.halt.reason === 'root-changed' && this.#options.acceptNewRoot && !this.#context.isDryRun;
      if (!isAccepted) return check.halt;
      this.#context.pair.reset();
      this.#conflicts = new ConflictBook(this.#context, this.#log);
    }
    if (this.#context.isDryRun) return undefined;
    const marked = await markRoots(this.#context);
    return marked.ok ? undefined : marked.halt;
  }

  /** Scans, and starts the copies; returns what a scan of everything saw. */
  async #scan(scope: Scope): Promise<Record<SideName, SideCounts> | undefined> {
    const { pair, filter, signal } = this.#context;
    if (scope !== 'all') {
      for (const point of this.#widen(scope)) await this.#scanPoint(point);
      await this.#copying;
      return undefined;
    }
    const options = { ...(signal && { signal }), ...(filter && { prune: filter }) };
    const list = (side: SideName): AsyncIterable<ListingBatch> =>
      storageAt(this.#context, side).list(ROOT, {
        ...options,
        onUnrepresentable: ({ directory, display }) => {
          const where = directory === ROOT ? display : `${directory}/${display}`;
          this.#log.problem(where, side, 'name-not-unicode', `the name of ${where} is not valid Unicode; rename it to sync it`);
        },
      });
    const cursors = {
      source: new ListingCursor(list('source'), filter),
      target: new ListingCursor(list('target'), filter),
    };
    await this.#join(ROOT, cursors.source, cursors.target, pair.scan(ROOT));
    await this.#copying;
    const counts = (side: SideName): SideCounts => ({ files: cursors[side].filesSeen, unknown: cursors[side].unknownSeen });
    return { source: counts('source'), target: counts('target') };
  }

  /** Each point, or the directory above it that the baseline does not know yet; without points inside others. */
  #widen(points: readonly RelativePath[]): RelativePath[] {
    const { pair, filter } = this.#context;
    const widened = new Set<RelativePath>();
    for (const point of points) {
      const ancestors = ancestorsOf(point);
      if (filter !== undefined && ancestors.some((path) => filter.ignores(path, true))) continue;
      widened.add(ancestors.find((path) => pair.get(directoryKey(path)) === undefined) ?? point);
    }
    return [...widened].filter((point) => !ancestorsOf(point).some((path) => widened.has(path)));
  }

  /** Scans one name: looked at by itself, and listed where it is a directory. */
  async #scanPoint(point: RelativePath): Promise<void> {
    const { pair, filter } = this.#context;
    if (point === ROOT) {
      await this.#scan('all');
      return;
    }
    const [source, target] = await Promise.all([this.#context.source.stat(point), this.#context.target.stat(point)]);
    try {
      await this.#join(
        parentOf(point),
        new ListingCursor(listFrom(point, source, this.#context, 'source'), filter),
        new ListingCursor(listFrom(point, target, this.#context, 'target'), filter),
        scanFrom(point, pair.get(fileKey(point)), pair.scan(point)),
      );
    } catch (error) {
      if (!(error instanceof VanishedError)) throw error;
      this.#log.retry.add(point);
    }
  }

  async #join(root: RelativePath, source: ListingCursor, target: ListingCursor, rows: Iterable<BaselineBatch>): Promise<void> {
    const { isUnidirectional, signal } = this.#context;
    const isFolding = [this.#context.source, this.#context.target].some((storage) => !storage.capabilities.isCaseSensitive);
    const planner = new TreePlanner(root, {
      isUnidirectional,
      known: (path) => this.#conflicts.known(path),
      ...(isFolding && { fold: (name: string) => name.normalize('NFC').toLowerCase() }),
    });
    const baseline = new BaselineCursor(rows);
    try {
      const onSeen = (keys: number): void => this.#log.seen(keys);
      for await (const chunk of joinStreams(source, target, baseline, { chunkRows: CHUNK_ROWS, deliverAll: isFolding, onSeen, signal })) {
        const items: PlanItem[] = [];
        for (const row of await this.#identify(chunk)) planner.visit(row, items);
        await this.#apply(items);
      }
      const items: PlanItem[] = [];
      planner.finish(items);
      await this.#apply(items);
    } finally {
      baseline.close();
      await Promise.all([source.close(), target.close()]);
    }
  }

  /** Gives the files of a chunk the hashes that `reconcile` needs: by token where possible, else by reading. */
  async #identify(chunk: readonly JoinedRow[]): Promise<{ key: JoinedRow['key']; baseline: BaselineNode; source: Node; target: Node }[]> {
    const rows = chunk.map(({ key, source, target, isKnown }) => {
      const row = isKnown ? this.#context.pair.get(key) : undefined;
      return {
        key,
        baseline: baselineNodeOf(row),
        source: hashByToken(source, row, 'source'),
        target: hashByToken(target, row, 'target'),
      };
    });
    await Promise.all([this.#hash(rows, 'source'), this.#hash(rows, 'target')]);
    for (const row of rows) {
      row.source = this.#settled(row.source, row.baseline);
      row.target = this.#settled(row.target, row.baseline);
    }
    return rows;
  }

  /** A file that was just emptied is most likely being saved: not yet a version to bring over. */
  #settled(node: Node, baseline: BaselineNode): Node {
    if (node.kind !== 'file' || node.sizeBytes > 0 || baseline.kind !== 'file' || baseline.sizeBytes === 0) return node;
    const ageMs = this.#context.clock.nowMs() - node.mtimeMs;
    return ageMs >= 0 && ageMs < EMPTIED_SETTLE_MS ? { kind: 'unknown', reason: 'changing' } : node;
  }

  async #hash(rows: { key: JoinedRow['key']; baseline: BaselineNode; source: Node; target: Node }[], side: SideName): Promise<void> {
    const storage = storageAt(this.#context, side);
    const unread: { row: (typeof rows)[number]; path: RelativePath }[] = [];
    for (const row of rows) {
      const node = row[side];
      if (node.kind !== 'file' || node.hash !== undefined) continue;
      const path = pathOfKey(row.key);
      if (!hashesNeeded(row.baseline, row.source, row.target)[side] && this.#conflicts.known(path) === undefined) continue;
      const cached = node.isRacy ? undefined : this.#context.cache.get(storage.backendId, path, node.token);
      if (cached === undefined) unread.push({ row, path });
      else row[side] = { ...node, hash: cached };
    }
    if (unread.length === 0) return;
    const outcomes = await storage.getHashes(unread.map(({ path }) => path), this.#context.signal);
    const learnt = [];
    for (const [i, { row, path }] of unread.entries()) {
      const outcome = outcomes[i]!;
      switch (outcome.kind) {
        case 'hashed':
          row[side] = outcome.node;
          if (!outcome.node.isRacy) learnt.push({ path, token: outcome.node.token, hash: outcome.node.hash });
          break;
        case 'absent':
          row[side] = ABSENT;
          break;
        case 'changing':
          row[side] = { kind: 'unknown', reason: 'changing' };
          break;
        case 'unknown':
          row[side] = { kind: 'unknown', reason: outcome.reason };
      }
    }
    if (!this.#context.isDryRun) this.#context.cache.putMany(storage.backendId, learnt);
  }

  /** Carries out the items of a chunk; copies go on in the background, one chunk ahead of the scan. */
  async #apply(items: readonly PlanItem[]): Promise<void> {
    const copies: PlannedCopy[] = [];
    const conflicts: FoundConflict[] = [];
    const { isDryRun } = this.#context;
    for (const item of items) {
      if (isDryRun) this.#showPlan(item);
      switch (item.kind) {
        case 'in-sync':
        case 'adopt':
          this.#agree(item.path, item.source, item.target, item.kind === 'adopt');
          break;
        case 'forget':
          this.#baseline.add({ kind: 'delete', key: item.key });
          break;
        case 'make-directory':
          if (!isDryRun) await this.#makeDirectory(item.on, item.path);
          break;
        case 'copy-file':
          copies.push(item);
          break;
        case 'delete-file':
        case 'delete-directory':
          this.#deletions.push(item);
          break;
        case 'keep-directory':
          if (item.because === 'ignored') keepDirectory(item.path, item.on, this.#log);
          break;
        case 'conflict':
          conflicts.push(item);
          break;
        case 'blocked':
          this.#blocked(item);
      }
    }
    await this.#conflicts.add(conflicts);
    if (!isDryRun) await this.#startCopies(copies);
    this.#copies.push(...copies);
  }

  async #startCopies(copies: readonly PlannedCopy[]): Promise<void> {
    const wanted = copies.filter(({ path }) => !ancestorsOf(path).some((above) => this.#failedDirectories.has(above)));
    for (const copy of wanted) this.#log.toCopy(copy.from);
    // One chunk is copied while the next one is scanned; no more, so that memory stays bounded.
    await this.#copying;
    this.#copying = copyAll(wanted, this.#context, this.#log, this.#baseline).then(() => this.#baseline.flush(false));
    // A failure is met at the next await of the chain; until then it must not count as unhandled.
    this.#copying.catch(() => undefined);
  }

  /** Both sides hold the same: the baseline learns it, unless it says so already. */
  #agree(path: RelativePath, source: Exclude<Node, { kind: 'absent' }>, target: Exclude<Node, { kind: 'absent' }>, isNew: boolean): void {
    if (source.kind !== 'file' || target.kind !== 'file') {
      this.#baseline.add({ kind: 'put', key: directoryKey(path), row: { kind: 'directory' } });
      return;
    }
    const key = fileKey(path);
    const hash = source.hash ?? target.hash;
    if (hash === undefined) return;
    const row: BaselineRow = {
      kind: 'file',
      hash,
      sizeBytes: source.sizeBytes,
      sourceToken: trusted(source.token, source.isRacy),
      targetToken: trusted(target.token, target.isRacy),
    };
    const old = isNew ? undefined : this.#context.pair.get(key);
    if (old?.kind === 'file' && old.sourceToken === row.sourceToken && old.targetToken === row.targetToken) return;
    this.#baseline.add({ kind: 'put', key, row });
  }

  async #makeDirectory(on: SideName, path: RelativePath): Promise<void> {
    if (ancestorsOf(path).some((above) => this.#failedDirectories.has(above))) return;
    try {
      const made = await storageAt(this.#context, on).makeDirectory(path);
      if (made.ok) {
        this.#baseline.add({ kind: 'put', key: directoryKey(path), row: { kind: 'directory' } });
        this.#log.madeDirectories += 1;
        this.#context.events.operation('CREATE', path);
        return;
      }
      this.#log.retry.add(path);
    } catch (error) {
      this.#log.failure(path, on, error);
    }
    this.#failedDirectories.add(path);
  }

  #blocked({ path, side, reason }: Extract<PlanItem, { kind: 'blocked' }>): void {
    this.#conflicts.hide(path);
    if (SKIP_REASONS.has(reason)) this.#log.skip({ path, side, reason });
    else if (reason === 'changing' || reason === 'vanished') this.#log.retry.add(path);
    else this.#log.problem(path, side, reason, MESSAGES[reason] ?? 'could not be read; nothing was changed here');
  }

  /** Adds a step to what a dry run shows; deletions follow at the end, as they would be carried out. */
  #showPlan(item: PlanItem): void {
    switch (item.kind) {
      case 'make-directory':
        this.#log.planned({ operation: 'CREATE', side: item.on, path: item.path, isDirectory: true, sizeBytes: 0 });
        break;
      case 'copy-file': {
        const { to, path, from, replaces } = item;
        const operation = replaces === undefined ? 'CREATE' : 'MODIFY';
        this.#log.planned({ operation, side: to, path, isDirectory: false, sizeBytes: from.sizeBytes });
        break;
      }
      case 'conflict':
        this.#log.planned({ operation: 'CONFLICT', side: 'both', path: item.path, isDirectory: false, sizeBytes: 0 });
        break;
      default:
    }
  }

  async #delete(counts: Record<SideName, SideCounts> | undefined): Promise<Halt | undefined> {
    const deletions = this.#deletions.filter(({ path }) => !this.#conflicts.isCollided(path));
    const copies = this.#copies;
    this.#deletions = [];
    this.#copies = [];
    if (deletions.length === 0) return undefined;
    const { clock, signal, isDryRun, pair } = this.#context;
    // The rows of this pass's copies tell moves from deletions.
    await this.#baseline.flush(true);
    // A disk that was pulled while it was listed looks empty (T04): look at the roots again.
    const roots = await checkRoots(this.#context);
    if (!roots.ok) return roots.halt;
    if (!this.#options.allowMassDelete) {
      const halt = await deletionHalt(deletions, copies, counts, this.#context);
      if (halt !== undefined) return halt;
    }
    if (isDryRun) {
      for (const item of deletions) {
        const isDirectory = item.kind === 'delete-directory';
        this.#log.planned({ operation: 'DELETE', side: item.on, path: item.path, isDirectory, sizeBytes: 'node' in item ? item.node.sizeBytes : 0 });
      }
      return undefined;
    }
    if (this.#options.allowMassDelete) pair.clearDeletions();
    if (this.#options.deletionDelayMs > 0) await clock.sleep(this.#options.deletionDelayMs, signal);
    await deleteAll(deletions, this.#context, this.#log, this.#baseline);
    return undefined;
  }

  /** Looks again at what changed under the pass, a few times, ever more patiently. */
  async #retry(): Promise<Halt | undefined> {
    for (let round = 0; round < this.#options.retries && this.#log.retry.size > 0; round += 1) {
      await this.#context.clock.sleep(50 * 4 ** round, this.#context.signal);
      const points = [...this.#log.retry];
      this.#log.retry.clear();
      this.#failedDirectories.clear();
      await this.#scan(points);
      const halt = await this.#delete(undefined);
      if (halt !== undefined) return halt;
    }
    for (const path of this.#log.retry) {
      this.#log.problem(path, 'source', 'changing', 'keeps changing; it is synced once it is quiet for a moment');
    }
    return undefined;
  }
}

/** Sentences for reasons that a user can do something about. */
const MESSAGES: Partial<Record<string, string>> = {
  'permission-denied': 'permission denied; make it readable for the user that runs the sync',
  'name-collision': 'another name here differs from it only in case, and one storage cannot hold both; rename one',
  'name-not-representable': 'one storage cannot hold this name; rename it',
  'file-and-directory': 'the storage shows a file and a directory of this name; rename one',
  'too-deep': 'lies too deep to be handled; move it up',
  'listing-incomplete': 'could not be listed to the end; nothing below was changed',
  'read-error': 'could not be read; nothing was changed here',
};

/** A token that the baseline recorded for a side says which content it is, without reading. */
function hashByToken(node: Node, row: BaselineRow | undefined, side: SideName): Node {
  if (node.kind !== 'file' || row?.kind !== 'file' || node.hash !== undefined) return node;
  const token = side === 'source' ? row.sourceToken : row.targetToken;
  return node.token === token ? { ...node, hash: row.hash } : node;
}

async function* listFrom(point: RelativePath, node: Node, context: PassContext, side: SideName): AsyncGenerator<ListingBatch> {
  if (node.kind === 'absent') return;
  if (node.kind !== 'directory') {
    yield batchOf([{ key: fileKey(point), node }]);
    return;
  }
  const { signal, filter } = context;
  yield batchOf([{ key: directoryKey(point), node }]);
  try {
    yield* storageAt(context, side).list(point, { ...(signal && { signal }), ...(filter && { prune: filter }) });
  } catch (error) {
    // The directory itself went away meanwhile: the next look sees it gone.
    if (!isBackendError(error) || error.code !== 'not-found') throw error;
    throw new VanishedError(point);
  }
}

/** A directory vanished between being looked at and being listed. */
class VanishedError extends Error {
  constructor(readonly path: RelativePath) {
    super(`${path} vanished while it was scanned`);
  }
}

function* scanFrom(point: RelativePath, row: BaselineRow | undefined, below: Iterable<BaselineBatch>): Generator<BaselineBatch> {
  if (row?.kind === 'file') {
    yield { keys: [fileKey(point)], sizes: [row.sizeBytes], sourceTokens: [row.sourceToken], targetTokens: [row.targetToken] };
  }
  yield* below;
}
