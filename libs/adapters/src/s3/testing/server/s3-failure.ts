/** An answer that is an error, thrown by operations and written by the server as S3's XML. */

/** Ends an operation with an error answer. */
export class S3Failure extends Error {
  override readonly name = 'S3Failure';

  constructor(
    readonly status: number,
    /** S3's own, e.g. `NoSuchKey`. */
    readonly code: string,
    message = '',
    readonly extra: {
      /** More elements of the error document. */
      readonly elements?: Readonly<Record<string, string>>;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
  }
}

/** 412: a condition does not hold. */
export const preconditionFailed = (): S3Failure =>
  new S3Failure(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');

/** 404: nothing has this key. */
export const noSuchKey = (key: string): S3Failure =>
  new S3Failure(404, 'NoSuchKey', 'The specified key does not exist.', { elements: { Key: key } });

/** 501: a header or parameter this server knows nothing of. */
export const notImplemented = (): S3Failure =>
  new S3Failure(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented');
