import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDocument } from 'yaml';

import { isSame, writeYaml } from './yaml-edit.js';

const edit = (text: string, change: (value: Record<string, unknown>) => void): Promise<string> => {
  const document = parseDocument(text);
  const value = (document.toJS() ?? {}) as Record<string, unknown>;
  change(value);
  return writeYaml(document, value);
};

describe('writing data back into YAML', () => {
  it('keeps comments, order and spelling of what did not change', async () => {
    const text = "# mine\nb: \"two\" # second\n\n# about a\na: 'one'\nlist:\n- x # first\n- y\n";
    expect(
      await edit(text, (value) => {
        value['a'] = 'three';
        value['c'] = 'new';
        value['list'] = ['y', 'x', 'z'];
      }),
    ).toBe("# mine\nb: \"two\" # second\n\n# about a\na: three\nlist:\n- y\n- x # first\n- z\nc: new\n");
  });

  it('removes keys and list items without touching their neighbours', async () => {
    const text = '# top\n\na: 1 # one\nb: 2 # two\nlist:\n- x\n# about y\n- y\n# about z\n- z # last\n';
    expect(
      await edit(text, (value) => {
        delete value['a'];
        value['list'] = ['x', 'z'];
      }),
    ).toBe('# top\n\nb: 2 # two\nlist:\n- x\n# about z\n- z # last\n');
  });

  it('changes a storage in place, known by its id, wherever it moved', async () => {
    const text = 'storage:\n- backend-id: one # the disk\n  location: /a\n- backend-id: two\n  location: /b # usb\n';
    expect(
      await edit(text, (value) => {
        const [one, two] = value['storage'] as Record<string, unknown>[];
        value['storage'] = [{ ...two, 'read-only': true }, one];
      }),
    ).toBe('storage:\n- backend-id: two\n  location: /b # usb\n  read-only: true\n- backend-id: one # the disk\n  location: /a\n');
  });

  it('quotes text that would read as something else', async () => {
    const value = { '@default': '0x12ab', version: '1', a: 'true', b: 'null', c: '~', d: '', e: '- x', f: 'a: b', g: '#', h: "it's", i: 'two\nlines\n' };
    const text = await writeYaml(undefined, value);
    expect(text).toContain("'@default': '0x12ab'\nversion: '1'\n");
    expect(parseDocument(text).toJS()).toEqual(value);
  });

  it('writes equal objects twice instead of an anchor and an alias', async () => {
    const same = { user: '*' };
    expect(await writeYaml(undefined, { a: [same, same] })).toBe("a:\n- user: '*'\n- user: '*'\n");
  });

  it('fills a document that was empty or held comments only', async () => {
    expect(await edit('', (value) => void (value['a'] = 1))).toBe('a: 1\n');
    expect(await edit('# only this\n', (value) => void (value['a'] = 1))).toBe('# only this\n\na: 1\n');
    expect(await edit('{}\n', (value) => void (value['a'] = ['b']))).toBe('a:\n- b\n');
  });

  it('leaves out keys without a value', async () => {
    expect(await writeYaml(undefined, { a: undefined, b: null })).toBe('b: null\n');
  });

  it('says exactly the new data, from whatever it said before', async () => {
    const leaf = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.integer(), fc.boolean(), fc.constant(null));
    const key = fc.oneof(fc.constantFrom('a', 'b', 'backend-id'), fc.string({ minLength: 1, maxLength: 4 })).filter((text) => text !== '__proto__');
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('any'), { maxLength: 4 }), fc.dictionary(key, tie('any'), { maxKeys: 4 })),
    }));
    const data = fc.dictionary(key, any, { maxKeys: 5 });
    await fc.assert(
      fc.asyncProperty(data, data, async (before, after) => {
        const document = parseDocument(await writeYaml(undefined, before));
        const text = await writeYaml(document, after);
        expect(isSame(parseDocument(text).toJS(), after)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
