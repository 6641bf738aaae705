/** Operations on buckets themselves. */

import { emptyAnswer, type OperationHandler, xmlAnswer } from './operation-context.js';
import { S3Failure } from './s3-failure.js';
import { elementText, xmlDocument } from './xml.js';

/** ListBuckets. */
export const listBuckets: OperationHandler = ({ buckets }) => {
  const listed = [...buckets.values()].map((bucket) => ({ Name: bucket.name, CreationDate: new Date(bucket.createdMs).toISOString() }));
  return xmlAnswer(xmlDocument('ListAllMyBucketsResult', { Owner: { ID: 'test', DisplayName: 'test' }, Buckets: { Bucket: listed } }));
};

/** CreateBucket. */
export const createBucket: OperationHandler = ({ buckets, request, variant, createBucket: create }) => {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(request.bucket)) throw new S3Failure(400, 'InvalidBucketName', 'The specified bucket is not valid.');
  if (buckets.has(request.bucket)) {
    if (variant.ownedBucketStatus === 409) throw new S3Failure(409, 'BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded and you already own it.');
    return emptyAnswer(200);
  }
  create(request.bucket);
  return emptyAnswer(200, { location: `/${request.bucket}` });
};

/** HeadBucket. */
export const headBucket: OperationHandler = (context) => {
  context.bucket();
  return emptyAnswer(200, { 'x-amz-bucket-region': context.region });
};

/** DeleteBucket; only empty ones. */
export const deleteBucket: OperationHandler = (context) => {
  const bucket = context.bucket();
  if (bucket.keys.length > 0) throw new S3Failure(409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty');
  context.buckets.delete(bucket.name);
  return emptyAnswer(204);
};

/** GetBucketLocation. */
export const getBucketLocation: OperationHandler = (context) => {
  context.bucket();
  const aws = context.region === 'us-east-1' ? '' : context.region;
  return xmlAnswer(xmlDocument('LocationConstraint', context.variant.dialect === 'ceph' ? 'default' : aws));
};

/** GetBucketVersioning: no status at all before versions were first kept. */
export const getBucketVersioning: OperationHandler = (context) => {
  const { versioning } = context.bucket();
  return xmlAnswer(xmlDocument('VersioningConfiguration', versioning === 'off' ? {} : { Status: versioning }));
};

/** PutBucketVersioning. */
export const putBucketVersioning: OperationHandler = (context) => {
  const status = elementText(context.body.toString('utf8'), 'Status');
  if (status !== 'Enabled' && status !== 'Suspended') throw new S3Failure(400, 'MalformedXML', 'The XML you provided was not well-formed');
  context.bucket().versioning = status;
  return emptyAnswer(200);
};
