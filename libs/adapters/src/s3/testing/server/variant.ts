/**
 * In what S3 servers differ, as switches that combine freely, and named sets of them. What a
 * preset says of a real server was measured (`ceph`: radosgw 16.2, held to by
 * `describe-s3-server.ts`) or is documented (`aws`, 2025/26).
 */

/** What a server does with a condition: obeys it, acts as though it were not there, or answers 501. */
export type ConditionRule = 'obeyed' | 'ignored' | 'refused';

/** Switches of one server. */
export interface S3Variant {
  /**
   * Whose habits the answers have where no switch of its own says more. Ceph's: a version or
   * marker that is not there is NoSuchKey; all parts uploaded have to be completed, and completing
   * again succeeds while the object is still there; URL encoding takes in the slashes of keys but
   * leaves prefixes alone, continuation tokens are bare keys, and characters that XML cannot have come as
   * references; a page with a delimiter starts after the whole prefix that its start is in; `_` in the names of
   * metadata becomes `-`.
   */
  readonly dialect: 'aws' | 'ceph';
  /** `PUT` with `If-None-Match: *`. */
  readonly putIfAbsent: ConditionRule;
  /** `PUT` with `If-Match`. */
  readonly putIfMatch: ConditionRule;
  /** How the tag in `If-Match` of a write has to be written; the other way never matches. `bare` ignores what follows the tag, as Ceph does. */
  readonly matchesTags: 'quoted' | 'bare' | 'either';
  /** Status of `If-Match` on a key that nothing has. */
  readonly missingStatus: 404 | 412;
  /** `DELETE` with `If-Match`, and tags in DeleteObjects. */
  readonly deleteIfMatch: ConditionRule;
  /** Completing an upload in parts with either condition. */
  readonly completeConditions: ConditionRule;
  /** Copying with either condition on the target. */
  readonly copyConditions: ConditionRule;
  /** Header of the condition on a copy's source: AWS's `x-amz-copy-source-if-match`, Ceph's `x-amz-copy-if-match`. */
  readonly copySourceCondition: 'x-amz-copy-source-if-' | 'x-amz-copy-if-' | 'none';
  /** On a bucket with versions: conditions as elsewhere, or Ceph's (`If-None-Match` ignored, `If-Match` never matches). */
  readonly versionedConditions: 'same' | 'broken';
  /** What a writer gets that was overtaken after its request had arrived: 412, 409 ConditionalRequestConflict, 500 UnknownError every second time (Ceph: for `If-Match`, about as often). */
  readonly lostRace: 'refused' | 'conflict' | 'unknown-error';

  /** ETags of objects put in one piece: MD5 of the bytes, random, or as though uploaded in one part (`md5-1`). */
  readonly tags: 'md5' | 'random' | 'multipart';
  /** Whether `ETag` headers have quotes. */
  readonly quotesTags: boolean;
  /** Whether the tag in the answer to a copy has quotes; Ceph's has none. */
  readonly quotesCopyTags: boolean;
  /** What something between server and client makes of the tags in answers to GET and HEAD. */
  readonly tagDecoration: 'none' | 'weak' | 'gzip';
  /** Completing an upload answers an empty `<ETag>`. */
  readonly hidesCompleteTag: boolean;

  /** A body that does not hash to the signed `x-amz-content-sha256` is refused. */
  readonly verifiesContent: boolean;
  /** A body that does not hash to `Content-MD5` is refused. */
  readonly verifiesMd5: boolean;
  /** `x-amz-checksum-sha256` is verified, kept and told; or thrown away. */
  readonly checksums: 'kept' | 'swallowed';
  /** `x-amz-server-side-encryption` is kept and told; or refused with 400. */
  readonly encrypts: boolean;
  /** Storage classes that exist. */
  readonly storageClasses: readonly string[];

  /** Keys and prefixes on a page at most, whatever is asked for. */
  readonly pageSize: number;
  /** Order of listings (of buckets made from then on); S3's is that of UTF-8 bytes. */
  readonly listOrder: 'utf8' | 'utf16';
  /** Resolution of times in listings (headers have whole seconds). */
  readonly listTimes: 'milliseconds' | 'seconds';

