import { describe, expect, it } from '@jest/globals';
import { NO_REPLY_CLOSE, type ControlConnection, type ControlEvent } from '@wl/adapters/socket';
import type { JobListener, JobManager } from '@wl/engine';

import type { CheckStorage } from './check-storage.js';
import { controlCommands } from './commands.js';
import type { Plugins } from './plugins.js';

/** A manager that remembers how it was called. */
function fakeManager() {
  const calls: unknown[][] = [];
  const listeners: JobListener[] = [];
  const note =
    (name: string, answer?: unknown) =>
    (...args: unknown[]) => {
      calls.push([name, ...args.filter((arg) => typeof arg !== 'function')]);
      listeners.push(...(args.filter((arg) => typeof arg === 'function') as JobListener[]));
      return answer;
    };
  const manager = {
    start: note('start', Promise.resolve('Using remote backend b of type local.')),
    stop: note('stop', Promise.resolve('Sync for job j stopped')),
    statusTexts: note('statusTexts', ['one']),
    jobState: note('jobState', null),
    unsubscribe: note('unsubscribe'),
    subscribe: note('subscribe'),
    resume: note('resume', Promise.resolve()),
    explain: note('explain', Promise.resolve([])),
    setActiveEvents: note('setActiveEvents'),
  } as unknown as JobManager;
  return { manager, calls, listeners };
}

function fakeConnection() {
  const sent: ControlEvent[] = [];
  const closers: (() => void)[] = [];
  const onClose: ControlConnection['onClose'] = (callback) => {
    closers.push(callback);
    return () => undefined;
  };
  const connection: ControlConnection = {
    id: 7,
    isOpen: true,
    sendEvent: (event) => sent.push(event) > 0,
    onClose,
    onGone: onClose,
  };
  return { connection, sent, close: () => closers.forEach((closer) => closer()) };
}

const START = {
  'container-name': 'photos',
  'job-id': 'o|u|b',
  source: { type: 'local', location: '/a', 'backend-id': 'a' },
  target: { type: 'local', location: '/b', 'backend-id': 'b' },
  continuous: true,
  unidirectional: false,
};

describe('the control commands', () => {
  const program = { version: '1', pid: 1, baseDir: '/base' };
  const noPlugins: Plugins = { current: { syncers: [], backends: new Map(), plugins: [] }, reload: async () => [] };
  const unused: CheckStorage = () => Promise.reject(new Error('not asked for'));

  it('accept the arguments of the original and refuse unknown ones with a reason', () => {
    const { start } = controlCommands({ manager: fakeManager().manager, checkStorage: unused, plugins: noPlugins, program, shutdown: () => undefined });
    expect(start!.validate(START)).toBeUndefined();
    expect(start!.validate({ ...START, bogus: 1 })).toMatch(/bogus/);
    expect(start!.validate({ ...START, continuous: 'yes' })).toMatch(/continuous/);
  });

  it('send the events of a job to the connection that started it, until it closes', async () => {
    const { manager, calls, listeners } = fakeManager();
    const { connection, sent, close } = fakeConnection();
    const { start } = controlCommands({ manager, checkStorage: unused, plugins: noPlugins, program, shutdown: () => undefined });
    expect(await start!.run(START, connection)).toBe('Using remote backend b of type local.');
    listeners[0]!({ type: 'state', value: 'SYNCED', jobId: 'o|u|b' });
    expect(sent).toEqual([{ type: 'state', value: 'SYNCED', jobId: 'o|u|b' }]);
    close();
    expect(calls.at(-1)).toEqual(['unsubscribe']);
  });

  it('answer null where there is nothing to say', async () => {
    const commands = controlCommands({ manager: fakeManager().manager, checkStorage: unused, plugins: noPlugins, program, shutdown: () => undefined });
    const { connection } = fakeConnection();
    expect(await commands['job-state']!.run({ 'job-id': 'x' }, connection)).toBeNull();
    expect(await commands['active-events']!.run({ 'job-id': 'x', 'active-events': [] }, connection)).toBeNull();
  });

  it('check a storage for as long as the connection is open', async () => {
    const signals: AbortSignal[] = [];
    const checkStorage: CheckStorage = (params, signal) => {
      signals.push(signal);
      return Promise.resolve([{ ability: 'list', outcome: 'works', detail: params.type }]);
    };
    const commands = controlCommands({ manager: fakeManager().manager, checkStorage, plugins: noPlugins, program, shutdown: () => undefined });
    const { connection, close } = fakeConnection();
    const running = commands['check-storage']!.run({ storage: START.source }, connection);
    close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await running).toEqual([{ ability: 'list', outcome: 'works', detail: 'local' }]);
    expect(commands['check-storage']!.validate({ storage: { type: 's3' } })).toMatch(/s3_url/);
  });

  it('look for plugins again, and resume what waited for one, before they answer', async () => {
    const { manager, calls } = fakeManager();
    const told = [{ name: 'p', version: '1', place: '/p', state: 'loaded' as const, reasons: [], syncers: ['fast'], backends: [] }];
    const reload = async () => {
      calls.push(['reload']);
      return told;
    };
    const commands = controlCommands({ manager, checkStorage: unused, plugins: { ...noPlugins, reload }, program, shutdown: () => undefined });
    const { connection } = fakeConnection();
    expect(await commands['plugins']!.run({}, connection)).toEqual([]);
    expect(await commands['reload-plugins']!.run({}, connection)).toEqual(told);
    expect(calls).toEqual([['reload'], ['resume']]);
    expect(await commands['explain-syncer']!.run({ source: START.source, target: START.target, continuous: true, unidirectional: false }, connection)).toEqual([]);
  });

  it('end the daemon without a reply', async () => {
    let reason = '';
    const { shutdown } = controlCommands({ manager: fakeManager().manager, checkStorage: unused, plugins: noPlugins, program, shutdown: (why) => (reason = why) });
    expect(await shutdown!.run({}, fakeConnection().connection)).toBe(NO_REPLY_CLOSE);
    expect(reason).not.toBe('');
  });
});
