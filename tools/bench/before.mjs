/** What the rows were when they were first measured (2026-11-22, 2 cores, the same machine class): by row and phase. Written by hand, once. */
export const BEFORE = {
  'small first': '4.89 s; 2.81 × cp -a + sync (cold 4.24 s)',
  'small again': '0.72 s; 5.15 × find (cold 1.32 s)',
  'tiny first': '63.7 s, 360 MiB; rclone sync 76.4 s, unison 157 s',
  'tiny again': '7.13 s; rclone sync 9.27 s, unison 6.48 s',
  'single first': '4.00 s; 0.77 × cp -a',
  'latency-2k': 'median 26 ms, 95 % 36, worst 147',
  'latency-20k': 'median 27 ms, 95 % 62, worst 544',
  startup: '`node -e 0` + 50 ms of CPU',
};
