import { describe, expect, it } from '@jest/globals';

import { parseOptions } from './options.js';

describe('the command line of the daemon', () => {
  it('takes short and long options', () => {
    expect(parseOptions(['-b', '/base', '--log-path', '-', '-s', '/run/x.sock'])).toEqual({
      ok: true,
      value: { baseDir: '/base', logPath: '-', socketPath: '/run/x.sock' },
    });
  });

  it('has defaults for all of them', () => {
    expect(parseOptions([])).toEqual({ ok: true, value: { baseDir: undefined, logPath: undefined, socketPath: undefined } });
  });

  it.each([['--help', 'help'], ['-h', 'help'], ['--version', 'version']])('understands %s', (argument, meaning) => {
    expect(parseOptions([argument])).toEqual({ ok: true, value: meaning });
  });

  it.each([[['--bogus']], [['stray']], [['-b']]])('refuses %j', (args) => {
    expect(parseOptions(args).ok).toBe(false);
  });
});
