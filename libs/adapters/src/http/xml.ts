/**
 * Reads the XML documents of servers, strictly: a document that is cut short, followed by something,
 * or no XML at all is refused (T02, T03), never read as a shorter one (INV-8). Elements we do
 * not know are kept and cost nothing. No document type, no entities but the five of XML.
 */

import { isAscii, isUtf8 } from 'node:buffer';

import { err, ok, type Result } from '@wl/domain';

/** An element. `name` is without a namespace prefix; `text` is its own text, entities resolved. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement {
  readonly rawName: string;
  readonly name: string;
  text: string;
  children: OpenElement[];
}

const NONE: OpenElement[] = [];
const NAME = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y;
const ATTRIBUTES = /(?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/y;
const DEEPEST = 32;
const [SLASH, QUESTION, EXCLAMATION, GREATER] = [0x2f, 0x3f, 0x21, 0x3e];

/** Text of an answer; `undefined` when it is no UTF-8. */
export function toText(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** Reads a whole document; the error says in a few words why it is none. */
export function parseXml(document: string): Result<XmlElement, string> {
  return new Reader(document).read();
}

/** Text of the first child of that name. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

class Reader {
  readonly #document: string;
  readonly #stack: OpenElement[] = [];
  #root: OpenElement | undefined;
  /** Names met so far, by what stood between `<` and `>`. */
  readonly #names = new Map<string, string>();
  #at = 0;
  #problem: string | undefined;

  constructor(document: string) {
    this.#document = document.charCodeAt(0) === 0xfeff ? document.slice(1) : document;
  }

  read(): Result<XmlElement, string> {
    const text = this.#document;
    while (this.#problem === undefined) {
      const tag = text.indexOf('<', this.#at);
      if (tag !== this.#at) this.#takeText(tag < 0 ? text.length : tag);
      if (tag < 0) break;
      this.#at = tag;
      const next = text.charCodeAt(tag + 1);
      if (next === SLASH) this.#close();
      else if (next === QUESTION) this.#skip('<?', '?>');
      else if (next === EXCLAMATION) this.#takeDeclaration();
      else this.#open();
    }
    if (this.#problem !== undefined) return err(this.#problem);
    if (this.#root === undefined) return err('it is empty');
    return this.#stack.length > 0 ? err('it is cut short') : ok(this.#root);
  }

  #takeText(end: number): void {
    const raw = this.#document.slice(this.#at, end);
    this.#at = end;
    const inner = this.#stack.at(-1);
    if (inner === undefined) {
      if (raw.trim() !== '') this.#problem = 'it has text outside of XML';
      return;
    }
    const text = resolveEntities(raw);
    if (text === undefined) this.#problem = 'it has an unknown entity';
    else inner.text = inner.text === '' ? text : inner.text + text;
  }

  #open(): void {
    const text = this.#document;
    if (this.#root !== undefined && this.#stack.length === 0) return void (this.#problem = 'something follows its end');
    if (this.#stack.length >= DEEPEST) return void (this.#problem = 'it is nested too deeply');
    const end = text.indexOf('>', this.#at);
    const rawName = text.slice(this.#at + 1, end);
    const name = this.#names.get(rawName);
    if (name === undefined) return this.#openNew();
    this.#at = end + 1;
    if (!this.#takeLeaf(rawName, name)) this.#add({ rawName, name, text: '', children: NONE }, false);
  }

  /** A tag that was not met before, or has attributes, or is its own end. */
  #openNew(): void {
    const text = this.#document;
    NAME.lastIndex = this.#at + 1;
    if (!NAME.test(text)) return void (this.#problem = 'it is no XML');
    const rawName = text.slice(this.#at + 1, NAME.lastIndex);
    ATTRIBUTES.lastIndex = NAME.lastIndex;
    let end = ATTRIBUTES.test(text) ? ATTRIBUTES.lastIndex : NAME.lastIndex;
    const isEmpty = text.charCodeAt(end) === SLASH;
    if (isEmpty) end += 1;
    if (text.charCodeAt(end) !== GREATER) return void (this.#problem = end >= text.length ? 'it is cut short' : 'it has a broken tag');
    this.#at = end + 1;
    const name = rawName.slice(rawName.indexOf(':') + 1);
    this.#names.set(rawName, name);
    this.#add({ rawName, name, text: '', children: NONE }, isEmpty);
  }

  /** Most elements hold text alone and are taken in one step; `false`: this one is to be read bit by bit. */
  #takeLeaf(rawName: string, name: string): boolean {
    const text = this.#document;
    const end = text.indexOf('<', this.#at);
    const close = end + 2 + rawName.length;
    if (end < 0 || text.charCodeAt(end + 1) !== SLASH || text.charCodeAt(close) !== GREATER || !text.startsWith(rawName, end + 2)) return false;
    const own = resolveEntities(text.slice(this.#at, end));
    if (own === undefined) return false;
    this.#at = close + 1;
    this.#add({ rawName, name, text: own, children: NONE }, true);
    return true;
  }

  #add(element: OpenElement, isEmpty: boolean): void {
    const parent = this.#stack.at(-1);
    if (parent === undefined) this.#root = element;
    // Most elements have no children, so the list is made with the first.
    else if (parent.children === NONE) parent.children = [element];
    else parent.children.push(element);
    if (!isEmpty) this.#stack.push(element);
  }

  #close(): void {
    const top = this.#stack.pop();
    const end = this.#at + 2 + (top?.rawName.length ?? 0);
    if (top === undefined || !this.#document.startsWith(top.rawName, this.#at + 2)) return void (this.#problem = 'its tags do not match');
    const close = this.#document.indexOf('>', end);
    if (close < 0) return void (this.#problem = 'it is cut short');
    if (close !== end && this.#document.slice(end, close).trim() !== '') return void (this.#problem = 'its tags do not match');
    this.#at = close + 1;
  }

  #takeDeclaration(): void {
    if (this.#document.startsWith('<!--', this.#at)) return this.#skip('<!--', '-->');
    const inner = this.#stack.at(-1);
    if (inner === undefined || !this.#document.startsWith('<![CDATA[', this.#at)) return void (this.#problem = 'it has a document type, or is no XML');
    const start = this.#at + '<![CDATA['.length;
    this.#skip('<![CDATA[', ']]>');
    if (this.#problem === undefined) inner.text += this.#document.slice(start, this.#at - ']]>'.length);
  }

  #skip(opening: string, closing: string): void {
    const end = this.#document.indexOf(closing, this.#at + opening.length);
    if (end < 0) this.#problem = 'it is cut short';
    else this.#at = end + closing.length;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** `undefined` when there is an `&` that begins none of the known ones. */
function resolveEntities(raw: string): string | undefined {
  let at = raw.indexOf('&');
  if (at < 0) return raw;
  let text = '';
  let start = 0;
  for (; at >= 0; at = raw.indexOf('&', start)) {
    const end = raw.indexOf(';', at);
    const character = end < 0 ? undefined : entity(raw.slice(at + 1, end));
    if (character === undefined) return undefined;
    text += raw.slice(start, at) + character;
    start = end + 1;
  }
  return text + raw.slice(start);
}

function entity(name: string): string | undefined {
  if (!name.startsWith('#')) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
  const code = /^#\d{1,7}$/.test(name) ? Number(name.slice(1)) : /^#x[\da-fA-F]{1,6}$/.test(name) ? Number.parseInt(name.slice(2), 16) : Number.NaN;
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
