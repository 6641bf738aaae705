/**
 * Opening and closing manifests: from bytes to data that may be trusted, and back.
 *
 * The order of checks is that of the original (reference §3.1): take apart, verify the signature,
 * parse, upgrade old names, see whether the signer may act for the owner, validate. Nothing of a
 * body is used before its signature is known to be right.
 */

import { err, ok, type Result } from '@wl/domain';
import {
  validateContainer,
  validateEncryptedStorage,
  validateInlineStorage,
  validateStorage,
  validateStorageLink,
  validateUser,
  type Container,
  type Storage,
  type User,
  type ValidationError,
  type Validator,
} from '@wl/ports/schemas';
import type { Document } from 'yaml';

import { parseEnvelope, toEnvelope, type Envelope } from './envelope.js';
import { parsePublicKey, parseSignature, signBytes, toSignatureText, verifySignature, type PublicKey, type SecretKey } from './keys.js';
import { describeSchemaErrors } from './schema-errors.js';
import { setupError, type SetupError } from './setup-error.js';
import { parseStrictYaml } from './strict-yaml.js';
import { upgradeManifest } from './upgrade.js';

/** The data of each kind of manifest. */
export interface ManifestData {
  readonly container: Container;
  readonly storage: Storage;
  readonly user: User;
}

/** What a manifest describes. */
export type ManifestKind = keyof ManifestData;

/** A manifest whose signature and form were found right. */
export interface OpenedManifest<K extends ManifestKind> {
  readonly file: string;
  readonly data: ManifestData[K];
  /** The YAML it came from, for changes that keep comments. */
  readonly document: Document;
}

/** Knows public keys and who may sign for whom. */
export interface Keyring {
  /** `undefined` when no such key is known. */
  publicKey(fingerprint: string): Promise<Result<PublicKey | undefined, SetupError>>;
  /** Whether the key `signer` is one of those that the user `owner` lists. */
  mayActFor(signer: string, owner: string): Promise<Result<boolean, SetupError>>;
}

/** Opens a container or storage manifest. `name` is how the user calls it, for the command in a message. */
export async function openManifest<K extends 'container' | 'storage'>(
  kind: K,
  source: { readonly file: string; readonly name: string; readonly bytes: Uint8Array },
  keyring: Keyring,
): Promise<Result<OpenedManifest<K>, SetupError>> {
  const { file } = source;
  const sign = `wl ${kind} sign ${shellWord(source.name)}`;
  const envelope = takeApart(file, source.bytes, sign);
  if (!envelope.ok) return envelope;
  const { signature: text, body } = envelope.value;
  if (text === undefined) {
    return err(setupError('unsigned', `${file} is not signed. Look through it and, if it is yours, run: ${sign}`, file));
  }
  const signature = parseSignature(text);
  if (!signature.ok) {
    return err(setupError('wrong-signature', `${file} has a signature that cannot be read. If the file is yours, run: ${sign}`, file));
  }
  const signer = signature.value.fingerprint;
  const key = await keyring.publicKey(signer);
  if (!key.ok) return key;
  if (key.value === undefined) {
    const message = `${file} is signed by ${signer}, whose public key is not known here: put its .pub file into the directory of keys`;
    return err(setupError('unknown-signer', message, file));
  }
  if (!verifySignature(key.value, body, signature.value)) {
    const message = `the signature of ${file} does not fit: the file was changed after it was signed. If the change is yours, run: ${sign}`;
    return err(setupError('wrong-signature', message, file));
  }
  const opened = await readBody(kind, file, body);
  if (!opened.ok) return opened;
  const { owner } = opened.value.data;
  if (signer === owner) return opened;
  const allowed = await keyring.mayActFor(signer, owner);
  if (!allowed.ok) return allowed;
  return allowed.value
    ? opened
    : err(setupError('wrong-signer', `${file} belongs to ${owner} but is signed by ${signer}, a key that this owner does not list`, file));
}