  /** Whether there is CopyObject; without, 501. */
  readonly copies: boolean;
  /** What a part made of an object gets: the range asked for, or all of it whatever was asked; or 501. */
  readonly copiesParts: 'range' | 'whole' | 'refused';
  /** Whether the condition on the source of a copy is one on that of a part, too. */
  readonly comparesPartSource: boolean;
  /** Answer to a range of a source that is not all there: AWS's 400 InvalidArgument, Ceph's 416 InvalidRange. */
  readonly missingRangeStatus: 400 | 416;
  /** Whether there are uploads in parts; without, 501. */
  readonly uploadsInParts: boolean;
  /** Every part but the last must have as many bytes. */
  readonly minimumPartBytes: number;
  /** Status of creating a bucket that one has: AWS (us-east-1) and Ceph 200, AWS elsewhere 409. */
  readonly ownedBucketStatus: 200 | 409;
  /** An unsigned or badly signed request: 403 as it should, or anything goes. */
  readonly checksSignatures: boolean;
  /** A signature for another region is refused and answered with the right one; Ceph takes any. */
  readonly checksRegion: boolean;
}

/** Everything conditional, checked and kept, as documented by AWS in 2026. */
const aws: S3Variant = {
  dialect: 'aws',
  putIfAbsent: 'obeyed',
  putIfMatch: 'obeyed',
  matchesTags: 'either',
  missingStatus: 404,
  deleteIfMatch: 'obeyed',
  completeConditions: 'obeyed',
  copyConditions: 'obeyed',
  copySourceCondition: 'x-amz-copy-source-if-',
  versionedConditions: 'same',
  lostRace: 'refused',
  tags: 'md5',
  quotesTags: true,
  quotesCopyTags: true,
  tagDecoration: 'none',
  hidesCompleteTag: false,
  verifiesContent: true,
  verifiesMd5: true,
  checksums: 'kept',
  encrypts: true,
  storageClasses: ['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', 'REDUCED_REDUNDANCY'],
  pageSize: 1000,
  listOrder: 'utf8',
  listTimes: 'seconds',
  copies: true,
  copiesParts: 'range',
  comparesPartSource: true,
  missingRangeStatus: 400,
  uploadsInParts: true,
  minimumPartBytes: 5 * 1024 * 1024,
  ownedBucketStatus: 200,
  checksSignatures: true,
  checksRegion: true,
};

/** radosgw 16.2 as measured. */
const ceph: S3Variant = {
  ...aws,
  dialect: 'ceph',
  matchesTags: 'bare',
  missingStatus: 412,
  deleteIfMatch: 'ignored',
  completeConditions: 'ignored',
  copyConditions: 'ignored',
  copySourceCondition: 'x-amz-copy-if-',
  comparesPartSource: false,
  missingRangeStatus: 416,
  versionedConditions: 'broken',
  lostRace: 'unknown-error',
  quotesCopyTags: false,
  hidesCompleteTag: true,
  checksums: 'swallowed',
  encrypts: false,
  storageClasses: ['STANDARD'],
  listTimes: 'milliseconds',
  checksRegion: false,
};

/** Takes every condition and acts as though it were not there: the most dangerous kind. */
const ignoring: S3Variant = {
  ...aws,
  putIfAbsent: 'ignored',
  putIfMatch: 'ignored',
  deleteIfMatch: 'ignored',
  completeConditions: 'ignored',
  copyConditions: 'ignored',
  checksums: 'swallowed',
};

/** Answers 501 to conditional writes, like Swift's S3 layer; conditional deletes it knows. */
const refusing: S3Variant = {
  ...ignoring,
  putIfAbsent: 'refused',
  putIfMatch: 'refused',
  deleteIfMatch: 'obeyed',
  completeConditions: 'refused',
  copyConditions: 'refused',
};

/** Believes whatever it is sent and tells little: no conditions, no checks, tags without meaning. */
const fake: S3Variant = {
  ...ignoring,
  tags: 'random',
  copySourceCondition: 'none',
  verifiesContent: false,
  verifiesMd5: false,
  encrypts: false,
  minimumPartBytes: 0,
  checksSignatures: false,
  checksRegion: false,
};

/** Servers of 2025 that know conditions on PUT only: no conditional delete, complete or copy. */
const putOnly: S3Variant = {
  ...aws,
  missingStatus: 412,
  deleteIfMatch: 'ignored',
  completeConditions: 'ignored',
  copyConditions: 'ignored',
};

/** Named sets of switches. */
export const variants = { aws, ceph, ignoring, refusing, fake, putOnly } as const satisfies Readonly<Record<string, S3Variant>>;

/** Name of a preset. */
export type VariantName = keyof typeof variants;
