/**
 * What is wrong with a command line that the parser refused, in a sentence that says what to do.
 * The parser knows that, but where a line can be read in several ways its reason is any one of
 * them, and it takes no option with a digit in its name (`--s3-url`) for one: so we look ourselves.
 */

import { nearest } from './suggest.js';

/** An option of a command. */
export interface KnownOption {
  /** `-n`, `--dry-run`. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly isRequired: boolean;
}

/** What a command takes. */
export interface KnownArguments {
  readonly options: readonly KnownOption[];
  /** How many arguments that are no options there may be. */
  readonly positionals: { readonly least: number; readonly most: number };
}

/** Finds the first mistake in `tokens`, what follows the words of a command; never repeats the value of an option: it may be a secret. */
export function findMistake(tokens: readonly string[], { options, positionals }: KnownArguments): string | undefined {
  const given = new Set<KnownOption>();
  const others: string[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] ?? '';
    if (token === '--') {
      others.push(...tokens.slice(index + 1));
      break;
    }
    if (!token.startsWith('-') || token === '-') {
      others.push(token);
      continue;
    }
    const name = token.replace(/=.*$/s, '');
    const option = options.find(({ names }) => names.includes(name));
    if (option === undefined) {
      if (isKnownOtherwise(name, options)) continue;
      const near = nearest(name, options.flatMap(({ names }) => names));
      return `there is no option ${name}${near === undefined ? '' : `; did you mean ${near}?`}`;
    }
    given.add(option);
    if (!option.takesValue) {
      if (name !== token) return `${name} takes no value`;
      continue;
    }
    if (name !== token) continue;
    const value = tokens[index + 1];
    // A value that begins with a dash has to be joined to its option.
    if (value === undefined || (value.startsWith('-') && value !== '-')) return `${name} needs a value`;
    index += 1;
  }
  const [extra] = others.slice(positionals.most);
  if (extra !== undefined) return `there is no place for the argument '${extra}'`;
  const missing = options.filter((option) => option.isRequired && !given.has(option)).map(({ names }) => names.at(-1));
  if (missing.length > 0) return `a required option is missing: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} needed`;
  return others.length < positionals.least ? 'an argument is missing' : undefined;
}

/** Puts the value of an option with a digit in its name behind it, where the parser finds it. */
export function splitValues(tokens: readonly string[]): string[] {
  const end = tokens.indexOf('--');
  return tokens.flatMap((token, index) => {
    const bound = end >= 0 && index > end ? null : /^(--[a-z0-9-]*\d[a-z0-9-]*)=(.*)$/s.exec(token);
    return bound === null ? [token] : [bound[1] ?? '', bound[2] ?? ''];
  });
}

/** `--no-inline` of `--inline`, and `-vq` of `-v` and `-q`. */
function isKnownOtherwise(name: string, options: readonly KnownOption[]): boolean {
  const isFlag = (flag: string): boolean => options.some(({ names, takesValue }) => !takesValue && names.includes(flag));
  if (name.startsWith('--no-')) return isFlag(`--${name.slice('--no-'.length)}`);
  return !name.startsWith('--') && [...name.slice(1)].every((letter) => isFlag(`-${letter}`));
}
