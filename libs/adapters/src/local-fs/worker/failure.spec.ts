/** Errors of the system, as Node hands them out, in our words. */

import { describe, expect, it } from '@jest/globals';
import { constants } from 'node:os';

import { toBackendError } from './failure.js';

/** An error as Node makes one of a number that libuv does not know. */
function unnamed(errno: number): Error {
  return Object.assign(new Error(`Unknown system error -${errno}: open`), { code: `Unknown system error -${errno}`, errno: -errno, syscall: 'open' });
}

describe('an error that Node has no name for', () => {
  it.each([
    ['EDQUOT', 'T52: a quota that is used up', 'no-space', false],
    ['ESTALE', 'T01: a file server that lost track', 'unreachable', true],
  ] as const)('%s: %s is told as such', (name, _what, code, retryable) => {
    const error = toBackendError(unnamed(constants.errno[name]), 'write', 'a.txt');
    expect(error).toMatchObject({ code, details: { operation: 'write', path: 'a.txt', retryable } });
    expect(error.message).toContain(name);
  });

  it('stays what it is when the system has no name for it either', () => {
    expect(toBackendError(unnamed(99_999), 'write', 'a.txt')).toMatchObject({ code: 'io-error' });
  });
});
