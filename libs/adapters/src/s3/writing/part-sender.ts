/**
 * Brings single parts of an upload to the server, in the cheapest way that is safe: the server
 * has it from an earlier try (T48), or makes it of the version to be replaced (`PartReuse`), or it
 * is sent. Keeps what each part turned out to be.
 */

import type { UploadedPart } from '../s3-api.js';

import type { BegunUpload } from './begin-upload.js';
import type { WriteContext } from './context.js';
import { md5Of, sha256Of } from './digests.js';
import { notAsAnnounced, type LargeTarget } from './large-upload.js';
import type { PartReuse, WantedPart } from './part-reuse.js';

/** The parts of one upload. Several may be brought at once. */
export class PartSender {
  /** MD5 of parts, where it was computed. */
  readonly md5s = new Map<number, string>();
  readonly #parts = new Map<number, UploadedPart>();
  readonly #sha256s = new Map<number, string>();
  #isMixed = false;
  #isStale = false;

  constructor(
    private readonly context: WriteContext,
    private readonly target: LargeTarget,
    private readonly reuse: PartReuse | undefined,
    private readonly signal: AbortSignal,
  ) {}

  /** What the server holds, in order. */
  get parts(): readonly UploadedPart[] {
    return [...this.#parts.values()].sort((a, b) => a.partNumber - b.partNumber);
  }

  /** Whether some were copied from the version to be replaced. */
  get isMixed(): boolean {
    return this.#isMixed;
  }

  /** Whether the version to be replaced is gone: nothing of this will be shown. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** SHA-256 of all parts, in order. */
  digests(): Uint8Array {
    return Buffer.from(this.parts.map(({ partNumber }) => this.#sha256s.get(partNumber)).join(''), 'hex');
  }

  /** Brings a part, unless the upload is stale then. `content` is not read afterwards. */
  async bring({ uploadId, parts: begun }: BegunUpload, partNumber: number, content: Uint8Array): Promise<void> {
    const { tagsByMd5, verifiesContent } = this.context.abilities();
    const sha256 = sha256Of(content);
    this.#sha256s.set(partNumber, sha256);
    const there = begun.get(partNumber);
    const isCandidate = tagsByMd5 && there?.sizeBytes === content.length;
    const md5 = isCandidate || this.reuse !== undefined || (tagsByMd5 && !verifiesContent) ? md5Of(content) : undefined;
    if (md5 !== undefined) this.md5s.set(partNumber, md5);
    if (isCandidate && there.etag === md5) {
      this.#parts.set(partNumber, there);
      return;
    }
    if (md5 !== undefined && (await this.#isCopied(uploadId, { partNumber, sizeBytes: content.length, sha256, md5 }))) return;
    const part = await this.context.api.uploadPart(this.target.key, uploadId, partNumber, content, sha256, this.signal);
    if (!verifiesContent && md5 !== undefined && part.etag !== md5) throw notAsAnnounced('the server stored a part otherwise than it was sent');
    this.#parts.set(partNumber, { partNumber, etag: part.etag, sizeBytes: content.length });
  }

  /** Whether the part need not be sent. */
  async #isCopied(uploadId: string, wanted: WantedPart): Promise<boolean> {
    const copied = await this.reuse?.copy(uploadId, wanted, this.signal);
    if (copied === undefined) return false;
    if (copied === 'stale') {
      this.#isStale = true;
      return true;
    }
    this.#isMixed = true;
    this.#parts.set(wanted.partNumber, copied);
    return true;
  }
}
