import { PassThrough } from 'node:stream';

import { describe, expect, it } from '@jest/globals';

import { createContainer, TOKENS } from './container.js';

const surroundings = (baseDir?: string) => ({
  options: { baseDir, verbosity: 'normal' as const, isDebugging: false },
  env: { HOME: '/home/ann' },
  workingDirectory: '/work dir',
  stdout: new PassThrough(),
  stderr: new PassThrough(),
});

describe('createContainer', () => {
  it.each(Object.entries(TOKENS))('resolves %s', (_, token) => {
    expect(createContainer(surroundings()).get<unknown>(token)).toBeDefined();
  });

  it('uses the usual base directory unless one is named', () => {
    expect(createContainer(surroundings()).get(TOKENS.baseDirectory)).toBe('/home/ann/.config/wildland');
    expect(createContainer(surroundings('base')).get(TOKENS.baseDirectory)).toBe('/work dir/base');
  });

  it('completes suggested commands with the base directory where one was named', () => {
    const command = 'wl container sync photos';
    expect(createContainer(surroundings()).get(TOKENS.services).toCommand(command)).toBe(command);
    expect(createContainer(surroundings('base')).get(TOKENS.services).toCommand(command)).toBe("wl --base-dir '/work dir/base' container sync photos");
  });
});
