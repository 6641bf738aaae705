/** Compiles the tracer (tools/torture/trace/trace.c) on demand, and reads its reports. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const SOURCE = path.resolve(import.meta.dirname, '../trace/trace.c');

/** Something this machine lacks; the message says what to do. */
export class MissingMeans extends Error {}

/** The tracer's program, compiled if this source has not been yet. */
export function tracer() {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new MissingMeans('the tracer needs Linux on x86-64');
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const program = path.join(os.tmpdir(), `wl-torture-${os.userInfo().uid}`, `trace-${digest}`);
  if (!existsSync(program)) {
    mkdirSync(path.dirname(program), { recursive: true, mode: 0o700 });
    const draft = `${program}.${process.pid}`;
    const { status, error, stderr } = spawnSync('cc', ['-O2', '-Wall', '-o', draft, SOURCE], { encoding: 'utf8' });
    if (error?.code === 'ENOENT') throw new MissingMeans('there is no C compiler: apt-get install gcc libc6-dev');
    if (status !== 0) throw new MissingMeans(`the tracer could not be compiled (apt-get install gcc libc6-dev linux-libc-dev):\n${stderr}`);
    renameSync(draft, program);
  }
  const { status, stderr } = spawnSync(program, ['--root', '/tmp', '--', 'true'], { encoding: 'utf8' });
  if (status !== 0) throw new MissingMeans(`this machine does not allow tracing (ptrace, seccomp): ${stderr}`);
  return program;
}

/** Words that put a command under the tracer. `mode` are its further options. */
export function traced(program, roots, report, mode) {
  return [program, ...roots.flatMap((root) => ['--root', root]), '--report', report, ...mode, '--'];
}

/** The calls of a report, in order: `{ number, name, path, result }`, and how many there were. */
export function readReport(file) {
  const calls = [];
  let total;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [number, , name, place, result] = line.split('\t');
    if (number === 'total') total = Number(line.split('\t')[1]);
    else if (result !== undefined) calls.push({ number: Number(number), name, path: place, result: Number(result) });
  }
  return { calls, total: total ?? calls.length };
}
