import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { KnownParts } from './known-parts.js';
import { createFileParts } from './parts-files.js';

describe('parts of large objects in files', () => {
  let scratch: string;
  let directory: string;

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'wl-parts-'));
    directory = path.join(scratch, 's3', 'bucket.parts');
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  const parts = (key: string, etag = 'tag-2'): KnownParts => ({ key, etag, sizeBytes: 20, partBytes: 16, digests: Buffer.alloc(64, key) });
  const files = (): readonly string[] => readdirSync(directory).map((name) => path.join(directory, name));

  it('are there for the next driver, of the last version of each object', () => {
    const memory = createFileParts(directory);
    expect(memory.recall('a/b ü')).toBeUndefined();
    memory.remember(parts('a/b ü', 'old-2'));
    memory.remember(parts('a/b ü'));
    memory.remember(parts('c'));
    const next = createFileParts(directory);
    expect([next.recall('a/b ü'), next.recall('c'), next.recall('d')]).toEqual([parts('a/b ü'), parts('c'), undefined]);
    expect(files()).toHaveLength(2);
  });

  it('are for the user alone, and leave nothing beside them', () => {
    createFileParts(directory).remember(parts('a'));
    expect([statSync(directory).mode & 0o777, files().map((file) => statSync(file).mode & 0o777)]).toEqual([0o700, [0o600]]);
  });

  it('INV-11: that were damaged, cut short or written by another version are as though they were not there', () => {
    const memory = createFileParts(directory);
    memory.remember(parts('a'));
    const [file] = files() as [string];
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length - 1; at += 7) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 1;
      writeFileSync(file, changed);
      expect([at, memory.recall('a')]).toEqual([at, undefined]);
      writeFileSync(file, whole.subarray(0, at));
      expect([at, memory.recall('a')]).toEqual([at, undefined]);
    }
    writeFileSync(file, whole);
    expect(memory.recall('a')).toEqual(parts('a'));
  });

  it('that do not go together are as though they were not there', () => {
    const memory = createFileParts(directory);
    for (const odd of [{ sizeBytes: 40 }, { partBytes: 0 }, { digests: Buffer.alloc(63) }]) {
      memory.remember({ ...parts('a'), ...odd });
      expect(memory.recall('a')).toBeUndefined();
    }
  });

  it('INV-40: stay within bounds: the oldest go', () => {
    const memory = createFileParts(directory, { files: 3, bytes: 100_000 });
    for (const [index, key] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      memory.remember(parts(key));
      for (const file of files()) if (statSync(file).mtimeMs > 1e9) utimesSync(file, index, index);
    }
    expect(['a', 'b', 'c', 'd', 'e'].filter((key) => memory.recall(key) !== undefined)).toEqual(['c', 'd', 'e']);
    const small = createFileParts(directory, { files: 100, bytes: 700 });
    small.remember(parts('f'));
    expect([files().length < 3, small.recall('f')]).toEqual([true, parts('f')]);
  });

  it('are lost where they cannot be written, and nobody fails for that', () => {
    writeFileSync(path.join(scratch, 's3'), 'a file in the way');
    const memory = createFileParts(directory);
    memory.remember(parts('a'));
    expect(memory.recall('a')).toBeUndefined();
  });
});
