/**
 * Carries changed data back into a YAML document so that the user's comments, order and spelling
 * stay wherever the data did not change.
 */

import type { Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';

import { invariant } from '@wl/domain';

type Yaml = typeof import('yaml');

/** Makes `document` say `value` (plain data: objects, arrays, text, numbers, booleans, null) and returns its text. */
export async function writeYaml(document: Document | undefined, value: object): Promise<string> {
  const yaml = await import('yaml');
  const target = document ?? new yaml.Document({});
  target.contents = merge(yaml, target, target.contents, value);
  const text = target.toString({ singleQuote: true, lineWidth: 0, indentSeq: false, flowCollectionPadding: true });
  // What is written is read back by us and signed: it must mean exactly the data it was made from.
  invariant(isSame(yaml.parse(text, { schema: 'core', merge: false }), value), 'the YAML text written differs from its data');
  return text;
}

function merge(yaml: Yaml, document: Document, node: Node | null | undefined, value: unknown): Node {
  if (yaml.isMap(node) && isRecord(value)) return mergeMap(yaml, document, node, value);
  if (yaml.isSeq(node) && Array.isArray(value)) return mergeList(yaml, document, node, value);
  if (yaml.isScalar(node) && node.value === value) return node;
  const fresh = create(document, value);
  if (node) keepRemarks(node, fresh);
  return fresh;
}

function mergeMap(yaml: Yaml, document: Document, map: YAMLMap, value: Readonly<Record<string, unknown>>): YAMLMap {
  const given = new Map(Object.entries(value).filter(([, entry]) => entry !== undefined));
  // `{}` was the way to write nothing; with something in it, one line each is easier to read.
  if (map.items.length === 0 && given.size > 0) map.flow = false;
  const textOf = (key: unknown): unknown => (yaml.isScalar(key) ? key.value : key);
  for (const key of map.items.map((pair) => textOf(pair.key))) if (!given.has(String(key))) map.delete(key);
  for (const [key, entry] of given) {
    const pair = map.items.find((candidate) => textOf(candidate.key) === key);
    if (pair === undefined) map.add(document.createPair(key, create(document, entry)));
    else pair.value = merge(yaml, document, pair.value as Node | null, entry);
  }
  return map;
}

/** Items that stayed equal keep their node wherever they moved; a changed one keeps the node at its place. */
function mergeList(yaml: Yaml, document: Document, list: YAMLSeq, value: readonly unknown[]): YAMLSeq {
  const old = list.items as (Node | null)[];
  const dataOf = old.map((node) => (node === null ? null : (node.toJS(document) as unknown)));
  const used = new Set<number>();
  const equal = value.map((entry) => {
    const index = dataOf.findIndex((data, candidate) => !used.has(candidate) && isSame(data, entry));
    if (index >= 0) used.add(index);
    return index;
  });
  const sameIdentity = (entry: unknown): number =>
    dataOf.findIndex(
      (data, candidate) =>
        !used.has(candidate) &&
        isRecord(data) &&
        isRecord(entry) &&
        typeof data['backend-id'] === 'string' &&
        data['backend-id'] === entry['backend-id'],
    );
  list.items = value.map((entry, index) => {
    const kept = equal[index] ?? -1;
    if (kept >= 0) return old[kept] ?? create(document, entry);
    const changed = sameIdentity(entry);
    if (changed < 0) return create(document, entry);
    used.add(changed);
    return merge(yaml, document, old[changed], entry);
  });
  if (old.length === 0 && value.length > 0) list.flow = false;
  return list;
}

function create(document: Document, value: unknown): Node {
  // Equal objects would become anchor and alias, which we refuse to read.
  return document.createNode(value, { aliasDuplicateObjects: false });
}

function keepRemarks(from: Node, to: Node): void {
  const { comment, commentBefore, spaceBefore } = from as Scalar;
  Object.assign(to, { comment, commentBefore, spaceBefore });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deep equality of plain data; a key holding `undefined` counts as missing. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((entry, index) => isSame(entry, b[index]));
  if (isRecord(a) && isRecord(b)) {
    const keys = (record: Readonly<Record<string, unknown>>): string[] => Object.keys(record).filter((key) => record[key] !== undefined);
    const left = keys(a);
    return left.length === keys(b).length && left.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
  }
  return a === b;
}
