import { describe, expect, it } from '@jest/globals';
import { MemoryBackend, MemoryTree } from '@wl/adapters/memory';
import type { PluginBackend, PluginHost, StorageBackend } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';

import { pluginBackend } from './plugin-backend.js';

const clock = new ManualClock();
const host: PluginHost = { clock, log: () => undefined, kit: {} };
const params = { type: 'shelf', 'backend-id': 'one' };
const make = (create: PluginBackend['create']) => pluginBackend({ TYPE: 'shelf', create }, 'p@1', host)(params);
const whole = (type: string, backendId: string): StorageBackend => new MemoryBackend(new MemoryTree({ id: 't', clock }), { type, backendId });

describe('a driver of a plugin', () => {
  it('is what the plugin makes', () => {
    const driver = whole('shelf', 'one');
    expect(make(() => driver)).toBe(driver);
  });

  it.each<[string, PluginBackend['create'], string]>([
    ['cannot be made', () => { throw new Error('place is missing'); }, 'plugin p@1 cannot make a storage of type shelf: place is missing'],
    ['is nothing', () => undefined as unknown as StorageBackend, 'plugin p@1 made a storage of type shelf without open, close'],
    ['is not whole', () => ({ open: async () => undefined }) as unknown as StorageBackend, 'plugin p@1 made a storage of type shelf without close, rootIdentity'],
    ['calls itself otherwise', () => whole('shelf', 'two'), 'plugin p@1 made a storage that calls itself shelf two instead of shelf one'],
  ])('that %s is refused by name', (_what, create, message) => {
    expect(() => make(create)).toThrow(message);
  });
});
