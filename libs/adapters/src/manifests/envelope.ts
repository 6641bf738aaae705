/**
 * The outside of a manifest (reference §3.1): header, the line `---`, body. The header is a tiny
 * language of its own, read by hand: ASCII, one field `signature` (a legacy `pubkey` is passed
 * over), either `name: "value"` or `name: |` and lines indented by two spaces. The signature
 * covers the body's bytes exactly as they are stored.
 */

import { err, ok, type Result } from '@wl/domain';

/** A manifest taken apart. */
export interface Envelope {
  /** `<fingerprint>:<base64>`, `undefined` when the header is empty: not signed. */
  readonly signature: string | undefined;
  readonly body: Uint8Array;
}

/** Why bytes are no manifest, in words that follow the file's name. */
export type EnvelopeError = string;

const SEPARATOR = Buffer.from('\n---\n');
const EMPTY_HEADER = Buffer.from('---\n');

/** Takes a manifest apart; the body shares the memory of `bytes`. */
export function parseEnvelope(bytes: Uint8Array): Result<Envelope, EnvelopeError> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.subarray(0, EMPTY_HEADER.length).equals(EMPTY_HEADER)) {
    return ok({ signature: undefined, body: buffer.subarray(EMPTY_HEADER.length) });
  }
  const end = buffer.indexOf(SEPARATOR);
  if (end < 0) return err('has no line --- between header and body');
  const header = buffer.subarray(0, end);
  if (header.some((byte) => byte > 0x7e || (byte < 0x20 && byte !== 0x0a))) return err('has a header that is not plain ASCII text');
  const fields = parseHeader(header.toString('latin1'));
  if (!fields.ok) return fields;
  return ok({ signature: fields.value.get('signature'), body: buffer.subarray(end + SEPARATOR.length) });
}

/** Puts a manifest together, in the block form that the original writes. */
export function toEnvelope(signature: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`signature: |\n  ${signature}\n---\n`), body]);
}

function parseHeader(text: string): Result<ReadonlyMap<string, string>, EnvelopeError> {
  const fields = new Map<string, string>();
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; ) {
    const line = lines[index++] ?? '';
    const [, name, oneLine, block] = /^(\w+): (?:"([A-Za-z0-9_ .-]*)"|(\|))$/.exec(line) ?? [];
    if (name === undefined) return err(`has a header line that cannot be read (line ${index})`);
    if (name !== 'signature' && name !== 'pubkey') return err(`has the unknown header field '${name}'`);
    if (fields.has(name)) return err(`has the header field '${name}' twice`);
    let value = oneLine ?? '';
    if (block !== undefined) {
      const content: string[] = [];
      while (index < lines.length && (lines[index] === '' || lines[index]?.startsWith('  '))) content.push((lines[index++] ?? '').slice(2));
      while (content.at(-1) === '') content.pop();
      if (content.length === 0) return err(`has the header field '${name}' without a value`);
      value = content.join('\n');
    }
    fields.set(name, value);
  }
  return ok(fields);
}
