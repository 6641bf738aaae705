/** How long short commands take, against a bare `node -e 0`, in turn. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { measure } from './measure.mjs';
import { daemonPid, wl, WL, wlEnv } from './peers.mjs';

/** Gives measurements by command. */
export function startup({ scratch, times, progress }) {
  const at = path.join(scratch, 'startup');
  mkdirSync(at, { recursive: true });
  const env = wlEnv(at);
  const commands = {
    'node -e 0': { args: [process.execPath, '-e', '0'], before: () => daemonPid(env) },
    'wl status': { args: [...WL, 'status'], before: () => daemonPid(env) },
    'wl --help': { args: [...WL, '--help'], before: () => daemonPid(env) },
    'wl status, which starts the daemon': { args: [...WL, 'status'], before: () => wl(env, 'stop') },
  };
  const results = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  try {
    for (let time = 0; time < times; time += 1) {
      for (const [name, { args, before }] of Object.entries(commands)) {
        before();
        const { seconds, cpu, peakMiB } = measure(args, { scratch: at, env });
        results[name].push({ seconds, cpu, peakMiB });
      }
    }
  } finally {
    wl(env, 'stop');
  }
  progress(`startup: ${times} times each`);
  return results;
}
