import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigStore } from '@wl/adapters/manifests';

import { findSocketPath } from './socket-path.js';

describe('findSocketPath', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'wl-socket-path-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const find = (): Promise<string> => findSocketPath(new ConfigStore({ baseDirectory: directory, env: {} }), {});
  const configure = (text: string): Promise<void> => writeFile(path.join(directory, 'config.yaml'), text);

  it('is the usual place where nothing is configured', async () => {
    expect(await find()).toBe(path.join(directory, 'wlsync.sock'));
    await configure('local-hostname: ann\n');
    expect(await find()).toBe(path.join(directory, 'wlsync.sock'));
  });

  it.each(['sync-socket-path: /run/x.sock\n', '"sync\\u002dsocket-path": /run/x.sock\n', '{ sync-socket-path: /run/x.sock }\n'])('is what the configuration says: %j', async (text) => {
    await configure(text);
    expect(await find()).toBe('/run/x.sock');
  });

  it('does not guess when the configuration names one and cannot be used', async () => {
    await configure('sync-socket-path: [\n');
    await expect(find()).rejects.toThrow('config.yaml cannot be used');
  });
});
