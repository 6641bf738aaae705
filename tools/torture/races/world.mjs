/**
 * Who saves where in the race torture: processes with hands, hands with files. Files of a kind share a directory:
 * `left/` and `right/` are saved to on that side only, `wandering/` now here and now there, `contested/` on both at once.
 */
import path from 'node:path';

/** Share of the saves of each process, by name. */
const PLAN = [
  { name: 'l1', kind: 'one-sided', directory: 'left', sides: ['left'], hands: 5, files: 14, share: 0.2 },
  { name: 'l2', kind: 'one-sided', directory: 'left', sides: ['left'], hands: 5, files: 14, share: 0.2 },
  { name: 'r1', kind: 'one-sided', directory: 'right', sides: ['right'], hands: 5, files: 14, share: 0.2 },
  { name: 'r2', kind: 'one-sided', directory: 'right', sides: ['right'], hands: 5, files: 14, share: 0.2 },
  { name: 'w', kind: 'wandering', directory: 'wandering', sides: ['left', 'right'], hands: 6, files: 8, share: 0.08 },
  { name: 'cl', kind: 'contested', directory: 'contested', sides: ['left'], hands: 4, files: 8, share: 0.06 },
  { name: 'cr', kind: 'contested', directory: 'contested', sides: ['right'], hands: 4, files: 8, share: 0.06 },
];

/** Orders for the editor processes. `roots`: absolute paths by side. */
export function editorOrders({ seed, saves, pauseMs, roots }) {
  return PLAN.map(({ name, kind, directory, sides, hands, files, share }, index) => ({
    name,
    seed: seed * 100 + index,
    saves: Math.ceil(saves * share),
    pauseMs: kind === 'one-sided' ? pauseMs : pauseMs * 2,
    hands: Array.from({ length: hands }, (_, hand) => ({
      kind,
      sides: sides.map((side) => roots[side]),
      // Those who contest a file have to call it the same; others have files of their own.
      files: Array.from({ length: files }, (_, file) => `${directory}/${kind === 'contested' ? 'c' : name}-${hand}-${file}`),
    })),
  }));
}

/** Directories whose files only the daemon writes. */
export function sampledDirectories({ left, right }) {
  return [path.join(right, 'left'), path.join(left, 'right')];
}
