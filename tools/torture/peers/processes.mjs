/** Processes of one program under test: started with a mark in their environment, and found again by it. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Starts and ends the processes of one world. */
export class Processes {
  constructor(env, prefix) {
    this.mark = `WL_PEERS=${randomUUID()}`;
    this.env = { ...env, LC_ALL: 'C.UTF-8', WL_PEERS: this.mark.slice('WL_PEERS='.length) };
    for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS']) delete this.env[name];
    this.prefix = prefix;
  }

  /** Starts a command; resolves to its exit code (or signal) and all it said once it ends. */
  run(command, limitMs = 400_000) {
    const [program, ...args] = [...this.prefix, ...command];
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      const hear = (chunk) => (said = (said + chunk).slice(-200_000));
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      child.on('error', reject);
      // A daemon that it left behind may keep the pipes.
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        setTimeout(() => resolve({ code: code ?? signal, said }), 20);
      });
    });
  }

  /** Starts a program that stays. */
  start(command) {
    const [program, ...args] = [...this.prefix, ...command];
    const child = spawn(program, args, { env: this.env, stdio: 'ignore' });
    child.on('error', () => undefined);
    return child;
  }

  /** Kills all of them, also those that left their parents. */
  kill() {
    for (const pid of this.ids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended in between.
      }
    }
  }

  /** Kills all of them and waits until they are gone. */
  async end() {
    this.kill();
    for (const end = Date.now() + 10_000; Date.now() < end && this.ids().length > 0; await sleep(20)) this.kill();
  }

  /** Ids of those that run. */
  ids() {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(Number)
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(this.mark);
        } catch {
          return false;
        }
      });
  }
}
