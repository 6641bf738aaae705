/**
 * Programs that keep two folders the same all the time, each behind the same calls: `start`
 * resolves when it has brought both together and watches, `stop` ends it. Nothing leaves this
 * machine: what listens does so on loopback, without discovery, relays or reports.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { cleanEnv, pause, until } from './measure.mjs';
import { UNISON, unisonEnv, wl, wlEnv } from './peers.mjs';

const START_LIMIT_MS = 900_000;

/** Ours, two ways. */
export const ours = {
  name: 'wl',
  edits: 60,
  make: (dir, source, target) => {
    const env = wlEnv(dir);
    return {
      start: async () => {
        wl(env, 'container', 'create', 'bench', '--storage', source, '--storage', target);
        wl(env, 'container', 'sync', 'bench');
        await until(() => JSON.parse(wl(env, 'status', '--json')).jobs[0]?.state === 'SYNCED', START_LIMIT_MS, 500);
      },
      stop: () => wl(env, 'stop'),
    };
  },
};

/** One way, unverified. */
function lsyncd(name, edits, ...delay) {
  return {
    name,
    needs: 'lsyncd',
    edits,
    make: (dir, source, target) => {
      let child;
      return {
        start: async () => {
          const log = path.join(dir, 'lsyncd.log');
          child = background(dir, ['lsyncd', '-nodaemon', '-log', 'Normal', '-logfile', log, ...delay, '-rsync', source, target]);
          await until(() => existsSync(log) && /Startup of .* finished/.test(readFileSync(log, 'utf8')), START_LIMIT_MS, 200);
        },
        stop: () => end(child),
      };
    },
  };
}

export const lsyncdPrompt = lsyncd('lsyncd -delay 0, one way', 40, '-delay', '0');
export const lsyncdAsItComes = lsyncd('lsyncd as it comes, one way', 4);

/** Two ways; looks at everything each second, since Debian has no unison-fsmonitor. */
export const unisonRepeat = {
  name: spawnSync('sh', ['-c', 'command -v unison-fsmonitor']).status === 0 ? 'unison -repeat watch' : 'unison -repeat 1',
  needs: 'unison',
  edits: 15,
  make: (dir, source, target) => {
    let child;
    return {
      start: async () => {
        spawnSync(UNISON[0], [...UNISON.slice(1), source, target], { env: unisonEnv(dir) });
        const how = unisonRepeat.name.split(' ').at(-1);
        child = background(dir, [...UNISON, '-repeat', how, source, target], unisonEnv(dir));
        await pause(3000);
      },
      stop: () => end(child),
    };
  },
};

/** Two ways, two processes that speak over loopback. `delayS`: how long it collects events; it comes with 10. */
function syncthing(name, edits, delayS) {
  return {
    name,
    needs: 'syncthing',
    edits,
    make: (dir, source, target) => {
      const nodes = [];
      const prepare = async () => {
        for (const [who, folder] of [['one', source], ['other', target]]) nodes.push(await syncthingNode(path.join(dir, who), folder));
        for (const node of nodes) writeConfig(node, nodes, delayS);
      };
      const end = async () => {
        for (const { child } of nodes) child?.kill();
        await until(() => nodes.every(({ child }) => child === undefined || child.exitCode !== null || child.signalCode !== null), 30_000);
      };
      return {
        pids: () => nodes.map(({ child }) => child.pid),
        prepare,
        start: async () => {
          if (nodes.length === 0) await prepare();
          for (const node of nodes) node.child = background(node.home, ['syncthing', 'serve', '--no-browser', '--no-restart', '--no-upgrade', '--no-default-folder', `--home=${node.home}`], syncthingEnv(node.home));
          await until(() => isTogether(nodes), START_LIMIT_MS, 100);
        },
        stop: end,
      };
    },
  };
}

export const syncthingPrompt = syncthing('syncthing, delay 1 s', 20, 1);
export const syncthingAsItComes = syncthing('syncthing as it comes (10 s)', 4, 10);

/** `STMONITORED`: one process without another that watches over it. */
const syncthingEnv = (home) => cleanEnv({ HOME: home, STNODEFAULTFOLDER: '1', STNOUPGRADE: '1', STMONITORED: 'yes' });

async function syncthingNode(home, folder) {
  mkdirSync(home, { recursive: true });
  // Its mark of a folder; without it the folder counts as gone.
  mkdirSync(path.join(folder, '.stfolder'), { recursive: true });
  spawnSync('syncthing', ['generate', `--home=${home}`, '--no-default-folder'], { env: syncthingEnv(home) });
  const { stdout } = spawnSync('syncthing', ['--device-id', `--home=${home}`], { env: syncthingEnv(home), encoding: 'utf8' });
  return { home, folder, id: stdout.trim(), port: await freePort(), guiPort: await freePort(), child: undefined };
}

function writeConfig(own, nodes, delayS) {
  const devices = nodes.map(({ id, port }) => `<device id="${id}" introducer="false"><address>tcp4://127.0.0.1:${port}</address></device>`);
  const members = nodes.map(({ id }) => `<device id="${id}"></device>`);
  writeFileSync(
    path.join(own.home, 'config.xml'),
    `<configuration version="35">
<folder id="bench" path="${own.folder}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="${delayS}">${members.join('')}</folder>
${devices.join('\n')}
<gui enabled="true" tls="false"><address>127.0.0.1:${own.guiPort}</address><apikey>bench</apikey></gui>
<options><listenAddress>tcp4://127.0.0.1:${own.port}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled>
<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled><reconnectionIntervalS>1</reconnectionIntervalS>
<urAccepted>-1</urAccepted><crashReportingEnabled>false</crashReportingEnabled><autoUpgradeIntervalH>0</autoUpgradeIntervalH><startBrowser>false</startBrowser></options>
</configuration>\n`,
  );
}

/** Whether both know of each other's files and need none. */
async function isTogether(nodes) {
  const looks = await Promise.all(nodes.map((node) => ask(node, '/rest/db/status?folder=bench').catch(() => undefined)));
  if (looks.some((look) => look === undefined || look.state !== 'idle' || look.needTotalItems !== 0 || look.globalFiles === 0)) return false;
  return looks[0].localFiles === looks[1].localFiles;
}

async function ask({ guiPort }, where) {
  const answer = await fetch(`http://127.0.0.1:${guiPort}${where}`, { headers: { 'X-API-Key': 'bench' } });
  return answer.ok ? answer.json() : undefined;
}

/** A port of loopback that nobody listens on now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function background(dir, [program, ...args], env = cleanEnv({ HOME: dir })) {
  const child = spawn(program, args, { env, stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child) {
  if (child === undefined) return;
  child.kill();
  await until(() => child.exitCode !== null || child.signalCode !== null, 30_000);
}
