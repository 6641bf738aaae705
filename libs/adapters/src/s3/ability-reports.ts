/** What was proved of an endpoint, in sentences (`wl storage check`). */

import type { AbilityReport } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import { isPlaceholderUsable } from './writing/placeholder.js';

/** One line an ability, in the order in which they matter. */
export function abilityReports(abilities: S3Abilities): AbilityReport[] {
  const report = (ability: string, works: boolean, proven: string, instead: string): AbilityReport => ({
    ability,
    outcome: works ? 'works' : 'missing',
    detail: works ? proven : instead,
  });
  const { replacesIfMatch: replaces, isVersioned } = abilities;
  const afterwards = isVersioned ? 'the bucket keeps versions, so wl looks afterwards and gives back what was written in between' : 'wl looks right before and after; a write in between may be hidden';
  return [
    { ability: 'list', outcome: 'works', detail: 'the bucket can be listed, in key order' },
    report('create only if absent', abilities.createsIfAbsent, 'a second write with If-None-Match: * was refused', `the condition is ignored or refused: ${afterwards}`),
    report(
      'replace only the version seen',
      replaces !== 'no',
      replaces === 'bare' ? 'a write with an outdated If-Match was refused (this server wants the ETag without quotes)' : 'a write with an outdated If-Match was refused',
      `the condition is ignored or refused: ${afterwards}`,
    ),
    report('delete only the version seen', abilities.deletesIfMatch, 'a deletion with an outdated If-Match was refused', deletionInstead(abilities)),
    report('complete an upload in parts conditionally', abilities.completesConditionally, 'completing obeyed both conditions', 'files up to 5 GiB are written in one conditional request instead'),
    report('copy conditionally', abilities.copiesConditionally, 'copying obeyed both conditions on its target', 'names are reserved with a placeholder before a copy where that can be done safely, else files are uploaded'),
    report('uploads in parts', abilities.uploadsInParts, 'an upload in parts was completed', 'every file is sent in one request'),
    report('server-side copy', abilities.copies, 'an object was copied on the server', 'replaced and deleted versions are not kept, unless the bucket keeps them'),
    report('verifies what it is sent', abilities.verifiesContent, 'content that did not have the SHA-256 it was signed with was refused', abilities.tagsByMd5 ? 'the ETag it answers is compared with the MD5 of what was sent' : 'every file is read back after it was written'),
    report('keeps SHA-256 checksums', abilities.keepsChecksums, 'x-amz-checksum-sha256 was stored and told', 'the SHA-256 is kept in the metadata of each object'),
    report('keeps versions', isVersioned, 'versioning is on: the bucket itself keeps what is replaced and deleted', 'versioning is off: what a sync replaces or deletes goes to .wl/trash'),
  ];
}

function deletionInstead(abilities: S3Abilities): string {
  if (abilities.isVersioned) return 'the bucket keeps versions, so wl looks at what it deleted and gives it back if it was another version';
  return isPlaceholderUsable(abilities)
    ? 'a conditional write puts a placeholder in the place of the version, which is then deleted: among machines with wl nothing is lost'
    : 'wl looks right before it deletes; what is written in between may be lost, what was there is in the trash';
}
