/**
 * What a schema's refusal means, in words for the person who wrote the file.
 */

import type { ValidationError } from '@wl/ports/schemas';

/** Says in one sentence why a value was refused; `subject` names the whole value, e.g. `the container`. */
export function describeSchemaErrors(errors: readonly ValidationError[] | null | undefined, subject: string): string {
  const error = errors?.[0];
  if (error === undefined) return `${subject} is not as it should be`;
  const where = error.instancePath === '' ? subject : pointerToWords(error.instancePath);
  switch (error.keyword) {
    case 'required':
      return `${where} lacks ${quoted(error.params['missingProperty'])}`;
    case 'additionalProperties':
      return `${where} has the unknown key ${quoted(error.params['additionalProperty'])}`;
    case 'dependencies':
      return `${where} has ${quoted(error.params['property'])}, which needs ${quoted(error.params['deps'])} too`;
    case 'type':
      return `${where} must be ${typeInWords(error.params['type'])}`;
    case 'const':
      return `${where} must be ${quoted(error.params['allowedValue'])}`;
    case 'enum':
      return `${where} must be one of ${(error.params['allowedValues'] as readonly unknown[]).join(', ')}`;
    case 'pattern':
      return `${where} must be ${patternInWords(String(error.params['pattern']))}`;
    case 'minLength':
    case 'minItems':
      return `${where} must not be empty`;
    default:
      return `${where} ${error.message ?? 'is not as it should be'}`;
  }
}

/** The unknown key a value was refused for, if that was the reason. */
export function unknownKeyOf(errors: readonly ValidationError[] | null | undefined): string | undefined {
  const error = errors?.[0];
  return error?.keyword === 'additionalProperties' ? String(error.params['additionalProperty']) : undefined;
}

/** `/backends/storage/0/location` -> `backends.storage[0].location` */
function pointerToWords(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((words, part) => (/^\d+$/.test(part) ? `${words}[${part}]` : words === '' ? part : `${words}.${part}`), '');
}

function typeInWords(type: unknown): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text (put it in quotes if it looks like a number)',
    boolean: 'true or false',
    integer: 'a whole number',
    number: 'a number',
    array: 'a list',
    object: 'a mapping',
    null: 'empty',
  };
  const types = Array.isArray(type) ? type.map(String) : [String(type)];
  return types.map((name) => names[name] ?? name).join(' or ');
}

/** The patterns of our schemas; whoever adds one adds its words. */
function patternInWords(pattern: string): string {
  const words: Readonly<Record<string, string>> = {
    '^/': 'an absolute path',
    '^/([^/].*)?$': 'an absolute path with a single leading slash',
    '^0x[0-9a-f]+$': 'a fingerprint (0x and hex digits)',
    '^@.': 'a name beginning with @',
    '^\\.(?!.*/\\.\\.(/|$))/.+$': 'a ./path inside the package',
    '^s3://[^/]': 'an s3://bucket/path URL',
    '^https?://': 'an http:// or https:// URL',
    '^(AES256|aws:kms(:[!-~]+)?)$': 'AES256, aws:kms or aws:kms:KEYID',
    '^[A-Za-z0-9][A-Za-z0-9-]*$': 'made of letters, digits and hyphens',
    '^[A-Za-z0-9_-]+$': 'made of letters, digits, hyphens and underscores',
    '^(\\*|0x[0-9a-f]+)$': "'*' or a fingerprint",
    '^[A-Za-z0-9+/]{88}$': 'a public key of 88 base64 characters',
  };
  return words[pattern] ?? `of the form ${pattern}`;
}

function quoted(value: unknown): string {
  return JSON.stringify(value);
}
