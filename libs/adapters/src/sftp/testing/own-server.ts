/** An SFTP server of a test's own, to be harmed, started and ended by the scripts that people use. */

import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { serverFromEnv, type ServerUnderTest } from './open-sftp.js';

const TOOLS = path.resolve(import.meta.dirname, '../../../../../tools/sftp-server');
const NOBODY = 65534;

/** How it differs from the usual one. */
export interface OwnServerOptions {
  /** Requests of the protocol that it does not do, as `sftp-server -P` takes them. */
  readonly denies?: readonly string[];
  /** Serves files as `nobody`, where the tests are run by root. */
  readonly asNobody?: boolean;
  /** Where it keeps its files, instead of in a directory of its own. */
  readonly files?: string;
}

/** One server. */
export class OwnServer {
  readonly server: ServerUnderTest;

  private constructor(
    private readonly directory: string,
    private readonly subsystem: string,
    server: ServerUnderTest,
  ) {
    this.server = server;
  }

  static async start({ denies = [], asNobody = false, files }: OwnServerOptions = {}): Promise<OwnServer> {
    const directory = mkdtempSync(path.join(tmpdir(), 'wl-sshd-'));
    // Whoever serves the files has to get there.
    chmodSync(directory, 0o755);
    const isOther = asNobody && process.getuid?.() === 0;
    const denied = denies.length === 0 ? '' : ` -P ${denies.join(',')}`;
    const subsystem = isOther ? `/usr/bin/setpriv --reuid=${String(NOBODY)} --regid=${String(NOBODY)} --clear-groups -- /usr/lib/openssh/sftp-server${denied}` : `internal-sftp${denied}`;
    const found = await runStart(directory, subsystem);
    return new OwnServer(directory, subsystem, { ...found, ...(files !== undefined && { files }), ...(isOther && { owner: { uid: NOBODY, gid: NOBODY } }) });
  }

  /** Ends the connections; the server runs on. */
  cut(): void {
    execFileSync(path.join(TOOLS, 'stop.sh'), [this.directory, '--cut']);
  }

  /** Ends the server and its connections. */
  stop(): void {
    execFileSync(path.join(TOOLS, 'stop.sh'), [this.directory]);
  }

  /** Starts it again, at the same port. */
  async startAgain(): Promise<void> {
    await runStart(this.directory, this.subsystem, this.server.port);
  }

  /** Ends it and removes what it kept. */
  close(): void {
    execFileSync(path.join(TOOLS, 'stop.sh'), [this.directory, '--wipe']);
  }
}

async function runStart(directory: string, subsystem: string, port?: number): Promise<ServerUnderTest> {
  const env = { ...process.env, SFTP_SUBSYSTEM: subsystem, ...(port !== undefined && { SFTP_PORT: String(port) }) };
  const { stdout } = await promisify(execFile)(path.join(TOOLS, 'start.sh'), [directory], { env });
  return serverFromEnv(Object.fromEntries([...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value]): [string, string | undefined] => [name, value])));
}
