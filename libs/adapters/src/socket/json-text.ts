/**
 * From bytes to a JSON value: strict UTF-8, then strict JSON. Both ends of the
 * control socket read through here.
 */

/** The value and its text, or which of the two layers the bytes are not. */
export type DecodedJson =
  | { readonly kind: 'json'; readonly value: unknown; readonly text: string }
  | { readonly kind: 'malformed'; readonly expected: 'valid UTF-8' | 'valid JSON' };

/** Decodes one document. Nesting is no danger: V8 parses without recursion, and the size is bounded before. */
export function decodeJson(bytes: Uint8Array): DecodedJson {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { kind: 'malformed', expected: 'valid UTF-8' };
  }
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown, text };
  } catch {
    return { kind: 'malformed', expected: 'valid JSON' };
  }
}
