/**
 * A file that is written on one side again and again while the daemon is under attack, and has to
 * show on the other each time: the daemon keeps syncing. Its memory and its life are watched, too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** "Within seconds", on a machine that is busy with the attack. Milliseconds. */
const LATE_MS = 10_000;
const PAUSE_MS = 500;

/** Watches until `stop()`, which answers figures and findings. */
export function startProbe(home, left, right) {
  const figures = { probes: 0, slowestProbeMs: 0, memoryMb: home.daemonMemoryMb };
  const findings = [];
  const pid = home.daemonPid;
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const text = `probe ${figures.probes}`;
      writeFileSync(path.join(left, 'probe.txt'), text);
      const start = performance.now();
      let hasArrived = false;
      while (!hasArrived && performance.now() - start < LATE_MS * 3) {
        await sleep(20);
        figures.memoryMb = Math.max(figures.memoryMb, home.daemonMemoryMb);
        hasArrived = textOf(path.join(right, 'probe.txt')) === text;
      }
      const lateMs = Math.round(performance.now() - start);
      figures.probes += 1;
      figures.slowestProbeMs = Math.max(figures.slowestProbeMs, lateMs);
      if (lateMs > LATE_MS) findings.push({ kind: 'late', text: `a change took ${lateMs} ms to arrive` });
      if (home.daemonPid !== pid) {
        findings.push({ kind: 'dead', text: `the daemon died:\n${home.logTail()}` });
        return;
      }
      await sleep(PAUSE_MS);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await running;
      return { figures, findings };
    },
  };
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
