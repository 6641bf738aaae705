import { describe, expect, it } from '@jest/globals';

import { MAX_FILE_BYTES } from './durable-file.js';
import { parseStrictYaml } from './strict-yaml.js';

const parse = async (text: string | Uint8Array) => {
  const result = await parseStrictYaml(typeof text === 'string' ? Buffer.from(text) : text, 'f.yaml');
  return result.ok ? { value: result.value.value } : { error: result.error.message };
};

describe('strict YAML', () => {
  it.each<[string, string, unknown]>([
    ['plain values', "a: 1\nb: 'x'\nc: [true, null, 1.5]\nd:\n- e: {f: g}\n", { a: 1, b: 'x', c: [true, null, 1.5], d: [{ e: { f: 'g' } }] }],
    ['nothing as null', '', null],
    ['a comment alone as null', '# nothing yet\n', null],
    ["yes and no as text, as YAML 1.2 has it", 'a: yes\nb: no\n', { a: 'yes', b: 'no' }],
    ['an unquoted fingerprint as a number', 'owner: 0x12\n', { owner: 0x12 }],
    ['a merge key as a plain key', '<<: {a: 1}\nb: 2\n', { '<<': { a: 1 }, b: 2 }],
  ])('reads %s', async (_, text, value) => {
    expect(await parse(text)).toEqual({ value });
  });

  it.each([
    ['a key given twice', 'a: 1\nb: 2\na: 3\n', 'the key "a" is given twice, the second time at line 3, column 1'],
    ['a key given twice further down', 'x:\n- a: 1\n  a: 2\n', 'the key "a" is given twice, the second time at line 3, column 3'],
    ['an anchor on a value', 'a: &x 1\n', 'it uses a YAML anchor (&), which is not allowed here'],
    ['an anchor on a mapping', 'a: &x {b: 1}\n', 'it uses a YAML anchor'],
    ['an anchor on a list', 'a: &x [1]\n', 'it uses a YAML anchor'],
    ['an alias', 'a: *x\n', 'it uses a YAML alias'],
    ['a tag of its own', 'a: !secret 1\n', 'it uses a YAML tag (!), which is not allowed here at line 1'],
    ['a standard tag', 'a: !!binary aGk=\n', 'it uses a YAML tag'],
    ['a tag on a mapping', 'a: !!map {b: 1}\n', 'it uses a YAML tag'],
    ['a number as key', '1: a\n', 'a key is not text (put it in quotes) at line 1, column 1'],
    ['a list as key', '? [a]\n: b\n', 'a key is not text'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'it is not valid YAML (multiple docs)'],
    ['broken indentation', 'a:\n  b: 1\n c: 2\n', 'at line 3, column 1 it is not valid YAML (bad indent)'],
    ['brackets that are nested too deeply', `a: ${'['.repeat(65)}${']'.repeat(65)}`, 'it is nested too deeply'],
    ['half a million open brackets', '['.repeat(500_000), 'it is nested too deeply'],
    ['indentation that goes too deep', `${' '.repeat(200)}a: 1`, 'it is nested too deeply'],
    ['lists in lists without end', `${'- '.repeat(5000)}x`, 'it is nested too deeply'],
  ])('refuses %s', async (_, text, message) => {
    expect(await parse(text)).toEqual({ error: expect.stringContaining(message) });
  });

  it('reads brackets up to the limit', async () => {
    expect(await parse(`a: ${'['.repeat(64)}${']'.repeat(64)}`)).toHaveProperty('value');
  });

  it('refuses what is not UTF-8, and what is too large', async () => {
    expect(await parse(Buffer.from([0x61, 0x3a, 0x20, 0xff]))).toEqual({ error: 'f.yaml cannot be used: it is not UTF-8 text' });
    expect(await parse(Buffer.alloc(MAX_FILE_BYTES + 1, 0x23))).toEqual({ error: expect.stringContaining('more than 1048576 bytes') });
  });

  it('never repeats the text of a file in a message', async () => {
    for (const text of ['a: "hunter2\n', 'secret-key: hunter2: x\n', '@hunter2\n', 'a: !hunter2 hunter2\n', 'a: &hunter2 1\n', '%hunter2\n---\na: b\n']) {
      const result = await parse(text);
      expect(result).toHaveProperty('error');
      expect(JSON.stringify(result)).not.toContain('hunter2');
    }
  });
});
