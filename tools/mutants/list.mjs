/**
 * The defects that `tools/mutants.mjs` plants: a sentence each, the text to change and what it becomes
 * (`at`: its n-th occurrence), and the subset of tests that has to notice.
 */

/** Specs of the engine by their names. */
const of = (...names) => names.map((name) => `libs/engine/src/${name}`);

/** Named subsets of tests, as Jest takes them. */
export const subsets = {
  domain: ['libs/domain/src/reconcile', 'libs/domain/src/tree-planner.spec', 'libs/domain/src/tree-planner.conflicts', 'libs/domain/src/tree-planner.random', 'libs/domain/src/safety', 'libs/domain/src/folded-names'],
  copies: of('pass-guards', 'pass.spec', 'pass-integrity', 'pass-races', 'pass-detection', 'pass-baseline', 'pass-one-way'),
  deletions: of('pass-guards', 'pass-roots', 'pass.spec', 'pass-mass-deletion', 'pass-races', 'pass-detection', 'pass-structure', 'pass-baseline', 'pass-integrity', 'arrivals'),
  passes: of('pass-guards', 'pass.spec', 'pass-enumeration', 'pass-structure', 'pass-baseline', 'pass-restart', 'pass-roots', 'pass-integrity', 'pass-mass-deletion'),
  rows: of('pass-context', 'pass-guards', 'pass-baseline', 'pass-dry-run', 'pass-mass-deletion', 'pass-roots', 'pass-restart'),
  conflicts: of('pass-guards', 'pass-conflicts', 'pass-dry-run', 'pass-structure', 'pass-enumeration', 'job-manager'),
  detection: of('pass-guards', 'pass-detection', 'pass-integrity', 'pass-baseline', 'pass.spec'),
  listings: of('pass-enumeration', 'pass-mass-deletion'),
  continuous: of('continuous-job'),
  roots: of('pass-one-way', 'pass-enumeration', 'pass-dry-run', 'damaged-state'),
  points: of('pass-points', 'pass-enumeration'),
  chunks: of('copy-line'),
  programs: [...of('pass-programs'), 'libs/domain/src/executable'],
};

const reconcile = (defect, find, replace, at) => ({ subset: 'domain', file: 'libs/domain/src/reconcile.ts', defect, find, replace, at });
const planner = (defect, find, replace, at) => ({ subset: 'domain', file: 'libs/domain/src/tree-planner.ts', defect, find, replace, at });
const safety = (defect, find, replace, at) => ({ subset: 'domain', file: 'libs/domain/src/safety.ts', defect, find, replace, at });
const engine = (name, subset) => (defect, find, replace, at) => ({ subset, file: `libs/engine/src/${name}.ts`, defect, find, replace, at });
const copier = engine('copier', 'copies');
const deletions = engine('deletions', 'deletions');
const pass = engine('pass', 'passes');
const writer = engine('pass-context', 'rows');
const book = engine('conflict-book', 'conflicts');
const identify = engine('identify', 'detection');
const cursors = engine('cursors', 'listings');
const job = engine('continuous-job', 'continuous');
const resolve = engine('resolve', 'conflicts');
const guard = engine('root-guard', 'roots');
const syncer = engine('generic-syncer', 'roots');
const points = engine('widen-points', 'points');
const programs = engine('programs', 'programs');
const programPass = engine('pass', 'programs');
const executable = (defect, find, replace, at) => ({ subset: 'programs', file: 'libs/domain/src/executable.ts', defect, find, replace, at });
const arrivals = engine('arrivals', 'deletions');
const line = engine('copy-line', 'chunks');

