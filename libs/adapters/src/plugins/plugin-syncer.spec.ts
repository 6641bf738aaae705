import { describe, expect, it } from '@jest/globals';
import type { PassReport, PluginHost, PluginSyncerClass, PluginSyncerContext, Problem, Syncer, SyncerContext, SyncerEvents } from '@wl/ports';
import { ManualClock } from '@wl/ports/testing';

import { pluginSyncer } from './plugin-syncer.js';

const host: PluginHost = { clock: new ManualClock(), log: () => undefined, kit: {} };
const problem: Problem = { path: 'a', side: 'source', reason: 'odd', message: 'it is odd' };

/** Events that note what they hear. */
function listening(): { readonly heard: string[]; readonly events: SyncerEvents } {
  const heard: string[] = [];
  const note = (name: string) => (what: unknown) => void heard.push(`${name} ${typeof what === 'string' ? what : ''}`.trim());
  return {
    heard,
    events: {
      state: note('state'), operation: note('operation'), progress: note('progress'), conflict: note('conflict'), conflictResolved: note('resolved'),
      report: ({ copiedFiles }) => void heard.push(`report ${String(copiedFiles)}`),
      halt: ({ reason }) => void heard.push(`halt ${reason}`),
      error: note('error'), note: note('note'), noteEnded: note('ended'),
    },
  };
}

function make(body: Partial<Record<string, unknown>>, generic?: () => Syncer): { readonly syncer: Syncer; readonly heard: string[] } {
  const { heard, events } = listening();
  class Plugin {
    static SYNCER_NAME = 'plugin';
    static SOURCE_TYPES = ['*'];
    static TARGET_TYPES = ['*'];
    constructor(readonly context: PluginSyncerContext) {}
    iter_errors(): Problem[] {
      return [problem];
    }
  }
  Object.assign(Plugin.prototype, body);
  const context = { isUnidirectional: false, filter: undefined, events, ...(generic !== undefined && { generic }) } as unknown as SyncerContext;
  return { syncer: pluginSyncer(Plugin, 'p@1', host).create(context), heard };
}

describe('a syncer of a plugin', () => {
  it('has the traits it names, and no others', () => {
    class Plugin {
      static SYNCER_NAME = 'plugin';
      static SOURCE_TYPES = ['local'];
      static TARGET_TYPES = ['*'];
      static CONTINUOUS = true;
    }
    expect(pluginSyncer(Plugin as unknown as PluginSyncerClass, 'p@1', host)).toMatchObject({
      origin: 'p@1',
      traits: { SYNCER_NAME: 'plugin', SOURCE_TYPES: ['local'], TARGET_TYPES: ['*'], CONTINUOUS: true, ONE_SHOT: false, UNIDIRECTIONAL: false, REQUIRES_MOUNT: false },
    });
  });

  it('has its report told, and its states, where it tells none itself', async () => {
    const { syncer, heard } = make({ one_shot_sync: async () => ({ copiedFiles: 2 }) });
    expect(await syncer.oneShotSync({})).toMatchObject({ copiedFiles: 2, deletedFiles: 0, isComplete: true });
    expect(heard).toEqual(['state ONE_SHOT', 'report 2', 'state SYNCED']);
    expect([...syncer.iterErrors()]).toEqual([problem]);
  });

  it('may report nothing at all', async () => {
    const { syncer } = make({ one_shot_sync: async () => undefined });
    expect(await syncer.oneShotSync({})).toMatchObject({ copiedFiles: 0, halt: undefined });
  });

  it('ends in ERROR with a halt', async () => {
    const { syncer, heard } = make({ one_shot_sync: async () => ({ halt: { reason: 'root-missing', message: 'gone' } }) });
    await syncer.oneShotSync({});
    expect(heard).toEqual(['state ONE_SHOT', 'report 0', 'halt root-missing', 'state ERROR']);
  });

  it('builds on the generic one under its own names, which reports once', async () => {
    const report = { copiedFiles: 5 } as PassReport;
    const generic = (): Syncer => ({ oneShotSync: async () => report, startSync: async () => undefined, stopSync: async () => undefined, isRunning: () => true, iterErrors: () => [] });
    const { syncer, heard } = make(
      {
        async one_shot_sync(this: { context: PluginSyncerContext }) {
          const built = this.context.generic();
          expect(built.is_running()).toBe(true);
          const told = await built.one_shot_sync({});
          this.context.events.report(told as PassReport);
          return told;
        },
      },
      generic,
    );
    await syncer.oneShotSync({});
    expect(heard).toEqual(['state ONE_SHOT', 'report 5', 'state SYNCED']);
  });

  it('fails the pass when it throws, also before its first await', async () => {
    const { syncer } = make({
      one_shot_sync: () => {
        throw new Error('at once');
      },
    });
    await expect(syncer.oneShotSync({})).rejects.toThrow('at once');
    expect(syncer.isRunning()).toBe(false);
  });

  it('starts, stops and says whether it runs', async () => {
    let isRunning = false;
    const { syncer } = make({ start_sync: () => void (isRunning = true), stop_sync: () => void (isRunning = false), is_running: () => isRunning });
    await syncer.startSync({});
    expect(syncer.isRunning()).toBe(true);
    await syncer.stopSync();
    expect(syncer.isRunning()).toBe(false);
  });
});
