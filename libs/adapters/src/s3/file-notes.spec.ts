import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createFileNotes } from './file-notes.js';

describe('notes in a file', () => {
  let scratch: string;
  let file: string;

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'wl-notes-'));
    file = path.join(scratch, 's3', 'bucket.json');
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  it('are there for the next driver, and go when they are forgotten', () => {
    const notes = createFileNotes(file);
    expect(notes.get('abilities')).toBeUndefined();
    notes.put('abilities', { copies: true, list: [1, null, 'ä'] });
    notes.put('uploads', []);
    const next = createFileNotes(file);
    expect(next.get('abilities')).toEqual({ copies: true, list: [1, null, 'ä'] });
    next.put('abilities', undefined);
    expect([notes.get('abilities'), notes.get('uploads')]).toEqual([undefined, []]);
  });

  it('of two drivers of one storage do not overwrite each other', () => {
    const [one, other] = [createFileNotes(file), createFileNotes(file)];
    one.put('a', 1);
    other.put('b', 2);
    one.put('c', 3);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ a: 1, b: 2, c: 3 });
  });

  it('are for the user alone, whatever the umask, and leave nothing beside them', () => {
    const before = process.umask(0);
    try {
      createFileNotes(file).put('a', 1);
      createFileNotes(file).put('a', 2);
    } finally {
      process.umask(before);
    }
    expect([statSync(path.dirname(file)).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(readdirSync(path.dirname(file))).toEqual(['bucket.json']);
  });

  it('take any name', () => {
    const notes = createFileNotes(file);
    notes.put('__proto__', { polluted: true });
    notes.put('constructor', 1);
    expect([notes.get('__proto__'), notes.get('constructor'), notes.get('toString')]).toEqual([{ polluted: true }, 1, undefined]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it.each(['', '{', '[]', 'null', '"text"', '\0\0\0'])('that are damaged (%j) are none, and are begun anew', (damaged) => {
    mkdirSync(path.dirname(file));
    writeFileSync(file, damaged);
    const notes = createFileNotes(file);
    expect(notes.get('a')).toBeUndefined();
    notes.put('a', 1);
    expect(createFileNotes(file).get('a')).toBe(1);
  });

  it('are lost without a word where they cannot be written', () => {
    writeFileSync(path.join(scratch, 's3'), 'a file where the directory would be');
    createFileNotes(file).put('a', 1);
    expect(createFileNotes(file).get('a')).toBeUndefined();
    rmSync(path.join(scratch, 's3'));

    const circle: unknown[] = [];
    circle.push(circle);
    createFileNotes(file).put('circle', circle);
    expect(createFileNotes(file).get('circle')).toBeUndefined();

    mkdirSync(file, { recursive: true });
    createFileNotes(file).put('a', 1);
    chmodSync(file, 0o700);
    expect(readdirSync(path.dirname(file))).toEqual(['bucket.json']);
  });
});
