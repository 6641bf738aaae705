/**
 * The worlds in which programs are killed: small, and holding between them everything a sync does.
 *
 * `before` is on both sides, synced; then the two users do `left` and `right` while nothing runs.
 * The run in question syncs, carries out `resolve`, and syncs again; `final` and `conflicts` are
 * what must be there in the end, written down here by hand: whatever happens on the way. Where a
 * world has a bucket, it stands for the right side. `programs`: the files that are executable on
 * both sides in the end, where the world is about that.
 */
import { DIRECTORY, large } from './files.mjs';

const MIB = 1024 * 1024;

/** So many small files: more than are flushed one by one. */
const many = (directory, word, count = 9) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`${directory}/${index}.txt`, `${word} ${index}`]));

/** All but some names of a tree. */
const without = (tree, ...names) => Object.fromEntries(Object.entries(tree).filter(([name]) => !names.some((gone) => name === gone || name.startsWith(`${gone}/`))));

const keep = { 'keep.txt': 'keep', 'keep/a.txt': 'keep a', 'keep/b.txt': 'keep b', 'keep/c.txt': 'keep c' };

function first() {
  const left = { 'a.txt': 'a', 'same.txt': 'same', 'deep/er/b.txt': 'b', 'empty/place': DIRECTORY, ...many('batch', 'first') };
  const right = { 'c.txt': 'c', 'same.txt': 'same' };
  const all = { ...left, ...right };
  return { about: 'a first sync, without state', isNew: true, before: {}, left: writes(left), right: writes(right), final: { left: all, right: all } };
}

function changes() {
  const before = {
    ...keep, ...many('old', 'old', 6), 'edit-left.txt': 'el 0', 'edit-right.txt': 'er 0', 'gone-left.txt': 'gl', 'gone-right.txt': 'gr',
    'move-left.txt': 'ml', 'move/x.txt': 'mx', 'move/y.txt': 'my', 'both.txt': 'both 0', 'fight.txt': 'fight 0', 'hollow': DIRECTORY,
  };
  const final = {
    ...keep, ...many('old', 'new', 6), ...many('batch', 'mass'), 'edit-left.txt': 'el 1', 'edit-right.txt': 'er 1', 'moved-left.txt': 'ml',
    'moved/x.txt': 'mx', 'moved/y.txt': 'my', 'both.txt': 'both 1', 'made/by/right.txt': 'mr', 'empty-new': DIRECTORY,
  };
  return {
    about: 'new, edited, deleted, renamed files and directories, batches, a conflict that stays',
    before,
    left: [
      ...writes({ ...many('batch', 'mass'), ...many('old', 'new', 6), 'edit-left.txt': 'el 1', 'both.txt': 'both 1', 'fight.txt': 'fight left' }),
      ['remove', 'gone-left.txt'], ['rename', 'move-left.txt', 'moved-left.txt'], ['directory', 'empty-new'],
    ],
    right: [
      ...writes({ 'edit-right.txt': 'er 1', 'both.txt': 'both 1', 'fight.txt': 'fight right', 'made/by/right.txt': 'mr' }),
      ['remove', 'gone-right.txt'], ['rename', 'move', 'moved'], ['remove-directory', 'hollow'],
    ],
    final: { left: { ...final, 'fight.txt': 'fight left' }, right: { ...final, 'fight.txt': 'fight right' } },
    conflicts: ['fight.txt'],
  };
}

