/**
 * YAML as manifests and the configuration may use it: one document of mappings with text keys,
 * lists and plain values. Duplicate keys, anchors, aliases and tags are refused (reference §3.1):
 * what is signed must read the same to everybody. Values follow YAML 1.2's core schema, so
 * `yes` is text and `0x12` a number.
 *
 * Depth is measured before the parser sees the text: deep nesting costs it all its memory.
 * Messages name places, never the text at them, which may be a secret.
 */

import type { Document, Node, ParsedNode } from 'yaml';

import { err, ok, type Result } from '@wl/domain';

import { MAX_FILE_BYTES } from './durable-file.js';
import { setupError, type SetupError } from './setup-error.js';

/** Nesting of brackets and columns of indentation that no file of ours comes near. */
const MAX_NESTING = 64;
const MAX_INDENTATION = 200;

/** A parsed text: the document keeps comments and order, the value is plain data (`null` for an empty text). */
export interface StrictYaml {
  readonly document: Document.Parsed<ParsedNode>;
  readonly value: unknown;
}

/** Parses `bytes`, the content of `file` or a part of it. */
export async function parseStrictYaml(bytes: Uint8Array, file: string): Promise<Result<StrictYaml, SetupError>> {
  const refuse = (what: string) => err(setupError('bad-yaml', `${file} cannot be used: ${what}`, file));
  if (bytes.length > MAX_FILE_BYTES) return refuse(`it has more than ${MAX_FILE_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('it is not UTF-8 text');
  }
  if (isTooDeep(text)) return refuse('it is nested too deeply');

  // Loaded when the first file is read: commands that need none start faster.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    schema: 'core',
    merge: false,
    // Checked below: the library compares every key with every other.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const problem = document.errors[0] ?? document.warnings.find(({ code }) => code !== 'TAG_RESOLVE_FAILED');
  if (problem !== undefined) {
    return refuse(`at ${at(problem.pos[0])} it is not valid YAML (${problem.code.toLowerCase().replaceAll('_', ' ')})`);
  }

  let finding: string | undefined;
  const found = (node: { range?: readonly [number, number, number] | null | undefined } | null, what: string): symbol => {
    finding = node?.range == null ? what : `${what} at ${at(node.range[0])}`;
    return yaml.visit.BREAK;
  };
  yaml.visit(document, {
    Alias: (_, node) => found(node, 'it uses a YAML alias (*), which is not allowed here'),
    Node: (_, node: Node & { anchor?: string | undefined }) => {
      if (node.anchor !== undefined) return found(node, 'it uses a YAML anchor (&), which is not allowed here');
      if (node.tag !== undefined) return found(node, 'it uses a YAML tag (!), which is not allowed here');
      if (!yaml.isMap(node)) return undefined;
      const keys = new Set<string>();
      for (const { key } of node.items) {
        if (!yaml.isScalar(key) || typeof key.value !== 'string') {
          return found(yaml.isNode(key) ? key : node, 'a key is not text (put it in quotes)');
        }
        if (keys.has(key.value)) return found(key, `the key ${JSON.stringify(key.value)} is given twice, the second time`);
        keys.add(key.value);
      }
      return undefined;
    },
  });
  if (finding !== undefined) return refuse(finding);
  return ok({ document, value: document.toJS({ maxAliasCount: 0 }) as unknown });
}

/** Counts brackets even inside quotes: a text that is refused wrongly would have 64 of them left open. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > MAX_NESTING) return true;
  }
  // Spaces and the `- `, `? `, `: ` of nested blocks all move the content to the right.
  return new RegExp(`^[ \\t?:-]{${MAX_INDENTATION}}`, 'm').test(text);
}
