import { describe, expect, it } from '@jest/globals';

import { findMistake, splitValues, type KnownArguments } from './usage-problem.js';

const option = (names: string[], takesValue = false, isRequired = false) => ({ names, takesValue, isRequired });
const known: KnownArguments = {
  options: [option(['--s3-url'], true, true), option(['--region'], true), option(['--secret-key'], true), option(['--inline']), option(['-v', '--verbose']), option(['-q', '--quiet'])],
  positionals: { least: 1, most: 2 },
};

describe('findMistake', () => {
  it.each([
    [['--s3-url', 'x', 'a'], undefined],
    [['--s3-url=x', 'a', '-vq', '--no-inline', '--region', '-', '--', '--b'], undefined],
    [['--s3-url', 'x', 'a', '--secretkey=hunter2'], 'there is no option --secretkey; did you mean --secret-key?'],
    [['--s3-url', 'x', 'a', '--xyz', 'hunter2'], 'there is no option --xyz'],
    [['--s3-url', 'x', 'a', '-x'], 'there is no option -x'],
    [['--s3-url', 'x', 'a', '--region'], '--region needs a value'],
    [['--s3-url', '--region', 'x', 'a'], '--s3-url needs a value'],
    [['--s3-url', 'x', 'a', '--verbose=hunter2'], '--verbose takes no value'],
    [['--s3-url', 'x', 'a', 'b', 'c'], "there is no place for the argument 'c'"],
    [['a'], 'a required option is missing: --s3-url is needed'],
    [['--s3-url', 'x'], 'an argument is missing'],
  ])('of %j is %j', (tokens, mistake) => {
    expect(findMistake(tokens, known)).toBe(mistake);
  });

  it('names all required options that are missing', () => {
    const two: KnownArguments = { ...known, options: [...known.options, option(['--container'], true, true)] };
    expect(findMistake(['a'], two)).toBe('a required option is missing: --s3-url and --container are needed');
    expect(findMistake(['a', '--container', 'c'], two)).toBe('a required option is missing: --s3-url is needed');
  });
});

describe('splitValues', () => {
  it('takes apart only what the parser cannot, and nothing behind --', () => {
    expect(splitValues(['--s3-url=s3://b/a=b', '--region=x', '--', '--s3-url=y'])).toEqual(['--s3-url', 's3://b/a=b', '--region=x', '--', '--s3-url=y']);
  });
});
