/**
 * Secrets as they come in: a line of standard input, or typed on the terminal without being
 * shown. Never an option's value: the arguments of a process are visible to everyone on the
 * machine and stay in the shell's history.
 */

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

import { CommandFailure, UsageError } from './errors.js';
import { EXIT } from './exit-codes.js';

/** Where a secret comes from. */
export interface SecretStreams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** The question goes here: standard output is for results. */
  readonly stderr: Writable;
}

/** How it is asked for. */
export interface SecretQuestion {
  /** What it is, for messages: `secret key`. */
  readonly name: string;
  /** The option that `-` is given to; default `--secret-key`. */
  readonly option?: string;
  /** Whether it may come from standard input that is no terminal. */
  readonly isPiped: boolean;
}

/** No secret is longer, in characters. */
const LIMIT = 4096;

/** Reads a secret: asks for it where standard input is a terminal. Throws `CommandFailure`. */
export async function readSecret({ stdin, stderr }: SecretStreams, question: SecretQuestion): Promise<string> {
  const { name, option = '--secret-key' } = question;
  if (stdin.isTTY !== true && !question.isPiped) {
    throw new UsageError(`there is no terminal to ask for the ${name} on: pipe it into the command and add ${option} -`);
  }
  const line = stdin.isTTY === true ? await ask(stdin, stderr, name) : await firstLine(stdin);
  const secret = line.trim();
  if (secret === '') throw new CommandFailure(`no ${name} was given; nothing was changed`);
  if (secret.length > LIMIT || /[\u0000-\u001f\u007f]/.test(secret)) {
    throw new CommandFailure(`what was given is no ${name}: it has control characters, or is too long; nothing was changed`);
  }
  return secret;
}

/** What is typed goes to nobody's eyes. Ctrl-C ends the command; the terminal is as before in any case. */
function ask(stdin: NodeJS.ReadableStream, stderr: Writable, name: string): Promise<string> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const terminal = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  stderr.write(`${name[0]?.toUpperCase() ?? ''}${name.slice(1)} (not shown while you type): `);
  return new Promise((resolve, reject) => {
    let answer = '';
    let isInterrupted = false;
    terminal.once('line', (line) => {
      answer = line;
      terminal.close();
    });
    terminal.once('SIGINT', () => {
      isInterrupted = true;
      terminal.close();
    });
    terminal.once('close', () => {
      stderr.write('\n');
      if (isInterrupted) reject(new CommandFailure('interrupted; nothing was changed', EXIT.interrupted));
      else resolve(answer);
    });
  });
}

/** Up to the first line break; what follows is left. */
async function firstLine(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  stdin.setEncoding('utf8');
  for await (const chunk of stdin) {
    text += chunk.toString();
    if (text.includes('\n') || text.length > LIMIT) break;
  }
  return text.split('\n', 1)[0] ?? '';
}
