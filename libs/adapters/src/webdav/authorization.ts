/**
 * The `Authorization` header, Basic or Digest, as the server asks for it. Digest answers its
 * challenge without sending the password; the counter goes up with every request.
 * Source: RFC 7617, RFC 7616.
 */

import { createHash, randomBytes } from 'node:crypto';

/** Whom to be. */
export interface Login {
  readonly login: string;
  readonly password: string;
}

interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: 'MD5' | 'SHA-256';
  /** As the server wrote it; some compare it. */
  readonly algorithmText: string | undefined;
  readonly hasQop: boolean;
}

/** Answers the challenges of one server. */
export class Authorization {
  #scheme: 'none' | 'basic' | 'digest' = 'none';
  #challenge: DigestChallenge | undefined;
  #count = 0;

  /** `makeNonce` is for tests. */
  constructor(
    private readonly login: Login | undefined,
    private readonly makeNonce: () => string = () => randomBytes(12).toString('hex'),
  ) {}

  /** The header for a request; `undefined` before the server has asked. */
  headerFor(method: string, target: string): string | undefined {
    if (this.login === undefined || this.#scheme === 'none') return undefined;
    const { login, password } = this.login;
    if (this.#scheme === 'basic') return `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
    return this.#challenge === undefined ? undefined : this.#digest(this.#challenge, this.login, method, target);
  }

  /** Takes up the challenge of a 401; `false` where there is nothing new to answer it with. */
  accept(challenges: readonly string[]): boolean {
    if (this.login === undefined) return false;
    const digest = challenges.flatMap(parseDigest).sort((a, b) => Number(b.algorithm === 'SHA-256') - Number(a.algorithm === 'SHA-256'))[0];
    if (digest !== undefined) {
      const isFresh = this.#challenge?.nonce !== digest.nonce;
      [this.#scheme, this.#challenge, this.#count] = ['digest', digest, 0];
      return isFresh;
    }
    const isNew = this.#scheme !== 'basic' && challenges.some((challenge) => /(^|,\s*)basic\b/i.test(challenge));
    if (isNew) this.#scheme = 'basic';
    return isNew;
  }

  #digest(challenge: DigestChallenge, { login, password }: Login, method: string, target: string): string {
    const { realm, nonce, opaque, algorithm, algorithmText, hasQop } = challenge;
    const hash = (text: string): string => createHash(algorithm === 'MD5' ? 'md5' : 'sha256').update(text).digest('hex');
    this.#count += 1;
    const [count, own] = [this.#count.toString(16).padStart(8, '0'), this.makeNonce()];
    const middle = hasQop ? `${nonce}:${count}:${own}:auth` : nonce;
    const response = hash(`${hash(`${login}:${realm}:${password}`)}:${middle}:${hash(`${method}:${target}`)}`);
    const fields = [
      `username=${quoted(login)}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(target)}`,
      `response="${response}"`,
      ...(algorithmText === undefined ? [] : [`algorithm=${algorithmText}`]),
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
      ...(hasQop ? ['qop=auth', `nc=${count}`, `cnonce="${own}"`] : []),
    ];
    return `Digest ${fields.join(', ')}`;
  }
}

/** The Digest challenge in a header, if there is one that we can answer. */
function parseDigest(challenge: string): DigestChallenge[] {
  const start = /(?:^|,\s*)digest\s+/i.exec(challenge);
  if (start === null) return [];
  const fields = new Map<string, string>();
  for (const [, name = '', quotedValue, plain] of challenge.slice(start.index + start[0].length).matchAll(/(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), quotedValue?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  }
  const [realm, nonce, algorithmText, qop] = ['realm', 'nonce', 'algorithm', 'qop'].map((name) => fields.get(name));
  const algorithm = (algorithmText ?? 'MD5').toUpperCase();
  if (realm === undefined || nonce === undefined || (algorithm !== 'MD5' && algorithm !== 'SHA-256')) return [];
  if (qop !== undefined && !qop.split(',').some((kind) => kind.trim() === 'auth')) return [];
  return [{ realm, nonce, opaque: fields.get('opaque'), algorithm, algorithmText, hasQop: qop !== undefined }];
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
