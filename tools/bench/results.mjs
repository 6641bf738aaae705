/**
 * What was measured, kept beside the page so that it can be made again and rows can be run one by
 * one: `{ rows: { <name>: { date, machine, rounds, isQuick, missing, data } } }`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Reads them; nothing where there is no file yet. */
export function readResults(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { rows: {} };
}

/** Puts one row in place of what was known of it. Written at once: a run that breaks off keeps what it has. */
export function keepRow(file, name, row) {
  const results = readResults(file);
  results.rows[name] = row;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, rounded, 1)}\n`);
  return results;
}

/** No more digits than mean something. */
function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}

/** The machine and the programs, in a line. */
export function describeMachine(scratch) {
  const firstLine = (command, ...args) => String(spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '').split('\n')[0].trim();
  const fileSystem = firstLine('stat', '-f', '-c', '%T', scratch);
  const journal = fileSystem.startsWith('ext') && !hasJournal(scratch) ? ' without a journal' : '';
  const versions = [
    `Node ${process.version}`,
    firstLine('rsync', '--version').replace(/ +protocol.*/, '').replace(/ +/g, ' '),
    firstLine('rclone', 'version'),
    firstLine('unison', '-version'),
    firstLine('syncthing', '--version').split(' ').slice(0, 2).join(' '),
    firstLine('lsyncd', '-version').replace('Version: ', 'lsyncd '),
  ].filter((version) => version !== '');
  const memory = (os.totalmem() / 2 ** 30).toFixed(0);
  return `${os.cpus().length} cores (${os.cpus()[0].model.trim()}), ${memory} GiB, Linux ${os.release()}, ${fileSystem}${journal}; ${versions.join('; ')}`;
}

/** By the thread of the kernel that every mounted journal has; `undefined` stands for yes. */
function hasJournal(scratch) {
  const device = String(spawnSync('df', ['--output=source', scratch], { encoding: 'utf8' }).stdout).trim().split('\n').at(-1);
  return existsSync(`/proc/fs/jbd2`) && spawnSync('sh', ['-c', 'ls -d /proc/fs/jbd2/"$0"-*', path.basename(device)]).status === 0;
}
