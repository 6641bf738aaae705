/**
 * What is to be reached, row by row: each a sentence and a check of the row's data (and of other
 * rows', by name), which gives what was measured and whether that is enough. `undefined` where
 * what it needs was not measured.
 */
import { median, quantile } from './measure.mjs';
import { OURS } from './peers.mjs';

/** Ours in a phase: by the daemon as it is in everyday life, where that ran. */
const runsOf = (runs) => runs?.[OURS.warm] ?? runs?.[OURS.running];
const OTHERS = ['rclone sync', 'rclone bisync', 'unison', 'syncthing, two instances'];

const secondsOf = (runs) => (runs === undefined ? undefined : median(runs.map(({ seconds }) => seconds)));
const peakOf = (runs) => (runs === undefined ? undefined : Math.max(...runs.map(({ peakMiB }) => peakMiB)));

/** No more than so many times a yardstick's median in the same phase. */
function atMost(phase, times, yardstick) {
  return {
    phase,
    text: `≤ ${times} × ${yardstick}`,
    check: (data) => {
      const [ours, other] = [secondsOf(runsOf(data[phase])), secondsOf(data[phase]?.[yardstick])];
      if (ours === undefined || other === undefined) return undefined;
      return { measured: `${(ours / other).toFixed(2)} ×`, isReached: ours <= times * other };
    },
  };
}

/** Faster than each of these, as far as they ran. */
function aheadOf(phase, peers, who = peers.join(', ')) {
  return {
    phase,
    text: `ahead of ${who}`,
    check: (data) => {
      const ours = secondsOf(runsOf(data[phase]));
      const others = peers.filter((name) => data[phase]?.[name] !== undefined);
      if (ours === undefined || others.length === 0) return undefined;
      const ratios = others.map((name) => ({ name, ratio: ours / secondsOf(data[phase][name]) }));
      const measured = ratios.map(({ name, ratio }) => `${ratio.toFixed(2)} × ${name}`).join(', ');
      return { measured, isReached: ratios.every(({ ratio }) => ratio < 1) };
    },
  };
}

const durableFirst = [
  atMost('first', 1.5, 'cp -a + sync'),
  aheadOf('first', ['rsync -a --delete --fsync', ...OTHERS], 'rsync with `--fsync`, and of all others but rsync without'),
];

const delays = (small) => [
  { text: 'median ≤ 20 ms', check: ({ wl }) => wl && { measured: `${median(wl).toFixed(0)} ms`, isReached: median(wl) <= 20 } },
  { text: '99 % ≤ 200 ms', check: ({ wl }) => wl && { measured: `${quantile(wl, 0.99).toFixed(0)} ms`, isReached: quantile(wl, 0.99) <= 200 } },
  ...(small === undefined
    ? []
    : [
        {
          text: 'independent of the number of files: median ≤ 1.25 × that at 2,000',
          check: ({ wl }, others) => {
            const before = others[small]?.wl;
            return wl && before && { measured: `${(median(wl) / median(before)).toFixed(2)} ×`, isReached: median(wl) <= 1.25 * median(before) };
          },
        },
      ]),
];

/** Memory of a pass, against that of a smaller one and the bare runtime. */
function memory(own, smaller, bare) {
  if (own === undefined || smaller === undefined || bare === undefined) return undefined;
  const over = own - bare;
  return { measured: `${(own / smaller).toFixed(2)} ×, ${over.toFixed(0)} MiB over`, isReached: own <= 1.2 * smaller && over <= 150 };
}

const bareOf = (others) => others.startup && median(others.startup['node -e 0'].map(({ peakMiB }) => peakMiB));

/** What a dedicated syncer is there for: a share of what the generic one takes, of something other than time. */
function spares({ race, field, dedicated, text, most }) {
  return {
    text,
    check: (data) => {
      const of = (name) => data[race]?.first[name]?.map((run) => run[field]);
      const [own, generic] = [of(`wl --syncer ${dedicated}`), of('wl --syncer generic')];
      if (own === undefined || generic === undefined) return undefined;
      return { measured: `${median(own).toFixed(0)} MiB; generic ${median(generic).toFixed(0)} MiB`, isReached: median(own) <= most };
    },
  };
}

