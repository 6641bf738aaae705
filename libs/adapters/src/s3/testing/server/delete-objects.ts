/** DeleteObjects: many keys in one request, each decided for itself. */

import { checkDeleteTag } from './conditions.js';
import { checkContent } from './content-checks.js';
import { type OperationContext, type OperationHandler, xmlAnswer } from './operation-context.js';
import { S3Failure } from './s3-failure.js';
import { elements, elementText, xmlDocument, type XmlNode } from './xml.js';

/** DeleteObjects. */
export const deleteObjects: OperationHandler = (context) => {
  context.bucket();
  checkContent(context);
  const xml = context.body.toString('utf8');
  const asked = elements(xml, 'Object');
  if (asked.length === 0 || asked.length > 1000) throw new S3Failure(400, 'MalformedXML', 'The XML you provided was not well-formed');
  const isQuiet = elementText(xml, 'Quiet') === 'true';
  const results = asked.map((object) => deleteOne(context, object));
  const errors = results.filter((result) => result.Code !== undefined);
  return xmlAnswer(
    xmlDocument('DeleteResult', { Deleted: isQuiet ? [] : results.filter((result) => result.Code === undefined), Error: errors }),
  );
};

function deleteOne(context: OperationContext, object: string): Record<string, XmlNode | undefined> {
  const bucket = context.bucket();
  const key = elementText(object, 'Key') ?? '';
  const versionId = elementText(object, 'VersionId');
  const expected = elementText(object, 'ETag');
  try {
    if (expected !== undefined && context.variant.deleteIfMatch === 'obeyed') checkDeleteTag(context, key, bucket.current(key), expected);
  } catch (failure) {
    if (!(failure instanceof S3Failure)) throw failure;
    return { Key: key, Code: failure.code, Message: failure.message };
  }
  if (versionId !== undefined) {
    const removed = bucket.removeVersion(key, versionId);
    return { Key: key, VersionId: versionId, ...(removed?.isDeleteMarker === true && { DeleteMarker: true, DeleteMarkerVersionId: versionId }) };
  }
  const marker = bucket.remove(key, context.nowMs);
  return { Key: key, ...(marker !== undefined && { DeleteMarker: true, DeleteMarkerVersionId: marker.versionId }) };
}
