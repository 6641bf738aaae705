/**
 * One pass: scan both storages, reconcile with the baseline, apply (DESIGN §2, §5).
 *
 * Copies start while listing goes on; deletions wait until both sides were listed to the
 * end and the safety rules have seen all of them. INV-16: a failed path changes no baseline
 * row and stops no other. INV-40: rows on which all agree cost nothing, others go through
 * in chunks; only deletions and conflicts are kept to the end.
 */

import {
  ancestorsOf,
  directoryKey,
  fileKey,
  isDirectoryKey,
  isWithin,
  otherSide,
  parentOf,
  ROOT,
  SKIP_REASONS,
  TreePlanner,
  type Node,
  type PlanItem,
  type RelativePath,
  type SideName,
} from '@wl/domain';
import { isBackendError, type BackendError, type BaselineRow, type BaselineScan, type Halt, type ListingBatch, type PassReport } from '@wl/ports';

import { Arrivals } from './arrivals.js';
import { BaselineCursor } from './baseline-cursor.js';
import { ConflictBook, isAtOrBelow, type FoundConflict } from './conflict-book.js';
import { trusted, type PlannedCopy } from './copier.js';
import { CopyLine } from './copy-line.js';
import { batchOf, ListingCursor } from './cursors.js';
import { deleteAll, deletionHalt, keepDirectory, planDeletions, type DeletionPlan, type PlannedDeletion, type SideCounts } from './deletions.js';
import { copyAllSparingly } from './duplicates.js';
import { Identifier } from './identify.js';
import { joinStreams } from './join.js';
import { BaselineWriter, PassLog, storageAt, type PassContext } from './pass-context.js';
import { changeBefore, programChange, release, setPrograms, type AgreedProgram, type FileRow, type HeldCopy } from './programs.js';
import { checkRoots, markRoots } from './root-guard.js';
import { settleAll, type Stop } from './run-all.js';
import { widenPoints } from './widen-points.js';

/** What to look at: everything, or these names with all below them. */
export type Scope = 'all' | readonly RelativePath[];

/** Options of one pass. */
export interface PassOptions {
  readonly allowMassDelete: boolean;
  readonly acceptNewRoot: boolean;
  /** Wait this long before deleting, in milliseconds: a file that an editor is about to put back is not missing (T39). */
  readonly deletionDelayMs: number;
  /** Asked after that wait: whether there is news, so that the deletions had better be looked at again with it. */
  readonly isDisturbed?: () => boolean;
  /** How often paths that changed under the pass are looked at again before they are left to the next one. */
  readonly retries: number;
}

/** What a pass did, and what it left because it was still changing. */
export interface PassResult {
  readonly report: PassReport;
  readonly unsettled: readonly RelativePath[];
}

const CHUNK_ROWS = 1024;

