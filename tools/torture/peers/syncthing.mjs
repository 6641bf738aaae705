/**
 * Two instances of Syncthing on loopback that share one folder: no discovery, relays, NAT traversal or reports, and
 * otherwise as it is by default (watching, ten conflict copies, no file versioning).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const KEY = 'torture';
const SYNC_LIMIT_MS = 240_000;

/** Prepares and runs both instances. */
export class Syncthing {
  constructor(world, processes) {
    this.world = world;
    this.processes = processes;
  }

  async setup() {
    const ports = await freePorts(4);
    this.nodes = ['left', 'right'].map((side, index) => {
      const home = path.join(this.world.home, `syncthing-${side}`);
      mkdirSync(home, { recursive: true });
      execFileSync('syncthing', ['generate', '--home', home, '--no-default-folder'], { stdio: 'pipe', env: this.processes.env });
      const id = execFileSync('syncthing', ['--device-id', '--home', home], { encoding: 'utf8', env: this.processes.env }).trim();
      return { side, home, id, port: ports[index], gui: ports[index + 2] };
    });
    for (const node of this.nodes) writeFileSync(path.join(node.home, 'config.xml'), this.config(node));
    await this.start();
  }

  async start() {
    for (const { home } of this.nodes) this.processes.start(['syncthing', 'serve', '--home', home, '--no-browser', '--no-restart', '--no-upgrade', '--logfile=-']);
    for (const node of this.nodes) {
      for (const end = Date.now() + 30_000; ; await sleep(150)) {
        if (await this.ask(node, 'GET', '/rest/system/ping').then(() => true, () => false)) break;
        if (Date.now() > end || this.processes.ids().length === 0) throw new Error('syncthing does not answer');
      }
    }
  }

  /** Starts what does not run. */
  async ready() {
    if (this.processes.ids().length > 0) return;
    await this.start();
  }

  /** Scans both sides and waits until nothing is to do on either, or nothing moves any more. */
  async sync() {
    await this.ready();
    for (const node of this.nodes) await this.ask(node, 'POST', '/rest/db/scan?folder=pair').catch(() => undefined);
    let [same, before] = [0, ''];
    const end = Date.now() + SYNC_LIMIT_MS;
    while (Date.now() < end && same < 5) {
      await sleep(300);
      if (this.processes.ids().length === 0) return { code: 'killed', said: '' };
      const looks = await Promise.all(this.nodes.map((node) => this.look(node)));
      const now = JSON.stringify(looks);
      const isIdle = looks.every(({ state, connected }) => (state === 'idle' || state === 'error') && connected);
      same = isIdle && now === before ? same + 1 : 0;
      // What it cannot do it goes on trying: when nothing moves for long, that is the end of it.
      if (same > 0 && looks.some(({ need }) => need > 0) && same < 5) await sleep(1_500);
      before = now;
    }
    return { code: 0, said: await this.errors() };
  }

  /** Removes the index databases; keys and settings stay. */
  async forget() {
    await this.processes.end();
    for (const { home } of this.nodes) for (const name of readdirSync(home)) if (name.startsWith('index')) rmSync(path.join(home, name), { recursive: true });
  }

  async look(node) {
    const status = await this.ask(node, 'GET', '/rest/db/status?folder=pair').catch(() => ({ state: 'gone' }));
    const { connections = {} } = await this.ask(node, 'GET', '/rest/system/connections').catch(() => ({}));
    const connected = Object.values(connections).some((one) => one.connected);
    return { state: status.state, need: status.needTotalItems, global: status.globalTotalItems, bytes: status.globalBytes, local: status.localTotalItems, sequence: status.sequence, connected };
  }

  async errors() {
    const said = [];
    for (const node of this.nodes) {
      const { errors } = await this.ask(node, 'GET', '/rest/folder/errors?folder=pair').catch(() => ({}));
      for (const { path: name, error } of errors ?? []) said.push(`${node.side}: ${name}: ${error}`);
      const status = await this.ask(node, 'GET', '/rest/db/status?folder=pair').catch(() => ({}));
      if (status.error) said.push(`${node.side}: ${status.error}`);
    }
    return said.join('\n');
  }

  async ask(node, method, url) {
    const answer = await fetch(`http://127.0.0.1:${node.gui}${url}`, { method, headers: { 'X-API-Key': KEY }, signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    const text = await answer.text();
    return text === '' ? {} : JSON.parse(text);
  }

  config(node) {
    const devices = this.nodes.map(({ id, port, side }) => `<device id="${id}" name="${side}" compression="never"><address>tcp://127.0.0.1:${port}</address></device>`).join('\n');
    const members = this.nodes.map(({ id }) => `<device id="${id}"/>`).join('');
    return `<configuration version="36">
<folder id="pair" label="pair" path="${this.world[node.side]}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1">${members}<minDiskFree unit="%">0</minDiskFree></folder>
${devices}
<gui enabled="true" tls="false"><address>127.0.0.1:${node.gui}</address><apikey>${KEY}</apikey></gui>
<options><listenAddress>tcp://127.0.0.1:${node.port}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled><localAnnounceEnabled>false</localAnnounceEnabled>
<relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled><urAccepted>-1</urAccepted><crashReportingEnabled>false</crashReportingEnabled><startBrowser>false</startBrowser>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH><reconnectionIntervalS>1</reconnectionIntervalS><minHomeDiskFree unit="%">0</minHomeDiskFree></options>
</configuration>
`;
  }
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    })),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