function kinds() {
  const before = {
    ...keep, ...many('more', 'more', 8), 'file': 'was a file', 'dir/a.txt': 'da', 'dir/b.txt': 'db', 'stays': 'against a directory', 'torn': 'against a directory', 'back': 'back 0', 'del.txt': 'del 0',
  };
  const shared = { ...keep, ...many('more', 'more', 8), 'file/in/it.txt': 'is a directory', 'dir': 'is a file', 'back': 'back 1' };
  return {
    about: 'a file becomes a directory and the other way round, against nothing, a file, an edit; a deletion against an edit',
    before,
    left: [
      ['remove', 'file'], ['write', 'file/in/it.txt', 'is a directory'], ['remove', 'dir'],
      ['remove', 'torn'], ['write', 'torn/x.txt', 'x'], ['remove', 'stays'], ['write', 'stays/y.txt', 'y'], ['remove', 'del.txt'],
    ],
    right: [
      ['remove', 'file'], ['remove', 'dir'], ['write', 'dir', 'is a file'], ['write', 'torn', 'edited'], ['write', 'del.txt', 'del 1'],
      ['remove', 'back'], ['directory', 'back'], ['remove-directory', 'back'], ['write', 'back', 'back 1'],
    ],
    final: { left: { ...shared, 'torn/x.txt': 'x', 'stays/y.txt': 'y' }, right: { ...shared, 'torn': 'edited', 'stays': 'against a directory', 'del.txt': 'del 1' } },
    // What changed its kind and was removed on the other side is asked about like any change against a removal.
    resolve: { file: 'source', dir: 'target' },
    conflicts: ['del.txt', 'stays', 'torn'],
  };
}

function choices() {
  const before = { ...keep, 'one.txt': 'one 0', 'two.txt': 'two 0', 'three.txt': 'three 0', 'four.txt': 'four 0' };
  const final = { ...keep, 'one.txt': 'one left', 'two.txt': 'two right', 'three.txt': 'three 1' };
  return {
    about: 'conflicts that are resolved: for either side, for an edit and for a deletion',
    before,
    left: [...writes({ 'one.txt': 'one left', 'two.txt': 'two left' }), ['remove', 'three.txt'], ['remove', 'four.txt']],
    right: writes({ 'one.txt': 'one right', 'two.txt': 'two right', 'three.txt': 'three 1', 'four.txt': 'four 1' }),
    resolve: { 'one.txt': 'source', 'two.txt': 'target', 'three.txt': 'target', 'four.txt': 'source' },
    final: { left: final, right: final },
  };
}

function programs() {
  const tools = many('tools', 'tool', 9);
  const before = { ...keep, ...tools, 'run.sh': 'run 0', 'left.sh': 'left 0', 'right.sh': 'right 0', 'both.sh': 'both 0' };
  const final = { ...before, 'run.sh': 'run 1', 'left.sh': 'left 1', 'new.sh': 'new' };
  return {
    about: 'files become executable on either side, many and one, also where the other side edits them',
    before,
    left: [
      ...[...Object.keys(tools), 'run.sh', 'both.sh'].map((name) => ['program', name]),
      ['write', 'left.sh', 'left 1'], ['program', 'left.sh'], ['write', 'new.sh', 'new'], ['program', 'new.sh'],
    ],
    right: [['write', 'run.sh', 'run 1'], ['program', 'right.sh'], ['program', 'both.sh']],
    final: { left: final, right: final },
    programs: [...Object.keys(tools), 'run.sh', 'left.sh', 'right.sh', 'both.sh', 'new.sh'],
  };
}

function sizes() {
  const before = { ...keep, 'grows.bin': large('old', 3 * MIB), 'moves.bin': large('moves', MIB) };
  const final = { ...without(keep, 'keep.txt'), 'grows.bin': large('new', 5 * MIB), 'made.bin': large('made', 4 * MIB + 7), 'moved.bin': large('moves', MIB) };
  return {
    about: 'large files, made, replaced and renamed',
    before,
    left: [...writes({ 'grows.bin': large('new', 5 * MIB) }), ['rename', 'moves.bin', 'moved.bin'], ['remove', 'keep.txt']],
    right: writes({ 'made.bin': large('made', 4 * MIB + 7) }),
    final: { left: final, right: final },
  };
}

function writes(tree) {
  return Object.entries(tree).map(([name, content]) => (content === DIRECTORY ? ['directory', name] : ['write', name, content]));
}

/** Name → world. */
export const scenarios = Object.fromEntries(
  Object.entries({ first, changes, kinds, choices, programs, sizes }).map(([name, make]) => [name, { name, isNew: false, resolve: {}, conflicts: [], ...make() }]),
);
