/** Makes the page's main part, in lines, of what was measured. */
import { BEFORE } from './before.mjs';
import { median, quantile } from './measure.mjs';
import { NOTES } from './notes.mjs';
import { ROWS } from './rows.mjs';

const PHASES = {
  first: { title: 'First sync', yardstick: 'cp -a + sync' },
  again: { title: 'No-change pass', yardstick: 'find -printf, both sides' },
  changed: { title: 'Pass after 1 % changed, 1 % added, 1 % deleted', yardstick: 'rsync -a --delete' },
};

/** The page. `rows`: what was measured, by name. */
export function report(rows) {
  const measured = Object.entries(ROWS).filter(([name]) => rows[name] !== undefined);
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench` from `benchmarks.json`; do not edit by hand. The programs of a row ran on the same machine in the same hour, in turn; ratios count, seconds belong to the machine. Whole processes are measured; CPU and memory of `wl` are those of the command and the daemon together. A warm daemon has synced another container of 5,000 files before and looked at it three times more; a cold start includes the start of the daemon. `wl` hashes every file it copies (sha256), verifies the copy, and makes both sides and its baseline durable before it reports; of the others only `cp -a + sync` and `rsync --fsync` are durable.',
    '',
    ...machines(measured.map(([name]) => rows[name])),
    '## What is to be reached',
    '',
    '| work | | to reach | before | now | |',
    '|---|---|---|---|---|---|',
    ...measured.flatMap(([name, row]) => goalLines(name, row, rows)),
    '',
    ...measured.flatMap(([name, row]) => [`## ${row.title}`, '', ...about(rows[name]), ...TABLES[row.kind](rows[name].data), ...notes(name)]),
    'How the trees are made and what exactly is run: `tools/bench.mjs` and `tools/bench/`.',
  ];
}

function machines(rows) {
  return [...new Set(rows.map(({ machine }) => machine))].flatMap((machine) => [`${machine}.`, '']);
}

function about({ date, rounds, isQuick, missing }) {
  const words = [`${date}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`];
  if (isQuick) words.push('**a quick try at a fortieth of the size: no result**');
  if (missing.length > 0) words.push(`not installed and left out: ${missing.join(', ')}`);
  return [`${words.join('; ')}.`, ''];
}

function goalLines(name, row, rows) {
  const others = Object.fromEntries(Object.entries(rows).map(([other, { data }]) => [other, data]));
  return row.goals.map(({ phase, text, check }) => {
    const found = check(rows[name].data, others);
    const verdict = found === undefined ? 'not measured' : found.isReached ? 'reached' : '**not reached**';
    const before = BEFORE[phase === undefined ? name : `${name} ${phase}`] ?? '';
    return `| ${row.title} | ${phase === undefined ? '' : PHASES[phase].title} | ${text} | ${before} | ${found?.measured ?? ''} | ${verdict} |`;
  });
}

function notes(name) {
  return (NOTES[name] ?? []).flatMap((text) => [text, '']);
}

