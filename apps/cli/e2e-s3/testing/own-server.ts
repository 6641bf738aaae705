/** An S3 server of one test file, which may be stopped and killed (tools/s3-server). */

import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { Child } from '../../e2e/testing/child.js';
import { isRunning } from '../../e2e/testing/processes.js';
import { CHECKOUT } from '../../e2e/testing/programs.js';
import { until } from '../../e2e/testing/until.js';
import type { S3Account } from './s3-client.js';

const START_LIMIT_MS = 300_000;

/** A server of its own. */
export class OwnServer {
  private constructor(
    readonly account: S3Account,
    private readonly directory: string,
  ) {}

  static async start(): Promise<OwnServer> {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'wl-e2e-s3-'));
    const stdout = await script('start.sh', directory);
    const exported = new Map([...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
    const value = (name: string): string => exported.get(`WL_S3_${name}`) ?? '';
    return new OwnServer({ endpoint: value('ENDPOINT'), accessKey: value('ACCESS_KEY'), secretKey: value('SECRET_KEY'), region: value('REGION') }, directory);
  }

  /** It takes connections and answers nothing. */
  hang(): void {
    process.kill(this.#pid(), 'SIGSTOP');
  }

  goOn(): void {
    process.kill(this.#pid(), 'SIGCONT');
  }

  /** It is gone from one moment to the next; what it stored stays. */
  async crash(): Promise<void> {
    const pid = this.#pid();
    process.kill(pid, 'SIGKILL');
    // Until the system has put it away it still counts as running, and its port as taken.
    await until(() => !isRunning(pid), 'the killed gateway to be gone');
  }

  async restart(): Promise<void> {
    await script('start.sh', this.directory);
  }

  async stop(): Promise<void> {
    await script('stop.sh', this.directory, '--wipe');
  }

  #pid(): number {
    return Number(readFileSync(path.join(this.directory, 'run', 'rgw.pid'), 'utf8'));
  }
}

async function script(name: string, ...args: readonly string[]): Promise<string> {
  const command = [path.join(CHECKOUT, 'tools/s3-server', name), ...args];
  const { code, stdout, stderr } = await new Child(command, { env: process.env, cwd: CHECKOUT, limitMs: START_LIMIT_MS }).ended;
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}`);
  return stdout;
}