/** All goals by row. */
export const GOALS = {
  small: [...durableFirst, aheadOf('again', ['rsync -a --delete'])],
  tiny: [
    ...durableFirst,
    atMost('again', 1, 'find -printf, both sides'),
    aheadOf('again', ['rsync -a --delete', 'rclone sync', 'unison']),
    {
      phase: 'changed',
      text: '≤ 1.3 × the no-change pass plus the copies (`cp -a` of what was written, and `sync`)',
      check: (data) => {
        const [again, changed] = ['again', 'changed'].map((phase) => secondsOf(runsOf(data[phase])));
        const copies = secondsOf(data.changed?.['cp -a + sync']);
        if (changed === undefined || copies === undefined) return undefined;
        const yardstick = again + copies;
        return { measured: `${(changed / yardstick).toFixed(2)} ×`, isReached: changed <= 1.3 * yardstick };
      },
    },
  ],
  large: [atMost('first', 1.5, 'cp -a'), aheadOf('first', ['rsync -a --delete'])],
  single: [atMost('first', 1.5, 'cp -a'), aheadOf('first', ['rsync -a --delete'])],
  million: [
    {
      phase: 'again',
      text: 'time linear: ≤ 1.2 × 5 × that at 200,000 files',
      check: (data, { tiny }) => {
        const [ours, before] = [secondsOf(runsOf(data.again)), secondsOf(runsOf(tiny?.again))];
        return ours && before && { measured: `${(ours / before / 5).toFixed(2)} × 5 ×`, isReached: ours <= 1.2 * 5 * before };
      },
    },
    {
      phase: 'again',
      text: 'peak memory of command plus daemon ≤ 1.2 × that at 20,000 files, and ≤ 150 MiB over one bare runtime',
      check: (data, others) => memory(peakOf(runsOf(data.again)), peakOf(runsOf(others.small?.again)), bareOf(others)),
    },
  ],
  entries: [
    {
      text: 'the same memory with 10 million entries: ≤ 1.2 × that with 1 million, and ≤ 150 MiB over the bare runtime',
      check: (data, others) => memory(data[10_000_000]?.peakMiB, data[1_000_000]?.peakMiB, bareOf(others)),
    },
  ],
  'latency-2k': delays(undefined),
  'latency-20k': delays('latency-2k'),
  'latency-200k': delays('latency-2k'),
  idle: [{ text: '< 0.1 % CPU', check: ({ percent }) => ({ measured: `${percent.toFixed(3)} %`, isReached: percent < 0.1 }) }],
  's3-delta': [
    {
      text: '1 MiB changed in an object of 1 GiB sends ≤ 32 MiB, where the server can do that as safely',
      check: (data) => {
        const sentMiB = data['wl, bucket that keeps versions']?.middle.sentMiB;
        return sentMiB && { measured: `${sentMiB.toFixed(1)} MiB`, isReached: sentMiB <= 32 };
      },
    },
  ],
  'syncers-local': [
    spares({ race: 'XFS with shared blocks: 5,000 files of 8 KiB', field: 'usedMiB', dedicated: 'local-copy', most: 10, text: '`local-copy`: 39 MiB of small files take ≤ 10 MiB of a disk that shares blocks, inodes and database included' }),
  ],
  'syncers-s3': [
    spares({ race: '4 objects of 128 MiB', field: 'passedMiB', dedicated: 's3-copy', most: 10, text: '`s3-copy`: of 512 MiB ≤ 10 MiB pass through the daemon' }),
  ],
  startup: [
    {
      text: '`wl status` with the daemon running ≤ `node -e 0` + 40 ms',
      check: (data) => {
        const over = (secondsOf(data['wl status']) - secondsOf(data['node -e 0'])) * 1000;
        return { measured: `+ ${over.toFixed(0)} ms`, isReached: over <= 40 };
      },
    },
  ],
};