const TABLES = {
  race: (data) => Object.entries(PHASES).flatMap(([phase, { title, yardstick }]) => (data[phase] === undefined ? [] : [`### ${title}`, '', ...phaseTable(data[phase], yardstick), ''])),
  latency: (data) => [
    'From the end of the write on one side until the other side reads the same bytes, in milliseconds; looked at every millisecond. 60,000 stands for: not within a minute. rclone has no continuous two-way mode.',
    '',
    '| | median | 95 % | 99 % | worst | edits |',
    '|---|---:|---:|---:|---:|---:|',
    ...Object.entries(data).map(([name, times]) => `| ${[name, ...[0.5, 0.95, 0.99, 1].map((share) => (share === 0.5 ? median(times) : quantile(times, share)).toFixed(0)), times.length].join(' | ')} |`),
    '',
  ],
  entries: (data) => [
    '| entries | seconds | CPU, s | peak memory, MiB |',
    '|---:|---:|---:|---:|',
    ...Object.entries(data).map(([count, { seconds, cpu, peakMiB }]) => `| ${Number(count).toLocaleString('en')} | ${seconds.toFixed(1)} | ${cpu.toFixed(1)} | ${peakMiB.toFixed(0)} |`),
    '',
  ],
  idle: ({ percent, nowMiB, peakMiB, seconds }) => [
    `Over ${seconds} s without a change the daemon used ${percent.toFixed(3)} % of one processor; it holds ${nowMiB.toFixed(0)} MiB, at most so far ${peakMiB.toFixed(0)} MiB.`,
    '',
  ],
  's3-delta': (data) => [
    'What goes over the wire to the server is counted by a relay that all requests pass, headers and what `wl` tries the server with included. Ceph (radosgw 16) completes an upload in parts whatever is there: in a bucket without versions the whole file in one conditional request is the safe way, and `wl` takes it ([ADR 0017](adr/0017-unchanged-parts-are-copied-in-the-bucket.md)). rclone writes whatever is there, in parts.',
    '',
    '| | first upload: s | MiB sent | 1 MiB changed in the middle: s | MiB sent | 1 MiB appended: s | MiB sent | CPU, s | peak memory, MiB |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...Object.entries(data).map(([name, { first, middle, appended }]) => {
      const phases = [first, middle, appended];
      const columns = phases.flatMap(({ seconds, sentMiB }) => [seconds.toFixed(2), sentMiB.toFixed(1)]);
      return `| ${[name, ...columns, phases.map(({ cpu }) => cpu.toFixed(2)).join(' + '), Math.max(...phases.map(({ peakMiB }) => peakMiB)).toFixed(0)].join(' | ')} |`;
    }),
    '',
  ],
  simulator: ({ from, scenarios, passes, calls, seconds, failures }) => [
    `${scenarios.toLocaleString('en')} scenarios from seed ${from} in ${seconds} s on one core, ${Math.round(scenarios / seconds)} a second: ${Math.round(passes / seconds).toLocaleString('en')} passes and ${Math.round(calls / seconds).toLocaleString('en')} calls of storages in each. ${failures.length} broke something. What they are: [torture.md](torture.md).`,
    '',
  ],
  syncers: (data) =>
    Object.entries(data).flatMap(([race, phases]) =>
      Object.entries(phases).flatMap(([phase, results]) => [`### ${race}${phase === 'first' ? '' : `: ${PHASES[phase].title.toLowerCase()}`}`, '', ...syncerTable(results), '']),
    ),
  startup: (data) => [
    '| | median, ms | over `node -e 0`, ms | CPU, ms | peak memory, MiB | runs |',
    '|---|---:|---:|---:|---:|---:|',
    ...Object.entries(data).map(([name, runs]) => {
      const ms = (of, field) => median(of.map((run) => run[field])) * 1000;
      const wall = ms(runs, 'seconds');
      return `| \`${name}\` | ${wall.toFixed(0)} | ${(wall - ms(data['node -e 0'], 'seconds')).toFixed(0)} | ${ms(runs, 'cpu').toFixed(0)} | ${Math.max(...runs.map(({ peakMiB }) => peakMiB)).toFixed(0)} | ${runs.length} |`;
    }),
    '',
  ],
};

/** The generic syncer is what the dedicated one is measured by. */
function syncerTable(results) {
  const generic = results['wl --syncer generic'] && median(results['wl --syncer generic'].map(({ seconds }) => seconds));
  const of = (runs, field) => median(runs.map((run) => run[field]));
  const extras = [['usedMiB', 'taken of the disk, MiB'], ['passedMiB', 'through the daemon, MiB']].filter(([field]) => Object.values(results).some(([run]) => run[field] !== undefined));
  return [
    `| ${['', 'median, s', '× generic', 'CPU, s', ...extras.map(([, title]) => title), 'rounds'].join(' | ')} |`,
    `|---|---:|---:|---:|${'---:|'.repeat(extras.length)}---|`,
    ...Object.entries(results).map(([name, runs]) => {
      const seconds = of(runs, 'seconds');
      const more = extras.map(([field]) => (runs[0][field] === undefined ? '' : of(runs, field).toFixed(0)));
      const cells = [name, seconds.toFixed(2), generic === undefined ? '' : (seconds / generic).toFixed(2), of(runs, 'cpu').toFixed(2), ...more];
      return `| ${[...cells, runs.map((run) => run.seconds.toFixed(2)).join(', ')].join(' | ')} |`;
    }),
  ];
}

function phaseTable(results, yardstick) {
  const base = results[yardstick] && median(results[yardstick].map(({ seconds }) => seconds));
  return [
    `| | median, s | × ${yardstick} | CPU, s | peak memory, MiB | rounds |`,
    '|---|---:|---:|---:|---:|---|',
    ...Object.entries(results).map(([name, runs]) => {
      const seconds = median(runs.map((run) => run.seconds));
      const all = runs.map((run) => run.seconds.toFixed(2)).join(', ');
      const ratio = base === undefined ? '' : (seconds / base).toFixed(2);
      return `| ${name} | ${seconds.toFixed(2)} | ${ratio} | ${median(runs.map(({ cpu }) => cpu)).toFixed(2)} | ${Math.max(...runs.map(({ peakMiB }) => peakMiB)).toFixed(0)} | ${all} |`;
    }),
  ];
}
