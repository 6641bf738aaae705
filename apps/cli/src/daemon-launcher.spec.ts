import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { commandClock } from '@wl/adapters/system-clock';
import { DaemonLauncher } from './daemon-launcher.js';

/** Listens as the daemon does, on the socket in its base directory, and ends with the first connection. */
const LISTENS = `
const net = require('node:net');
const at = process.argv[process.argv.indexOf('--base-dir') + 1];
net.createServer((socket) => { socket.end(); process.exit(0); }).listen(at + '/wlsync.sock');
`;

describe('DaemonLauncher', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'wl-launcher-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Launches a daemon whose program is `source`. */
  const launch = async (source: string) => {
    const program = path.join(directory, 'daemon.cjs');
    await writeFile(program, source);
    const launcher = new DaemonLauncher({ program, baseDirectory: directory, logPath: path.join(directory, 'wl-sync.log'), env: process.env, clock: commandClock });
    return launcher.launch(path.join(directory, 'wlsync.sock'));
  };

  it('starts the daemon on its base directory and connects to it', async () => {
    const client = await launch(LISTENS);
    expect(client.isOpen).toBe(true);
    client.close();
  });

  it('starts it in a session of its own, with nothing of ours and in no directory of ours', async () => {
    const facts = path.join(directory, 'facts.json');
    const client = await launch(`
      const fs = require('node:fs');
      const [, session] = /\\) \\S+ \\d+ \\d+ (\\d+)/.exec(fs.readFileSync('/proc/self/stat', 'utf8'));
      const streams = [0, 1].map((fd) => fs.readlinkSync('/proc/self/fd/' + fd));
      fs.writeFileSync(${JSON.stringify(facts)}, JSON.stringify({ leads: Number(session) === process.pid, cwd: process.cwd(), streams, args: process.argv.slice(2) }));
      ${LISTENS}`);
    client.close();
    const { readFile } = await import('node:fs/promises');
    expect(JSON.parse(await readFile(facts, 'utf8'))).toEqual({
      leads: true,
      cwd: '/',
      streams: ['/dev/null', '/dev/null'],
      args: ['--base-dir', directory, '--log-path', path.join(directory, 'wl-sync.log')],
    });
  });

  it('shows what a daemon said that ended at once, and what it logged since', async () => {
    const log = path.join(directory, 'wl-sync.log');
    await writeFile(log, 'an old line\n');
    const failing = launch(`
      require('node:fs').appendFileSync(${JSON.stringify(log)}, 'a new line\\n');
      process.stderr.write('Error: the state is of a newer version\\n');
      process.exitCode = 1;`);
    await expect(failing).rejects.toThrow(
      `the sync daemon did not start: it ended with exit code 1\n  Error: the state is of a newer version\nThe last lines of its log, ${log}:\n  a new line`,
    );
  });

  it('takes over from a daemon that is just ending', async () => {
    const first = path.join(directory, 'first');
    const client = await launch(`
      const fs = require('node:fs');
      if (!fs.existsSync(${JSON.stringify(first)})) {
        fs.writeFileSync(${JSON.stringify(first)}, '');
        process.stderr.write('Error: a sync daemon is already running\\n');
        process.exit(1);
      }
      ${LISTENS}`);
    expect(client.isOpen).toBe(true);
    client.close();
  });

  it('says what to do when the program is missing', async () => {
    const launcher = new DaemonLauncher({ program: '/nowhere/daemon.cjs', baseDirectory: directory, logPath: '-', env: process.env, clock: commandClock });
    await expect(launcher.launch(path.join(directory, 'wlsync.sock'))).rejects.toThrow('npm run build');
  });
});
