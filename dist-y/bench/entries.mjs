// libs/domain/src/result.ts
function ok(value) {
  return { ok: true, value };
}
function err(error) {
  return { ok: false, error };
}
function assertNever(value) {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
function invariant(condition, message) {
  if (!condition) throw new Error(message);
}

// libs/domain/src/content.ts
var NO_TOKEN = "";
function otherSide(side) {
  return side === "source" ? "target" : "source";
}
function toSha256(hex) {
  invariant(/^[0-9a-f]{64}$/.test(hex), "a SHA-256 is 64 lower-case hex digits");
  return hex;
}
var SKIP_REASONS = /* @__PURE__ */ new Set([
  "symlink",
  "special-file",
  "other-file-system"
]);
var ABSENT = { kind: "absent" };
var DIRECTORY = { kind: "directory" };
var IGNORED = { kind: "ignored" };
function sameContent(a, b) {
  if (a.sizeBytes !== b.sizeBytes) return false;
  invariant(a.hash !== void 0 && b.hash !== void 0, "INV-24: content compared by something else than its hash");
  return a.hash === b.hash;
}
function hashesNeeded(baseline, source, target, known) {
  const needs = (file2, other, shown) => {
    if (file2.kind !== "file" || file2.hash !== void 0) return false;
    const isOfSize = (content) => content?.kind === "file" && content.sizeBytes === file2.sizeBytes;
    return isOfSize(other) || isOfSize(baseline) || other.kind === "absent" && isOfSize(shown);
  };
  return { source: needs(source, target, known?.source), target: needs(target, source, known?.target) };
}
function versionOf(node) {
  switch (node.kind) {
    case "absent":
    case "directory":
      return { kind: node.kind };
    case "file":
      return { kind: "file", sha256: node.hash, sizeBytes: node.sizeBytes };
    default:
      return void 0;
  }
}

// libs/domain/src/path.ts
var ROOT = "";
var RESERVED_NAME = ".wl";
var MAX_PATH_BYTES = 4096;
var LONE_SURROGATE = new RegExp("\\p{Surrogate}", "u");
function parseRelativePath(raw) {
  if (raw === "") return err("empty");
  if (raw.startsWith("/")) return err("absolute");
  if (raw.includes("\0")) return err("nul");
  if (LONE_SURROGATE.test(raw)) return err("not-unicode");
  if (utf8Length(raw) > MAX_PATH_BYTES) return err("too-long");
  const parts = raw.split("/");
  if (parts.some((part) => part === "." || part === "..")) return err("escapes-root");
  if (parts.includes("")) return err("empty-part");
  if (parts[0] === RESERVED_NAME) return err("reserved");
  return ok(raw);
}
function fileKey(path) {
  return path;
}
function directoryKey(path) {
  return path === ROOT ? "" : `${path}/`;
}
function isDirectoryKey(key) {
  return key === "" || key.endsWith("/");
}
function pathOfKey(key) {
  const path = key.endsWith("/") ? key.slice(0, -1) : key;
  return path;
}
function parentOf(path) {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
function ancestorsOf(path) {
  const ancestors = [];
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    ancestors.push(path.slice(0, slash));
  }
  return ancestors;
}
function isWithin(path, directory) {
  return directory === ROOT || path === directory || path.startsWith(`${directory}/`);
}
function compareKeys(a, b) {
  return a === b ? 0 : compareParts(a, 0, a.length, 0, b.length, b);
}
function compareParts(text, aStart, aEnd, bStart, bEnd, other = text) {
  const shorter = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < shorter; i += 1) {
    const x = text.charCodeAt(aStart + i);
    const y = other.charCodeAt(bStart + i);
    if (x !== y) return (x >= 55296 ? utf8Rank(x) : x) - (y >= 55296 ? utf8Rank(y) : y);
  }
  return aEnd - aStart - (bEnd - bStart);
}
function utf8Length(text) {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 128) continue;
    bytes += unit < 2048 || unit >= 55296 && unit <= 57343 ? 1 : 2;
  }
  return bytes;
}
function utf8Rank(unit) {
  return unit >= 57344 ? unit - 2048 : unit + 8192;
}

// libs/domain/src/reconcile.ts
function reconcile(baseline, source, target, known) {
  if (source.kind === "unknown") return { kind: "blocked", side: "source" };
  if (target.kind === "unknown") return { kind: "blocked", side: "target" };
  if (source.kind === "ignored" || target.kind === "ignored") return { kind: "ignored" };
  if (sameNode(source, target)) {
    if (sameNode(source, baseline)) return { kind: "in-sync" };
    return source.kind === "absent" ? { kind: "forget" } : { kind: "adopt" };
  }
  if (known !== void 0) return reconcileKnown(baseline, source, target, known);
  return reconcileDiffering(baseline, source, target);
}
function reconcileOneWay(baseline, source, target) {
  const decision = reconcile(baseline, source, target);
  switch (decision.kind) {
    case "copy":
      if (decision.to === "target") return decision;
      return source.kind === "absent" ? { kind: "left-alone" } : { kind: "conflict", cause: "target-changed" };
    case "delete":
      return decision.on === "target" ? decision : { kind: "copy", to: "target" };
    case "conflict":
      if (decision.cause !== "changed-and-deleted") return decision;
      return target.kind === "absent" ? { kind: "copy", to: "target" } : decision;
    default:
      return decision;
  }
}
function reconcileDiffering(baseline, source, target) {
  if (source.kind !== "absent" && target.kind !== "absent" && source.kind !== target.kind) {
    return { kind: "conflict", cause: "file-against-directory" };
  }
  if (sameNode(source, baseline)) return propagate("source", target);
  if (sameNode(target, baseline)) return propagate("target", source);
  if (source.kind === "absent" || target.kind === "absent") return { kind: "conflict", cause: "changed-and-deleted" };
  return { kind: "conflict", cause: baseline.kind === "absent" ? "both-created" : "both-changed" };
}
function reconcileKnown(baseline, source, target, known) {
  for (const side of ["source", "target"]) {
    const removed = side === "source" ? source : target;
    const remaining = side === "source" ? target : source;
    const isChoice = removed.kind === "absent" && known[side].kind !== "absent" && isVersion(remaining, known[otherSide(side)]);
    if (isChoice) return { kind: "copy", to: side };
  }
  const plain = reconcileDiffering(baseline, source, target);
  if (plain.kind === "conflict") return plain;
  if (source.kind !== "absent" && target.kind !== "absent") return plain;
  if (known.source.kind === "absent" && known.target.kind === "absent") {
    return plain.kind === "copy" ? plain : { kind: "conflict", cause: "name-collision" };
  }
  return { kind: "conflict", cause: "changed-and-deleted" };
}
function propagate(unchanged, change) {
  return change.kind === "absent" ? { kind: "delete", on: unchanged } : { kind: "copy", to: unchanged };
}
function sameNode(a, b) {
  if (a.kind !== b.kind) return false;
  return a.kind !== "file" || b.kind !== "file" || sameContent(a, b);
}
function isVersion(node, version) {
  if (node.kind !== version.kind) return false;
  if (node.kind !== "file" || version.kind !== "file") return true;
  return node.sizeBytes === version.sizeBytes && node.hash !== void 0 && node.hash === version.sha256;
}

// libs/domain/src/safety.ts
var HANDFUL = 10;
var MASS_DELETION_SHARE = 0.5;
var DELETION_WINDOW_MS = 24 * 60 * 60 * 1e3;
function judgeDeletions(facts) {
  if (facts.deletions <= 0) return "allowed";
  if (facts.isOtherSideEmpty) return "side-emptied";
  const total = facts.deletions + facts.recentDeletions;
  const known = facts.knownFiles + facts.recentDeletions;
  return total > HANDFUL && total > known * MASS_DELETION_SHARE ? "mass-deletion" : "allowed";
}
var PLACE_PREFIX = "place:";
function isSameRoot(storedIds, seenIds) {
  const proving = storedIds.filter((id) => !id.startsWith(PLACE_PREFIX));
  const decisive = proving.length > 0 ? proving : storedIds;
  return decisive.length === 0 || decisive.some((id) => seenIds.includes(id));
}
function rootOverlap(a, b) {
  if (a === b) return "same";
  const below = (inner, outer) => inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
  return below(a, b) || below(b, a) ? "nested" : "apart";
}

// libs/domain/src/folded-names.ts
var FoldedNames = class {
  #fold;
  #first = /* @__PURE__ */ new Map();
  #colliding = /* @__PURE__ */ new Set();
  /** `fold` maps a name to what such a side sees. */
  constructor(fold) {
    this.#fold = fold;
  }
  /** Notes a name that a side holds; answers with the names that have just turned out to collide, each once ever. */
  note(name) {
    const folded = this.#fold(name);
    const first = this.#first.get(folded);
    if (first === void 0) this.#first.set(folded, name);
    if (first === void 0 || first === name) return [];
    const found = [first, name].filter((one) => !this.#colliding.has(one));
    for (const one of found) this.#colliding.add(one);
    return found;
  }
  /** Whether another name was noted first that such a side cannot tell from this one. */
  isTaken(name) {
    return (this.#first.get(this.#fold(name)) ?? name) !== name;
  }
};

// libs/domain/src/tree-planner.ts
var SIDES = ["source", "target"];
var TreePlanner = class {
  #options;
  /** What is open: directories that hold the current key, and names that may still turn out to be directories. */
  #stack = [];
  #frame;
  /** `root` is a directory that is on both sides (the storages' root, or one that the caller looked at). */
  constructor(root, options) {
    this.#options = options;
    this.#frame = newFrame(root, void 0, "present", "source");
  }
  /** Takes one key of the merged streams and appends what is decided by it, and by having passed earlier ones. */
  visit(triple, out) {
    const { key, baseline, source, target } = triple;
    this.#closeBefore(key, out);
    if (this.#frame.mode === "skipped") return;
    if (this.#frame.mode === "ignored") {
      if (baseline.kind !== "absent") out.push({ kind: "forget", key });
      return;
    }
    const isDirectory = key.endsWith("/");
    if (this.#options.fold !== void 0 && isToBeOnBothSides(source, target) && this.#noteName(key, out)) {
      this.#frame.survivor ??= "conflict";
      if (isDirectory) this.#open(pathOfKey(key), "skipped");
    } else if (isDirectory) {
      this.#visitDirectory(triple, out);
    } else {
      this.#stack.push({ type: "name", path: pathOfKey(key), fileRow: baseline, directoryRow: ABSENT, source, target });
    }
  }
  /** All keys were fed: appends what was still open. */
  finish(out) {
    for (let top = this.#stack.pop(); top !== void 0; top = this.#stack.pop()) this.#close(top, out);
  }
  #visitDirectory(triple, out) {
    const held = this.#takeHeld(triple.key);
    const name = {
      type: "name",
      path: pathOfKey(triple.key),
      fileRow: held?.fileRow ?? ABSENT,
      directoryRow: triple.baseline,
      source: mergeKinds(held?.source, triple.source),
      target: mergeKinds(held?.target, triple.target)
    };
    const mode = this.#decideName(name, out);
    this.#open(name.path, mode, name.source.kind === "directory" ? "source" : "target");
  }
  /** Decides one name, all of whose keys are known, and says how what lies below it is to be taken. */
  #decideName(name, out) {
    const { path, source, target } = name;
    const baseline = this.#frame.mode === "fresh" ? ABSENT : baselineOf(name);
    const decision = this.#options.isUnidirectional ? reconcileOneWay(baseline, source, target) : reconcile(baseline, source, target, this.#options.known(path));
    switch (decision.kind) {
      case "in-sync":
        if (source.kind === "file" && target.kind === "file") out.push({ kind: "in-sync", path, source, target });
        forgetAllBut(source.kind, name, out);
        return this.#modeBelow(name, source, source.kind === "directory" ? "present" : "fresh", out);
      case "adopt":
        out.push({ kind: "adopt", path, source: present(source), target: present(target) });
        forgetAllBut(source.kind, name, out);
        return this.#modeBelow(name, source, "fresh", out);
      case "forget":
        forgetAllBut("absent", name, out);
        return "fresh";
      case "copy":
        return this.#copy(name, decision.to, out);
      case "delete":
        return this.#delete(name, decision.on, out);
      default:
        return this.#stay(decision, name, out);
    }
  }
  /** Brings what the other side has to `to`: a file, or a directory whose entries follow. */
  #copy(name, to, out) {
    const { path, source, target } = name;
    const [from, replaced] = to === "target" ? [source, target] : [target, source];
    this.#bringBack(this.#frame, to, out);
    if (from.kind === "directory") {
      invariant(replaced.kind === "absent", "INV-5: a directory is made where there is nothing");
      forgetAllBut(this.#options.isUnidirectional ? "directory" : "absent", name, out);
      out.push({ kind: "make-directory", on: to, path });
    } else {
      invariant(replaced.kind === "file" || replaced.kind === "absent", "INV-5: a file replaces a file or nothing");
      out.push({ kind: "copy-file", to, path, from: file(from), replaces: replaced.kind === "file" ? replaced : void 0 });
      forgetAllBut("file", name, out);
    }
    return this.#modeBelow(name, from, "fresh", out);
  }
  /** Removes what still is the baseline's from `on`: a file at once, a directory once nothing is left in it. */
  #delete(name, on, out) {
    const { path } = name;
    const node = name[on];
    if (node.kind !== "directory") {
      out.push({ kind: "delete-file", on, path, node: file(node) });
      return "fresh";
    }
    const mode = this.#modeBelow(name, node, "doomed", out);
    if (mode === "skipped") this.#keep(on, path, "blocked", out);
    return mode;
  }
  /** Carries out the decisions that change nothing on either side. */
  #stay(decision, name, out) {
    const { path, source, target } = name;
    this.#frame.survivor ??= decision.kind;
    switch (decision.kind) {
      case "conflict":
        if (decision.cause === "name-collision") out.push(collision(path));
        else out.push({ kind: "conflict", path, cause: decision.cause, source, target });
        return "skipped";
      case "blocked":
        for (const side of SIDES) {
          const node = name[side];
          if (node.kind === "unknown") out.push({ kind: "blocked", path, side, reason: node.reason });
        }
        return "skipped";
      case "ignored":
        forgetAllBut("absent", name, out);
        return "ignored";
      case "left-alone":
        forgetAllBut("absent", name, out);
        return this.#modeBelow(name, target, "fresh", out);
      default:
        return assertNever(decision);
    }
  }
  /** How a directory that is entered is taken: as `mode` says, unless a side could not list it to the end (INV-8). */
  #modeBelow(name, node, mode, out) {
    if (node.kind !== "directory") return mode;
    let isListed = true;
    for (const side of SIDES) {
      const seen = name[side];
      if (seen.kind !== "directory" || seen.unlisted === void 0) continue;
      out.push({ kind: "blocked", path: name.path, side, reason: seen.unlisted });
      isListed = false;
    }
    return isListed ? mode : "skipped";
  }
  /** New content is coming to `to`: the directories it needs, which `to` had deleted, are made again, outermost first. */
  #bringBack(frame, to, out) {
    if (frame === void 0 || frame.mode !== "doomed") return;
    this.#bringBack(frame.parent, to, out);
    frame.mode = "present";
    out.push({ kind: "make-directory", on: to, path: frame.path });
  }
  /** A doomed directory stays, and so does what holds it. */
  #keep(on, path, because, out) {
    out.push({ kind: "keep-directory", on, path, because });
    this.#frame.survivor ??= because;
  }
  #open(path, mode, side = "source") {
    this.#frame = newFrame(path, this.#frame, mode, side);
    this.#stack.push(this.#frame);
  }
  /** Closes what no further key can belong to, innermost first. */
  #closeBefore(key, out) {
    for (let top = this.#stack.at(-1); top !== void 0; top = this.#stack.at(-1)) {
      if (top.type === "frame" ? key.startsWith(top.prefix) : mayStillMeet(top, key)) break;
      this.#stack.pop();
      this.#close(top, out);
    }
  }
  #close(item, out) {
    if (item.type === "name") {
      this.#decideName(item, out);
      return;
    }
    invariant(item.parent !== void 0, "only directories below the root are closed");
    this.#frame = item.parent;
    if (item.mode !== "doomed") return;
    if (item.survivor === void 0) out.push({ kind: "delete-directory", on: item.side, path: item.path });
    else this.#keep(item.side, item.path, item.survivor, out);
  }
  /** The file of the name that `key` now shows as a directory, if one is held. */
  #takeHeld(key) {
    const top = this.#stack.at(-1);
    if (top === void 0 || top.type === "frame" || directoryKey(top.path) !== key) return void 0;
    this.#stack.pop();
    return top;
  }
  /** Reports names of one directory that a folding side cannot hold together; says whether the name of `key` is taken. */
  #noteName(key, out) {
    const { fold } = this.#options;
    if (fold === void 0) return false;
    const { prefix } = this.#frame;
    const names = this.#frame.names ??= new FoldedNames(fold);
    const name = pathOfKey(key).slice(prefix.length);
    for (const colliding of names.note(name)) out.push(collision(`${prefix}${colliding}`));
    return names.isTaken(name);
  }
};
function newFrame(path, parent, mode, side) {
  return { type: "frame", path, prefix: directoryKey(path), parent, mode, side, survivor: void 0, names: void 0 };
}
function mayStillMeet({ path }, key) {
  return key.startsWith(path) && key.charCodeAt(path.length) <= SLASH;
}
var SLASH = 47;
function mergeKinds(asFile, asDirectory) {
  if (asFile === void 0 || asFile.kind === "absent") return asDirectory;
  return asDirectory.kind === "absent" ? asFile : { kind: "unknown", reason: "file-and-directory" };
}
function baselineOf({ fileRow, directoryRow }) {
  if (fileRow.kind === "absent") return directoryRow;
  return directoryRow.kind === "absent" ? fileRow : ABSENT;
}
function forgetAllBut(now, { path, fileRow, directoryRow }, out) {
  if (fileRow.kind !== "absent" && now !== "file") out.push({ kind: "forget", key: fileKey(path) });
  if (directoryRow.kind !== "absent" && now !== "directory") out.push({ kind: "forget", key: directoryKey(path) });
}
function isToBeOnBothSides(source, target) {
  if (source.kind === "ignored" || target.kind === "ignored") return false;
  return source.kind !== "absent" || target.kind !== "absent";
}
function collision(path) {
  return { kind: "conflict", path, cause: "name-collision", source: ABSENT, target: ABSENT };
}
function file(node) {
  invariant(node.kind === "file", "INV-5: a file operation on something that is no file");
  return node;
}
function present(node) {
  invariant(node.kind === "file" || node.kind === "directory", "INV-19: adopted what neither side holds");
  return node;
}

