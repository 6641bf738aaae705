/** Which function decides which operation. */

import * as buckets from './buckets.js';
import { deleteObjects } from './delete-objects.js';
import * as listings from './listings.js';
import * as multipart from './multipart.js';
import * as reads from './object-reads.js';
import * as writes from './object-writes.js';
import type { OperationHandler } from './operation-context.js';
import type { Operation } from './s3-request.js';

/** Every operation's handler. */
export const operations: Readonly<Record<Operation, OperationHandler>> = {
  ListBuckets: buckets.listBuckets,
  CreateBucket: buckets.createBucket,
  HeadBucket: buckets.headBucket,
  DeleteBucket: buckets.deleteBucket,
  GetBucketLocation: buckets.getBucketLocation,
  GetBucketVersioning: buckets.getBucketVersioning,
  PutBucketVersioning: buckets.putBucketVersioning,
  ListObjects: listings.listObjects,
  ListObjectsV2: listings.listObjectsV2,
  ListObjectVersions: listings.listObjectVersions,
  ListMultipartUploads: listings.listMultipartUploads,
  DeleteObjects: deleteObjects,
  HeadObject: reads.headObject,
  GetObject: reads.getObject,
  PutObject: writes.putObject,
  CopyObject: writes.copyObject,
  DeleteObject: writes.deleteObject,
  CreateMultipartUpload: multipart.createUpload,
  UploadPart: multipart.uploadPart,
  UploadPartCopy: multipart.uploadPartCopy,
  ListParts: multipart.listParts,
  CompleteMultipartUpload: multipart.completeUpload,
  AbortMultipartUpload: multipart.abortUpload,
};
