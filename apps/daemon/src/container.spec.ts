import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import type { ServiceIdentifier } from 'inversify';

import { createContainer, TOKENS } from './container.js';

describe('the container of the daemon', () => {
  it('resolves every token', async () => {
    const baseDir = mkdtempSync(path.join(tmpdir(), 'wl-daemon-'));
    try {
      const container = createContainer({
        baseDir,
        socketPath: path.join(baseDir, 'wlsync.sock'),
        logPath: path.join(baseDir, 'wl-sync.log'),
        env: {},
        cwd: baseDir,
        version: 'test',
        umask: 0o022,
        shutdown: () => undefined,
      });
      for (const [name, token] of Object.entries(TOKENS)) {
        expect([name, container.isBound(token)]).toEqual([name, true]);
        // Without a bundle there is no worker program: the one binding that may be undefined.
        if (name !== 'diskWorkers') expect([name, container.get(token as ServiceIdentifier<unknown>)]).toEqual([name, expect.anything()]);
      }
      container.get(TOKENS.state).close();
      await container.get(TOKENS.log).close();
    } finally {
      rmSync(baseDir, { recursive: true });
    }
  });
});
