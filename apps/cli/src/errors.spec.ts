import { describe, expect, it } from '@jest/globals';
import { ControlClientError } from '@wl/adapters/socket';
import { err, ok } from '@wl/domain';

import { CommandFailure, describeFailure, orFail, UsageError } from './errors.js';

describe('describeFailure', () => {
  it.each<[string, unknown, string, number]>([
    ['a failed command', new CommandFailure('no such container'), 'no such container', 1],
    ['a mistake of usage', new UsageError('nothing to change'), 'nothing to change', 2],
    ['an error of the daemon as it names it', new ControlClientError('WildlandError', 'it is busy', 'daemon'), 'WildlandError: it is busy', 1],
    [
      'a daemon that ended',
      new ControlClientError('ConnectionClosed', 'closed', 'client'),
      'the sync daemon ended before it answered: run the command again; it starts a new one',
      1,
    ],
    ['a daemon that hangs', new ControlClientError('RequestTimeout', 'no answer within 5 ms', 'client'), 'no answer within 5 ms: see its log, or end it with: wl stop', 1],
    ['a socket that is not ours', new ControlClientError('ControlClientUnableToConnectError', 'permission denied', 'client'), 'permission denied', 1],
    [
      'an answer that is none',
      new ControlClientError('MalformedReply', 'no JSON', 'client'),
      'MalformedReply: no JSON. If the daemon is of another version, end it with: wl stop',
      1,
    ],
    ['what nobody planned for', new TypeError('x is undefined'), 'x is undefined (run the command again with --debug to see where)', 1],
    ['what is no error at all', 'text', 'text (run the command again with --debug to see where)', 1],
  ])('describes %s', (_, error, text, exitCode) => {
    expect(describeFailure(error)).toEqual({ text, exitCode });
  });
});

describe('orFail', () => {
  it('hands out the value, or fails with the message', () => {
    expect(orFail(ok(1))).toBe(1);
    expect(() => orFail(err({ message: 'not there' }))).toThrow(new CommandFailure('not there'));
  });
});
