/**
 * What an endpoint was proved to do with a bucket (INV-26): nothing here is believed because
 * of a name or a version, each is found out by trying (`probe.ts`).
 */

/** Abilities of one endpoint with one bucket. */
export interface S3Abilities {
  /** `PUT` with `If-None-Match: *` creates a free key and is refused on a taken one. */
  readonly createsIfAbsent: boolean;
  /** `PUT` with `If-Match` replaces the version named and is refused on another; how the tag has to be written. */
  readonly replacesIfMatch: 'quoted' | 'bare' | 'no';
  /** `DELETE` with `If-Match` is refused on another version and carried out on the one named. */
  readonly deletesIfMatch: boolean;
  /** Completing an upload in parts obeys both conditions. */
  readonly completesConditionally: boolean;
  /** A copy obeys both conditions on its target. */
  readonly copiesConditionally: boolean;
  readonly copies: boolean;
  readonly uploadsInParts: boolean;
  /** Content whose hash is not the one signed is refused: what was stored needs no reading back (INV-27). */
  readonly verifiesContent: boolean;
  /** `x-amz-checksum-sha256` is kept and told. */
  readonly keepsChecksums: boolean;
  /** The ETag of an object written in one piece is the MD5 of its bytes: it can vouch for metadata, nothing else. */
  readonly tagsByMd5: boolean;
  /** The bucket keeps every version. */
  readonly isVersioned: boolean;
}
