/** What an endpoint answered, in the words the operations use; and how its documents are read. */

import { S3Error } from '../s3-error.js';

import type { BodyStream } from '../../http/body-stream.js';
import type { AnswerHeaders } from '../../http/transport.js';
import { childText, parseXml, toText, type XmlElement } from '../../http/xml.js';

/** An `<Error>` document. */
export interface ErrorDocument {
  /** `undefined` where the endpoint gave no document of S3. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** The region the bucket is in, where the endpoint tells it. */
  readonly region: string | undefined;
  /** Which condition did not hold (AWS). */
  readonly condition: string | undefined;
}

/** The last answer to a request, repeated or not. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly bytes: Buffer;
  readonly body: BodyStream | undefined;
  /** Set when the request failed: by status, or by an `<Error>` document with status 200. */
  readonly failure: ErrorDocument | undefined;
  /** An earlier try of this request got no answer or a 5xx, and may have taken effect. */
  readonly mayHaveRunBefore: boolean;
}

const LARGEST_ERROR_BYTES = 16_384;
const NO_DOCUMENT: ErrorDocument = { code: undefined, message: undefined, region: undefined, condition: undefined };

/** One header. */
export function header(answer: { readonly headers: AnswerHeaders }, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Failure that an answer tells of, if any. */
export function failureOf(status: number, bytes: Buffer): ErrorDocument | undefined {
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && (bytes.length > LARGEST_ERROR_BYTES || !bytes.includes('<Error'))) return undefined;
  const text = bytes.length === 0 ? undefined : toText(bytes);
  const document = text === undefined ? undefined : parseXml(text);
  if (document?.ok !== true || document.value.name !== 'Error') return isSuccess ? undefined : NO_DOCUMENT;
  return {
    code: childText(document.value, 'Code'),
    message: childText(document.value, 'Message'),
    region: childText(document.value, 'Region'),
    condition: childText(document.value, 'Condition'),
  };
}

/** The document of a success; one that is not complete or not the one expected is a failure (T02, T03). */
export function documentOf(answer: Answer, rootName: string): XmlElement {
  const text = toText(answer.bytes);
  const document = text === undefined ? undefined : parseXml(text);
  if (document?.ok === true && document.value.name === rootName) return document.value;
  const found = document === undefined ? 'it is no text' : document.ok ? `it is <${document.value.name.slice(0, 40)}>` : document.error;
  throw damaged(`The endpoint's answer is not the <${rootName}> of S3: ${found}. A proxy or a login page may have answered instead, or the connection was cut.`);
}

/** An answer that contradicts itself or the request. */
export function damaged(message: string): S3Error {
  return new S3Error('damaged', message, { isRetryable: true });
}