/** Where a copy waits for the medium most of the time, the next chunk is copied meanwhile. */
const OVERLAPPING_CHUNKS = 2;

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
  /** Deletions of files that wait for the arrival of their content elsewhere, and of directories that hold such files. */
  #keptBack: PlannedDeletion[] = [];
  /** Files that the baseline knew when the pass began. */
  readonly #knownFiles: number;
  readonly #arrivals: Arrivals;
  readonly #identifier: Identifier;
  readonly #copying: CopyLine;
  /** Set once a root was found to be another one: what this pass wrote since the look before may be anywhere. */
  #lostRoot: Halt | undefined;

  constructor(context: PassContext, options: PassOptions) {
    this.#context = context;
    this.#options = options;
    this.#log = new PassLog(context);
    this.#baseline = new BaselineWriter(context, () => this.#assertRoots());
    this.#copying = new CopyLine(() => this.#baseline.flush(false));
    this.#conflicts = this.#newConflictBook();
    this.#arrivals = new Arrivals(context);
    this.#identifier = new Identifier(context, (path) => this.#conflicts.known(path) !== undefined);
    this.#knownFiles = context.pair.totals().files;
  }

  async run(scope: Scope): Promise<PassResult> {
    const { pair, isDryRun } = this.#context;
    const roots = await this.#checkRoots();
    if (roots !== undefined) return { report: this.#log.report(pair.conflicts().length, false, roots), unsettled: [] };
    try {
      const counts = await this.#scan(scope);
      this.#log.totalsAreFinal();
      let halt = await this.#delete(counts);
      halt ??= await this.#retry();
      await this.#baseline.flush(true);
      this.#baseline.settleCreations();
      await this.#conflicts.settle((path) => scope === 'all' || scope.some((point) => isWithin(path, point)));
      const conflicts = isDryRun ? this.#conflicts.count : pair.conflicts().length;
      return { report: this.#log.report(conflicts, true, halt), unsettled: [...this.#log.retry] };
    } catch (error) {
      // What was copied is done and durable; only its rows are still to be written (INV-16).
      await this.#copying.settle().catch(() => undefined);
      await this.#baseline.flush(true).catch(() => undefined);
      const halt = await this.#haltBehind(error);
      if (halt === undefined) throw error;
      return { report: this.#log.report(pair.conflicts().length, false, halt), unsettled: [] };
    }
  }

  /** The halt that a failure of a whole storage comes from, if its root went away meanwhile (T04). */
  async #haltBehind(error: unknown): Promise<Halt | undefined> {
    if (error instanceof RootLostError) return error.halt;
    if (!isBackendError(error) || error.code === 'cancelled' || this.#context.signal?.aborted === true) return undefined;
    const check = await checkRoots(this.#context).catch(() => undefined);
    return check === undefined || check.ok ? undefined : check.halt;
  }

  #newConflictBook(): ConflictBook {
    return new ConflictBook(this.#context, this.#log, () => this.#assertRoots());
  }

  /** Looks at the roots in the middle of the pass. One that was lost stays so, even if it is back by now. */
  async #lookAtRoots(): Promise<Halt | undefined> {
    if (this.#lostRoot === undefined) {
      const roots = await checkRoots(this.#context, { isOpen: true });
      if (!roots.ok) this.#lostRoot = roots.halt;
    }
    return this.#lostRoot;
  }

  async #assertRoots(): Promise<void> {
    const halt = await this.#lookAtRoots();
    if (halt !== undefined) throw new RootLostError(halt);
  }

  async #checkRoots(): Promise<Halt | undefined> {
    let check = await checkRoots(this.#context);
    if (!check.ok) {
      const isAccepted = check.halt.reason === 'root-changed' && this.#options.acceptNewRoot && !this.#context.isDryRun;
      if (!isAccepted) return check.halt;
      this.#context.pair.reset();
      this.#conflicts = this.#newConflictBook();
      check = await checkRoots(this.#context, { isOpen: true });
      if (!check.ok) return check.halt;
    }
    if (this.#context.isDryRun) return undefined;
    const marked = await markRoots(this.#context);
    return marked.ok ? undefined : marked.halt;
  }

  /** Scans, and starts the copies; returns what a scan of everything saw. */
  async #scan(scope: Scope): Promise<Record<SideName, SideCounts> | undefined> {
    const { pair, filter } = this.#context;
    if (scope !== 'all' && !scope.includes(ROOT)) {
      const unsure = new Set<RelativePath>();
      const points = await widenPoints(scope, this.#context);
      // What waits there is decided anew: it may be in conflict by now (INV-7), and is counted once (INV-39).
      const places = new Set(points);
      this.#keptBack = this.#keptBack.filter(({ path }) => !isAtOrBelow(path, places));
      for (const point of points) {
        if ((await this.#scanPoint(point)) === 'siblings-matter') unsure.add(parentOf(point));
      }
      await this.#copying.settle();
      if (unsure.size > 0) await this.#scanAround([...unsure]);
      return undefined;
    }
    this.#keptBack = [];
    const cursors = {
      source: new ListingCursor(this.#list('source', ROOT), filter),
      target: new ListingCursor(this.#list('target', ROOT), filter),
    };
    await this.#join(ROOT, cursors.source, cursors.target, pair.scan(ROOT));
    this.#log.totalsAreFinal();
    await this.#copying.settle();
    const counts = (side: SideName): SideCounts => ({ files: cursors[side].filesSeen, unknown: cursors[side].unknownSeen });
    return { source: counts('source'), target: counts('target') };
  }

  /**
   * Scans directories in which something was looked at already: what came of that must be known first,
   * or rows that were given up a moment ago would decide again (INV-12).
   */
  async #scanAround(directories: readonly RelativePath[]): Promise<void> {
    await this.#baseline.flush(true);
    // Their deletions are planned anew, and counted once.
    const places = new Set(directories);
    this.#deletions = this.#deletions.filter(({ path }) => !places.has(ROOT) && !isAtOrBelow(path, places));
    await this.#scan(directories);
  }

  #list(side: SideName, directory: RelativePath): AsyncIterable<ListingBatch> {
    const { signal, filter } = this.#context;
    return storageAt(this.#context, side).list(directory, {
      ...(signal && { signal }),
      ...(filter && { prune: filter }),
      onUnrepresentable: (name) => {
        const where = name.directory === ROOT ? name.display : `${name.directory}/${name.display}`;
        this.#log.problem(where, side, 'name-not-unicode', `the name of ${where} is not valid Unicode; rename it to sync it`);
      },
    });
  }

  /**
   * Scans one name: looked at by itself, and listed where it is a directory. Where names are
   * folded, its deletion is not decided without its siblings: it may have been renamed in case (T73).
   */
  async #scanPoint(point: RelativePath): Promise<'done' | 'siblings-matter'> {
    const { pair, filter } = this.#context;
    const planned = this.#deletions.length;
    try {
      await this.#join(
        parentOf(point),
        new ListingCursor(this.#look('source', point), filter),
        new ListingCursor(this.#look('target', point), filter),
        scanFrom(point, pair.get(fileKey(point)), pair.scan(point)),
      );
    } catch (error) {
      if (!(error instanceof LookError)) throw error;
      // No deletion rests on a listing that broke off (INV-8, T06).
      this.#deletions.length = planned;
      if (error.cause.code === 'not-found') this.#log.retry.add(point);
      else this.#log.failure(point, error.side, error.cause);
      return 'done';
    }
    const isOwnDeletion = this.#deletions.slice(planned).some(({ path }) => path === point);
    if (!isOwnDeletion || !this.#isFolding) return 'done';
    this.#deletions.length = planned;
    return 'siblings-matter';
  }

  /** Whether a side does not tell names apart that differ only in case. */
  get #isFolding(): boolean {
    return [this.#context.source, this.#context.target].some((storage) => !storage.capabilities.isCaseSensitive);
  }

  /** What is at a point and below it. */
  async *#look(side: SideName, point: RelativePath): AsyncGenerator<ListingBatch> {
    try {
      const node = await storageAt(this.#context, side).stat(point);
      if (node.kind === 'absent') return;
      const key = node.kind === 'directory' ? directoryKey(point) : fileKey(point);
      yield batchOf([{ key, node }]);
      if (node.kind === 'directory') yield* this.#list(side, point);
    } catch (error) {
      throw isBackendError(error) ? new LookError(side, error) : error;
    }
  }

  async #join(root: RelativePath, source: ListingCursor, target: ListingCursor, rows: BaselineScan): Promise<void> {
    const { isUnidirectional, signal } = this.#context;
    const isFolding = this.#isFolding;
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
        for (const row of await this.#identifier.identify(chunk)) planner.visit(row, items);
        await this.#apply(items);
      }
      const items: PlanItem[] = [];
      planner.finish(items);
      await this.#apply(items);
    } finally {
      baseline.close();
      await settleAll([source.close(), target.close()]);
    }
  }

  /** Carries out the items of a chunk; copies go on in the background, one chunk ahead of the scan. */
  async #apply(items: readonly PlanItem[]): Promise<void> {
    const copies: PlannedCopy[] = [];
    const conflicts: FoundConflict[] = [];
    const making = new Map<string, Promise<void>>();
    const programs: AgreedProgram[] = [];
    const held: HeldCopy[] = [];
    const { isDryRun } = this.#context;
    let forgetsTree = false;
    for (const item of items) {
      if (isDryRun) this.#showPlan(item);
      switch (item.kind) {
        case 'in-sync':
        case 'adopt':
          this.#agree(item.path, item.source, item.target, item.kind === 'adopt', programs);
          break;
        case 'forget':
          forgetsTree ||= isDirectoryKey(item.key);
          this.#baseline.add({ kind: isDirectoryKey(item.key) ? 'delete-subtree' : 'delete', key: item.key });
          break;
        case 'make-directory':
          // What the baseline knew below an earlier directory of this name must be gone for good
          // before the new one is there: after a crash it would read as deleted there (INV-12).
          if (forgetsTree) await settled(making, this.#baseline.flush(true));
          forgetsTree = false;
          if (!isDryRun) this.#startMaking(item.on, item.path, making);
          break;
        case 'copy-file':
          if (this.#identifier.maySlip(item.replaces)) this.#log.retry.add(item.path);
          else {
            const change = changeBefore(item, this.#context);
            if (change === undefined) copies.push(item);
            else held.push({ change, copy: item });
          }
          break;
        case 'delete-file':
          if (this.#identifier.maySlip(item.node)) this.#log.retry.add(item.path);
          else this.#deletions.push(item);
          break;
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
    await settleAll([...making.values()]);
    await this.#conflicts.add(conflicts);
    if (!isDryRun) {
      await setPrograms(programs, this.#context, this.#log, this.#baseline);
      copies.push(...(await release(held, this.#context, this.#log)));
      await this.#startCopies(copies);
      return;
    }
    for (const { path, to, from, replaces } of copies) {
      if (replaces === undefined) this.#arrivals.missed(to, path, from);
    }
  }

  async #startCopies(copies: readonly PlannedCopy[]): Promise<void> {
    const wanted = copies.filter(({ path }) => !ancestorsOf(path).some((above) => this.#failedDirectories.has(above)));
    for (const copy of wanted) this.#log.toCopy(copy.from);
    const { source, target } = this.#context;
    // As many chunks are copied while the next one is scanned, no more, so that memory stays bounded.
    const most = source.overlapsCopies === true && target.overlapsCopies === true ? OVERLAPPING_CHUNKS : 1;
    const record = { log: this.#log, baseline: this.#baseline, arrivals: this.#arrivals };
    await this.#copying.begin(most, () => copyAllSparingly(wanted, this.#context, record));
  }

  /** Both sides hold the same: the baseline learns it, unless it says so already, once both are programs, or neither is. */
  #agree(path: RelativePath, source: Exclude<Node, { kind: 'absent' }>, target: Exclude<Node, { kind: 'absent' }>, isNew: boolean, programs: AgreedProgram[]): void {
    if (source.kind !== 'file' || target.kind !== 'file') {
      this.#baseline.add({ kind: 'put', key: directoryKey(path), row: { kind: 'directory' } });
      return;
    }
    const key = fileKey(path);
    const hash = source.hash ?? target.hash;
    if (hash === undefined) return;
    const row: FileRow = {
      kind: 'file',
      hash,
      sizeBytes: source.sizeBytes,
      sourceToken: trusted(this.#context.source, source.token, source.isRacy),
      targetToken: trusted(this.#context.target, target.token, target.isRacy),
    };
    const change = programChange(path, { source, target }, this.#context);
    if (change !== undefined) {
      programs.push({ ...change, row });
      if (this.#context.isDryRun) this.#log.planned({ operation: 'MODIFY', side: change.on, path, isDirectory: false, sizeBytes: 0, isExecutable: change.isExecutable });
      return;
    }
    const old = isNew ? undefined : this.#context.pair.get(key);
    if (old?.kind === 'file' && old.sourceToken === row.sourceToken && old.targetToken === row.targetToken) return;
    this.#baseline.add({ kind: 'put', key, row });
  }

  /** Directories are made side by side, each after the one that holds it (INV-4): on a bucket each is a request. */
  #startMaking(on: SideName, path: RelativePath, making: Map<string, Promise<void>>): void {
    const above = making.get(`${on} ${parentOf(path)}`);
    const made = above === undefined ? this.#makeDirectory(on, path) : above.then(() => this.#makeDirectory(on, path));
    // A failure is met where all are waited for; until then it must not count as unhandled.
    made.catch(() => undefined);
    making.set(`${on} ${path}`, made);
  }

  async #makeDirectory(on: SideName, path: RelativePath): Promise<void> {
    if (ancestorsOf(path).some((above) => this.#failedDirectories.has(above))) return;
    try {
      const storage = storageAt(this.#context, on);
      const made = await storage.makeDirectory(path, storageAt(this.#context, otherSide(on)));
      if (made.ok) {
        // Where directories do not stay by themselves an empty one comes up each time: no news (INV-31).
        if (!storage.capabilities.keepsEmptyDirectories && this.#context.pair.get(directoryKey(path)) !== undefined) return;
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
    const wanted = this.#deletions.filter(({ path }) => !this.#conflicts.isCollided(path));
    this.#deletions = [];
    if (wanted.length === 0) return undefined;
    // The rows of what was copied are written beside the first deletions. Neither rests on the other: whatever of the two
    // a crash leaves undone, the next pass finds both sides alike where rows are missing (INV-19), and nothing where rows are left over.
    const stop: Stop = { isStopped: false };
    const writing = this.#baseline.flush(true).catch((error: unknown) => {
      stop.isStopped = true;
      throw error;
    });
    const deleting = this.#deleteBeside(writing, stop, wanted, counts);
    await settleAll([writing, deleting]);
    return deleting;
  }

  async #deleteBeside(
    writing: Promise<void>,
    stop: Stop,
    wanted: readonly PlannedDeletion[],
    counts: Record<SideName, SideCounts> | undefined,
  ): Promise<Halt | undefined> {
    const { clock, signal, isDryRun, pair } = this.#context;
    // Whether a file that was missed has come by now shows in the rows.
    if (this.#arrivals.hasMissing) await writing;
    // A disk that was pulled while it was listed looks empty (T04): look at the roots again.
    const lost = await this.#lookAtRoots();
    if (lost !== undefined) return lost;
    const plan = await planDeletions(wanted, this.#arrivals, this.#context);
    if (!this.#options.allowMassDelete) {
      const halt = await deletionHalt(plan, this.#knownFiles - this.#log.deletedFiles, counts, this.#context);
      if (halt !== undefined) return halt;
    }
    this.#keptBack = [...plan.keptBack];
    if (isDryRun) {
      for (const item of plan.deletions) {
        const isDirectory = item.kind === 'delete-directory';
        this.#log.planned({ operation: 'DELETE', side: item.on, path: item.path, isDirectory, sizeBytes: 'node' in item ? item.node.sizeBytes : 0 });
      }
      return undefined;
    }
    if (this.#options.deletionDelayMs > 0) {
      await clock.sleep(this.#options.deletionDelayMs, signal);
      // Halves of moves are known for what they are only here and now: they are not put off.
      const isPlain = (item: PlannedDeletion): boolean => item.kind === 'delete-file' && !plan.moved.has(item);
      if (plan.deletions.some(isPlain) && this.#options.isDisturbed?.() === true) {
        const moves = plan.deletions.filter((item) => plan.moved.has(item));
        for (const item of plan.deletions) if (!plan.moved.has(item)) this.#log.retry.add(item.path);
        await this.#deleteAll({ ...plan, deletions: moves }, stop);
        return undefined;
      }
    }
    await this.#deleteAll(plan, stop);
    if (this.#options.allowMassDelete && !stop.isStopped) {
      await this.#baseline.flush(true);
      // The user has accepted them: they count for no later deletion.
      pair.clearDeletions();
    }
    return undefined;
  }

  #deleteAll(plan: DeletionPlan, stop: Stop): Promise<void> {
    const disputedAbove = (path: RelativePath): RelativePath[] => this.#conflicts.disputedAbove(path);
    const assertRoots = (): Promise<void> => this.#assertRoots();
    const onHeldBack = (directory: PlannedDeletion): void => void this.#keptBack.push(directory);
    return deleteAll(plan, { context: this.#context, log: this.#log, baseline: this.#baseline, disputedAbove, assertRoots, stop, onHeldBack });
  }

  /** Looks again at what changed under the pass, a few times, ever more patiently. */
  async #retry(): Promise<Halt | undefined> {
    // A dry run looks once: a second look would show steps twice.
    const rounds = this.#context.isDryRun ? 0 : this.#options.retries;
    for (let round = 0; round < rounds && this.#log.retry.size > 0; round += 1) {
      await this.#context.clock.sleep(50 * 4 ** round, this.#context.signal);
      // What was done before must be known, or a second change of the same side would look like a conflict.
      await this.#baseline.flush(true);
      const lost = await this.#lookAtRoots();
      if (lost !== undefined) return lost;
      this.#failedDirectories.clear();
      const again = this.#log.takeRetries();
      this.#conflicts.lookAgain(again);
      await this.#scan(again);
      this.#deletions.push(...this.#keptBack);
      this.#keptBack = [];
      const halt = await this.#delete(undefined);
      if (halt !== undefined) return halt;
    }
    this.#log.giveUpRetries();
    for (const { kind, path, on } of this.#keptBack) {
      if (kind === 'delete-file') this.#log.problem(path, on, 'waiting', 'kept until its content, which could not be brought over under its new name, has arrived there');
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

/** A storage could not be looked at from a point on; what concerns the whole storage too ends up here first. */
class LookError extends Error {
  constructor(
    readonly side: SideName,
    override readonly cause: BackendError,
  ) {
    super(cause.message, { cause });
  }
}

/** Waits for a step; if it fails, for all that goes on beside it as well, so that nothing runs on afterwards. */
async function settled(beside: ReadonlyMap<string, Promise<void>>, step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    await Promise.allSettled(beside.values());
    throw error;
  }
}

/** A root is another one than when the pass began. */
class RootLostError extends Error {
  constructor(readonly halt: Halt) {
    super(halt.message);
  }
}

function* scanFrom(point: RelativePath, row: BaselineRow | undefined, below: BaselineScan): BaselineScan {
  if (row?.kind === 'file') {
    yield { keys: [fileKey(point)], sizes: [row.sizeBytes], sourceTokens: [row.sourceToken], targetTokens: [row.targetToken] };
  }
  yield* below;
}
