/**
 * How to log in: by a private key file, the agent, or a password, in this order, as far as each is
 * there. Secrets stay in what is handed to the client; no message repeats them.
 */

import { readFile } from 'node:fs/promises';

import type { AuthMethod, ParsedKey } from 'ssh2';

import { failure, type Concern } from '../remote/failing.js';
import type { SftpHost, SftpParams } from './sftp-params.js';

/** The client's own reader of keys: an error where it is none, or the passphrase does not fit. */
export type ParseKey = (data: Buffer, passphrase?: string) => ParsedKey | readonly ParsedKey[] | Error;

/** Ways to log in. Rejects with `unauthorized` where there is none, or the key cannot be used. */
export async function loadLogin(params: SftpParams, env: SftpHost['env'], parseKey: ParseKey, concern: Concern): Promise<AuthMethod[]> {
  const { login: username, identity, passphrase, password } = params;
  const agent = env['SSH_AUTH_SOCK'] ?? '';
  const methods: AuthMethod[] = [];
  if (identity !== undefined) methods.push({ type: 'publickey', username, key: await loadKey(identity, passphrase, parseKey, concern) });
  // Who names a key means that one.
  else if (agent !== '') methods.push({ type: 'agent', username, agent });
  // Many servers ask for the password as a question; any other question has no answer.
  if (password !== undefined) {
    const answers = (prompts: readonly { readonly echo?: boolean }[]): string[] => prompts.map(({ echo }) => (prompts.length === 1 && echo !== true ? password : ''));
    methods.push({ type: 'password', username, password }, { type: 'keyboard-interactive', username, prompt: (_name, _instructions, _language, prompts, answer) => answer(answers(prompts)) });
  }
  if (methods.length > 0) return methods;
  throw failure('unauthorized', concern, 'there is nothing to log in with: the storage names no identity (a private key file) and has no password, and no ssh-agent runs for the daemon (SSH_AUTH_SOCK)');
}

async function loadKey(file: string, passphrase: string | undefined, parseKey: ParseKey, concern: Concern): Promise<ParsedKey> {
  let data: Buffer;
  try {
    data = await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw failure('unauthorized', concern, `the private key ${file} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown error')}`);
  }
  const parsed = parseKey(data, passphrase);
  const [key] = parsed instanceof Error ? [] : [parsed].flat();
  if (key?.isPrivateKey() === true) return key;
  const isLocked = passphrase === undefined && parsed instanceof Error && /passphrase/i.test(parsed.message);
  const why = isLocked ? 'is encrypted, and the storage has no passphrase for it' : passphrase === undefined ? 'is no private key' : 'is no private key, or the passphrase is not its own';
  throw failure('unauthorized', concern, `${file} ${why}`);
}
