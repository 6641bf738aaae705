/**
 * Two syncthing processes as a peer of a race: it has no command that runs once, so the time from
 * the start of both until both agree counts, with the CPU and memory of both.
 */
import { mkdirSync } from 'node:fs';

import { useOf } from './measure.mjs';
import { syncthingPrompt } from './watchers.mjs';

/** Two ways. A pass without changes is a start that finds none. */
export const syncthingOnce = {
  name: 'syncthing, two instances',
  needs: 'syncthing',
  make: (dir, source, target) => {
    const run = async () => {
      mkdirSync(dir, { recursive: true });
      const instance = syncthingPrompt.make(dir, source, target);
      await instance.prepare();
      const started = performance.now();
      await instance.start();
      const seconds = (performance.now() - started) / 1000;
      const uses = instance.pids().map(useOf);
      await instance.stop();
      return { seconds, cpu: uses.reduce((sum, { cpu }) => sum + cpu, 0), peakMiB: uses.reduce((sum, { peakMiB }) => sum + peakMiB, 0) };
    };
    return { first: run, stop: () => undefined };
  },
};