// libs/engine/src/problem-retries.ts
var MAY_PASS = /* @__PURE__ */ new Set([
  "permission-denied",
  "no-space",
  "read-only",
  "too-many-open-files",
  "unreachable",
  "unauthorized",
  "throttled",
  "damaged",
  "io-error",
  "read-error",
  "listing-incomplete"
]);
var PATH_LIMIT = 1e3;
var ProblemRetries = class {
  constructor(pace) {
    this.pace = pace;
  }
  pace;
  /** When to look again; `Infinity` while there is nothing to look at. */
  dueMs = Infinity;
  #paths = /* @__PURE__ */ new Set();
  #times = 0;
  /** How many problems there were when it was last looked again. */
  #before = 0;
  /** Takes in what a pass has found. */
  note(scope, problems, nowMs) {
    if (scope === "all") this.#paths.clear();
    else for (const path of scope) this.#paths.delete(path);
    for (const { path, reason } of problems) {
      const parsed = parseRelativePath(path);
      if (parsed.ok && MAY_PASS.has(reason)) this.#paths.add(parsed.value);
    }
    if (this.#paths.size === 0) {
      this.#times = 0;
      this.dueMs = Infinity;
    } else if (this.dueMs === Infinity) {
      if (this.#paths.size < this.#before) this.#times = 0;
      this.dueMs = nowMs + Math.min(this.pace.retryMs * 2 ** this.#times, this.pace.retryLimitMs);
    }
  }
  /** What to look at again now. Ask when it is due. */
  take() {
    this.#times += 1;
    this.#before = this.#paths.size;
    this.dueMs = Infinity;
    return this.#paths.size > PATH_LIMIT ? "all" : [...this.#paths];
  }
};

// libs/engine/src/continuous-job.ts
var DEFAULT_PACE = {
  quietMs: 15,
  promptMs: 5,
  calmMs: 200,
  quietLimitMs: 400,
  deletionDelayMs: 400,
  verifyMs: 15 * 6e4,
  verifyLimitMs: 60 * 6e4,
  degradedVerifyMs: 3e4,
  retryMs: 1e3,
  retryLimitMs: 6e4
};
var ContinuousJob = class {
  #parts;
  #abort = new AbortController();
  #watchers = [];
  #isWatching = false;
  /** What the watchers said they do not see. */
  #degradations = /* @__PURE__ */ new Set();
  /** Points to look at; a Map keeps the time (monotonic, ms) from which each may be looked at. */
  #pending = /* @__PURE__ */ new Map();
  /** How often each path was found changing in a row. */
  #unsettled = /* @__PURE__ */ new Map();
  /** What was to be looked at again when deletions were put off, and was not yet. */
  #putOff = /* @__PURE__ */ new Set();
  #firstHintMs;
  #lastHintMs = -Infinity;
  /** When the last pass ended (monotonic, ms). */
  #lastPassMs = -Infinity;
  /** Whether the hints at hand came after a calm. A file that is written in pieces is news once, and after that no calm. */
  #isFirstNews = false;
  #fullPassDueMs = 0;
  #fullPassStartedMs = 0;
  /** How long the last one took. */
  #fullPassMs = 0;
  /** From one full pass to the next where the watchers see everything, as it is now. */
  #watchedVerifyMs;
  /** Whether there was a hint since the last full pass began. */
  #wasHinted = true;
  /** Failures and halts since the last full pass that went well. Until the next one, only full passes are made. */
  #failures = 0;
  /** After a failure: when the next try is due at the latest. */
  #retryAtMs = 0;
  /** How often in a row deletions were put off because there was news. */
  #postponed = 0;
  #problems;
  #wake = () => void 0;
  #loop;
  constructor(parts) {
    this.#parts = parts;
    this.#problems = new ProblemRetries(parts.pace);
    this.#watchedVerifyMs = parts.pace.verifyMs;
  }
  /** Starts the loop: watching first, then a full pass. */
  start(first) {
    this.#loop = this.#run(first);
  }
  /** Stops after the step at hand; resolves when nothing runs any more. */
  async stop() {
    this.#abort.abort();
    this.#wake();
    await Promise.all(this.#watchers.map((watcher) => watcher.stop()));
    await this.#loop;
    await this.#stopWatchers();
  }
  get isRunning() {
    return this.#loop !== void 0 && !this.#abort.signal.aborted;
  }
  async #run(first) {
    const { clock: clock2 } = this.#parts;
    let once = first;
    while (!this.#abort.signal.aborted) {
      const now = clock2.monotonicMs();
      if (this.#failures === 0 && now >= this.#problems.dueMs) this.#lookAgain(this.#problems.take(), now);
      if (now >= this.#nextFullPassMs()) {
        await this.#attempt("all", once);
        once = { allowMassDelete: false, acceptNewRoot: false };
        continue;
      }
      const due = this.#duePoints(now);
      if (due !== void 0) await this.#attempt(due, once);
      else await this.#sleepUntil(this.#nextDueMs());
    }
  }
  /** One pass with everything that can come of it; never rejects. */
  async #attempt(scope, first) {
    const { events, pace } = this.#parts;
    const hintMs = this.#firstHintMs;
    this.#firstHintMs = void 0;
    if (scope === "all") {
      this.#fullPassDueMs = Infinity;
      this.#fullPassStartedMs = this.#parts.clock.monotonicMs();
      this.#pending.clear();
    }
    const wasHinted = this.#wasHinted;
    if (scope === "all") this.#wasHinted = false;
    try {
      if (!this.#isWatching) await this.#watchOrHalt();
      if (this.#abort.signal.aborted) return;
      events.state(scope === "all" ? "ONE_SHOT" : "RUNNING");
      let isPostponed = false;
      const isDisturbed = () => isPostponed = this.#isDisturbed();
      const options = { ...first, deletionDelayMs: pace.deletionDelayMs, isDisturbed, retries: 0 };
      const { report, unsettled } = await this.#parts.runPass(scope, options, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.#requeue(scope, unsettled);
      this.#problems.note(scope, report.problems, this.#parts.clock.monotonicMs());
      if (scope === "all") this.#putOff.clear();
      else for (const path of scope) this.#putOff.delete(path);
      if (isPostponed) for (const path of unsettled) this.#putOff.add(path);
      if (scope === "all") this.#adaptPace(report, wasHinted || this.#wasHinted);
      await this.#finish(scope, report, hintMs);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof HaltError) events.halt(error.halt);
      else events.error(error instanceof Error ? error : new Error(String(error)));
      events.state("ERROR");
      this.#failed();
    } finally {
      this.#lastPassMs = this.#parts.clock.monotonicMs();
    }
  }
  /**
   * Whether hints came while a pass waited to delete. A tree that is being removed shows piece by
   * piece, and the rule against mass deletion must see it whole (T85). Put off a few times only:
   * in a place that is never quiet deletions still arrive.
   */
  #isDisturbed() {
    if (this.#firstHintMs === void 0 || this.#postponed >= POSTPONE_LIMIT) {
      this.#postponed = 0;
      return false;
    }
    this.#postponed += 1;
    return true;
  }
  /** Without a watcher nothing is concluded at all (T07); a root that is not there is told as such. */
  async #watchOrHalt() {
    try {
      await this.#startWatchers();
    } catch (error) {
      const halt = await this.#parts.checkRoots();
      throw halt === void 0 ? error : new HaltError(halt);
    }
  }
  async #finish(scope, report, hintMs) {
    const { events, clock: clock2 } = this.#parts;
    const now = clock2.monotonicMs();
    events.report({ ...report, ...scope !== "all" && { scope }, ...hintMs !== void 0 && { lagMs: now - hintMs } });
    if (report.halt !== void 0) {
      events.halt(report.halt);
      events.state("ERROR");
      if (isRootHalt(report.halt)) await this.#stopWatchers();
      this.#failed();
      return;
    }
    if (scope === "all") {
      this.#failures = 0;
      this.#fullPassMs = now - this.#fullPassStartedMs;
      this.#fullPassDueMs = Math.min(this.#fullPassDueMs, now + this.#verifyMs());
    }
    if (this.#putOff.size === 0) events.state("SYNCED");
  }
  /**
   * INV-30: events get lost where many come, and where a watcher sees not all; a full pass over
   * what has been quiet for long is the one thing that an idle daemon would spend time on.
   */
  #adaptPace({ copiedFiles, deletedFiles, madeDirectories, deletedDirectories }, wasHinted) {
    const { verifyMs, verifyLimitMs } = this.#parts.pace;
    const foundMore = copiedFiles + deletedFiles + madeDirectories + deletedDirectories > 0;
    const isCalm = !wasHinted && !foundMore && this.#degradations.size === 0;
    this.#watchedVerifyMs = isCalm ? Math.min(2 * this.#watchedVerifyMs, verifyLimitMs) : verifyMs;
  }
  /** The next try is a full pass: whether a halt or failure is over, only that can tell. */
  #failed() {
    this.#failures += 1;
    this.#wasHinted = true;
    this.#retryAtMs = this.#parts.clock.monotonicMs() + this.#backoffMs();
  }
  /** When the next full pass is due. After a failure, news brings it forward, once it pauses for a moment. */
  #nextFullPassMs() {
    if (this.#failures === 0) return this.#fullPassDueMs;
    if (this.#firstHintMs === void 0) return this.#retryAtMs;
    return Math.min(this.#retryAtMs, this.#lastHintMs + this.#parts.pace.retryMs);
  }
  #lookAgain(scope, now) {
    if (scope === "all") this.#fullPassDueMs = now;
    else for (const path of scope) this.#pending.set(path, this.#pending.get(path) ?? now);
  }
  /** Paths that changed under the pass are looked at again, ever more patiently (T42: a log that keeps growing). */
  #requeue(scope, unsettled) {
    const { clock: clock2, pace } = this.#parts;
    const now = clock2.monotonicMs();
    const still = new Set(unsettled);
    for (const path of scope === "all" ? [...this.#unsettled.keys()] : scope) {
      if (!still.has(path)) this.#unsettled.delete(path);
    }
    for (const path of unsettled) {
      const times = (this.#unsettled.get(path) ?? 0) + 1;
      this.#unsettled.set(path, times);
      const delayMs = Math.min(50 * 2 ** times, pace.retryLimitMs);
      this.#pending.set(path, now + delayMs);
    }
    if (unsettled.length > 0 && ![...this.#pending.values()].some((notBeforeMs) => notBeforeMs <= now)) this.#firstHintMs = void 0;
  }
  #onHints(hints) {
    const now = this.#parts.clock.monotonicMs();
    const news = hints.filter(({ path }) => (this.#pending.get(path) ?? now) <= now);
    if (news.length === 0) return;
    this.#wasHinted = true;
    this.#fullPassDueMs = Math.min(this.#fullPassDueMs, now + this.#parts.pace.verifyMs);
    for (const { path } of news) if (path !== ROOT) this.#pending.set(path, now);
    if (this.#pending.size > HINT_LIMIT || news.some(({ path }) => path === ROOT)) {
      this.#pending.clear();
      this.#fullPassDueMs = Math.min(this.#fullPassDueMs, now + this.#parts.pace.quietLimitMs);
    }
    if (this.#firstHintMs === void 0) {
      this.#firstHintMs = now;
      this.#isFirstNews = now - Math.max(this.#lastPassMs, this.#lastHintMs) >= this.#parts.pace.calmMs;
    }
    this.#lastHintMs = now;
    this.#wake();
  }
  /** The points to look at now, or `undefined` while hints keep coming or nothing is due. */
  #duePoints(now) {
    if (this.#failures > 0 || this.#pending.size === 0 || now < this.#quietAtMs()) return void 0;
    const due = [...this.#pending].filter(([, notBeforeMs]) => notBeforeMs <= now).map(([path]) => path);
    for (const path of due) this.#pending.delete(path);
    return due.length === 0 ? void 0 : due;
  }
  #quietAtMs() {
    if (this.#firstHintMs === void 0) return 0;
    const { promptMs, quietMs, quietLimitMs } = this.#parts.pace;
    return Math.min(this.#lastHintMs + (this.#isFirstNews ? promptMs : quietMs), this.#firstHintMs + quietLimitMs);
  }
  #nextDueMs() {
    let next = this.#nextFullPassMs();
    if (this.#failures > 0) return next;
    next = Math.min(next, this.#problems.dueMs);
    for (const notBeforeMs of this.#pending.values()) next = Math.min(next, Math.max(notBeforeMs, this.#quietAtMs()));
    return next;
  }
  async #sleepUntil(timeMs) {
    const { clock: clock2 } = this.#parts;
    const timer = new AbortController();
    const woken = new Promise((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, clock2.sleep(Math.max(1, timeMs - clock2.monotonicMs()), timer.signal)]);
    timer.abort(WOKEN);
  }
  #backoffMs() {
    const { retryMs, retryLimitMs } = this.#parts.pace;
    return Math.min(retryMs * 2 ** (this.#failures - 1), retryLimitMs);
  }
  async #startWatchers() {
    const { source, target, watch } = this.#parts;
    try {
      for (const storage of [source, target]) {
        if (this.#abort.signal.aborted) return;
        const watcher = watch(storage);
        this.#watchers.push(watcher);
        await watcher.start({
          hints: (hints) => this.#onHints(hints),
          degraded: (message) => this.#onDegraded(`${storage.type}(${storage.backendId}): ${message}`)
        });
      }
      this.#isWatching = true;
    } catch (error) {
      await this.#stopWatchers();
      throw error;
    }
  }
  #onDegraded(message) {
    this.#degradations.add(message);
    this.#parts.events.note(message);
    if (this.#fullPassDueMs === Infinity) return;
    this.#fullPassDueMs = Math.min(this.#fullPassDueMs, this.#parts.clock.monotonicMs() + this.#verifyMs());
    this.#wake();
  }
  /** Until the next full pass. Where watching is incomplete, looking at intervals takes its place (T07, T62), at a twentieth of the time at most. */
  #verifyMs() {
    const { verifyMs, degradedVerifyMs } = this.#parts.pace;
    return this.#degradations.size === 0 ? this.#watchedVerifyMs : Math.min(verifyMs, Math.max(degradedVerifyMs, 20 * this.#fullPassMs));
  }
  async #stopWatchers() {
    const watchers = this.#watchers;
    this.#watchers = [];
    this.#isWatching = false;
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    for (const message of this.#degradations) this.#parts.events.noteEnded(message);
    this.#degradations.clear();
  }
};
var HaltError = class extends Error {
  constructor(halt) {
    super(halt.message);
    this.halt = halt;
  }
  halt;
};
var WOKEN = new Error("woken");
var POSTPONE_LIMIT = 4;
var HINT_LIMIT = 2e4;
function isRootHalt(halt) {
  return halt.reason === "root-missing" || halt.reason === "root-unreadable" || halt.reason === "root-changed";
}

// libs/ports/src/built-in-syncers.ts
var LOCAL_STORAGE_TYPES = ["local", "local-cached", "local-dir-cached"];
var EVERY_KIND_OF_JOB = { CONTINUOUS: true, ONE_SHOT: true, UNIDIRECTIONAL: true, REQUIRES_MOUNT: false };
var GENERIC_TRAITS = {
  SYNCER_NAME: "generic",
  SOURCE_TYPES: ["*"],
  TARGET_TYPES: ["*"],
  ...EVERY_KIND_OF_JOB,
  ABOUT: "any storage with any other; has storages copy among themselves where they can"
};
var S3_COPY_TRAITS = {
  SYNCER_NAME: "s3-copy",
  SOURCE_TYPES: ["s3"],
  TARGET_TYPES: ["s3"],
  ...EVERY_KIND_OF_JOB,
  BY_NAME_ONLY: true,
  ABOUT: "two places of one S3 endpoint; the server copies, or the file is reported: nothing is sent through this machine instead"
};
var LOCAL_COPY_TRAITS = {
  SYNCER_NAME: "local-copy",
  SOURCE_TYPES: LOCAL_STORAGE_TYPES,
  TARGET_TYPES: LOCAL_STORAGE_TYPES,
  ...EVERY_KIND_OF_JOB,
  BY_NAME_ONLY: true,
  ABOUT: "two directories on one file system that shares blocks (XFS, Btrfs): copies of whatever size take no room"
};

// libs/ports/src/errors.ts
var BackendError = class extends Error {
  constructor(code, details, options) {
    const where = details.path === void 0 ? "" : ` ${details.path}`;
    const why = options?.explanation === void 0 ? "" : ` (${options.explanation})`;
    super(`unable to ${details.operation}${where}: ${code}${why}`, options?.cause === void 0 ? void 0 : { cause: options.cause });
    this.code = code;
    this.details = details;
  }
  code;
  details;
  name = "BackendError";
};
function isBackendError(error) {
  return error instanceof Error && error.name === "BackendError" && "code" in error;
}

// libs/ports/src/storage-backend.ts
var EntryKind = { file: 0, directory: 1, unknown: 2 };

// libs/ports/src/joined-rows.ts
var KEY_SEPARATOR = "/./";
var TOKEN_SEPARATOR = "\n";
function firstJoined(keys) {
  const end = keys.indexOf(KEY_SEPARATOR);
  return end < 0 ? keys : keys.slice(0, end);
}
function lastJoined(keys) {
  const end = keys.lastIndexOf(KEY_SEPARATOR);
  return end < 0 ? keys : keys.slice(end + KEY_SEPARATOR.length);
}

// libs/ports/src/pair-orientation.ts
function orient(identity) {
  const { scope, sourceBackendId: source, targetBackendId: target } = identity;
  invariant(source !== target, "INV-23: a pair has two different storages");
  const isFlipped = source > target;
  return isFlipped ? { scope, first: target, second: source, isFlipped } : { scope, first: source, second: target, isFlipped };
}
function flipRow(row) {
  return row.kind === "directory" ? row : { ...row, sourceToken: row.targetToken, targetToken: row.sourceToken };
}
function flipConflict(record) {
  return { ...record, source: record.target, target: record.source };
}
function flipSide(side, isFlipped) {
  return isFlipped ? otherSide(side) : side;
}

// libs/ports/src/sync-state.ts
var StateError = class extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }
  code;
  name = "StateError";
};
var FINDABLE_BYTES = 128 * 1024;
function baselineNodeOf(row) {
  if (row === void 0) return { kind: "absent" };
  return row.kind === "directory" ? { kind: "directory" } : { kind: "file", hash: row.hash, sizeBytes: row.sizeBytes };
}

// libs/engine/src/carried-storage.ts
var behind = /* @__PURE__ */ new WeakMap();
function carriedStorage(storage, carrier, isVerified = false) {
  if (carrier === void 0) return storage;
  const carried = {
    backendId: storage.backendId,
    type: storage.type,
    displayLocation: storage.displayLocation,
    // Known only once it was opened.
    get capabilities() {
      return storage.capabilities;
    },
    open: (signal) => storage.open(signal),
    close: () => storage.close(),
    rootIdentity: (options) => storage.rootIdentity(options),
    list: (directory, options) => storage.list(directory, options),
    stat: (path) => storage.stat(path),
    getFileToken: (path) => storage.getFileToken(path),
    getHashes: (paths, signal) => storage.getHashes(paths, signal),
    read: (path, expected, signal) => storage.read(path, expected, signal),
    openForSafeReplace: (path, expected, attributes, signal) => storage.openForSafeReplace(path, expected, attributes, signal),
    remove: (path, expected) => storage.remove(path, expected),
    makeDirectory: (path) => storage.makeDirectory(path),
    removeDirectory: (path) => storage.removeDirectory(path),
    flush: () => storage.flush(),
    ...storage.wholeFiles !== void 0 && { wholeFiles: storage.wholeFiles },
    ...storage.inbox !== void 0 && { inbox: storage.inbox },
    watcher: () => storage.watcher(),
    copyFrom: (from, requests, signal) => {
      const source = behind.get(from) ?? from;
      const outcomes = source === storage ? void 0 : carrier(source, requests, signal);
      if (outcomes === void 0) return storage.copyFrom?.(source, requests, signal);
      return isVerified ? outcomes : verified(outcomes, requests, source, storage, signal);
    }
  };
  behind.set(carried, storage);
  return carried;
}
async function* verified(outcomes, requests, source, target, signal) {
  const open = new Set(requests.keys());
  for await (const batch of outcomes) {
    const checked = [];
    for (const { index, outcome } of batch) {
      const request = requests[index];
      if (request === void 0 || !open.delete(index)) continue;
      checked.push({ index, outcome: outcome.kind === "copied" ? await verify(request, source, target, signal) : outcome });
    }
    if (checked.length > 0) yield checked;
  }
  const forgotten = [...open].map((index) => ({ index, outcome: failed(requests[index], "io-error", "the syncer did not say what became of it") }));
  if (forgotten.length > 0) yield forgotten;
}
async function verify(request, source, target, signal) {
  const { path, fromPath = path, from } = request;
  const [read] = await source.getHashes([fromPath], signal);
  if (read?.kind !== "hashed" || !isVersion2(read.node, from)) return { kind: "source-changed" };
  const [written] = await target.getHashes([path], signal);
  if (written?.kind !== "hashed" || written.node.hash !== read.node.hash) return failed(request, "damaged", "what the syncer carried is not what it was to carry");
  return {
    kind: "copied",
    sha256: written.node.hash,
    sizeBytes: written.node.sizeBytes,
    sourceToken: read.node.token,
    isSourceRacy: read.node.isRacy,
    targetToken: written.node.token,
    isTargetRacy: written.node.isRacy
  };
}
function isVersion2(node, wanted) {
  return node.token === wanted.token && (wanted.hash === void 0 || wanted.hash === node.hash);
}
function failed({ path }, code, explanation) {
  return { kind: "failed", error: new BackendError(code, { operation: "copy", path, retryable: true }, { explanation }) };
}

// libs/engine/src/agreed-totals.ts
function agreedTotals(pair) {
  let { files, bytes } = pair.totals();
  for (const { path } of pair.conflicts()) {
    const row = pair.get(fileKey(path));
    if (row?.kind !== "file") continue;
    files -= 1;
    bytes -= row.sizeBytes;
  }
  return { files, bytes };
}

// libs/engine/src/pass-context.ts
function storageAt(context, side) {
  return side === "source" ? context.source : context.target;
}
var REPORT_LIMIT = 1e4;
var PLAN_LIMIT = 1e5;
var PassLog = class {
  problems = [];
  skipped = [];
  plan = [];
  planTotal = 0;
  copiedFiles = 0;
  copiedBytes = 0;
  deletedFiles = 0;
  madeDirectories = 0;
  deletedDirectories = 0;
  /** Paths to look at again, because what the plan saw no longer holds, or because trying again may help. */
  retry = /* @__PURE__ */ new Set();
  /** Why the latter failed. */
  #lastFailures = /* @__PURE__ */ new Map();
  /** Paths whose step failed: their recorded conflicts stay. */
  unfinished = /* @__PURE__ */ new Set();
  #context;
  #filesTotal = 0;
  #bytesTotal = 0;
  #entriesSeen = 0;
  #isTotalFinal = false;
  #lastProgressMs = -Infinity;
  constructor(context) {
    this.#context = context;
  }
  /** A step on this path, and with it whatever is below, has not come to its end. */
  problem(path, side, reason, message) {
    this.unfinished.add(path);
    this.remark(path, side, reason, message);
  }
  /** Something that a person should know, though all was looked at and decided (INV-36: conflicts below end). */
  remark(path, side, reason, message) {
    if (this.problems.length < REPORT_LIMIT) this.problems.push({ path, side, reason, message });
  }
  skip(unsynced) {
    if (this.skipped.length < REPORT_LIMIT) this.skipped.push(unsynced);
  }
  /** Records a failed step on one path; what concerns the whole storage is thrown on. */
  failure(path, side, error) {
    if (!isBackendError(error) || concernsWholeStorage(error)) throw error;
    if (!error.details.retryable) {
      this.problem(path, side, error.code, this.#withAdvice(side, error));
      return;
    }
    this.retry.add(path);
    this.#lastFailures.set(path, { side, error });
  }
  /** Storages do not know what they are called; a person has to know which disk is meant (T52). */
  #withAdvice(side, { code, message }) {
    return code === "no-space" ? `${message}; free some space on ${storageAt(this.#context, side).displayLocation}` : message;
  }
  /** Hands out the paths to look at again. */
  takeRetries() {
    const paths = [...this.retry];
    this.retry.clear();
    this.#lastFailures.clear();
    return paths;
  }
  /** What still is to be looked at again is left to a later pass: tells why. */
  giveUpRetries() {
    for (const path of this.retry) {
      const failure = this.#lastFailures.get(path);
      if (failure !== void 0) this.problem(path, failure.side, failure.error.code, failure.error.message);
      else this.problem(path, "source", "changing", "keeps changing; it is synced once it is quiet for a moment");
    }
  }
  /** Whether a step on this path, or on a directory above it, did not come to its end. */
  isUnfinished(path) {
    return [path, ...ancestorsOf(path)].some((place) => this.unfinished.has(place) || this.retry.has(place));
  }
  planned(operation) {
    this.planTotal += 1;
    if (this.plan.length < PLAN_LIMIT) this.plan.push(operation);
  }
  seen(entries) {
    this.#entriesSeen += entries;
    this.#tell();
  }
  toCopy(node) {
    this.#filesTotal += 1;
    this.#bytesTotal += node.sizeBytes;
  }
  copied(sizeBytes) {
    this.copiedFiles += 1;
    this.copiedBytes += sizeBytes;
    this.#tell();
  }
  totalsAreFinal() {
    this.#isTotalFinal = true;
    this.#tell(true);
  }
  report(conflicts, isComplete, halt) {
    this.#tell(true);
    const { files, bytes } = agreedTotals(this.#context.pair);
    return {
      isComplete,
      halt,
      files,
      bytes,
      copiedFiles: this.copiedFiles,
      copiedBytes: this.copiedBytes,
      deletedFiles: this.deletedFiles,
      madeDirectories: this.madeDirectories,
      deletedDirectories: this.deletedDirectories,
      conflicts,
      problems: this.problems,
      skipped: this.skipped,
      plan: this.plan,
      planTotal: this.planTotal
    };
  }
  #tell(isForced = false) {
    const now = this.#context.clock.monotonicMs();
    if (!isForced && now - this.#lastProgressMs < PROGRESS_INTERVAL_MS) return;
    this.#lastProgressMs = now;
    this.#context.events.progress({
      filesDone: this.copiedFiles,
      bytesDone: this.copiedBytes,
      filesTotal: this.#filesTotal,
      bytesTotal: this.#bytesTotal,
      isTotalFinal: this.#isTotalFinal,
      entriesSeen: this.#entriesSeen
    });
  }
};
function concernsWholeStorage(error) {
  return CONCERNS_ALL.has(error.code);
}
var CONCERNS_ALL = /* @__PURE__ */ new Set(["unreachable", "unauthorized", "cancelled"]);
var PROGRESS_INTERVAL_MS = 100;
var BaselineWriter = class {
  #context;
  #assertRoots;
  #changes = [];
  #deletions = { source: 0, target: 0 };
  #creations = { source: 0, target: 0 };
  /** `assertRoots` rejects when a root is not any more what it was when the pass began. */
  constructor(context, assertRoots) {
    this.#context = context;
    this.#assertRoots = assertRoots;
  }
  add(change) {
    this.#changes.push(change);
  }
  /** Notes a file deleted on a side, with the row to forget. What only moved counts for no safety rule. */
  deleted(key, on, isMoved) {
    this.#changes.push({ kind: "delete", key });
    if (isMoved) this.#creations[on] -= 1;
    else this.#deletions[on] += 1;
  }
  /** Notes that a file was made where there was none; its row is added by itself. */
  created(on) {
    this.#creations[on] += 1;
  }
  /** Writes what has come together, if it is worth a transaction or `isForced`. */
  async flush(isForced) {
    if (this.#changes.length === 0 || !isForced && this.#changes.length < BATCH_CHANGES) return;
    const changes = this.#changes;
    const deletions = this.#deletions;
    this.#changes = [];
    this.#deletions = { source: 0, target: 0 };
    if (this.#context.isDryRun) return;
    const { source, target, pair, clock: clock2, isUnidirectional } = this.#context;
    await Promise.all([isUnidirectional ? void 0 : source.flush(), target.flush()]);
    await this.#assertRoots();
    pair.commit(changes);
    for (const side of ["source", "target"]) {
      if (deletions[side] > 0) pair.addDeletions(side, deletions[side], clock2.nowMs());
    }
  }
  /**
   * At the end of a pass: files that came make up for files that went. A folder where short-lived
   * files come and go all day does not shrink. They make up for deletions of the past only.
   */
  settleCreations() {
    const { pair, clock: clock2, isDryRun } = this.#context;
    if (isDryRun) return;
    for (const side of ["source", "target"]) {
      const recent = pair.deletionsSince(side, clock2.nowMs() - DELETION_WINDOW_MS);
      const taken = Math.min(this.#creations[side], recent);
      if (taken > 0) pair.addDeletions(side, -taken, clock2.nowMs());
    }
    this.#creations = { source: 0, target: 0 };
  }
};
var BATCH_CHANGES = 4096;
function describeSide(context, side) {
  const storage = storageAt(context, side);
  return `the ${side} storage '${storage.type}'(backend_id=${storage.backendId}) at ${storage.displayLocation}`;
}

// libs/engine/src/hashing.ts
async function hashFiles(storage, paths, signal) {
  if (paths.length === 0) return [];
  try {
    return await storage.getHashes(paths, signal);
  } catch (error) {
    if (!isBackendError(error) || concernsWholeStorage(error)) throw error;
    if (paths.length === 1) return [{ kind: "unknown", reason: "read-error", message: error.message }];
  }
  const outcomes = [];
  for (const path of paths) outcomes.push(...await hashFiles(storage, [path], signal));
  return outcomes;
}

// libs/engine/src/arrivals.ts
var MISSING_LIMIT = 1e4;
var Arrivals = class {
  #context;
  /** Number of files that arrived, by the first 48 bits of their hash: a million of them should not weigh much (INV-40). */
  #arrived = { source: /* @__PURE__ */ new Map(), target: /* @__PURE__ */ new Map() };
  #missing = { source: [], target: [] };
  #isNeeded;
  constructor(context) {
    this.#context = context;
    this.#isNeeded = context.pair.totals().files > 0;
  }
  /** A file that was not there before is there now. */
  arrived(on, hash) {
    if (this.#isNeeded) add(this.#arrived[on], hash);
  }
  /** A file that should be there now is not. */
  missed(on, file2) {
    if (this.#isNeeded && this.#missing[on].length <= MISSING_LIMIT) this.#missing[on].push(file2);
  }
  /** Tells moves from deletions, and takes what arrived out of the account. The rows of all copies must have been written. */
  async sort(on, deletions) {
    this.#findLateArrivals(on);
    const arrived = this.#arrived[on];
    const missing = this.#missing[on];
    const moved = /* @__PURE__ */ new Set();
    const keptBack = /* @__PURE__ */ new Set();
    if (arrived.size === 0 && missing.length === 0) return { moved, keptBack };
    const missed = this.#context.isDryRun ? arrived : /* @__PURE__ */ new Map();
    await this.#identify(on, missing, deletions, missed);
    for (const deletion of deletions) {
      const row = this.#context.pair.get(fileKey(deletion.path));
      if (row?.kind !== "file") continue;
      if (take(arrived, row.hash)) moved.add(deletion);
      else if (missing.length > MISSING_LIMIT || take(missed, row.hash)) keptBack.add(deletion);
    }
    return { moved, keptBack };
  }
  /** What did not come at first may have come at a later look. */
  #findLateArrivals(on) {
    this.#missing[on] = this.#missing[on].filter(({ path }) => {
      const row = this.#context.pair.get(fileKey(path));
      if (row?.kind === "file") this.arrived(on, row.hash);
      return row?.kind !== "file";
    });
  }
  /** Finds out the content of files that did not come, as far as a deleted one may have been the same. */
  async #identify(on, missing, deletions, into) {
    const sizes = new Set(deletions.map(({ node }) => node.sizeBytes));
    const candidates = missing.filter(({ sizeBytes }) => sizes.has(sizeBytes));
    const unread = candidates.filter(({ hash }) => hash === void 0);
    for (const { hash } of candidates) if (hash !== void 0) add(into, hash);
    const storage = storageAt(this.#context, otherSide(on));
    for (const outcome of await hashFiles(storage, unread.map(({ path }) => path), this.#context.signal)) {
      if (outcome.kind === "hashed") add(into, outcome.node.hash);
    }
  }
};
function add(counts, hash) {
  const key = keyOf(hash);
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
function take(counts, hash) {
  const key = keyOf(hash);
  const left = counts.get(key) ?? 0;
  if (left === 0) return false;
  counts.set(key, left - 1);
  return true;
}
function keyOf(hash) {
  return Number.parseInt(hash.slice(0, 12), 16);
}

// libs/engine/src/conflict-book.ts
var ConflictBook = class {
  #context;
  #log;
  #assertRoots;
  #known;
  #confirmed = /* @__PURE__ */ new Set();
  #collided = /* @__PURE__ */ new Set();
  #hidden = /* @__PURE__ */ new Set();
  /**
   * `assertRoots` rejects when a root is not any more what it was when the pass began: then no conflict
   * begins or ends. What is out of sight with its disk has not changed (INV-10).
   */
  constructor(context, log, assertRoots) {
    this.#context = context;
    this.#log = log;
    this.#assertRoots = assertRoots;
    this.#known = new Map(context.pair.conflicts().map((record) => [record.path, record]));
  }
  /** The record of a path, as `reconcile` takes it. */
  known(path) {
    return this.#known.get(path);
  }
  /** The places above a path that are in conflict, or were when the pass began. */
  disputedAbove(path) {
    if (this.#known.size === 0 && this.#confirmed.size === 0) return [];
    return ancestorsOf(path).filter((above) => this.#known.has(above) || this.#confirmed.has(above));
  }
  /** Number of conflicts found by this pass. */
  get count() {
    return this.#confirmed.size;
  }
  /** These points are looked at again: what was in the way of deciding there is so no longer, unless it is met again. */
  lookAgain(points) {
    for (const path of this.#hidden) if (points.some((point) => isWithin(path, point))) this.#hidden.delete(path);
  }
  /** Below this place nothing was decided: what is on record there stays. */
  hide(path) {
    if (this.#known.size > 0) this.#hidden.add(path);
  }
  /** Whether a path, or a directory above it, cannot stand beside another of the same folded name. */
  isCollided(path) {
    return this.#collided.size > 0 && isAtOrBelow(path, this.#collided);
  }
  /** Records conflicts, completing the hashes of the versions shown. */
  async add(found) {
    if (found.length === 0) return;
    const sources = await this.#versions("source", found);
    const targets = await this.#versions("target", found);
    const records = [];
    found.forEach(({ path, cause }, i) => {
      this.hide(path);
      if (this.#confirmed.has(path)) return;
      this.#confirmed.add(path);
      if (cause === "name-collision") this.#collided.add(path);
      const record = this.#record(path, cause, sources[i], targets[i]);
      if (record !== void 0) records.push(record);
    });
    if (records.length === 0) return;
    await this.#assertRoots();
    if (!this.#context.isDryRun) this.#context.pair.putConflicts(records);
    for (const record of records) if (!this.#known.has(record.path)) this.#context.events.conflict(record);
  }
  /** Ends conflicts that this pass looked at and did not find again. */
  async settle(isInScope) {
    if (this.#context.isDryRun || this.#known.size === 0) return;
    const ended = [...this.#known.keys()].filter(
      (path) => isInScope(path) && !this.#confirmed.has(path) && // What the rules leave out is nobody's conflict, whatever came of the directory that holds it.
      (this.#isLeftOut(path) || !this.#log.isUnfinished(path) && !isAtOrBelow(path, this.#hidden))
    );
    if (ended.length === 0) return;
    await this.#assertRoots();
    this.#context.pair.deleteConflicts(ended);
    for (const path of ended) this.#context.events.conflictResolved(path);
  }
  #isLeftOut(path) {
    const record = this.#known.get(path);
    return record !== void 0 && isLeftOut(record, this.#context.filter);
  }
  /** The record to store, or `undefined` when the one on record says the same. */
  #record(path, reason, source, target) {
    const known = this.#known.get(path);
    if (known !== void 0 && known.reason === reason && same(known.source, source) && same(known.target, target)) {
      return void 0;
    }
    return { path, reason, source, target, sinceMs: known?.sinceMs ?? this.#context.clock.nowMs() };
  }
  async #versions(side, found) {
    const unhashed = found.filter((conflict) => needsHash(conflict[side]));
    const outcomes = await hashFiles(storageAt(this.#context, side), unhashed.map(({ path }) => path), this.#context.signal);
    const hashed = /* @__PURE__ */ new Map();
    unhashed.forEach(({ path }, i) => {
      const outcome = outcomes[i];
      if (outcome?.kind === "hashed") hashed.set(path, outcome.node);
    });
    return found.map((conflict) => versionOf(hashed.get(conflict.path) ?? conflict[side]) ?? { kind: "absent" });
  }
};
function isLeftOut({ path, source, target }, filter) {
  if (filter === void 0) return false;
  const isDirectory = source.kind === "directory" || target.kind === "directory";
  return ancestorsOf(path).some((above) => filter.ignores(above, true)) || filter.ignores(path, isDirectory);
}
function isAtOrBelow(path, places) {
  return places.has(path) || ancestorsOf(path).some((above) => places.has(above));
}
function needsHash(node) {
  return node.kind === "file" && node.hash === void 0;
}
function same(a, b) {
  if (a.kind !== b.kind) return false;
  return a.kind !== "file" || b.kind !== "file" || a.sha256 === b.sha256 && a.sizeBytes === b.sizeBytes;
}

// libs/engine/src/copier.ts
import { createHash } from "node:crypto";

// libs/engine/src/known-content.ts
async function contentBeforehand(from, to, { path, from: version }, signal) {
  const { hash, sizeBytes, token } = version;
  if (hash !== void 0) return { sha256: hash, sizeBytes };
  const { hashFirstBytes } = to.capabilities;
  if (hashFirstBytes === void 0 || sizeBytes < hashFirstBytes) return void 0;
  const [outcome] = await from.getHashes([path], signal);
  if (outcome === void 0 || outcome.kind === "unknown") return void 0;
  if (outcome.kind !== "hashed" || outcome.node.token !== token) return "changed";
  return { sha256: outcome.node.hash, sizeBytes: outcome.node.sizeBytes };
}
function isDamaged(recorded, { sha256, sizeBytes }) {
  return recorded !== void 0 && (recorded.sha256 !== sha256 || recorded.sizeBytes !== sizeBytes);
}
function damagedSource(path) {
  const details = { operation: "read", path, retryable: false };
  return new BackendError("damaged", details, { explanation: "its bytes are not those that the storage recorded for this version" });
}

// libs/engine/src/run-all.ts
async function settleAll(promises) {
  const failed2 = (await Promise.allSettled(promises)).find((outcome) => outcome.status === "rejected");
  if (failed2 !== void 0) throw failed2.reason;
}
async function runStreams(items, streams, work, stop = { isStopped: false }) {
  let next = 0;
  const stream = async () => {
    while (!stop.isStopped && next < items.length) {
      const item = items[next];
      next += 1;
      try {
        await work(item);
      } catch (error) {
        stop.isStopped = true;
        throw error;
      }
    }
  };
  await settleAll(Array.from({ length: Math.min(streams, items.length) }, stream));
}

// libs/engine/src/whole-copier.ts
var BATCH_FILES = 256;
var BATCH_BYTES = 4 << 20;
var MAX_WRITING = 4;
var EAGER_WRITING = 2;
var MAX_HELD_BYTES = 16 << 20;
var MAX_HELD_FILES = 2048;
function wholeWays({ wholeFiles: from }, { wholeFiles: to }) {
  if (from === void 0 || to === void 0) return void 0;
  return { from, to, maxBytes: Math.min(from.maxBytes, to.maxBytes) };
}
async function copyWhole(requests, ways, options) {
  if (requests.length > 0) await new WholeCopy(requests, ways, options).run();
}
var WholeCopy = class {
  #requests;
  #ways;
  #options;
  #waiting = [];
  #heldBytes = 0;
  #heldFiles = 0;
  #isReading = true;
  #failure;
  #writing = /* @__PURE__ */ new Set();
  constructor(requests, ways, options) {
    this.#requests = requests;
    this.#ways = ways;
    this.#options = options;
  }
  async run() {
    try {
      await this.#read();
    } catch (error) {
      this.#fail(error);
    }
    this.#isReading = false;
    this.#pump();
    while (this.#writing.size > 0) await Promise.race(this.#writing);
    if (this.#failure !== void 0) throw this.#failure.error;
  }
  async #read() {
    const { stop, signal } = this.#options;
    const reads = this.#requests.map((request) => ({ path: request.path, expected: request.from.token, sizeBytes: request.from.sizeBytes }));
    let left = reads.length;
    for await (const outcomes of this.#ways.from.read(reads, signal)) {
      left -= outcomes.length;
      for (const { index, outcome } of outcomes) this.#take(this.#requests[index], outcome);
      this.#pump();
      while (this.#isFull() && this.#writing.size > 0) await Promise.race(this.#writing);
      if (stop.isStopped) return;
    }
    if (left !== 0) throw new Error(`a storage answered for ${String(reads.length - left)} of ${String(reads.length)} files that it was to read`);
  }
  /** INV-27: what was read must be the version that was planned. */
  #take(request, outcome) {
    if (outcome.kind === "failed") return this.#tell(request, outcome);
    if (outcome.kind === "changed" || outcome.content.byteLength !== request.from.sizeBytes) return this.#tell(request, SOURCE_CHANGED);
    const { content, sha256, attributes, isRacy } = outcome;
    if (isDamaged(attributes.content, { sha256, sizeBytes: content.byteLength })) return this.#tell(request, { kind: "failed", error: damagedSource(request.path) });
    if (request.from.hash !== void 0 && request.from.hash !== sha256) return this.#tell(request, SOURCE_CHANGED);
    this.#heldBytes += content.byteLength;
    this.#heldFiles += 1;
    this.#waiting.push({ request, isSourceRacy: isRacy, write: { path: request.path, expected: request.replaces?.token, content, sha256, attributes } });
  }
  #isFull() {
    return this.#heldBytes >= MAX_HELD_BYTES || this.#heldFiles >= MAX_HELD_FILES;
  }
  /** Starts to write what is worth a batch. */
  #pump() {
    while (this.#waiting.length > 0 && this.#writing.size < MAX_WRITING && !this.#options.stop.isStopped) {
      const { count: count2, isWhole } = this.#nextBatch();
      if (!isWhole && this.#isReading && this.#writing.size >= EAGER_WRITING) return;
      const writing = this.#write(this.#waiting.splice(0, count2)).then(() => {
        this.#writing.delete(writing);
        this.#pump();
      });
      this.#writing.add(writing);
    }
  }
  #nextBatch() {
    let count2 = 0;
    for (let bytes = 0; count2 < BATCH_FILES && count2 < this.#waiting.length; count2 += 1) {
      bytes += this.#waiting[count2].write.content.byteLength;
      if (bytes > BATCH_BYTES && count2 > 0) return { count: count2, isWhole: true };
    }
    return { count: count2, isWhole: count2 === BATCH_FILES };
  }
  async #write(batch) {
    try {
      const outcomes = await this.#ways.to.write(batch.map(({ write }) => write), this.#options.signal);
      for (const [index, checked] of batch.entries()) this.#tell(checked.request, outcomeOf(outcomes[index], checked));
    } catch (error) {
      this.#fail(error);
    }
    for (const { write } of batch) this.#heldBytes -= write.content.byteLength;
    this.#heldFiles -= batch.length;
  }
  /** An outcome that ends the whole copy keeps none of the others from being told. */
  #tell(request, outcome) {
    try {
      this.#options.onOutcome(request, outcome);
    } catch (error) {
      this.#fail(error);
    }
  }
  #fail(error) {
    this.#options.stop.isStopped = true;
    this.#failure ??= { error };
  }
};
var SOURCE_CHANGED = { kind: "source-changed" };
function outcomeOf(outcome, { request, isSourceRacy, write }) {
  switch (outcome.kind) {
    case "written":
      return {
        kind: "copied",
        sha256: write.sha256,
        sizeBytes: write.content.byteLength,
        sourceToken: request.from.token,
        isSourceRacy,
        targetToken: outcome.token,
        isTargetRacy: outcome.isRacy
      };
    case "stale":
      return outcome.leftover === void 0 ? { kind: "target-changed" } : { kind: "target-changed", leftover: outcome.leftover };
    case "failed":
      return outcome;
  }
}

// libs/engine/src/copier.ts
var STREAMS = 8;
async function copyAll(copies, context, record) {
  for (const to of ["target", "source"]) {
    const requests = copies.filter((copy) => copy.to === to).map(({ path, from, replaces }) => ({ path, from, replaces }));
    if (requests.length === 0) continue;
    await copyTo(to, requests, context, (request, outcome) => settle(request, outcome, to, context, record));
  }
}
async function copyTo(to, requests, context, onOutcome) {
  const from = storageAt(context, otherSide(to));
  const target = storageAt(context, to);
  const direct = target.copyFrom?.(from, requests, context.signal);
  if (direct !== void 0) {
    for await (const outcomes of direct) {
      for (const { index, outcome } of outcomes) onOutcome(requests[index], outcome);
    }
    return;
  }
  const ways = wholeWays(from, target);
  const isWhole = (request) => ways !== void 0 && request.from.sizeBytes <= ways.maxBytes;
  const stop = { isStopped: false };
  const { signal } = context;
  const stream = async (request) => onOutcome(request, await copyThrough(from, target, request, signal));
  await settleAll([
    ways === void 0 ? Promise.resolve() : copyWhole(requests.filter(isWhole), ways, { onOutcome, stop, signal }),
    runStreams(requests.filter((request) => !isWhole(request)), STREAMS, stream, stop)
  ]);
}
async function copyThrough(from, to, request, signal) {
  const { path, replaces } = request;
  try {
    const content = await contentBeforehand(from, to, request, signal);
    if (content === "changed") return { kind: "source-changed" };
    const opened = await from.read(path, request.from.token, signal);
    if (!opened.ok) return { kind: "source-changed" };
    const reader = opened.value;
    try {
      const attributes = content === void 0 ? reader.attributes : { ...reader.attributes, content };
      const writer = await to.openForSafeReplace(path, replaces?.token, attributes, signal);
      try {
        const { sha256, sizeBytes } = await transfer(reader, writer);
        if (sizeBytes !== request.from.sizeBytes || !await reader.isUnchanged()) return { kind: "source-changed" };
        if (isDamaged(reader.attributes.content, { sha256, sizeBytes })) return { kind: "failed", error: damagedSource(path) };
        if (content !== void 0 && content.sha256 !== sha256) return { kind: "source-changed" };
        const committed = await writer.commit({ sha256, sizeBytes });
        if (!committed.ok) return { kind: "target-changed", ...leftoverOf(committed.error.leftover) };
        return {
          kind: "copied",
          sha256,
          sizeBytes,
          sourceToken: request.from.token,
          isSourceRacy: request.from.isRacy,
          targetToken: committed.value.token,
          isTargetRacy: committed.value.isRacy
        };
      } finally {
        await writer.abort();
      }
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (error === CHANGED) return { kind: "source-changed" };
    if (isBackendError(error)) return { kind: "failed", error };
    throw error;
  }
}
var CHANGED = new Error("the file changed while it was read");
async function transfer(reader, writer) {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of unlessChanged(reader)) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
    try {
      await writer.write(chunk);
    } catch (error) {
      if (isBackendError(error) && error.code === "damaged" && !await reader.isUnchanged()) throw CHANGED;
      throw error;
    }
  }
  return { sha256: toSha256(hash.digest("hex")), sizeBytes };
}
async function* unlessChanged(reader) {
  try {
    yield* reader.chunks();
  } catch (error) {
    throw await reader.isUnchanged().catch(() => true) ? error : CHANGED;
  }
}
function leftoverOf(leftover) {
  return leftover === void 0 ? {} : { leftover };
}
function settle({ path, from, replaces }, outcome, to, context, { log, baseline, arrivals }) {
  if (replaces === void 0) {
    if (outcome.kind === "copied") arrivals.arrived(to, outcome.sha256);
    else arrivals.missed(to, { path, sizeBytes: from.sizeBytes, hash: from.hash });
  }
  switch (outcome.kind) {
    case "copied": {
      const fromToken = trusted(outcome.sourceToken, outcome.isSourceRacy);
      const toToken = trusted(outcome.targetToken, outcome.isTargetRacy);
      const [sourceToken, targetToken] = to === "target" ? [fromToken, toToken] : [toToken, fromToken];
      baseline.add({
        kind: "put",
        key: fileKey(path),
        row: { kind: "file", hash: outcome.sha256, sizeBytes: outcome.sizeBytes, sourceToken, targetToken }
      });
      if (replaces === void 0) baseline.created(to);
      log.copied(outcome.sizeBytes);
      context.events.operation(replaces === void 0 ? "CREATE" : "MODIFY", path);
      return;
    }
    case "source-changed":
      log.retry.add(path);
      return;
    case "target-changed":
      log.retry.add(path);
      reportLeftover(path, to, outcome.leftover, log);
      return;
    case "failed":
      if (isGone(outcome.error)) log.retry.add(path);
      else log.failure(path, sideOf(outcome.error, to), outcome.error);
  }
}
function reportLeftover(path, side, leftover, log) {
  if (leftover === void 0) return;
  log.problem(path, side, "leftover", `a version written while this file was being replaced was kept as ${leftover}`);
}
function trusted(token, isRacy) {
  return isRacy ? NO_TOKEN : token;
}
function isGone({ code }) {
  return code === "not-found" || code === "not-a-directory";
}
function sideOf(error, to) {
  return error.details.operation === "read" ? otherSide(to) : to;
}

// libs/engine/src/cursors.ts
var ListingCursor = class {
  key;
  /** Files met so far that the rules do not leave out. */
  filesSeen = 0;
  /** Places that could not be observed so far: with any, the side cannot be called empty. What is no file at all is none of them. */
  unknownSeen = 0;
  #batches;
  #filter;
  #batch;
  #keys = [];
  #tokens = [];
  #index = -1;
  #whole;
  #through;
  #last = "";
  #isStarted = false;
  #isIgnored = false;
  #ignoredPrefix;
  constructor(batches, filter) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.#filter = filter;
  }
  /**
   * The batch at hand as joined text, as long as none of its rows was stepped to. Then only `key`
   * is known, that of its first row; `skipWhole` or `unfold` leads on.
   */
  get whole() {
    return this.#whole;
  }
  /** The last key of the batch at hand. */
  get through() {
    return this.#through;
  }
  /** Passes over a whole batch, of which the caller knows that its rows are in order; answers how many there are. `fillWhole` is needed next. */
  skipWhole() {
    const batch = this.#batch;
    const first = firstJoined(this.#whole.keys);
    if (this.#isStarted && compareKeys(this.#last, first) >= 0) throw outOfOrder(this.#last, first);
    this.#isStarted = true;
    this.#last = this.#through;
    for (const kind of batch.kinds) if (kind === EntryKind.file) this.filesSeen += 1;
    this.#whole = void 0;
    this.#batch = void 0;
    return batch.kinds.length;
  }
  /** Goes from a whole batch to its rows, the first of which is the one at hand. */
  unfold() {
    if (this.#whole === void 0) return;
    this.#whole = void 0;
    this.#open(this.#batch);
    this.step();
  }
  /** Moves to the next entry within the batch at hand; `false` when `fill` is needed. */
  step() {
    const batch = this.#batch;
    if (batch === void 0) return false;
    for (; ; ) {
      this.#index += 1;
      const key = this.#keys[this.#index];
      if (key === void 0) {
        this.#batch = void 0;
        return false;
      }
      if (this.#isStarted && compareKeys(this.#last, key) >= 0) throw outOfOrder(this.#last, key);
      this.#isStarted = true;
      this.#last = key;
      if (this.#filter !== void 0 && this.#isBelowIgnored(key, batch.kinds[this.#index])) continue;
      this.key = key;
      if (!this.#isIgnored) this.#count(batch);
      return true;
    }
  }
  /** Fetches batches until there is an entry or the listing ended normally; rejects when it failed. */
  async fill() {
    await this.fillWhole();
    this.unfold();
  }
  /** `fill` for a caller that takes a whole batch as well: see `whole`. */
  async fillWhole() {
    do {
      const next = await this.#batches.next();
      if (next.done === true) {
        this.key = void 0;
        this.#through = void 0;
        return;
      }
      const batch = this.#batch = next.value;
      this.#whole = this.#filter === void 0 ? batch.joined : void 0;
      if (this.#whole !== void 0) {
        this.key = firstJoined(this.#whole.keys);
        this.#through = lastJoined(this.#whole.keys);
        return;
      }
      this.#open(batch);
      this.#through = this.#keys.at(-1);
    } while (!this.step());
  }
  /** Stops the listing early. */
  async close() {
    await this.#batches.return?.();
  }
  /** Whether the entry is the plain directory or the file of this token, so that nothing needs deciding. */
  isDirectory() {
    const batch = this.#batch;
    return !this.#isIgnored && batch.kinds[this.#index] === EntryKind.directory && !batch.reasons.has(this.#index);
  }
  /** Token of the entry if it is a file, else `''`. */
  get token() {
    return this.#isIgnored ? "" : this.#tokens[this.#index];
  }
  /** The entry as the planner takes it. */
  node() {
    if (this.#isIgnored) return IGNORED;
    const batch = this.#batch;
    const i = this.#index;
    switch (batch.kinds[i]) {
      case EntryKind.file:
        return fileNode(batch, i);
      case EntryKind.directory: {
        const unlisted = batch.reasons.get(i);
        return unlisted === void 0 ? DIRECTORY : { kind: "directory", unlisted };
      }
      default:
        return { kind: "unknown", reason: batch.reasons.get(i) ?? "read-error" };
    }
  }
  #open(batch) {
    this.#keys = batch.keys;
    this.#tokens = batch.tokens;
    this.#index = -1;
  }
  #count(batch) {
    if (batch.kinds[this.#index] === EntryKind.file) this.filesSeen += 1;
    const reason = batch.reasons.size > 0 ? batch.reasons.get(this.#index) : void 0;
    if (reason !== void 0 && !SKIP_REASONS.has(reason)) this.unknownSeen += 1;
  }
  /** Applies the rules to the entry; `true` when it lies below a directory that they leave out. */
  #isBelowIgnored(key, kind) {
    if (this.#ignoredPrefix !== void 0) {
      if (key.startsWith(this.#ignoredPrefix)) return true;
      this.#ignoredPrefix = void 0;
    }
    const isDirectory = kind === EntryKind.directory;
    this.#isIgnored = this.#filter.ignores(pathOfKey(key), isDirectory);
    if (this.#isIgnored && isDirectory) this.#ignoredPrefix = key;
    return false;
  }
};
var BaselineCursor = class {
  /** `undefined` at the end. */
  key;
  #rows;
  #keys = [];
  #sourceTokens = [];
  #targetTokens = [];
  #index = -1;
  #whole;
  #unopened;
  #isSpent = true;
  constructor(rows) {
    this.#rows = rows;
  }
  /** Whether `fetch` is needed. */
  get isSpent() {
    return this.#isSpent;
  }
  /** As of a `ListingCursor`; then only `isSpent` is known besides. */
  get whole() {
    return this.#whole;
  }
  /** Moves on to the next batch, which should end with the key `through`. */
  fetch(through) {
    const next = this.#rows.next(through);
    this.#isSpent = false;
    if (next.done === true) {
      this.key = void 0;
      return;
    }
    const batch = next.value;
    this.#whole = batch.joined;
    this.#index = 0;
    this.#unopened = batch;
    if (this.#whole === void 0) this.unfold();
  }
  /** Passes over a whole batch. */
  skipWhole() {
    this.#whole = void 0;
    this.#unopened = void 0;
    this.#isSpent = true;
  }
  /** Goes from a whole batch to its rows, the first of which is the one at hand. */
  unfold() {
    const batch = this.#unopened;
    if (batch === void 0) return;
    this.#unopened = void 0;
    this.#whole = void 0;
    this.#keys = batch.keys;
    this.#sourceTokens = batch.sourceTokens;
    this.#targetTokens = batch.targetTokens;
    this.key = this.#keys[0];
  }
  /** Moves to the next row. */
  step() {
    this.#index += 1;
    this.key = this.#keys[this.#index];
    this.#isSpent = this.key === void 0;
  }
  get sourceToken() {
    return this.#sourceTokens[this.#index];
  }
  get targetToken() {
    return this.#targetTokens[this.#index];
  }
  close() {
    this.#rows.return();
  }
};
function batchOf(entries) {
  const count2 = entries.length;
  const batch = {
    keys: entries.map((entry) => entry.key),
    kinds: new Uint8Array(count2),
    tokens: new Array(count2).fill(""),
    sizes: new Float64Array(count2),
    mtimes: new Float64Array(count2),
    racy: new Uint8Array(count2),
    reasons: /* @__PURE__ */ new Map()
  };
  entries.forEach(({ node }, i) => {
    if (node.kind === "file") {
      batch.kinds[i] = EntryKind.file;
      batch.tokens[i] = node.token;
      batch.sizes[i] = node.sizeBytes;
      batch.mtimes[i] = node.mtimeMs;
      batch.racy[i] = node.isRacy ? 1 : 0;
    } else if (node.kind === "directory") {
      batch.kinds[i] = EntryKind.directory;
      if (node.unlisted !== void 0) batch.reasons.set(i, node.unlisted);
    } else {
      batch.kinds[i] = EntryKind.unknown;
      batch.reasons.set(i, node.kind === "unknown" ? node.reason : "read-error");
    }
  });
  return batch;
}
function fileNode(batch, i) {
  return {
    kind: "file",
    token: batch.tokens[i],
    sizeBytes: batch.sizes[i],
    mtimeMs: batch.mtimes[i],
    hash: void 0,
    isRacy: batch.racy[i] === 1
  };
}
function outOfOrder(before, after) {
  return new BackendError("damaged", { operation: "list", retryable: true }, {
    explanation: `the listing is not in order: ${JSON.stringify(after)} follows ${JSON.stringify(before)}`
  });
}

// libs/engine/src/deletions.ts
var CONCURRENCY = 16;
var SIDES2 = ["source", "target"];
async function planDeletions(all, arrivals, context) {
  const moved = /* @__PURE__ */ new Set();
  const keptBack = /* @__PURE__ */ new Set();
  const emptied = { source: /* @__PURE__ */ new Set(), target: /* @__PURE__ */ new Set() };
  for (const on of SIDES2) {
    const files = filesOf(all, on);
    const sorted = await arrivals.sort(on, files);
    for (const file2 of sorted.moved) moved.add(file2);
    for (const file2 of sorted.keptBack) keptBack.add(file2);
    for (const { path } of files) for (const above of ancestorsOf(path)) emptied[on].add(above);
  }
  const isMeant = (item) => item.kind === "delete-file" || storageAt(context, otherSide(item.on)).capabilities.keepsEmptyDirectories || emptied[item.on].has(item.path);
  return {
    deletions: all.filter((item) => !keptBack.has(item) && isMeant(item)),
    moved,
    keptBack: all.filter((item) => keptBack.has(item))
  };
}
async function deletionHalt({ deletions, moved }, knownFiles, counts, context) {
  for (const on of SIDES2) {
    const files = filesOf(deletions, on);
    if (files.length === 0) continue;
    const from = otherSide(on);
    const recentDeletions = context.pair.deletionsSince(on, context.clock.nowMs() - DELETION_WINDOW_MS);
    const verdict = judgeDeletions({
      knownFiles,
      deletions: files.filter((file2) => !moved.has(file2)).length,
      recentDeletions,
      isOtherSideEmpty: await isEmpty(from, counts, context)
    });
    if (verdict !== "allowed") return haltFor(verdict, from, { deletions: files.length, recentDeletions, knownFiles }, context);
  }
  return void 0;
}
async function deleteAll({ deletions, moved }, deleting) {
  const { context, baseline } = deleting;
  for (let next = 0; next < deletions.length; ) {
    context.signal?.throwIfAborted();
    const batch = batchFrom(deletions, next);
    next += batch.length;
    await deleteBatch(batch, moved, deleting);
    await baseline.flush(false);
  }
}
function batchFrom(deletions, start) {
  let end = start;
  while (end - start < CONCURRENCY && deletions[end]?.kind === "delete-file") end += 1;
  return deletions.slice(start, Math.max(end, start + 1));
}
async function deleteBatch(batch, moved, deleting) {
  const gone = [];
  await settleAll(
    batch.map(async (deletion) => {
      if (await isStillGone(deletion, deleting)) gone.push(deletion);
    })
  );
  if (gone.length === 0) return;
  await deleting.assertRoots();
  await settleAll(gone.map((deletion) => deletion.kind === "delete-file" ? deleteFile(deletion, moved.has(deletion), deleting) : deleteDirectory(deletion, deleting)));
}
async function isStillGone({ on, path }, { context, log, disputedAbove }) {
  const other = storageAt(context, otherSide(on));
  try {
    if ((await other.stat(path)).kind !== "absent") {
      log.retry.add(path);
      return false;
    }
    for (const disputed of disputedAbove(path)) {
      const { kind } = await other.stat(disputed);
      if (kind === "absent" || kind === "directory") continue;
      log.retry.add(disputed);
      return false;
    }
    return true;
  } catch (error) {
    log.failure(path, on, error);
    return false;
  }
}
async function deleteFile({ on, path, node }, isMoved, { context, log, baseline }) {
  try {
    const removed = await storageAt(context, on).remove(path, node.token);
    if (!removed.ok) {
      log.retry.add(path);
      reportLeftover(path, on, removed.error.leftover, log);
      return;
    }
    baseline.deleted(fileKey(path), on, isMoved);
    log.deletedFiles += 1;
    context.events.operation("DELETE", path);
  } catch (error) {
    log.failure(path, on, error);
  }
}
async function deleteDirectory({ on, path }, { context, log, baseline }) {
  try {
    const removed = await storageAt(context, on).removeDirectory(path);
    if (removed.ok) {
      baseline.add({ kind: "delete", key: directoryKey(path) });
      log.deletedDirectories += 1;
      context.events.operation("DELETE", path);
    } else if (removed.error === "not-empty" && ![...log.retry].some((waiting) => isWithin(waiting, path))) {
      keepDirectory(path, on, log);
    } else {
      log.retry.add(path);
    }
  } catch (error) {
    log.failure(path, on, error);
  }
}
function keepDirectory(path, on, log) {
  log.remark(path, on, "directory-kept", "deleted on the other side, but kept here: it still holds what is not synced");
}
async function isEmpty(side, counts, context) {
  if (counts !== void 0) return counts[side].files === 0 && counts[side].unknown === 0;
  const { filter, signal } = context;
  const cursor = new ListingCursor(storageAt(context, side).list(ROOT, { ...signal && { signal }, ...filter && { prune: filter } }), filter);
  try {
    for (await cursor.fill(); cursor.key !== void 0; ) {
      if (cursor.filesSeen > 0 || cursor.unknownSeen > 0) return false;
      if (!cursor.step()) await cursor.fill();
    }
  } finally {
    await cursor.close();
  }
  return true;
}
function filesOf(deletions, on) {
  return deletions.filter((item) => item.kind === "delete-file" && item.on === on);
}
function haltFor(verdict, from, { deletions, recentDeletions, knownFiles }, context) {
  const earlier = recentDeletions === 0 ? "" : `, after ${String(recentDeletions)} within the last day`;
  const found = verdict === "side-emptied" ? `${describeSide(context, from)} holds no files any more` : `${deletions} of ${knownFiles} files are gone from ${describeSide(context, from)}${earlier}`;
  return {
    reason: verdict,
    side: from,
    message: `${found}. Nothing was deleted on the ${otherSide(from)}. If the deletion is meant, go on with --allow-mass-delete; otherwise put the files back.`,
    option: "--allow-mass-delete"
  };
}

// libs/engine/src/duplicates.ts
var CANDIDATES = 2e4;
var GROUP = 64;
var STREAMS2 = 8;
async function copyAllSparingly(copies, context, record) {
  const { plain, likely } = sortOut(copies, context);
  await settleAll([copyAll(plain, context, record), copyDuplicates(likely, context, record)]);
}
function sortOut(copies, context) {
  const plain = [];
  const likely = [];
  let budget = CANDIDATES;
  const smallest = { source: smallestWithin("source", context), target: smallestWithin("target", context) };
  const known = /* @__PURE__ */ new Map();
  for (const copy of copies) {
    const { to, from } = copy;
    if (from.sizeBytes < smallest[to]) {
      plain.push(copy);
      continue;
    }
    const id = `${to} ${String(from.sizeBytes)}`;
    let places = known.get(id);
    if (places === void 0) {
      const files = budget > 0 ? context.pair.filesOfSize(from.sizeBytes, budget) : [];
      budget -= files.length;
      known.set(id, places = placesOf(files, to));
    }
    if (places.size === 0) plain.push(copy);
    else likely.push({ copy, places });
  }
  return { plain, likely };
}
function smallestWithin(to, context) {
  const target = storageAt(context, to);
  const { copyWithinBytes } = target.capabilities;
  if (copyWithinBytes === void 0) return Infinity;
  const hasDirectWay = target.copyFrom?.(storageAt(context, otherSide(to)), []) !== void 0;
  return hasDirectWay ? Infinity : Math.max(copyWithinBytes, FINDABLE_BYTES);
}
function placesOf(files, on) {
  const places = /* @__PURE__ */ new Map();
  for (const { key, row } of files) {
    const token = on === "target" ? row.targetToken : row.sourceToken;
    if (token === NO_TOKEN) continue;
    const same2 = places.get(row.hash);
    if (same2 === void 0) places.set(row.hash, [{ path: pathOfKey(key), token }]);
    else same2.push({ path: pathOfKey(key), token });
  }
  return places;
}
async function copyDuplicates(likely, context, record) {
  for (const to of ["target", "source"]) {
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
async function hashSources(likely, to, context) {
  const storage = storageAt(context, otherSide(to));
  const known = likely.map((item) => withHash(item, hashOf(item.copy, storage, context)));
  if (storage.capabilities.hashesByTransfer === true) return known;
  const unread = known.filter(({ copy }) => copy.from.hash === void 0);
  const outcomes = await hashFiles(storage, unread.map(({ copy }) => copy.path), context.signal);
  const learnt = /* @__PURE__ */ new Map();
  for (const [i, { copy }] of unread.entries()) {
    const outcome = outcomes[i];
    if (outcome?.kind === "hashed" && outcome.node.token === copy.from.token) learnt.set(copy, outcome.node);
  }
  const lasting = [...learnt].filter(([, node]) => !node.isRacy).map(([{ path }, { token, hash }]) => ({ path, token, hash }));
  if (lasting.length > 0) context.cache.putMany(storage.backendId, lasting);
  return known.map((item) => withNode(item, learnt.get(item.copy)));
}
function hashOf({ path, from }, storage, { cache }) {
  return from.hash ?? (from.isRacy ? void 0 : cache.get(storage.backendId, path, from.token));
}
function withHash(item, hash) {
  return hash === void 0 ? item : withNode(item, { ...item.copy.from, hash });
}
function withNode(item, from) {
  return from === void 0 ? item : { ...item, copy: { ...item.copy, from } };
}
async function findPlaces(likely, to, context) {
  const storage = storageAt(context, otherSide(to));
  const found = [];
  const turns = /* @__PURE__ */ new Map();
  const choose = (hash, { copy, places }) => {
    const turn = turns.get(hash) ?? 0;
    turns.set(hash, turn + 1);
    const same2 = (places.get(hash) ?? []).filter(({ path }) => path !== copy.path);
    return same2[turn % Math.max(same2.length, 1)];
  };
  const worthIt = likely.filter(({ copy: { from }, places }) => from.hash === void 0 || places.has(from.hash));
  await runStreams(worthIt, STREAMS2, async (item) => {
    const { path, from } = item.copy;
    const attributes = await attributesOf(storage, path, from.token, context.signal);
    const stored = attributes?.content?.sizeBytes === from.sizeBytes ? attributes.content.sha256 : void 0;
    const hash = from.hash ?? stored;
    const place = hash === void 0 ? void 0 : choose(hash, item);
    if (attributes === void 0 || hash === void 0 || place === void 0) return;
    found.push({ copy: item.copy, source: { ...from, hash }, place, attributes });
  });
  return found;
}
async function attributesOf(storage, path, token, signal) {
  try {
    const opened = await storage.read(path, token, signal);
    if (!opened.ok) return void 0;
    await opened.value.close();
    return opened.value.attributes;
  } catch (error) {
    if (!isBackendError(error) || concernsWholeStorage(error)) throw error;
    return void 0;
  }
}
async function copyWithin(found, to, context, record) {
  const storage = storageAt(context, to);
  const requests = found.map(({ copy, source, place, attributes }) => {
    const { path, replaces } = copy;
    const { sizeBytes, hash, mtimeMs } = source;
    const from = { kind: "file", token: place.token, sizeBytes, mtimeMs, hash, isRacy: false };
    return { path, fromPath: place.path, from, replaces, attributes: { ...attributes, content: { sha256: hash, sizeBytes } } };
  });
  const settled2 = [];
  if (requests.length === 0) return settled2;
  for await (const outcomes of storage.copyFrom?.(storage, requests, context.signal) ?? []) {
    for (const { index, outcome } of outcomes) {
      const { copy, source } = found[index];
      if (outcome.kind !== "copied" && outcome.kind !== "target-changed") continue;
      invariant(outcome.kind !== "copied" || outcome.sha256 === source.hash, "INV-27: a copy within a storage has the hash asked for");
      settled2.push(copy);
      settle(copy, outcome.kind === "copied" ? { ...outcome, sourceToken: source.token, isSourceRacy: source.isRacy } : outcome, to, context, record);
    }
  }
  return settled2;
}

// libs/engine/src/identify.ts
var SETTLE_MS = 2e3;
var Identifier = class {
  #context;
  #isKnownConflict;
  /** `isKnownConflict`: whether a conflict of this path is on record; its versions are compared with those shown. */
  constructor(context, isKnownConflict) {
    this.#context = context;
    this.#isKnownConflict = isKnownConflict;
  }
  /** Gives the files of a chunk the hashes that `reconcile` needs: by token where possible, else by reading. */
  async identify(chunk) {
    const rows = chunk.map(({ key, source, target, isKnown }) => {
      const row = isKnown ? this.#context.pair.get(key) : void 0;
      return {
        key,
        baseline: baselineNodeOf(row),
        source: hashByToken(source, row, "source"),
        target: hashByToken(target, row, "target")
      };
    });
    for (let isMissing3 = true; isMissing3; ) {
      const [source, target] = [this.#unhashed(rows, "source"), this.#unhashed(rows, "target")];
      await settleAll([this.#hash(source, "source"), this.#hash(target, "target")]);
      isMissing3 = source.length + target.length > 0;
    }
    for (const row of rows) {
      row.source = this.#settled(row.source, row.baseline);
      row.target = this.#settled(row.target, row.baseline);
    }
    return rows;
  }
  /** A file that was just emptied is most likely being saved: not yet a version to bring over. */
  #settled(node, baseline) {
    if (node.kind !== "file" || node.sizeBytes > 0 || baseline.kind !== "file" || baseline.sizeBytes === 0) return node;
    return this.#isFresh(node) ? { kind: "unknown", reason: "changing" } : node;
  }
  /** Whether a file was written a moment ago. A time in the future says nothing (INV-22). */
  #isFresh(node) {
    const ageMs = this.#context.clock.nowMs() - node.mtimeMs;
    return ageMs >= 0 && ageMs < SETTLE_MS;
  }
  /** Whether a version may be another by the time it is replaced or removed, although its token is the same (T30). */
  maySlip(node) {
    return node !== void 0 && node.isRacy && this.#isFresh(node) && !this.#context.isDryRun;
  }
  /** The rows whose file on a side must be hashed and is not yet. */
  #unhashed(rows, side) {
    return rows.filter((row) => {
      const node = row[side];
      if (node.kind !== "file" || node.hash !== void 0) return false;
      return hashesNeeded(row.baseline, row.source, row.target)[side] || this.#isKnownConflict(pathOfKey(row.key));
    });
  }
  async #hash(rows, side) {
    const storage = storageAt(this.#context, side);
    const unread = [];
    for (const row of rows) {
      const path = pathOfKey(row.key);
      const node = row[side];
      const cached = node.isRacy ? void 0 : this.#context.cache.get(storage.backendId, path, node.token);
      if (cached === void 0) unread.push({ row, path });
      else row[side] = { ...node, hash: cached };
    }
    const outcomes = await hashFiles(storage, unread.map(({ path }) => path), this.#context.signal);
    const learnt = [];
    for (const [i, { row, path }] of unread.entries()) {
      const outcome = outcomes[i];
      switch (outcome.kind) {
        case "hashed":
          row[side] = outcome.node;
          if (!outcome.node.isRacy) learnt.push({ path, token: outcome.node.token, hash: outcome.node.hash });
          break;
        case "absent":
          row[side] = ABSENT;
          break;
        case "changing":
          row[side] = { kind: "unknown", reason: "changing" };
          break;
        case "unknown":
          row[side] = { kind: "unknown", reason: outcome.reason };
      }
    }
    if (!this.#context.isDryRun && learnt.length > 0) this.#context.cache.putMany(storage.backendId, learnt);
  }
};
function hashByToken(node, row, side) {
  if (node.kind !== "file" || row?.kind !== "file" || node.hash !== void 0) return node;
  const token = side === "source" ? row.sourceToken : row.targetToken;
  return node.token === token ? { ...node, hash: row.hash } : node;
}

// libs/engine/src/join.ts
async function* joinStreams(source, target, baseline, { chunkRows, deliverAll, onSeen, signal }) {
  let chunk = [];
  let seen = 0;
  await Promise.all([source.fillWhole(), target.fillWhole()]);
  for (; ; ) {
    signal?.throwIfAborted();
    if (baseline.isSpent) baseline.fetch(source.through ?? target.through);
    if (!deliverAll && areSettled(source, target, baseline)) {
      baseline.skipWhole();
      target.skipWhole();
      onSeen(seen + source.skipWhole());
      seen = 0;
      await Promise.all([source.fillWhole(), target.fillWhole()]);
      continue;
    }
    source.unfold();
    target.unfold();
    baseline.unfold();
    const s = source.key;
    const t = target.key;
    const b = baseline.key;
    if (s === void 0 && t === void 0 && b === void 0) break;
    seen += 1;
    if (s !== void 0 && s === t && s === b && !deliverAll && isSettled(source, target, baseline)) {
      baseline.step();
    } else {
      const key = least(least(s, t), b);
      chunk.push({
        key,
        source: s === key ? source.node() : ABSENT,
        target: t === key ? target.node() : ABSENT,
        isKnown: b === key
      });
      if (b === key) baseline.step();
      if (chunk.length >= chunkRows) {
        onSeen(seen);
        seen = 0;
        yield chunk;
        chunk = [];
      }
      if (s !== key) {
        if (t === key && !target.step()) await target.fillWhole();
        continue;
      }
      if (t !== key) {
        if (!source.step()) await source.fillWhole();
        continue;
      }
    }
    const hasSource = source.step();
    const hasTarget = target.step();
    if (!hasSource || !hasTarget) {
      if (seen > 0) onSeen(seen);
      seen = 0;
      await Promise.all([hasSource ? void 0 : source.fillWhole(), hasTarget ? void 0 : target.fillWhole()]);
    }
  }
  onSeen(seen);
  if (chunk.length > 0) yield chunk;
}
function areSettled({ whole: source }, { whole: target }, { whole: baseline }) {
  if (source === void 0 || target === void 0 || baseline === void 0) return false;
  return source.keys === baseline.keys && target.keys === baseline.keys && source.tokens === baseline.sourceTokens && target.tokens === baseline.targetTokens;
}
function isSettled(source, target, baseline) {
  const sourceToken = source.token;
  if (sourceToken !== "") return sourceToken === baseline.sourceToken && target.token === baseline.targetToken;
  return source.isDirectory() && target.isDirectory();
}
function least(a, b) {
  if (a === void 0) return b;
  if (b === void 0) return a;
  return compareKeys(a, b) <= 0 ? a : b;
}

// libs/engine/src/root-guard.ts
var SIDES3 = ["source", "target"];
async function checkRoots(context, { isOpen = false } = {}) {
  const seen = judge(await lookAtRoots(context, { source: false, target: false }, isOpen), context);
  if (!seen.ok || !context.pair.summary().areRootsLost) return seen;
  const halt = await doubtfulRoot(seen, context);
  return halt === void 0 ? seen : { ok: false, halt };
}
async function markRoots(context) {
  const marked = judge(await lookAtRoots(context, { source: !context.isUnidirectional, target: true }, true), context);
  if (!marked.ok) return marked;
  const stored = context.pair.summary();
  const isNews = marked.source.ids.some((id) => !stored.sourceRootIds.includes(id)) || marked.target.ids.some((id) => !stored.targetRootIds.includes(id));
  if (isNews) context.pair.setRoots(marked.source.ids, marked.target.ids);
  return marked;
}
function judge(seen, context) {
  if (!seen.ok) return seen;
  const stored = context.pair.summary();
  for (const side of SIDES3) {
    const ids = side === "source" ? stored.sourceRootIds : stored.targetRootIds;
    if (!isSameRoot(ids, seen[side].ids)) return { ok: false, halt: changedRoot(side, context) };
  }
  const overlap = overlapHalt(seen.source, seen.target, context);
  return overlap === void 0 ? seen : { ok: false, halt: overlap };
}
async function lookAtRoots(context, mark, isOpen) {
  const found = {};
  for (const side of SIDES3) {
    const storage = storageAt(context, side);
    try {
      if (!isOpen) await storage.open(context.signal);
      found[side] = await storage.rootIdentity({ mark: mark[side] && !storage.capabilities.isReadOnly });
    } catch (error) {
      if (!isBackendError(error) || error.code === "cancelled") throw error;
      return { ok: false, halt: unseenRoot(side, error, context) };
    }
  }
  return { ok: true, source: found.source, target: found.target };
}
async function doubtfulRoot(seen, context) {
  const doubtful = [];
  for (const side of SIDES3) {
    try {
      if (await isBlank(storageAt(context, side), seen[side], context.signal)) doubtful.push(side);
    } catch (error) {
      if (!isBackendError(error) || error.code === "cancelled") throw error;
      return unseenRoot(side, error, context);
    }
  }
  return doubtful.length === 1 ? lostRoot(doubtful[0], context) : void 0;
}
async function isBlank(storage, { ids }, signal) {
  if (ids.some((id) => id.startsWith("marker:"))) return false;
  let isEmpty2 = true;
  const onUnrepresentable = () => {
    isEmpty2 = false;
  };
  for await (const { keys } of storage.list(ROOT, { onUnrepresentable, ...signal && { signal } })) {
    if (keys.length > 0) return false;
  }
  return isEmpty2;
}
function adviceOnRoot(error) {
  if (isMissing(error)) return "Connect or mount it, or create it if it is meant to be new";
  if (error.code === "unauthorized") return "Give it credentials that work";
  return error.code === "unreachable" || error.code === "throttled" ? "Make it reachable" : "Make it readable";
}
function unseenRoot(side, error, context) {
  return {
    reason: isMissing(error) ? "root-missing" : "root-unreadable",
    side,
    message: `${describeSide(context, side)} cannot be used: ${error.message}. Nothing was changed on the ${otherSide(side)}. ${adviceOnRoot(error)}; the sync then goes on by itself.`
  };
}
function isMissing({ code }) {
  return code === "not-found" || code === "not-a-directory";
}
function changedRoot(side, context) {
  return {
    reason: "root-changed",
    side,
    message: `${describeSide(context, side)} is not the place it was at the last sync (another disk, or an empty mount point?). Nothing was changed. Bring the old one back, or, if the new one is meant, go on with --accept-new-root: both sides are then merged as at a first sync and nothing is deleted.`,
    option: "--accept-new-root"
  };
}
function lostRoot(side, context) {
  return {
    reason: "root-changed",
    side,
    message: `${describeSide(context, side)} is empty, and what was stored of it was damaged, so that nobody can tell whether it is the right place (an empty mount point?). Nothing was changed. Connect or mount the right one; the sync then goes on by itself. If it is meant to be empty, go on with --accept-new-root: both sides are then merged as at a first sync and nothing is deleted.`,
    option: "--accept-new-root"
  };
}
function overlapHalt(source, target, context) {
  const isComparable = mediumOf(context.source.type) === mediumOf(context.target.type);
  const overlap = isComparable ? rootOverlap(source.location, target.location) : "apart";
  const sharesPlace = isComparable && source.ids.some((id) => !id.startsWith("marker:") && target.ids.includes(id));
  if (overlap === "apart" && !sharesPlace) return void 0;
  const how = overlap === "nested" ? "one lies inside the other" : "both are the same place";
  return {
    reason: "overlapping-roots",
    message: `${describeSide(context, "source")} and ${describeSide(context, "target")} cannot be synced with each other: ${how}. Choose two separate places.`
  };
}
function mediumOf(type) {
  return type.startsWith("local") ? "local" : type;
}

// libs/engine/src/widen-points.ts
async function widenPoints(points, context) {
  const { filter } = context;
  const common = /* @__PURE__ */ new Map();
  const widened = /* @__PURE__ */ new Set();
  for (const point of points) {
    const ancestors = ancestorsOf(point);
    if (filter !== void 0 && ancestors.some((path) => filter.ignores(path, true))) continue;
    let outermost = point;
    for (const path of ancestors) {
      const isCommon = common.get(path) ?? await isCommonDirectory(path, context);
      common.set(path, isCommon);
      if (isCommon) continue;
      outermost = path;
      break;
    }
    widened.add(outermost);
  }
  return [...widened].filter((point) => !ancestorsOf(point).some((path) => widened.has(path)));
}
async function isCommonDirectory(path, { source, target, pair }) {
  if (pair.get(directoryKey(path)) === void 0) return false;
  const looks = await Promise.allSettled([source.stat(path), target.stat(path)]);
  return looks.every((look) => look.status === "fulfilled" && look.value.kind === "directory");
}

// libs/engine/src/pass.ts
var CHUNK_ROWS = 1024;
async function runPass(context, scope, options) {
  return new Pass(context, options).run(scope);
}
var Pass = class {
  #context;
  #options;
  #log;
  #baseline;
  #conflicts;
  #failedDirectories = /* @__PURE__ */ new Set();
  #deletions = [];
  /** Deletions that wait for the arrival of their content elsewhere. */
  #keptBack = [];
  /** Files that the baseline knew when the pass began. */
  #knownFiles;
  #arrivals;
  #identifier;
  #copying = Promise.resolve();
  /** Set once a root was found to be another one: what this pass wrote since the look before may be anywhere. */
  #lostRoot;
  constructor(context, options) {
    this.#context = context;
    this.#options = options;
    this.#log = new PassLog(context);
    this.#baseline = new BaselineWriter(context, () => this.#assertRoots());
    this.#conflicts = this.#newConflictBook();
    this.#arrivals = new Arrivals(context);
    this.#identifier = new Identifier(context, (path) => this.#conflicts.known(path) !== void 0);
    this.#knownFiles = context.pair.totals().files;
  }
  async run(scope) {
    const { pair, clock: clock2, isDryRun } = this.#context;
    const roots = await this.#checkRoots();
    if (roots !== void 0) return { report: this.#log.report(pair.conflicts().length, false, roots), unsettled: [] };
    try {
      const counts = await this.#scan(scope);
      this.#log.totalsAreFinal();
      let halt = await this.#delete(counts);
      halt ??= await this.#retry();
      await this.#baseline.flush(true);
      this.#baseline.settleCreations();
      await this.#conflicts.settle((path) => scope === "all" || scope.some((point) => isWithin(path, point)));
      if (scope === "all" && !isDryRun && halt === void 0) pair.setLastFullPass(clock2.nowMs());
      const conflicts = isDryRun ? this.#conflicts.count : pair.conflicts().length;
      return { report: this.#log.report(conflicts, true, halt), unsettled: [...this.#log.retry] };
    } catch (error) {
      await this.#copying.catch(() => void 0);
      await this.#baseline.flush(true).catch(() => void 0);
      const halt = await this.#haltBehind(error);
      if (halt === void 0) throw error;
      return { report: this.#log.report(pair.conflicts().length, false, halt), unsettled: [] };
    }
  }
  /** The halt that a failure of a whole storage comes from, if its root went away meanwhile (T04). */
  async #haltBehind(error) {
    if (error instanceof RootLostError) return error.halt;
    if (!isBackendError(error) || error.code === "cancelled" || this.#context.signal?.aborted === true) return void 0;
    const check = await checkRoots(this.#context).catch(() => void 0);
    return check === void 0 || check.ok ? void 0 : check.halt;
  }
  #newConflictBook() {
    return new ConflictBook(this.#context, this.#log, () => this.#assertRoots());
  }
  /** Looks at the roots in the middle of the pass. One that was lost stays so, even if it is back by now. */
  async #lookAtRoots() {
    if (this.#lostRoot === void 0) {
      const roots = await checkRoots(this.#context, { isOpen: true });
      if (!roots.ok) this.#lostRoot = roots.halt;
    }
    return this.#lostRoot;
  }
  async #assertRoots() {
    const halt = await this.#lookAtRoots();
    if (halt !== void 0) throw new RootLostError(halt);
  }
  async #checkRoots() {
    let check = await checkRoots(this.#context);
    if (!check.ok) {
      const isAccepted = check.halt.reason === "root-changed" && this.#options.acceptNewRoot && !this.#context.isDryRun;
      if (!isAccepted) return check.halt;
      this.#context.pair.reset();
      this.#conflicts = this.#newConflictBook();
      check = await checkRoots(this.#context, { isOpen: true });
      if (!check.ok) return check.halt;
    }
    if (this.#context.isDryRun) return void 0;
    const marked = await markRoots(this.#context);
    return marked.ok ? void 0 : marked.halt;
  }
  /** Scans, and starts the copies; returns what a scan of everything saw. */
  async #scan(scope) {
    const { pair, filter } = this.#context;
    if (scope !== "all" && !scope.includes(ROOT)) {
      const unsure = /* @__PURE__ */ new Set();
      const points = await widenPoints(scope, this.#context);
      const places = new Set(points);
      this.#keptBack = this.#keptBack.filter(({ path }) => !isAtOrBelow(path, places));
      for (const point of points) {
        if (await this.#scanPoint(point) === "siblings-matter") unsure.add(parentOf(point));
      }
      await this.#copying;
      if (unsure.size > 0) await this.#scanAround([...unsure]);
      return void 0;
    }
    this.#keptBack = [];
    const cursors = {
      source: new ListingCursor(this.#list("source", ROOT), filter),
      target: new ListingCursor(this.#list("target", ROOT), filter)
    };
    await this.#join(ROOT, cursors.source, cursors.target, pair.scan(ROOT));
    this.#log.totalsAreFinal();
    await this.#copying;
    const counts = (side) => ({ files: cursors[side].filesSeen, unknown: cursors[side].unknownSeen });
    return { source: counts("source"), target: counts("target") };
  }
  /**
   * Scans directories in which something was looked at already: what came of that must be known first,
   * or rows that were given up a moment ago would decide again (INV-12).
   */
  async #scanAround(directories) {
    await this.#baseline.flush(true);
    const places = new Set(directories);
    this.#deletions = this.#deletions.filter(({ path }) => !places.has(ROOT) && !isAtOrBelow(path, places));
    await this.#scan(directories);
  }
  #list(side, directory) {
    const { signal, filter } = this.#context;
    return storageAt(this.#context, side).list(directory, {
      ...signal && { signal },
      ...filter && { prune: filter },
      onUnrepresentable: (name) => {
        const where = name.directory === ROOT ? name.display : `${name.directory}/${name.display}`;
        this.#log.problem(where, side, "name-not-unicode", `the name of ${where} is not valid Unicode; rename it to sync it`);
      }
    });
  }
  /**
   * Scans one name: looked at by itself, and listed where it is a directory. Where names are
   * folded, its deletion is not decided without its siblings: it may have been renamed in case (T73).
   */
  async #scanPoint(point) {
    const { pair, filter } = this.#context;
    const planned = this.#deletions.length;
    try {
      await this.#join(
        parentOf(point),
        new ListingCursor(this.#look("source", point), filter),
        new ListingCursor(this.#look("target", point), filter),
        scanFrom(point, pair.get(fileKey(point)), pair.scan(point))
      );
    } catch (error) {
      if (!(error instanceof LookError)) throw error;
      this.#deletions.length = planned;
      if (error.cause.code === "not-found") this.#log.retry.add(point);
      else this.#log.failure(point, error.side, error.cause);
      return "done";
    }
    const isOwnDeletion = this.#deletions.slice(planned).some(({ path }) => path === point);
    if (!isOwnDeletion || !this.#isFolding) return "done";
    this.#deletions.length = planned;
    return "siblings-matter";
  }
  /** Whether a side does not tell names apart that differ only in case. */
  get #isFolding() {
    return [this.#context.source, this.#context.target].some((storage) => !storage.capabilities.isCaseSensitive);
  }
  /** What is at a point and below it. */
  async *#look(side, point) {
    try {
      const node = await storageAt(this.#context, side).stat(point);
      if (node.kind === "absent") return;
      const key = node.kind === "directory" ? directoryKey(point) : fileKey(point);
      yield batchOf([{ key, node }]);
      if (node.kind === "directory") yield* this.#list(side, point);
    } catch (error) {
      throw isBackendError(error) ? new LookError(side, error) : error;
    }
  }
  async #join(root, source, target, rows) {
    const { isUnidirectional, signal } = this.#context;
    const isFolding = this.#isFolding;
    const planner = new TreePlanner(root, {
      isUnidirectional,
      known: (path) => this.#conflicts.known(path),
      ...isFolding && { fold: (name) => name.normalize("NFC").toLowerCase() }
    });
    const baseline = new BaselineCursor(rows);
    try {
      const onSeen = (keys) => this.#log.seen(keys);
      for await (const chunk of joinStreams(source, target, baseline, { chunkRows: CHUNK_ROWS, deliverAll: isFolding, onSeen, signal })) {
        const items2 = [];
        for (const row of await this.#identifier.identify(chunk)) planner.visit(row, items2);
        await this.#apply(items2);
      }
      const items = [];
      planner.finish(items);
      await this.#apply(items);
    } finally {
      baseline.close();
      await settleAll([source.close(), target.close()]);
    }
  }
  /** Carries out the items of a chunk; copies go on in the background, one chunk ahead of the scan. */
  async #apply(items) {
    const copies = [];
    const conflicts = [];
    const making = /* @__PURE__ */ new Map();
    const { isDryRun } = this.#context;
    let forgetsTree = false;
    for (const item of items) {
      if (isDryRun) this.#showPlan(item);
      switch (item.kind) {
        case "in-sync":
        case "adopt":
          this.#agree(item.path, item.source, item.target, item.kind === "adopt");
          break;
        case "forget":
          forgetsTree ||= isDirectoryKey(item.key);
          this.#baseline.add({ kind: isDirectoryKey(item.key) ? "delete-subtree" : "delete", key: item.key });
          break;
        case "make-directory":
          if (forgetsTree) await settled(making, this.#baseline.flush(true));
          forgetsTree = false;
          if (!isDryRun) this.#startMaking(item.on, item.path, making);
          break;
        case "copy-file":
          if (this.#identifier.maySlip(item.replaces)) this.#log.retry.add(item.path);
          else copies.push(item);
          break;
        case "delete-file":
          if (this.#identifier.maySlip(item.node)) this.#log.retry.add(item.path);
          else this.#deletions.push(item);
          break;
        case "delete-directory":
          this.#deletions.push(item);
          break;
        case "keep-directory":
          if (item.because === "ignored") keepDirectory(item.path, item.on, this.#log);
          break;
        case "conflict":
          conflicts.push(item);
          break;
        case "blocked":
          this.#blocked(item);
      }
    }
    await settleAll([...making.values()]);
    await this.#conflicts.add(conflicts);
    if (!isDryRun) {
      await this.#startCopies(copies);
      return;
    }
    for (const { path, to, from, replaces } of copies) {
      if (replaces === void 0) this.#arrivals.missed(to, { path, sizeBytes: from.sizeBytes, hash: from.hash });
    }
  }
  async #startCopies(copies) {
    const wanted = copies.filter(({ path }) => !ancestorsOf(path).some((above) => this.#failedDirectories.has(above)));
    for (const copy of wanted) this.#log.toCopy(copy.from);
    await this.#copying;
    const record = { log: this.#log, baseline: this.#baseline, arrivals: this.#arrivals };
    this.#copying = copyAllSparingly(wanted, this.#context, record).then(() => this.#baseline.flush(false));
    this.#copying.catch(() => void 0);
  }
  /** Both sides hold the same: the baseline learns it, unless it says so already. */
  #agree(path, source, target, isNew) {
    if (source.kind !== "file" || target.kind !== "file") {
      this.#baseline.add({ kind: "put", key: directoryKey(path), row: { kind: "directory" } });
      return;
    }
    const key = fileKey(path);
    const hash = source.hash ?? target.hash;
    if (hash === void 0) return;
    const row = {
      kind: "file",
      hash,
      sizeBytes: source.sizeBytes,
      sourceToken: trusted(source.token, source.isRacy),
      targetToken: trusted(target.token, target.isRacy)
    };
    const old = isNew ? void 0 : this.#context.pair.get(key);
    if (old?.kind === "file" && old.sourceToken === row.sourceToken && old.targetToken === row.targetToken) return;
    this.#baseline.add({ kind: "put", key, row });
  }
  /** Directories are made side by side, each after the one that holds it (INV-4): on a bucket each is a request. */
  #startMaking(on, path, making) {
    const above = making.get(`${on} ${parentOf(path)}`);
    const made = above === void 0 ? this.#makeDirectory(on, path) : above.then(() => this.#makeDirectory(on, path));
    made.catch(() => void 0);
    making.set(`${on} ${path}`, made);
  }
  async #makeDirectory(on, path) {
    if (ancestorsOf(path).some((above) => this.#failedDirectories.has(above))) return;
    try {
      const storage = storageAt(this.#context, on);
      const made = await storage.makeDirectory(path);
      if (made.ok) {
        if (!storage.capabilities.keepsEmptyDirectories && this.#context.pair.get(directoryKey(path)) !== void 0) return;
        this.#baseline.add({ kind: "put", key: directoryKey(path), row: { kind: "directory" } });
        this.#log.madeDirectories += 1;
        this.#context.events.operation("CREATE", path);
        return;
      }
      this.#log.retry.add(path);
    } catch (error) {
      this.#log.failure(path, on, error);
    }
    this.#failedDirectories.add(path);
  }
  #blocked({ path, side, reason }) {
    this.#conflicts.hide(path);
    if (SKIP_REASONS.has(reason)) this.#log.skip({ path, side, reason });
    else if (reason === "changing" || reason === "vanished") this.#log.retry.add(path);
    else this.#log.problem(path, side, reason, MESSAGES[reason] ?? "could not be read; nothing was changed here");
  }
  /** Adds a step to what a dry run shows; deletions follow at the end, as they would be carried out. */
  #showPlan(item) {
    switch (item.kind) {
      case "make-directory":
        this.#log.planned({ operation: "CREATE", side: item.on, path: item.path, isDirectory: true, sizeBytes: 0 });
        break;
      case "copy-file": {
        const { to, path, from, replaces } = item;
        const operation = replaces === void 0 ? "CREATE" : "MODIFY";
        this.#log.planned({ operation, side: to, path, isDirectory: false, sizeBytes: from.sizeBytes });
        break;
      }
      case "conflict":
        this.#log.planned({ operation: "CONFLICT", side: "both", path: item.path, isDirectory: false, sizeBytes: 0 });
        break;
      default:
    }
  }
  async #delete(counts) {
    const wanted = this.#deletions.filter(({ path }) => !this.#conflicts.isCollided(path));
    this.#deletions = [];
    if (wanted.length === 0) return void 0;
    const { clock: clock2, signal, isDryRun, pair } = this.#context;
    await this.#baseline.flush(true);
    const lost = await this.#lookAtRoots();
    if (lost !== void 0) return lost;
    const plan = await planDeletions(wanted, this.#arrivals, this.#context);
    if (!this.#options.allowMassDelete) {
      const halt = await deletionHalt(plan, this.#knownFiles - this.#log.deletedFiles, counts, this.#context);
      if (halt !== void 0) return halt;
    }
    this.#keptBack = plan.keptBack;
    if (isDryRun) {
      for (const item of plan.deletions) {
        const isDirectory = item.kind === "delete-directory";
        this.#log.planned({ operation: "DELETE", side: item.on, path: item.path, isDirectory, sizeBytes: "node" in item ? item.node.sizeBytes : 0 });
      }
      return void 0;
    }
    if (this.#options.deletionDelayMs > 0) {
      await clock2.sleep(this.#options.deletionDelayMs, signal);
      const isPlain2 = (item) => item.kind === "delete-file" && !plan.moved.has(item);
      if (plan.deletions.some(isPlain2) && this.#options.isDisturbed?.() === true) {
        const moves = plan.deletions.filter((item) => plan.moved.has(item));
        for (const item of plan.deletions) if (!plan.moved.has(item)) this.#log.retry.add(item.path);
        await this.#deleteAll({ ...plan, deletions: moves });
        return void 0;
      }
    }
    await this.#deleteAll(plan);
    if (this.#options.allowMassDelete) {
      await this.#baseline.flush(true);
      pair.clearDeletions();
    }
    return void 0;
  }
  #deleteAll(plan) {
    const disputedAbove = (path) => this.#conflicts.disputedAbove(path);
    const assertRoots = () => this.#assertRoots();
    return deleteAll(plan, { context: this.#context, log: this.#log, baseline: this.#baseline, disputedAbove, assertRoots });
  }
  /** Looks again at what changed under the pass, a few times, ever more patiently. */
  async #retry() {
    const rounds = this.#context.isDryRun ? 0 : this.#options.retries;
    for (let round = 0; round < rounds && this.#log.retry.size > 0; round += 1) {
      await this.#context.clock.sleep(50 * 4 ** round, this.#context.signal);
      await this.#baseline.flush(true);
      const lost = await this.#lookAtRoots();
      if (lost !== void 0) return lost;
      this.#failedDirectories.clear();
      const again = this.#log.takeRetries();
      this.#conflicts.lookAgain(again);
      await this.#scan(again);
      this.#deletions.push(...this.#keptBack);
      this.#keptBack = [];
      const halt = await this.#delete(void 0);
      if (halt !== void 0) return halt;
    }
    this.#log.giveUpRetries();
    for (const { path, on } of this.#keptBack) {
      this.#log.problem(path, on, "waiting", "kept until its content, which could not be brought over under its new name, has arrived there");
    }
    return void 0;
  }
};
var MESSAGES = {
  "permission-denied": "permission denied; make it readable for the user that runs the sync",
  "name-collision": "another name here differs from it only in case, and one storage cannot hold both; rename one",
  "name-not-representable": "one storage cannot hold this name; rename it",
  "file-and-directory": "the storage shows a file and a directory of this name; rename one",
  "too-deep": "lies too deep to be handled; move it up",
  "listing-incomplete": "could not be listed to the end; nothing below was changed",
  "read-error": "could not be read; nothing was changed here"
};
var LookError = class extends Error {
  constructor(side, cause) {
    super(cause.message, { cause });
    this.side = side;
    this.cause = cause;
  }
  side;
  cause;
};
async function settled(beside, step) {
  try {
    await step;
  } catch (error) {
    await Promise.allSettled(beside.values());
    throw error;
  }
}
var RootLostError = class extends Error {
  constructor(halt) {
    super(halt.message);
    this.halt = halt;
  }
  halt;
};
function* scanFrom(point, row, below) {
  if (row?.kind === "file") {
    yield { keys: [fileKey(point)], sizes: [row.sizeBytes], sourceTokens: [row.sourceToken], targetTokens: [row.targetToken] };
  }
  yield* below;
}

// libs/engine/src/generic-syncer.ts
var ONE_SHOT_RETRIES = 4;
var GENERIC = GENERIC_TRAITS.SYNCER_NAME;
function genericSyncer(parts) {
  return {
    traits: GENERIC_TRAITS,
    create: (context, carriers = {}) => new GenericSyncer(context, parts, carriers)
  };
}
var GenericSyncer = class {
  #context;
  #parts;
  /** The storages as passes see them; watchers look at the storages themselves. */
  #carried;
  #job;
  #isRunning = false;
  #problems = [];
  constructor(context, parts, { toSource, toTarget, areVerified = false }) {
    this.#context = context;
    this.#parts = parts;
    this.#carried = { source: carriedStorage(context.source, toSource, areVerified), target: carriedStorage(context.target, toTarget, areVerified) };
  }
  async oneShotSync(options) {
    const { events } = this.#context;
    this.#isRunning = true;
    events.state("ONE_SHOT");
    try {
      const { report } = await this.#pass("all", {
        allowMassDelete: options.allowMassDelete ?? false,
        acceptNewRoot: options.acceptNewRoot ?? false,
        deletionDelayMs: 0,
        retries: ONE_SHOT_RETRIES
      }, options);
      events.report(report);
      if (report.halt !== void 0) events.halt(report.halt);
      events.state(report.halt === void 0 ? "SYNCED" : "ERROR");
      return report;
    } finally {
      this.#isRunning = false;
    }
  }
  startSync(options) {
    const { source, target, events } = this.#context;
    for (const storage of [source, target]) this.#parts.watch(storage);
    this.#job = new ContinuousJob({
      source,
      target,
      events,
      clock: this.#parts.clock,
      pace: this.#parts.pace ?? DEFAULT_PACE,
      watch: this.#parts.watch,
      checkRoots: async () => {
        const check = await checkRoots(this.#passContext({}));
        return check.ok ? void 0 : check.halt;
      },
      runPass: (scope, passOptions, signal) => this.#pass(scope, passOptions, { signal })
    });
    this.#job.start({
      allowMassDelete: options.allowMassDelete ?? false,
      acceptNewRoot: options.acceptNewRoot ?? false
    });
    return Promise.resolve();
  }
  async stopSync() {
    await this.#job?.stop();
    this.#job = void 0;
  }
  isRunning() {
    return this.#isRunning || (this.#job?.isRunning ?? false);
  }
  iterErrors() {
    return this.#problems;
  }
  async #pass(scope, options, run) {
    const context = this.#passContext(run);
    const result = await runPass(context, scope, options).catch((error) => {
      if (context.isDryRun || !(error instanceof StateError) || error.code !== "damaged") throw error;
      context.pair.forgetBaseline();
      context.events.note(
        `What was stored of this pair was damaged (${error.cause instanceof Error ? error.cause.message : error.message}) and has been forgotten. Nothing was deleted because of this: both storages are compared in full, and files that differ are listed as conflicts.`
      );
      if (scope !== "all") throw error;
      return runPass(context, scope, options);
    });
    if (scope === "all") this.#problems = result.report.problems;
    return result;
  }
  #passContext(run) {
    const { cache, clock: clock2 } = this.#parts;
    return { ...this.#context, ...this.#carried, cache, clock: clock2, isDryRun: run.dryRun ?? false, signal: run.signal };
  }
};

// libs/adapters/src/sqlite-state/open-database.ts
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from "node:fs";

// libs/adapters/src/sqlite-state/sqlite-errors.ts
var CODES = /* @__PURE__ */ new Map([
  [5, "locked"],
  // SQLITE_BUSY
  [6, "locked"],
  // SQLITE_LOCKED
  [7, "io-error"],
  // SQLITE_NOMEM
  [8, "io-error"],
  // SQLITE_READONLY
  [10, "io-error"],
  // SQLITE_IOERR
  [11, "damaged"],
  // SQLITE_CORRUPT
  [13, "no-space"],
  // SQLITE_FULL
  [14, "io-error"],
  // SQLITE_CANTOPEN
  [18, "damaged"],
  // SQLITE_TOOBIG: a length that was never written
  [19, "damaged"],
  // SQLITE_CONSTRAINT: an index that does not belong to its table
  [20, "damaged"],
  // SQLITE_MISMATCH
  [23, "io-error"],
  // SQLITE_AUTH
  [24, "damaged"],
  // SQLITE_FORMAT
  [26, "damaged"]
  // SQLITE_NOTADB
]);
var ADVICE = {
  damaged: "Nothing was changed because of what it says. Start the sync again (or `wl stop`, if it does not help): what is damaged is set aside and both storages are compared in full",
  "newer-version": "Update wl",
  locked: "Another process is using it: end that one, then try again",
  "no-space": "Free some space on its disk; what was being written is not in it",
  "io-error": "Check that its directory exists and may be written, and that its disk is well"
};
var DamageError = class extends Error {
  name = "DamageError";
};
function translated(error, operation, file2) {
  if (error instanceof StateError) return error;
  if (error instanceof DamageError) return stateError("damaged", operation, file2, error);
  const code = isForeign(error) ? codeOf(error) : void 0;
  return code === void 0 ? error : stateError(code, operation, file2, error);
}
function stateError(code, operation, file2, cause) {
  return new StateError(code, `unable to ${operation} in ${file2}: ${code} (${cause.message}). ${ADVICE[code]}.`, { cause });
}
function isFileDamage(error) {
  const primary = isForeign(error) ? primaryCode(error) : void 0;
  return primary === 11 || primary === 26;
}
function isForeign(error) {
  return typeof error === "object" && error !== null && "code" in error && "message" in error;
}
function primaryCode(error) {
  if (typeof error.errcode === "number") return error.errcode & 255;
  return error.code === "ERR_SQLITE_ERROR" ? BY_MESSAGE.get(error.message) : void 0;
}
var BY_MESSAGE = /* @__PURE__ */ new Map([
  ["disk I/O error", 10],
  ["database disk image is malformed", 11],
  ["file is not a database", 26]
]);
function codeOf(error) {
  if (typeof error.syscall === "string") return error.code === "ENOSPC" || error.code === "EDQUOT" ? "no-space" : "io-error";
  if (error.code === "ERR_OUT_OF_RANGE" || /^(Value is too large|JSON cannot hold)/.test(error.message)) return "damaged";
  return error.code === "ERR_SQLITE_ERROR" ? CODES.get(primaryCode(error) ?? 0) : void 0;
}

// libs/adapters/src/sqlite-state/sqlite-module.ts
import { createRequire } from "node:module";
var loaded;
function connect(file2) {
  loaded ??= load();
  return new loaded.DatabaseSync(file2);
}
function disconnect(connection) {
  try {
    connection.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema;");
  } finally {
    connection.close();
  }
}
function readValues(connection, expression, from) {
  const values = [];
  connection.function("wl_seen", (value) => {
    values.push(value);
    return null;
  });
  connection.exec(`SELECT wl_seen(${expression}) FROM ${from}`);
  return values;
}
function load() {
  const builtIn = withoutWarning(() => process.getBuiltinModule("node:sqlite"));
  if (builtIn !== void 0) return builtIn;
  const here = typeof __filename === "string" ? __filename : import.meta.url;
  return createRequire(here)("@photostructure/sqlite");
}
function withoutWarning(action) {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (...warning) => {
    if (warning[1] !== "ExperimentalWarning") emitWarning(...warning);
  };
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

// libs/adapters/src/sqlite-state/database.ts
var Database = class {
  constructor(file2, connection) {
    this.file = file2;
    this.#connection = connection;
  }
  file;
  #connection;
  #statements = /* @__PURE__ */ new Map();
  #isOpen = true;
  /** Set once SQLite met a broken page: nothing is read or written after that. */
  #damage;
  /** The statement of a fixed text, prepared at its first use. */
  statement(sql) {
    let statement = this.#statements.get(sql);
    if (statement === void 0) this.#statements.set(sql, statement = this.#connection.prepare(sql));
    return statement;
  }
  /** Does `body`, which reads or writes; throws `StateError` naming the operation ("read the baseline"). */
  attempt(operation, body) {
    invariant(this.#isOpen, `unable to ${operation}: the state is closed`);
    if (this.#damage !== void 0) throw this.#damage;
    try {
      return body();
    } catch (error) {
      const failure = translated(error, operation, this.file);
      if (isFileDamage(error)) this.#damage = failure;
      throw failure;
    }
  }
  /** `attempt` as one durable transaction: when it throws, nothing of it is in the database. */
  transaction(operation, body) {
    return this.attempt(operation, () => {
      this.#connection.exec("BEGIN IMMEDIATE");
      try {
        const result = body();
        this.#connection.exec("COMMIT");
        return result;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
  }
  /** Closes; again does nothing. */
  close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    disconnect(this.#connection);
  }
  #rollBack() {
    try {
      this.#connection.exec("ROLLBACK");
    } catch {
    }
  }
};

// libs/adapters/src/sqlite-state/schema.ts
var APPLICATION_ID = 2003596148;
var SCHEMA_VERSION = 2;
var VERSION_WITHOUT_INDICES = 1;
var TABLES = new Map(
  Object.entries({
    about: `CREATE TABLE about (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
    pairs: `CREATE TABLE pairs (
  id INTEGER NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  first_backend TEXT NOT NULL,
  second_backend TEXT NOT NULL,
  first_roots TEXT NOT NULL,
  second_roots TEXT NOT NULL,
  last_full_pass_ms REAL,
  files INTEGER NOT NULL,
  directories INTEGER NOT NULL,
  bytes REAL NOT NULL,
  is_distrusted INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  UNIQUE (scope, first_backend, second_backend)
) STRICT`,
    baseline: `CREATE TABLE baseline (
  pair_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  hash BLOB NOT NULL,
  first_token TEXT NOT NULL,
  second_token TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  hash_checksum INTEGER NOT NULL,
  PRIMARY KEY (pair_id, key)
) STRICT, WITHOUT ROWID`,
    conflicts: `CREATE TABLE conflicts (
  pair_id INTEGER NOT NULL,
  path TEXT NOT NULL,
  record TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (pair_id, path)
) STRICT, WITHOUT ROWID`,
    deletions: `CREATE TABLE deletions (
  pair_id INTEGER NOT NULL,
  side TEXT NOT NULL,
  minute INTEGER NOT NULL,
  count INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (pair_id, side, minute)
) STRICT, WITHOUT ROWID`,
    jobs: `CREATE TABLE jobs (
  job_id TEXT NOT NULL PRIMARY KEY,
  request TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
    cached_backends: `CREATE TABLE cached_backends (
  id INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT`,
    cached_hashes: `CREATE TABLE cached_hashes (
  backend_id INTEGER NOT NULL,
  path TEXT NOT NULL,
  token TEXT NOT NULL,
  hash BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (backend_id, path)
) STRICT, WITHOUT ROWID`
  })
);
var INDICES = new Map(
  Object.entries({
    baseline_by_size: "CREATE INDEX baseline_by_size ON baseline (pair_id, size_bytes) WHERE size_bytes >= 131072"
  })
);

// libs/adapters/src/sqlite-state/open-database.ts
var SUFFIXES = ["", "-wal", "-shm", "-journal"];
function openDatabase(options) {
  const { path, onNotice } = options;
  const opened = openOrSetAside(options);
  if (opened instanceof Database) return opened;
  onNotice(
    `The state database ${path} was damaged (${opened.reason}). It was set aside as ${opened.keptAs}, and an empty one was begun. Nothing is deleted because of this: the next sync compares both storages in full, and files that differ are listed as conflicts. Continuous jobs have to be started again.`
  );
  const begun = openOrSetAside(options);
  if (begun instanceof Database) return begun;
  throw stateError("damaged", "begin a new state", path, { message: begun.reason });
}
function openOrSetAside(options) {
  const { path } = options;
  let connection;
  try {
    if (isMissing2(path)) beginNew(path);
    connection = connect(path);
    prepare(connection, options);
    return new Database(path, connection);
  } catch (error) {
    const failure = translated(error, "open the state", path);
    try {
      if (!(failure instanceof StateError) || failure.code !== "damaged") throw failure;
      return { keptAs: setAside(path), reason: failure.cause.message };
    } finally {
      closeQuietly(connection);
    }
  }
}
function prepare(connection, options) {
  const busyTimeoutMs = Math.floor(options.busyTimeoutMs ?? 2e3);
  connection.exec(`PRAGMA busy_timeout = ${String(busyTimeoutMs)}; PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -16384;`);
  checkVersion(connection, options.path);
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1;
    PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA journal_size_limit = 67108864;`);
  checkSize(connection, options.path);
  checkContent(connection);
  upgrade(connection);
}
function isMissing2(path) {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === 0) throw new DamageError("the file is empty");
  if (size === void 0 && existsSync(`${path}-wal`)) throw new DamageError("the file is missing, only its log is there");
  return size === void 0;
}
function beginNew(path) {
  const draft = `${path}.new`;
  for (const suffix of SUFFIXES) rmSync(`${draft}${suffix}`, { force: true });
  closeSync(openSync(draft, "wx", 384));
  const connection = connect(draft);
  try {
    connection.exec(`PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
      BEGIN IMMEDIATE;
      ${[...TABLES.values(), ...INDICES.values()].join(";\n")};
      INSERT INTO about (name, value) VALUES ('schema', ${String(SCHEMA_VERSION)});
      PRAGMA application_id = ${String(APPLICATION_ID)};
      PRAGMA user_version = ${String(SCHEMA_VERSION)};
      COMMIT;`);
  } finally {
    connection.close();
  }
  renameSync(draft, path);
}
function checkVersion(connection, path) {
  if (pragma(connection, "application_id") !== APPLICATION_ID) throw new DamageError("it is no state database of wl");
  if (statementsOf(connection).get("about") !== TABLES.get("about")) throw new DamageError("its tables are not those of wl");
  const version = pragma(connection, "user_version");
  const [stated] = readValues(connection, "value", "about WHERE name = 'schema'");
  if (stated !== version) throw new DamageError("it contradicts itself about its version");
  if (version > SCHEMA_VERSION) {
    throw new StateError(
      "newer-version",
      `the state database ${path} was written by a newer wl (schema ${String(version)}, this one knows ${String(SCHEMA_VERSION)}). Install that version again; or move the file away to begin with an empty state: both storages are then compared in full, nothing is deleted, and continuous jobs have to be started again.`
    );
  }
}
function checkSize(connection, path) {
  connection.exec("PRAGMA wal_checkpoint(PASSIVE)");
  if (statSync(path).size < pragma(connection, "page_count") * pragma(connection, "page_size")) throw new DamageError("its end is missing");
}
function checkContent(connection) {
  const [finding] = readValues(connection, "integrity_check", "pragma_integrity_check");
  if (finding !== "ok") throw new DamageError(String(finding));
  const expected = EXPECTED.get(pragma(connection, "user_version"));
  const found = statementsOf(connection);
  const isOurs = expected?.size === found.size && [...expected].every(([name, sql]) => found.get(name) === sql);
  if (!isOurs) throw new DamageError("its tables are not those of wl");
}
var EXPECTED = /* @__PURE__ */ new Map([
  [VERSION_WITHOUT_INDICES, TABLES],
  [SCHEMA_VERSION, new Map([...TABLES, ...INDICES])]
]);
function upgrade(connection) {
  if (pragma(connection, "user_version") === SCHEMA_VERSION) return;
  connection.exec(`BEGIN IMMEDIATE;
    ${[...INDICES.values()].join(";\n")};
    UPDATE about SET value = ${String(SCHEMA_VERSION)} WHERE name = 'schema';
    PRAGMA user_version = ${String(SCHEMA_VERSION)};
    COMMIT;`);
}
function statementsOf(connection) {
  const from = "sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
  const statements = readValues(connection, "sql", from);
  return new Map(readValues(connection, "name", from).map((name, i) => [name, statements[i]]));
}
function pragma(connection, name) {
  return Number(readValues(connection, name, `pragma_${name}`)[0]);
}
function setAside(path) {
  let kept;
  for (let n = 1; ; n += 1) {
    kept = `${path}.damaged-${String(n)}`;
    if (!SUFFIXES.some((suffix) => existsSync(`${kept}${suffix}`))) break;
  }
  for (const suffix of SUFFIXES) {
    try {
      renameSync(`${path}${suffix}`, `${kept}${suffix}`);
    } catch (error) {
      if (error.code !== "ENOENT") throw translated(error, "set aside the damaged state", path);
    }
  }
  return kept;
}
function closeQuietly(connection) {
  try {
    connection?.close();
  } catch {
  }
}

// libs/adapters/src/sqlite-state/checksums.ts
var OFFSET_BASIS = 2166136261;
var PRIME = 16777619;
var END = 65536;
function checksumOf(...fields) {
  let sum = OFFSET_BASIS;
  for (const field of fields) sum = typeof field === "string" ? mixText(sum, field) : mixText(sum, String(field));
  return sum | 0;
}
function rowChecksum(pairId, key, sizeBytes, firstToken, secondToken) {
  const sum = mixText(beginRow(pairId), key);
  return endRow(mixText(mixText(sum, firstToken), secondToken), sizeBytes);
}
function hashChecksum(pairId, key, hash) {
  return mixText(mixText(mixInteger(OFFSET_BASIS, pairId), key), hash) | 0;
}
function beginRow(pairId) {
  return mixInteger(OFFSET_BASIS, pairId);
}
function mixPart(sum, text, start, end) {
  let mixed = sum;
  for (let i = start; i < end; i += 1) mixed = Math.imul(mixed ^ text.charCodeAt(i), PRIME);
  return Math.imul(mixed ^ END, PRIME);
}
function endRow(sum, sizeBytes) {
  return mixInteger(sum, sizeBytes) | 0;
}
function mixText(sum, text) {
  return mixPart(sum, text, 0, text.length);
}
function mixInteger(start, value) {
  return Math.imul(Math.imul(start ^ value >>> 0, PRIME) ^ Math.floor(value / 4294967296), PRIME);
}

// libs/adapters/src/sqlite-state/stored-text.ts
var MARK = "";
function toStored(text) {
  return isPlain(text) ? text : `${MARK}${JSON.stringify(text)}`;
}
function fromStored(stored) {
  return stored.startsWith(MARK) ? JSON.parse(stored.slice(1)) : stored;
}
function fromStoredLines(joined) {
  const lines = joined.split("\n");
  return holdsMarks(joined) ? lines.map(fromStored) : lines;
}
function holdsMarks(joined) {
  return joined.includes(MARK);
}
function isPlain(text) {
  return !text.startsWith(MARK) && !text.includes("\0") && !text.includes("\n") && text.isWellFormed();
}

// libs/adapters/src/sqlite-state/hash-cache-table.ts
var SELECT_BACKEND = "SELECT id FROM cached_backends WHERE name = ?";
var INSERT_BACKEND = "INSERT INTO cached_backends (name) VALUES (?) RETURNING id";
var DELETE_BACKEND = "DELETE FROM cached_backends WHERE id = ?";
var SELECT = "SELECT token, lower(hex(hash)) AS hash, checksum FROM cached_hashes WHERE backend_id = ? AND path = ?";
var REPLACE = "INSERT OR REPLACE INTO cached_hashes VALUES (?, ?, ?, unhex(?), ?)";
var DELETE = "DELETE FROM cached_hashes WHERE backend_id = ?";
var HashCacheTable = class {
  constructor(database) {
    this.database = database;
  }
  database;
  get(backendId, path, token) {
    if (token === NO_TOKEN) return void 0;
    return this.#swallowing(
      () => this.database.attempt("read the hash cache", () => {
        const id = this.#idOf(backendId);
        const row = id === void 0 ? void 0 : this.database.statement(SELECT).get(id, path);
        const stored = toStored(token);
        if (row?.["token"] !== stored || row["checksum"] !== checksumOf(backendId, path, stored, String(row["hash"]))) return void 0;
        return row["hash"];
      })
    );
  }
  putMany(backendId, entries) {
    if (entries.length === 0) return;
    this.#swallowing(() => {
      this.database.transaction("write the hash cache", () => {
        const id = this.#idOf(backendId) ?? Number(this.database.statement(INSERT_BACKEND).get(toStored(backendId))?.["id"]);
        const replace = this.database.statement(REPLACE);
        for (const { path, token, hash } of entries) {
          const stored = toStored(token);
          replace.run(id, path, stored, hash, checksumOf(backendId, path, stored, hash));
        }
      });
    });
  }
  drop(backendId) {
    this.#swallowing(() => {
      this.database.transaction("write the hash cache", () => {
        const id = this.#idOf(backendId);
        if (id === void 0) return;
        this.database.statement(DELETE).run(id);
        this.database.statement(DELETE_BACKEND).run(id);
      });
    });
  }
  #idOf(backendId) {
    const id = this.database.statement(SELECT_BACKEND).get(toStored(backendId))?.["id"];
    return id === void 0 ? void 0 : Number(id);
  }
  #swallowing(action) {
    try {
      return action();
    } catch {
      return void 0;
    }
  }
};

// libs/adapters/src/sqlite-state/job-table.ts
var SELECT2 = "SELECT job_id, request, checksum FROM jobs ORDER BY job_id";
var REPLACE2 = "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)";
var DELETE2 = "DELETE FROM jobs WHERE job_id = ?";
var JobTable = class {
  constructor(database, onNotice) {
    this.database = database;
    this.onNotice = onNotice;
  }
  database;
  onNotice;
  /** All jobs that are what was saved. One that is damaged is forgotten, with a notice, and does not keep the others from being resumed. */
  all() {
    const rows = this.database.attempt("read the jobs", () => this.database.statement(SELECT2).all());
    const jobs = [];
    for (const { job_id: id, request, checksum } of rows) {
      if (checksum === checksumOf(String(id), String(request))) {
        jobs.push({ jobId: fromStored(id), request: fromStored(request) });
      } else {
        this.onNotice(`The saved job ${JSON.stringify(id)} was damaged and is not resumed. Start its sync again.`);
        this.database.transaction("forget a damaged job", () => this.database.statement(DELETE2).run(id ?? null));
      }
    }
    return jobs;
  }
  save(job) {
    const id = toStored(job.jobId);
    const request = toStored(job.request);
    this.database.transaction("save a job", () => this.database.statement(REPLACE2).run(id, request, checksumOf(id, request)));
  }
  delete(jobId) {
    this.database.transaction("forget a job", () => this.database.statement(DELETE2).run(toStored(jobId)));
  }
};

// libs/adapters/src/sqlite-state/pair-table.ts
var DISTRUSTED = 1;
var ROOTS_LOST = 2;
var INSERT = `INSERT INTO pairs (scope, first_backend, second_backend, first_roots, second_roots,
  files, directories, bytes, is_distrusted, checksum) VALUES (?, ?, ?, '[]', '[]', 0, 0, 0, 0, 0) RETURNING id`;
var SELECT_ID = "SELECT id FROM pairs WHERE scope = ? AND first_backend = ? AND second_backend = ?";
var SELECT3 = "SELECT * FROM pairs WHERE id = ?";
var REPLACE3 = "INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
var PairTable = class {
  constructor(database) {
    this.database = database;
  }
  database;
  /** The id of a pair, inserted when it is new; within a transaction. */
  idOf(pair) {
    const names = [toStored(pair.scope), toStored(pair.first), toStored(pair.second)];
    const known = this.database.statement(SELECT_ID).get(...names)?.["id"];
    if (known !== void 0) return Number(known);
    const id = Number(this.database.statement(INSERT).get(...names)?.["id"]);
    this.write(pair, emptyPair(id));
    return id;
  }
  /** What is left of the roots of a pair of which something is damaged: they stand in a row of their own, with a checksum of its own. */
  rootsLeft(pair, id) {
    try {
      const { firstRootIds, secondRootIds, areRootsLost } = this.read(pair, id);
      return { firstRootIds, secondRootIds, areRootsLost };
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      return { firstRootIds: [], secondRootIds: [], areRootsLost: true };
    }
  }
  read(pair, id) {
    const row = this.database.statement(SELECT3).get(id);
    if (row === void 0) throw new DamageError("a pair is missing");
    if (row["checksum"] !== checksumOfRow(row)) throw new DamageError("the checksum of a pair does not match");
    const isThisPair = row["scope"] === toStored(pair.scope) && row["first_backend"] === toStored(pair.first) && row["second_backend"] === toStored(pair.second);
    if (!isThisPair) throw new DamageError("a pair has changed its name");
    return {
      id,
      firstRootIds: JSON.parse(row["first_roots"]),
      secondRootIds: JSON.parse(row["second_roots"]),
      lastFullPassMs: row["last_full_pass_ms"] ?? void 0,
      files: row["files"],
      directories: row["directories"],
      bytes: row["bytes"],
      isDistrusted: (Number(row["is_distrusted"]) & DISTRUSTED) !== 0,
      areRootsLost: (Number(row["is_distrusted"]) & ROOTS_LOST) !== 0
    };
  }
  /** Writes the whole row, whatever stands in its place. */
  write(pair, row) {
    const values = {
      id: row.id,
      scope: toStored(pair.scope),
      first_backend: toStored(pair.first),
      second_backend: toStored(pair.second),
      first_roots: JSON.stringify(row.firstRootIds),
      second_roots: JSON.stringify(row.secondRootIds),
      last_full_pass_ms: row.lastFullPassMs ?? null,
      files: row.files,
      directories: row.directories,
      bytes: row.bytes,
      is_distrusted: (row.isDistrusted ? DISTRUSTED : 0) | (row.areRootsLost ? ROOTS_LOST : 0)
    };
    this.database.statement(REPLACE3).run(...Object.values(values), checksumOfRow(values));
  }
};
function emptyPair(id) {
  return {
    id,
    firstRootIds: [],
    secondRootIds: [],
    areRootsLost: false,
    lastFullPassMs: void 0,
    files: 0,
    directories: 0,
    bytes: 0,
    isDistrusted: false
  };
}
function checksumOfRow(row) {
  const { checksum: _, ...fields } = row;
  return checksumOf(JSON.stringify(Object.values(fields)));
}

// libs/adapters/src/sqlite-state/baseline-run.ts
var BaselineRun = class {
  #pairId;
  #from;
  #columns;
  /** What was selected at or behind `from`; throws `DamageError` when there are not as many sizes and sums as rows. */
  constructor(pairId, from, row) {
    this.#pairId = pairId;
    this.#from = from;
    this.#columns = {
      keys: String(row["keys"]),
      first: String(row["first_tokens"]),
      second: String(row["second_tokens"]),
      sizes: JSON.parse(String(row["sizes"])),
      checksums: JSON.parse(String(row["checksums"]))
    };
    if (this.#columns.sizes.length !== row["count"] || this.#columns.checksums.length !== row["count"]) throw lostPart();
  }
  get lastKey() {
    return lastJoined(this.#columns.keys);
  }
  /** What the rows come to, not verified. */
  get totals() {
    const { keys, sizes } = this.#columns;
    const directories = countDirectories(keys);
    return { files: sizes.length - directories, directories, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }
  /** Throws `DamageError` when a row is not what was written. */
  verify() {
    verify2(this.#pairId, this.#from, this.#columns);
  }
  /** The run as the port has it, seen from one of the pair's ends; it verifies itself within `guard`. */
  toBatch(isFlipped, guard) {
    const { keys, sizes, first, second } = this.#columns;
    const [sourceTokens, targetTokens] = isFlipped ? [second, first] : [first, second];
    return new JoinedBatch({ keys, sourceTokens, targetTokens }, sizes, () => guard(() => this.verify()));
  }
};
function verify2(pairId, from, { keys, first, second, sizes, checksums }) {
  const begun = beginRow(pairId);
  let [keyAt, firstAt, secondAt, earlierAt, earlierEnd] = [0, 0, 0, 0, 0];
  for (let i = 0; i < sizes.length; i += 1) {
    const size = sizes[i];
    if (keyAt > keys.length || firstAt > first.length || secondAt > second.length) throw lostPart();
    const keyEnd = endOf(keys, KEY_SEPARATOR, keyAt);
    const firstEnd = endOf(first, TOKEN_SEPARATOR, firstAt);
    const secondEnd = endOf(second, TOKEN_SEPARATOR, secondAt);
    let sum = mixPart(begun, keys, keyAt, keyEnd);
    sum = mixPart(mixPart(sum, first, firstAt, firstEnd), second, secondAt, secondEnd);
    if (endRow(sum, size) !== checksums[i] || !Number.isSafeInteger(size)) throw new DamageError("the checksum of a baseline row does not match");
    const isInOrder = i === 0 ? compareParts(from, 0, from.length, 0, keyEnd, keys) <= 0 : compareParts(keys, earlierAt, earlierEnd, keyAt, keyEnd) < 0;
    if (!isInOrder) throw new DamageError("the baseline is out of order");
    [earlierAt, earlierEnd] = [keyAt, keyEnd];
    keyAt = keyEnd + KEY_SEPARATOR.length;
    firstAt = firstEnd + TOKEN_SEPARATOR.length;
    secondAt = secondEnd + TOKEN_SEPARATOR.length;
  }
  const isWhole = keyAt === keys.length + KEY_SEPARATOR.length && firstAt === first.length + 1 && secondAt === second.length + 1;
  if (!isWhole) throw lostPart();
}
function countDirectories(keys) {
  const ending = `/${KEY_SEPARATOR}`;
  let count2 = keys === "" || keys.endsWith("/") ? 1 : 0;
  if (keys.startsWith(KEY_SEPARATOR)) count2 += 1;
  for (let at = keys.indexOf(ending); at >= 0; at = keys.indexOf(ending, at + ending.length)) count2 += 1;
  return count2;
}
function endOf(text, separator, start) {
  const end = text.indexOf(separator, start);
  return end < 0 ? text.length : end;
}
function lostPart() {
  return new DamageError("a row of the baseline has lost a part");
}
var JoinedBatch = class {
  joined;
  #texts;
  #verify;
  #sizes;
  #isVerified = false;
  #keys;
  #sourceTokens;
  #targetTokens;
  constructor(texts, sizes, verify3) {
    this.#texts = texts;
    this.#sizes = sizes;
    this.#verify = verify3;
    if (!holdsMarks(texts.sourceTokens) && !holdsMarks(texts.targetTokens)) this.joined = texts;
  }
  get keys() {
    return this.#keys ??= this.#verified().keys.split(KEY_SEPARATOR);
  }
  get sizes() {
    this.#verified();
    return this.#sizes;
  }
  get sourceTokens() {
    return this.#sourceTokens ??= fromStoredLines(this.#verified().sourceTokens);
  }
  get targetTokens() {
    return this.#targetTokens ??= fromStoredLines(this.#verified().targetTokens);
  }
  #verified() {
    if (!this.#isVerified) this.#verify();
    this.#isVerified = true;
    return this.#texts;
  }
};

// libs/adapters/src/sqlite-state/baseline-table.ts
var RUN_ROWS = 1e3;
var MAX_RUN_ROWS = 4096;
var SELECT_RUN = `SELECT count(*) AS count, group_concat(key, '${KEY_SEPARATOR}') AS keys,
  json_group_array(size_bytes) AS sizes, group_concat(first_token, char(10)) AS first_tokens,
  group_concat(second_token, char(10)) AS second_tokens, json_group_array(checksum) AS checksums
  FROM (SELECT key, size_bytes, first_token, second_token, checksum FROM baseline WHERE pair_id = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?)`;
var COLUMNS = "size_bytes, lower(hex(hash)) AS hash, first_token, second_token, checksum, hash_checksum";
var SELECT_ROW = `SELECT ${COLUMNS} FROM baseline WHERE pair_id = ? AND key = ?`;
var SELECT_OF_SIZE = `SELECT key, ${COLUMNS} FROM baseline INDEXED BY baseline_by_size
  WHERE pair_id = ? AND size_bytes = ? AND size_bytes >= ${String(FINDABLE_BYTES)} LIMIT ?`;
var INSERT2 = "INSERT INTO baseline VALUES (?, ?, ?, unhex(?), ?, ?, ?, ?) ON CONFLICT DO NOTHING";
var UPDATE = `UPDATE baseline SET size_bytes = ?, hash = unhex(?), first_token = ?, second_token = ?, checksum = ?, hash_checksum = ?
  WHERE pair_id = ? AND key = ?`;
var UPDATE_SAME_SIZE = `UPDATE baseline SET hash = unhex(?), first_token = ?, second_token = ?, checksum = ?, hash_checksum = ?
  WHERE pair_id = ? AND key = ?`;
var DELETE3 = "DELETE FROM baseline WHERE pair_id = ? AND key = ?";
var DELETE_RANGE = "DELETE FROM baseline WHERE pair_id = ? AND key >= ? AND key < ?";
var BEHIND_ALL = new Uint8Array(0);
var BaselineTable = class {
  constructor(database, pairId) {
    this.database = database;
    this.pairId = pairId;
  }
  database;
  pairId;
  /**
   * The first rows at or behind `from` that are within a directory, or `undefined` when there are
   * none; up to and with the key `through`, unless there are none so far or too many.
   */
  readRun(directory, from, through) {
    const end = endOf2(directory);
    if (through !== void 0 && isWithin(pathOfKey(through), directory)) {
      const run = this.#read(from, behind2(through), MAX_RUN_ROWS);
      if (run !== void 0) return run;
    }
    return this.#read(from, end, RUN_ROWS);
  }
  #read(from, end, limit) {
    const columns = this.database.statement(SELECT_RUN).get(this.pairId, from, end, limit);
    return columns === void 0 || columns["count"] === 0 ? void 0 : new BaselineRun(this.pairId, from, columns);
  }
  /** Where to read on after a run. */
  positionAfter(run) {
    return behind2(run.lastKey);
  }
  get(key) {
    const row = this.database.statement(SELECT_ROW).get(this.pairId, key);
    return row === void 0 ? void 0 : this.#verified(key, row);
  }
  /** Files of a size, at most so many; none of less than `FINDABLE_BYTES`. */
  filesOfSize(sizeBytes, limit) {
    const found = [];
    for (const values of this.database.statement(SELECT_OF_SIZE).all(this.pairId, sizeBytes, limit)) {
      const key = String(values["key"]);
      const row = this.#verified(key, values);
      if (row.kind !== "file" || row.sizeBytes !== sizeBytes) throw new DamageError("the index of sizes does not match the baseline");
      found.push({ key, row });
    }
    return found;
  }
  /** Applies changes in their order, keeping count in `totals`; within a transaction. */
  apply(changes, isFlipped, totals) {
    for (const change of inKeyOrder(changes)) {
      if (change.kind === "put") this.#put(change.key, isFlipped ? flipRow(change.row) : change.row, totals);
      else if (change.kind === "delete-subtree" && isDirectoryKey(change.key)) this.#deleteBelow(change.key, totals);
      else this.#delete(change.key, totals);
    }
  }
  /** Deletes all rows without looking at them; within a transaction. */
  clear() {
    this.database.statement(DELETE_RANGE).run(this.pairId, "", BEHIND_ALL);
  }
  #put(key, row, totals) {
    invariant(isDirectoryKey(key) === (row.kind === "directory"), "INV-11: the key of a baseline row tells what it is");
    const size = row.kind === "file" ? row.sizeBytes : 0;
    invariant(Number.isSafeInteger(size) && size >= 0, "INV-11: a size is a whole number of bytes");
    const hash = row.kind === "file" ? row.hash : "";
    const first = row.kind === "file" ? toStored(row.sourceToken) : "";
    const second = row.kind === "file" ? toStored(row.targetToken) : "";
    const values = [size, hash, first, second, rowChecksum(this.pairId, key, size, first, second), hashChecksum(this.pairId, key, hash)];
    const { changes } = this.database.statement(INSERT2).run(this.pairId, key, ...values);
    if (Number(changes) === 0) {
      const old = this.get(key);
      count(totals, key, old, -1);
      const keepsSize = old?.kind === "directory" || old?.sizeBytes === size;
      if (keepsSize) this.database.statement(UPDATE_SAME_SIZE).run(...values.slice(1), this.pairId, key);
      else this.database.statement(UPDATE).run(...values, this.pairId, key);
    }
    count(totals, key, row, 1);
  }
  #delete(key, totals) {
    const row = this.get(key);
    if (row === void 0) return;
    count(totals, key, row, -1);
    this.database.statement(DELETE3).run(this.pairId, key);
  }
  #deleteBelow(key, totals) {
    const directory = key.slice(0, -1);
    for (let run = this.readRun(directory, key); run !== void 0; run = this.readRun(directory, this.positionAfter(run))) {
      run.verify();
      addTotals(totals, run.totals, -1);
    }
    this.database.statement(DELETE_RANGE).run(this.pairId, key, endOf2(directory));
  }
  #verified(key, values) {
    const { size_bytes: size, hash, first_token: first, second_token: second } = values;
    const isIntact = typeof size === "number" && values["checksum"] === rowChecksum(this.pairId, key, size, String(first), String(second)) && values["hash_checksum"] === hashChecksum(this.pairId, key, String(hash));
    if (!isIntact) throw new DamageError("the checksum of a baseline row does not match");
    if (isDirectoryKey(key)) return { kind: "directory" };
    return {
      kind: "file",
      hash,
      sizeBytes: size,
      sourceToken: fromStored(first),
      targetToken: fromStored(second)
    };
  }
};
function addTotals(totals, other, sign) {
  totals.files += sign * other.files;
  totals.directories += sign * other.directories;
  totals.bytes += sign * other.bytes;
}
function count(totals, key, row, sign) {
  if (row === void 0) throw new DamageError(`a row of the baseline is there and is not (${JSON.stringify(key)})`);
  if (row.kind === "directory") totals.directories += sign;
  else {
    totals.files += sign;
    totals.bytes += sign * row.sizeBytes;
  }
}
function behind2(key) {
  return `${key}`;
}
function endOf2(directory) {
  const key = directoryKey(directory);
  return key === "" ? BEHIND_ALL : `${key.slice(0, -1)}0`;
}
function inKeyOrder(changes) {
  if (changes.some((change) => change.kind === "delete-subtree")) return changes;
  return [...changes].sort((a, b) => compareKeys(a.key, b.key));
}

// libs/adapters/src/sqlite-state/conflict-table.ts
var SELECT_ALL = "SELECT path, record, checksum FROM conflicts WHERE pair_id = ? ORDER BY path";
var SELECT4 = "SELECT path, record, checksum FROM conflicts WHERE pair_id = ? AND path = ?";
var REPLACE4 = "INSERT OR REPLACE INTO conflicts VALUES (?, ?, ?, ?)";
var DELETE4 = "DELETE FROM conflicts WHERE pair_id = ? AND path = ?";
var CLEAR = "DELETE FROM conflicts WHERE pair_id = ?";
var ConflictTable = class {
  constructor(database, pairId) {
    this.database = database;
    this.pairId = pairId;
  }
  database;
  pairId;
  get(path) {
    const row = this.database.statement(SELECT4).get(this.pairId, path);
    return row === void 0 ? void 0 : this.#decoded(row);
  }
  /** In key order. */
  all() {
    const rows = this.database.statement(SELECT_ALL).all(this.pairId);
    return rows.map((row) => this.#decoded(row));
  }
  /** Inserts or replaces by path, keeping since when. */
  put(record) {
    const stored = {
      reason: record.reason,
      first: record.source,
      second: record.target,
      sinceMs: this.get(record.path)?.sinceMs ?? record.sinceMs
    };
    const text = JSON.stringify(stored);
    this.database.statement(REPLACE4).run(this.pairId, record.path, text, checksumOf(this.pairId, record.path, text));
  }
  delete(path) {
    this.database.statement(DELETE4).run(this.pairId, path);
  }
  clear() {
    this.database.statement(CLEAR).run(this.pairId);
  }
  #decoded(row) {
    const { path, record } = row;
    if (row["checksum"] !== checksumOf(this.pairId, String(path), String(record))) {
      throw new DamageError("the checksum of a conflict does not match");
    }
    const { reason, first, second, sinceMs } = JSON.parse(record);
    return { path, reason, source: withHash2(first), target: withHash2(second), sinceMs };
  }
};
function withHash2(version) {
  return version.kind === "file" ? { kind: "file", sha256: version.sha256, sizeBytes: version.sizeBytes } : version;
}

// libs/adapters/src/sqlite-state/deletion-table.ts
var MINUTE_MS = 6e4;
var KEPT_BY_MINUTE = 2 * 24 * 60;
var SELECT_SINCE = "SELECT * FROM deletions WHERE pair_id = ? AND side = ? AND minute >= ?";
var SELECT5 = "SELECT * FROM deletions WHERE pair_id = ? AND side = ? AND minute = ?";
var SELECT_OLD = "SELECT * FROM deletions WHERE pair_id = ? AND side = ? AND minute < ? AND minute % 60 <> 59";
var REPLACE5 = "INSERT OR REPLACE INTO deletions VALUES (?, ?, ?, ?, ?)";
var DELETE5 = "DELETE FROM deletions WHERE pair_id = ? AND side = ? AND minute = ?";
var CLEAR2 = "DELETE FROM deletions WHERE pair_id = ?";
var DeletionTable = class {
  constructor(database, pairId) {
    this.database = database;
    this.pairId = pairId;
  }
  database;
  pairId;
  /** Within a transaction. */
  add(side, count2, timeMs) {
    const minute = Math.floor(timeMs / MINUTE_MS);
    this.#addTo(side, minute, count2);
    for (const old of this.database.statement(SELECT_OLD).all(this.pairId, side, minute - KEPT_BY_MINUTE)) {
      const oldMinute = old["minute"];
      this.#addTo(side, oldMinute - oldMinute % 60 + 59, this.#countOf(old));
      this.database.statement(DELETE5).run(this.pairId, side, oldMinute);
    }
  }
  /** The sum since a time, rounded down to the minute. */
  since(side, timeMs) {
    const rows = this.database.statement(SELECT_SINCE).all(this.pairId, side, Math.floor(timeMs / MINUTE_MS));
    return rows.reduce((sum, row) => sum + this.#countOf(row), 0);
  }
  clear() {
    this.database.statement(CLEAR2).run(this.pairId);
  }
  #addTo(side, minute, added) {
    const row = this.database.statement(SELECT5).get(this.pairId, side, minute);
    const count2 = (row === void 0 ? 0 : this.#countOf(row)) + added;
    this.database.statement(REPLACE5).run(this.pairId, side, minute, count2, checksumOf(this.pairId, side, minute, count2));
  }
  #countOf(row) {
    const { side, minute, count: count2 } = row;
    if (row["checksum"] !== checksumOf(this.pairId, String(side), Number(minute), Number(count2))) {
      throw new DamageError("the checksum of a count of deletions does not match");
    }
    return count2;
  }
};

// libs/adapters/src/sqlite-state/sqlite-pair.ts
var SqlitePair = class {
  #database;
  #pair;
  #shared;
  #isFlipped;
  #pairs;
  #baseline;
  #conflicts;
  #deletions;
  constructor(database, pair, shared) {
    this.#database = database;
    this.#pair = pair;
    this.#shared = shared;
    this.#isFlipped = pair.isFlipped;
    this.#pairs = new PairTable(database);
    this.#baseline = new BaselineTable(database, shared.id);
    this.#conflicts = new ConflictTable(database, shared.id);
    this.#deletions = new DeletionTable(database, shared.id);
  }
  summary() {
    const { firstRootIds, secondRootIds, areRootsLost, lastFullPassMs } = this.#read("read the pair", () => this.#row());
    return this.#isFlipped ? { sourceRootIds: secondRootIds, targetRootIds: firstRootIds, areRootsLost, lastFullPassMs } : { sourceRootIds: firstRootIds, targetRootIds: secondRootIds, areRootsLost, lastFullPassMs };
  }
  setRoots(sourceIds, targetIds) {
    this.#write("store the roots", () => {
      const row = this.#row();
      row.firstRootIds = this.#isFlipped ? targetIds : sourceIds;
      row.secondRootIds = this.#isFlipped ? sourceIds : targetIds;
      row.areRootsLost = false;
      this.#pairs.write(this.#pair, row);
    });
  }
  reset() {
    this.#beginAnew(() => emptyPair(this.#shared.id));
  }
  forgetBaseline() {
    this.#beginAnew(() => this.#onlyRoots());
  }
  setLastFullPass(timeMs) {
    this.#write("store the time of the pass", () => {
      const row = this.#row();
      row.lastFullPassMs = timeMs;
      this.#pairs.write(this.#pair, row);
    });
  }
  *scan(directory) {
    const commitsBefore = this.#shared.commits;
    const seen = { files: 0, directories: 0, bytes: 0 };
    const guard = (action) => this.#read("read the baseline", action);
    let position = directoryKey(directory);
    for (let through; ; ) {
      const [from, to] = [position, through];
      const run = this.#read("read the baseline", () => this.#baseline.readRun(directory, from, to));
      if (run === void 0) break;
      addTotals(seen, run.totals, 1);
      through = yield run.toBatch(this.#isFlipped, guard);
      position = this.#baseline.positionAfter(run);
    }
    if (directory === ROOT && this.#shared.commits === commitsBefore) this.#read("read the baseline", () => this.#expectTotals(seen));
  }
  get(key) {
    const row = this.#read("read the baseline", () => this.#baseline.get(key));
    return row !== void 0 && this.#isFlipped ? flipRow(row) : row;
  }
  filesOfSize(sizeBytes, limit) {
    const found = this.#read("read the baseline", () => this.#baseline.filesOfSize(sizeBytes, limit));
    return this.#isFlipped ? found.map(({ key, row }) => ({ key, row: flipRow(row) })) : found;
  }
  totals() {
    const { files, bytes } = this.#read("read the pair", () => this.#row());
    return { files, bytes };
  }
  commit(changes) {
    if (changes.length === 0) return;
    this.#write("write the baseline", () => {
      const row = this.#row();
      this.#baseline.apply(changes, this.#isFlipped, row);
      this.#pairs.write(this.#pair, row);
    });
    this.#shared.commits += 1;
  }
  conflict(path) {
    const record = this.#read("read the conflicts", () => this.#conflicts.get(path));
    return record !== void 0 && this.#isFlipped ? flipConflict(record) : record;
  }
  conflicts() {
    const records = this.#read("read the conflicts", () => this.#conflicts.all());
    return this.#isFlipped ? records.map(flipConflict) : records;
  }
  putConflicts(records) {
    if (records.length === 0) return;
    this.#write("write the conflicts", () => {
      for (const record of records) this.#conflicts.put(this.#isFlipped ? flipConflict(record) : record);
    });
  }
  deleteConflicts(paths) {
    if (paths.length === 0) return;
    this.#write("write the conflicts", () => {
      for (const path of paths) this.#conflicts.delete(path);
    });
  }
  addDeletions(side, count2, timeMs) {
    this.#write("count deletions", () => {
      this.#deletions.add(flipSide(side, this.#isFlipped), count2, timeMs);
    });
  }
  deletionsSince(side, timeMs) {
    return this.#read("count deletions", () => this.#deletions.since(flipSide(side, this.#isFlipped), timeMs));
  }
  clearDeletions() {
    this.#write("count deletions", () => {
      this.#deletions.clear();
    });
  }
  #beginAnew(row) {
    const { distrust } = this.#shared;
    this.#database.transaction("forget the baseline", () => {
      this.#baseline.clear();
      this.#conflicts.clear();
      if (distrust !== void 0) this.#deletions.clear();
      this.#pairs.write(this.#pair, row());
    });
    this.#shared.distrust = void 0;
    this.#shared.commits += 1;
  }
  /** The pair as it is once nothing but its roots is believed. */
  #onlyRoots() {
    const { id } = this.#shared;
    return { ...emptyPair(id), ...this.#pairs.rootsLeft(this.#pair, id) };
  }
  #row() {
    return this.#pairs.read(this.#pair, this.#shared.id);
  }
  /** A row can also be lost without a trace: then the rows that were read are not those that were counted. */
  #expectTotals(seen) {
    const { files, directories, bytes } = this.#row();
    if (files !== seen.files || directories !== seen.directories || bytes !== seen.bytes) {
      throw new DamageError("rows of the baseline are missing");
    }
  }
  #read(operation, body) {
    return this.#distrusting(() => this.#database.attempt(operation, body));
  }
  #write(operation, body) {
    this.#distrusting(() => {
      this.#database.transaction(operation, body);
    });
  }
  #distrusting(action) {
    if (this.#shared.distrust !== void 0) throw this.#shared.distrust;
    try {
      return action();
    } catch (error) {
      if (error instanceof StateError && error.code === "damaged") this.#distrust(error);
      throw error;
    }
  }
  #distrust(reason) {
    this.#shared.distrust = reason;
    try {
      this.#database.transaction("distrust the baseline", () => {
        this.#pairs.write(this.#pair, { ...this.#onlyRoots(), isDistrusted: true });
      });
    } catch {
    }
  }
};

// libs/adapters/src/sqlite-state/sqlite-state.ts
var SqliteState = class {
  #database;
  #onNotice;
  #jobs;
  #hashes;
  #pairs = /* @__PURE__ */ new Map();
  constructor(database, onNotice) {
    this.#database = database;
    this.#onNotice = onNotice;
    this.#jobs = new JobTable(database, onNotice);
    this.#hashes = new HashCacheTable(database);
  }
  openPair(identity) {
    const oriented = orient(identity);
    const table = new PairTable(this.#database);
    const id = this.#database.transaction("open the pair", () => table.idOf(oriented));
    let shared = this.#pairs.get(id);
    if (shared === void 0) this.#pairs.set(id, shared = { id, commits: 0, distrust: void 0 });
    shared.distrust ??= this.#distrustOf(table, oriented, id);
    const pair = new SqlitePair(this.#database, oriented, shared);
    if (shared.distrust !== void 0) {
      pair.forgetBaseline();
      this.#onNotice(
        `What was stored of the pair ${identity.sourceBackendId} and ${identity.targetBackendId} was damaged and has been forgotten. Nothing is deleted because of this: the next sync compares both storages in full, and files that differ are listed as conflicts.`
      );
    }
    return pair;
  }
  jobs() {
    return this.#jobs.all();
  }
  saveJob(job) {
    this.#jobs.save(job);
  }
  deleteJob(jobId) {
    this.#jobs.delete(jobId);
  }
  get(backendId, path, token) {
    return this.#hashes.get(backendId, path, token);
  }
  putMany(backendId, entries) {
    this.#hashes.putMany(backendId, entries);
  }
  drop(backendId) {
    this.#hashes.drop(backendId);
  }
  close() {
    try {
      this.#database.close();
    } catch (error) {
      throw translated(error, "close the state", this.#database.file);
    }
  }
  /** Why a pair was distrusted before it was opened now, if it was. */
  #distrustOf(table, pair, id) {
    return this.#database.attempt("open the pair", () => {
      try {
        if (!table.read(pair, id).isDistrusted) return void 0;
      } catch (error) {
        if (error instanceof DamageError) return stateError("damaged", "open the pair", this.#database.file, error);
        throw error;
      }
      return stateError("damaged", "open the pair", this.#database.file, new DamageError("it was found damaged before"));
    });
  }
};

// libs/adapters/src/sqlite-state/open-sqlite-state.ts
function openSqliteState(options) {
  return new SqliteState(openDatabase(options), options.onNotice);
}

// libs/adapters/src/system-clock/system-clock.ts
var LONGEST_TIMER_MS = 2 ** 31 - 1;
var systemClock = clock({ keepsAlive: false });
var commandClock = clock({ keepsAlive: true });
function clock({ keepsAlive }) {
  return {
    nowMs: () => Date.now(),
    // Not `performance`, for which Node.js loads a module that a command needs for nothing else.
    monotonicMs: () => {
      const [seconds, nanoseconds] = process.hrtime();
      return seconds * 1e3 + nanoseconds / 1e6;
    },
    sleep: (ms, signal) => new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
      if (!keepsAlive) timer.unref();
      signal?.addEventListener("abort", done, { once: true });
    })
  };
}
export {
  genericSyncer,
  openSqliteState,
  systemClock
};
