import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { readSecret } from './secret-input.js';
import { CapturedStream } from './testing/captured-stream.js';
import { FakeTerminal } from './testing/fake-terminal.js';

const SECRET = 'hunter2/+hunter2';
const question = { name: 'secret key', isPiped: true };

/** Standard input that holds a text. */
function piped(...chunks: (string | Buffer)[]): PassThrough {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return stream;
}

describe('a secret on standard input', () => {
  it.each([[[`${SECRET}\n`]], [[SECRET]], [[`${SECRET}\r\nmore\n`]], [[SECRET.slice(0, 3), `${SECRET.slice(3)}\n`]], [[` ${SECRET} \n`]]])('is its first line: %j', async (chunks) => {
    const stderr = new CapturedStream();
    expect(await readSecret({ stdin: piped(...chunks), stderr }, question)).toBe(SECRET);
    expect(stderr.text).toBe('');
  });

  it('is read without waiting for the end of the stream', async () => {
    const stdin = new PassThrough();
    stdin.write(`${SECRET}\n`);
    expect(await readSecret({ stdin, stderr: new CapturedStream() }, question)).toBe(SECRET);
  });

  it.each([
    ['empty', '', 'no secret key was given'],
    ['an empty line', '\nlater\n', 'no secret key was given'],
    ['not text', `${SECRET}\u0000\n`, 'control characters'],
    ['too long', 'hunter2'.repeat(1_000), 'too long'],
  ])('is refused without being repeated when it is %s', async (_, text, message) => {
    const failure = await readSecret({ stdin: piped(text), stderr: new CapturedStream() }, question).catch((error: unknown) => error);
    expect(String(failure)).toContain(message);
    expect(String(failure)).not.toContain('hunter2');
  });

  it('is not taken unless the user said so', async () => {
    const reading = readSecret({ stdin: piped(SECRET), stderr: new CapturedStream() }, { ...question, isPiped: false });
    await expect(reading).rejects.toMatchObject({ exitCode: 2, message: 'there is no terminal to ask for the secret key on: pipe it into the command and add --secret-key -' });
  });
});

describe('a secret typed on a terminal', () => {
  const asked = (isPiped = false) => {
    const terminal = new FakeTerminal();
    const stderr = new CapturedStream({ isTTY: true });
    return { terminal, stderr, reading: readSecret({ stdin: terminal, stderr }, { ...question, isPiped }) };
  };

  it.each([true, false])('is asked for and never shown (with `-`: %j)', async (isPiped) => {
    const { terminal, stderr, reading } = asked(isPiped);
    expect(terminal.isRaw).toBe(true);
    for (const key of `${SECRET}x`) terminal.write(key);
    terminal.write('\u007f\r');
    expect(await reading).toBe(SECRET);
    expect(stderr.text).toBe('Secret key (not shown while you type): \n');
    expect(terminal.isRaw).toBe(false);
  });

  it('may be pasted', async () => {
    const { terminal, reading } = asked();
    terminal.write(`${SECRET}\n`);
    expect(await reading).toBe(SECRET);
  });

  it.each([
    ['Ctrl-C', 'hun\u0003', { exitCode: 130, message: 'interrupted; nothing was changed' }],
    ['Ctrl-D', '\u0004', { exitCode: 1, message: 'no secret key was given; nothing was changed' }],
    ['Enter alone', '\r', { exitCode: 1, message: 'no secret key was given; nothing was changed' }],
  ])('gives the terminal back after %s', async (_, keys, failure) => {
    const { terminal, stderr, reading } = asked();
    await nextTurn();
    terminal.write(keys);
    await expect(reading).rejects.toMatchObject(failure);
    expect(terminal.isRaw).toBe(false);
    expect(stderr.text).toMatch(/: \n$/);
  });
});
