/** The little XML the server speaks: it writes documents and takes apart the three that clients send. */

/** A node: text, or children in order. An array value repeats the element. */
export type XmlNode = string | number | boolean | { readonly [name: string]: XmlNode | readonly XmlNode[] | undefined };

/** A whole document with S3's namespace. */
export function xmlDocument(root: string, content: XmlNode, mixed: readonly (readonly [string, XmlNode])[] = []): Buffer {
  // Elements of several names in one order: versions and the markers between them.
  const ordered = mixed.map(([name, node]) => `<${name}>${write(node)}</${name}>`).join('');
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${write(content)}${ordered}</${root}>`,
  );
}

/** An error document: those have no namespace. */
export function xmlError(elements: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?><Error>${write(elements)}</Error>`);
}

/** Bodies of all elements of a name, raw, in document order. */
export function elements(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?(?:/>|>([^]*?)</${name}>)`, 'g'))].map((match) => match[1] ?? '');
}

/** Text of the first element of a name, entities resolved. */
export function elementText(xml: string, name: string): string | undefined {
  const raw = elements(xml, name)[0];
  return raw === undefined ? undefined : unescapeXml(raw);
}

function write(node: XmlNode): string {
  if (typeof node !== 'object') return escapeXml(String(node));
  let text = '';
  for (const [name, value] of Object.entries(node)) {
    if (value === undefined) continue;
    for (const item of isList(value) ? value : [value]) text += `<${name}>${write(item)}</${name}>`;
  }
  return text;
}

function isList(value: XmlNode | readonly XmlNode[]): value is readonly XmlNode[] {
  return Array.isArray(value);
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const special = /[&<>"\u0000-\u001f]/;
const everySpecial = new RegExp(special, 'g');

function escapeXml(text: string): string {
  return special.test(text) ? text.replace(everySpecial, (character) => escapes[character] ?? reference(character)) : text;
}

/** A control character as a reference, as Ceph writes them. XML 1.0 cannot have most of them at all: clients ask for `encoding-type=url`. */
function reference(character: string): string {
  return `&#x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')};`;
}

function unescapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|amp|quot|apos));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return names[name ?? ''] ?? whole;
  });
}
