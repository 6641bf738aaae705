/** Measures whole processes: wall clock, CPU and peak memory of a command and its children. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The environment of every measured program: no certificates to read at start, one locale. */
export function cleanEnv(extra = {}) {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', ...extra };
  // Node 20 reads these certificates at every start, which is no part of what is measured.
  delete env.NODE_EXTRA_CA_CERTS;
  return env;
}

/**
 * Runs a command to its end. Resolves to seconds, CPU seconds and peak memory in MiB (GNU time).
 * Throws when the exit code is not among `okCodes`.
 */
export function measure(command, { cwd, env, scratch, okCodes = [0] }) {
  const report = path.join(scratch, `time-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const started = process.hrtime.bigint();
  const run = spawnSync('/usr/bin/time', ['-f', '%e %U %S %M', '-o', report, ...command], {
    cwd,
    env: env ?? cleanEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (run.error) throw run.error;
  if (!okCodes.includes(run.status)) {
    throw new Error(`${command.join(' ')} ended with ${run.status}: ${String(run.stderr).slice(-2000)}${String(run.stdout).slice(-2000)}`);
  }
  const [, user, system, kilobytes] = readFileSync(report, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
  rmSync(report);
  return { seconds, cpu: user + system, peakMiB: kilobytes / 1024, stdout: String(run.stdout) };
}

/** Median of numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which a share of the numbers lies. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

const TICKS_PER_SECOND = 100;

/** What a running process has used so far, its threads included: CPU seconds, memory now and at most, in MiB. */
export function useOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)[1]) / 1024;
  return { cpu: (user + system) / TICKS_PER_SECOND, nowMiB: mebibytes('VmRSS'), peakMiB: mebibytes('VmHWM') };
}

/** Has the peak memory of a process counted from now on. */
export function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Waits for so many milliseconds. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something holds; rejects when it does not within a limit, in milliseconds. */
export async function until(condition, limitMs, everyMs = 50) {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('what was waited for has not come');
    await pause(everyMs);
  }
}