export const mutants = [
  reconcile('a source that could not be looked at counts as what it looks like', "if (source.kind === 'unknown') return { kind: 'blocked', side: 'source' };", ''),
  reconcile('only what both sides ignore is ignored', "source.kind === 'ignored' || target.kind === 'ignored'", "source.kind === 'ignored' && target.kind === 'ignored'"),
  reconcile('what both sides hold anew is not adopted', "{ kind: 'forget' } : { kind: 'adopt' }", "{ kind: 'forget' } : { kind: 'in-sync' }"),
  reconcile('an edit is copied over the edited side', "return propagate('source', target);", "return propagate('target', source);"),
  reconcile('an edit wins against a deletion', "return { kind: 'conflict', cause: 'changed-and-deleted' };\n  return { kind: 'conflict', cause: baseline", "return { kind: 'copy', to: source.kind === 'absent' ? 'source' : 'target' };\n  return { kind: 'conflict', cause: baseline"),
  reconcile('of two edits the source wins', "return { kind: 'conflict', cause: baseline.kind === 'absent' ? 'both-created' : 'both-changed' };", "return { kind: 'copy', to: 'target' };"),
  reconcile('a file replaces a directory', "return { kind: 'conflict', cause: 'file-against-directory' };", "return { kind: 'copy', to: 'target' };"),
  reconcile('a choice holds also when the other version has changed since', "known[side].kind !== 'absent' && isVersion(remaining, known[otherSide(side)])", "known[side].kind !== 'absent'"),
  reconcile('a known conflict ends when the edit is undone and the other side stays deleted', "return { kind: 'conflict', cause: 'changed-and-deleted' };\n}", 'return plain;\n}'),
  reconcile('one-way jobs write to the source', "if (decision.to === 'target') return decision;", 'return decision;'),
  planner('a held name is decided before its directory can come', '<= SLASH', '< SLASH'),
  planner('a directory is deleted although something in it stays', 'if (item.survivor === undefined) out.push', 'if (item.survivor !== null) out.push'),
  planner('leftover rows below a fresh directory count', "this.#frame.mode === 'fresh' ? ABSENT : baselineOf(name)", 'baselineOf(name)'),
  planner('new content does not bring its deleted directory back', 'this.#bringBack(this.#frame, to, out);', ''),
  planner('a directory that was not listed to the end is taken for complete', "return isListed ? mode : 'skipped';", 'return mode;'),
  planner('rows of both kinds: the directory is believed', "directoryRow.kind === 'absent' ? fileRow : ABSENT", "directoryRow.kind === 'absent' ? fileRow : directoryRow"),
  planner('rows of a directory that a choice brings back are not forgotten first', "forgetAllBut(this.#options.isUnidirectional ? 'directory' : 'absent', name, out);", ''),
  planner('what is below a conflict is decided', "else out.push({ kind: 'conflict', path, cause: decision.cause, source, target });\n        return 'skipped';", "else out.push({ kind: 'conflict', path, cause: decision.cause, source, target });\n        return 'present';"),
  planner('a file beside a directory of its name is overlooked', "{ kind: 'unknown', reason: 'file-and-directory' }", 'asDirectory'),
  planner('a doomed directory does not keep the one above it', 'this.#frame.survivor ??= because;', ''),
  safety('a handful of deletions already halts', 'total > HANDFUL && total', 'total > 0 && total'),
  safety('mass deletions never halt', "'mass-deletion' : 'allowed'", "'allowed' : 'allowed'"),
  safety('a side that was emptied does not halt', "if (facts.isOtherSideEmpty) return 'side-emptied';", ''),
  safety('a slow drip of deletions is not added up', 'const total = facts.deletions + facts.recentDeletions;', 'const total = facts.deletions;'),
  safety('every root is the right one', 'decisive.length === 0 ||', 'decisive.length >= 0 ||'),
  safety('nested roots may be synced', "'nested' : 'apart'", "'apart' : 'apart'"),
  copier('a file that changed while it was read is committed', ' || !(await reader.isUnchanged())', ''),
  copier('content other than planned is committed', "if (content !== undefined && content.sha256 !== sha256) return { kind: 'source-changed' };", ''),
  copier('whatever stands at the target is replaced', 'to.openForSafeReplace(path, replaces?.token,', 'to.openForSafeReplace(path, await to.getFileToken(path),'),
  copier('racy tokens are trusted', 'return isRacy ? (programs?.untrusted(token) ?? NO_TOKEN) : token;', 'return token;'),
  copier('the tokens of a row are exchanged', "to === 'target' ? [fromToken, toToken]", "to === 'source' ? [fromToken, toToken]"),
  copier('a lost race is not looked at again', "case 'target-changed':\n      log.retry.add(path);", "case 'target-changed':"),
  copier('a displaced version is not told', 'if (leftover === undefined) return;', 'if (leftover !== undefined || leftover === undefined) return;'),
  copier('what arrived is not counted as arrived', "if (outcome.kind === 'copied') arrivals.arrived(to, path, outcome.sha256);", "if (outcome.kind === 'copied') void arrivals;"),
  deletions('what is back on the other side is deleted', "if ((await other.stat(path)).kind !== 'absent') {", 'if (false) {'),
  deletions('what a pulled disk does not show is deleted', 'await deleting.assertRoots();', ''),
  deletions('content is deleted before it arrived under its new name', '!keptBack.has(item) && isMeant(item)', 'isMeant(item)'),
  deletions('the row of a deleted file stays', 'baseline.deleted(fileKey(path), on, isMoved);', ''),
  deletions('the row of a deleted directory stays', "baseline.add({ kind: 'delete', key: directoryKey(path) });", ''),
  deletions('deletions go on although the rows of copies cannot be written', 'if (stop.isStopped) return;', ''),
  deletions('a directory whose files are kept back is given up with them', "removed.error === 'not-empty' && keptIn[on].has(path)", 'false'),
  pass('late arrivals are looked for before their rows are written', 'if (this.#arrivals.hasMissing) await writing;', ''),
  deletions('moves count as deletions', 'files.filter((file) => !moved.has(file)).length', 'files.length'),
  deletions('an empty directory that a store does not keep reads as deleted', "item.kind === 'delete-file' || storageAt", "item.kind !== 'delete-file' || storageAt"),
  pass('the roots are not looked at again before deleting', "const lost = await this.#lookAtRoots();\n    if (lost !== undefined) return lost;\n    const plan", 'const plan'),
  pass('a root that was lost and is back counts as if it had never been away', 'if (this.#lostRoot === undefined) {', 'if (true) {\n      this.#lostRoot = undefined;'),
  pass('deletions of a listing that broke off stay', "this.#deletions.length = planned;\n      if (error.cause", 'if (error.cause'),
  pass('forgotten rows are not durable before the new directory is made', 'if (forgetsTree) await settled(making, this.#baseline.flush(true));', ''),
  pass('what collides is deleted all the same', '.filter(({ path }) => !this.#conflicts.isCollided(path))', ''),
  pass('files go into directories that could not be made', 'const wanted = copies.filter(({ path }) => !ancestorsOf(path).some((above) => this.#failedDirectories.has(above)));', 'const wanted = copies;'),
  pass('a root that has changed is accepted without a word', "check.halt.reason === 'root-changed' && this.#options.acceptNewRoot &&", "check.halt.reason === 'root-changed' &&"),
  pass('paths that changed under the pass are given up', "rounds && this.#log.retry.size > 0", '0'),
  writer('rows are written before the storages have flushed', 'await Promise.all([isUnidirectional ? undefined : source.flush(), target.flush()]);', ''),
  writer('later rows overtake those that are being written', 'this.#latest.then(() => this.#flush())', 'this.#flush()'),
  writer('rows are written for another volume', 'await this.#assertRoots();', ''),
  writer('deletions are not counted', "if (deletions[side] > 0) pair.addDeletions(side, deletions[side], clock.nowMs());", ''),
  writer('a dry run writes the baseline', 'if (this.#context.isDryRun) return;', ''),
  writer('files that came do not make up for files that went', 'if (taken > 0) pair.addDeletions', 'if (taken < 0) pair.addDeletions'),
  book('conflicts below what was not decided end', '!this.#log.isUnfinished(path) && !isAtOrBelow(path, this.#hidden)', '!this.#log.isUnfinished(path)'),
  book('conflicts of failed steps end', '!this.#log.isUnfinished(path) &&', ''),
  book('conflicts are recorded without hashes', "return node.kind === 'file' && node.hash === undefined;", 'return false;'),
  book('a dry run records conflicts', 'if (!this.#context.isDryRun) this.#context.pair.putConflicts(records);', 'this.#context.pair.putConflicts(records);'),
  book('a conflict begins when a disk is pulled', 'await this.#assertRoots();', '', 1),
  book('a conflict ends when a disk is pulled', 'await this.#assertRoots();', '', 2),
  book('what is decided at a second look still counts as undecided', 'if (points.some((point) => isWithin(path, point))) this.#hidden.delete(path);', 'void [path, points, isWithin];'),
  identify('a file that was just emptied is brought over', 'return this.#isFresh(node) ?', 'return false ?'),
  identify('a racy version is replaced at once', 'node !== undefined && node.isRacy &&', 'node !== undefined && !node.isRacy && node.isRacy &&'),
  identify('the hash cache learns racy tokens', 'if (!outcome.node.isRacy) learnt.push', 'if (outcome.node.isRacy || !outcome.node.isRacy) learnt.push'),
  identify('the source is known by the token of the target', "side === 'source' ? row.sourceToken : row.targetToken", 'row.targetToken'),
  cursors('a listing that repeats is believed', 'if (this.#isStarted && compareKeys(this.#last, key) >= 0) throw outOfOrder(this.#last, key);', ''),
  cursors('unknown places do not keep a side from being called empty', 'this.unknownSeen += 1;', 'this.unknownSeen += 0;'),
  job('deletions never wait for news to end', 'this.#firstHintMs === undefined || this.#postponed >= POSTPONE_LIMIT', 'true'),
  job('what was found changing is not looked at again', 'this.#pending.set(path, now + delayMs);', ''),
  job('watching starts after the first pass only', 'if (!this.#isWatching) await this.#watchOrHalt();', ''),
  job('after a failure everything is taken to be fine', 'this.#failures += 1;', ''),
  job('hints during a full pass are forgotten', 'for (const { path } of news) if (path !== ROOT) this.#pending.set(path, now);', ''),
  resolve('a choice is carried out against versions that were not shown', 'outcome?.kind === \'hashed\' && outcome.node.hash === version.sha256', "outcome?.kind === 'hashed'"),
  resolve('a choice is carried out on whatever volume is there', 'if (!roots.ok) throw new WildlandError(roots.halt.message);', ''),
  syncer('damage elsewhere makes the roots unknown', 'context.pair.forgetBaseline();', 'context.pair.reset();'),
  guard('an empty mount point is taken for a new root where the roots are lost', 'doubtful.length === 1 ?', 'doubtful.length > 2 ?'),
  guard('every root is in doubt where the roots are lost', 'if (keys.length > 0) return false;', ''),
  guard('the source of a one-way job is marked', '{ source: !context.isUnidirectional, target: true }', '{ source: true, target: true }'),
  guard('roots are not compared with those stored', "if (!isSameRoot(ids, seen[side].ids)) return { ok: false, halt: changedRoot(side, context) };", ''),
  points('a point is looked at below a directory that is not on both sides', 'outermost = path;\n      break;', 'break;'),
  arrivals('what did not arrive is forgotten', 'this.#missing[on].set(path, file);', 'void file;'),
  arrivals('that more did not arrive than are remembered is forgotten', 'else this.#hasForgotten[on] = true;', ''),
  arrivals('what arrived at a second look counts twice', 'this.#missing[on].delete(path);', ''),
  executable('sides that never agreed on who may execute are made alike', 'agreed?.source === undefined || agreed.source !== agreed.target', 'agreed?.source === undefined'),
  executable('the side that changed is given what the other still has', "'source' : 'target'", "'target' : 'source'"),
  programs('permissions are set in the source of a one-way job', "|| (on === 'source' && context.isUnidirectional)", ''),
  programs('permissions that a side does not keep are tried again and again', "      return node;\n    }\n    log.retry", '    }\n    log.retry'),
  programs('the row keeps the token from before the permissions were set', '{ ...row, [on ===', '{ ...row, [on !=='),
  programs('a failure to set permissions is not told', 'log.failure(path, on, error);', 'void error;'),
  programs('what changed while permissions were to be set is not looked at again', 'log.retry.add(path);', ''),
  programs('a copy undoes what was done to the permissions of the other side', 'change?.on === to ? undefined : change', 'undefined'),
  programPass('permissions are set in a dry run', '    if (!isDryRun) {\n      await setPrograms', '    {\n      await setPrograms'),
  programPass('a racy version says nothing of who may execute', 'sourceToken: trusted(this.#context.source, source.token, source.isRacy)', 'sourceToken: trusted({}, source.token, source.isRacy)'),
  line('copies go on after a failure', 'this.#failure ??= { error };', 'void error;'),
  line('any number of chunks is copied at a time', 'this.#copying.size >= most &&', 'false &&'),
  line('a chunk counts as done before its rows are written', 'await this.#writing;', ''),
];