/**
 * Opens a user manifest. It carries the key it is signed with, which is safe because the owner's
 * name is that key's fingerprint; only that key counts.
 */
export async function openUserManifest(file: string, bytes: Uint8Array): Promise<Result<OpenedManifest<'user'>, SetupError>> {
  const envelope = takeApart(file, bytes, undefined);
  if (!envelope.ok) return envelope;
  const { signature: text, body } = envelope.value;
  const opened = await readBody('user', file, body);
  if (!opened.ok) return opened;
  const { owner, pubkeys } = opened.value.data;
  const primary = parsePublicKey(pubkeys[0] ?? '');
  const signature = parseSignature(text ?? '');
  const isRight =
    primary.ok &&
    signature.ok &&
    primary.value.fingerprint === owner &&
    verifySignature(primary.value, body, signature.value);
  return isRight
    ? opened
    : err(setupError('wrong-signature', `${file} is not signed with the first of its own keys: bring it back from a copy`, file));
}

/** Reads a body without asking for a signature: for signing what the user wrote by hand. */
export async function readBody<K extends ManifestKind>(kind: K, file: string, body: Uint8Array): Promise<Result<OpenedManifest<K>, SetupError>> {
  const yaml = await parseStrictYaml(body, file);
  if (!yaml.ok) return yaml;
  const { value, document } = yaml.value;
  if (typeof value === 'object' && value !== null && 'encrypted' in value) {
    const message =
      `${file} is encrypted, which is not supported here. The client that wrote it can store it in the clear ` +
      `(wl ${kind} modify --no-encrypt-manifest)`;
    return err(setupError('encrypted', message, file));
  }
  const data = validateManifest(kind, upgradeManifest(value), file);
  return data.ok ? ok({ file, data: data.value, document: document }) : data;
}

/** Checks the form of a manifest's data. */
export function validateManifest<K extends ManifestKind>(kind: K, data: unknown, file: string): Result<ManifestData[K], SetupError> {
  const validate = VALIDATORS[kind] as Validator<ManifestData[K]>;
  if (validate(data)) return ok(data);
  const errors = kind === 'container' ? sharperErrors(data, validate.errors ?? []) : validate.errors;
  return err(setupError('invalid', `${file} cannot be used: ${describeSchemaErrors(errors, `the ${kind}`)}`, file));
}

/** A manifest's bytes: the body, signed. */
export function toSignedManifest(key: SecretKey, body: Uint8Array): Uint8Array {
  return toEnvelope(toSignatureText(signBytes(key, body)), body);
}

/** A word as it has to be typed in a shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const VALIDATORS: { readonly [K in ManifestKind]: Validator<ManifestData[K]> } = {
  container: validateContainer,
  storage: validateStorage,
  user: validateUser,
};

function takeApart(file: string, bytes: Uint8Array, sign: string | undefined): Result<Envelope, SetupError> {
  const envelope = parseEnvelope(bytes);
  if (envelope.ok) return envelope;
  const advice = sign === undefined ? '' : `. If you wrote it yourself, run: ${sign}`;
  return err(setupError('bad-envelope', `${file} is no manifest: it ${envelope.error}${advice}`, file));
}

/** A storage that fits none of the allowed forms: say what is wrong with it as the form it was meant to have. */
function sharperErrors(data: unknown, errors: readonly ValidationError[]): readonly ValidationError[] {
  const pointer = /^\/backends\/storage\/(\d+)/.exec(errors[0]?.instancePath ?? '');
  if (pointer === null) return errors;
  const item: unknown = (data as Container).backends.storage[Number(pointer[1])];
  if (typeof item !== 'object' || item === null) return errors;
  const isLink = 'object' in item && item.object === 'link';
  const validate: Validator<unknown> = 'encrypted' in item ? validateEncryptedStorage : isLink ? validateStorageLink : validateInlineStorage;
  if (validate(item)) return errors;
  return (validate.errors ?? []).map((error) => ({ ...error, instancePath: pointer[0] + error.instancePath }));
}
