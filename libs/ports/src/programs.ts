/**
 * Files that are programs, for storages that keep that bit and whose versions' tokens tell it: so
 * the baseline knows what both sides agreed on, and a change of the bit is noticed as any other is.
 */

import { NO_TOKEN, UNTRUSTED, type RelativePath, type Result, type Token } from '@wl/domain';

import type { Committed, StaleToken } from './storage-backend.js';

/** The storage does not keep this bit of this file: its file system, or whoever the file belongs to, does not let it. */
export interface NotKept {
  readonly kind: 'not-kept';
  /** Why, for people. */
  readonly message: string;
}

/** What a storage can do for programs. */
export interface Programs {
  /** Whether the version of a token is executable; `undefined` for `NO_TOKEN`, which tells nothing. */
  isExecutable(token: Token): boolean | undefined;
  /** A token that equals that of no version, and of which `isExecutable` says the same. */
  untrusted(token: Token): Token;
  /**
   * Makes the version `expected` a program, or no longer one, and makes that durable: whoever may
   * read it may execute it. Content and modification time stay. Answers the token of the version
   * as it is then. Rejects as `openForSafeReplace` does.
   */
  setExecutable(path: RelativePath, expected: Token, isExecutable: boolean): Promise<Result<Committed, StaleToken | NotKept>>;
}

/** Ends the token of an executable version. */
export const EXECUTABLE = 'x';

/** A version's token with whether it is executable; for storages whose own tokens never end in `x`. */
export function programToken(token: string, isExecutable: boolean): Token {
  return (isExecutable ? token + EXECUTABLE : token) as Token;
}

/** What the tokens made by `programToken` tell. */
export const PROGRAM_TOKENS: Pick<Programs, 'isExecutable' | 'untrusted'> = {
  isExecutable: (token) => (token === NO_TOKEN ? undefined : token.endsWith(EXECUTABLE)),
  untrusted: (token) => programToken(UNTRUSTED, token.endsWith(EXECUTABLE)),
};
