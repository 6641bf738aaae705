/**
 * Tokens of objects: ETag and size, as a listing, a `HEAD` and the answer of a write tell them
 * alike. The version id of a versioned bucket is no part of it: listings do not tell it, and one
 * token has to stand for a version wherever it was seen (ADR 0012). Opaque: compared, never
 * believed to be a hash (T37).
 */

import { NO_TOKEN, type Token } from '@wl/domain';

/** What stands for one version of an object. */
export interface VersionTag {
  readonly etag: string;
  readonly sizeBytes: number;
}

/** The token of a version; none where the server gives no ETag. */
export function tokenOf({ etag, sizeBytes }: VersionTag): Token {
  return etag === '' ? NO_TOKEN : (`${etag}:${String(sizeBytes)}` as Token);
}

/** What a token stands for; `undefined` for one that no object of this kind can have. */
export function versionOf(token: Token): VersionTag | undefined {
  const colon = token.lastIndexOf(':');
  const size = token.slice(colon + 1);
  return colon > 0 && /^\d{1,16}$/.test(size) ? { etag: token.slice(0, colon), sizeBytes: Number(size) } : undefined;
}
