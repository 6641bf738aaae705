import { describe, expect, it } from '@jest/globals';

import { credentialsHint } from './credentials-hint.js';

const same = (command: string): string => command;

describe('credentialsHint', () => {
  it.each([
    'unable to list: unauthorized',
    'unable to replace a/b.txt: unauthorized (the key is not known)',
    'Storage two at s3://b/ cannot be used: unable to open: unauthorized (x). Make it readable',
    'unable to list: unauthorized. Nothing was changed',
  ])('helps with %j', (text) => {
    expect(credentialsHint([undefined, text], same)).toContain('the command that started the sync daemon');
  });

  it.each(['unable to list: unreachable', 'unable to read unauthorized: not-found', 'unable to read a: unauthorized files/b: not-found', 'unable to connect: unauthorized (the key of the server is not known)'])('is silent about %j', (text) => {
    expect(credentialsHint([text], same)).toBeUndefined();
  });

  it('names commands as the user has to type them', () => {
    expect(credentialsHint(['x: unauthorized'], (command) => command.replace('wl', 'wl --base-dir /b'))).toMatch(/`wl --base-dir \/b stop`.*wl --base-dir \/b storage create s3/);
  });

  it('does not send those whose credentials are stored to their environment', () => {
    expect(credentialsHint(['x: unauthorized'], same, true)).toMatch(/stored with this storage were used/);
  });
});
