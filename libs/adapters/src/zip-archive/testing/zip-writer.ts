/**
 * Writes zip archives byte by byte, also ones that no decent program would write. Source: PKWARE
 * APPNOTE 6.3.10.
 */

import { crc32, deflateRawSync } from 'node:zlib';

/** An entry; what is left out is as a Unix program writes it. */
export interface ZipEntry {
  /** Text is written as UTF-8, with the flag for it. */
  readonly name: string | Uint8Array;
  readonly bytes?: Uint8Array;
  /** 0 stored, 8 deflated (default where it is given bytes); any other is only claimed. */
  readonly method?: number;
  /** Added to the flags. */
  readonly flags?: number;
  /** 3 Unix (default), 0 DOS, 19 macOS. */
  readonly host?: number;
  /** Unix mode with the type of the file; default: an ordinary file. */
  readonly mode?: number;
  /** Seconds since the epoch; default some day in 2020. */
  readonly mtimeS?: number;
  /** What the directory says instead of the truth. */
  readonly claims?: { readonly crc32?: number; readonly sizeBytes?: number };
  /** Sizes and offset in 64 bits. */
  readonly isZip64?: boolean;
}

/** How the end of the archive differs. */
export interface ZipEnd {
  readonly claimedEntries?: number;
  readonly isZip64?: boolean;
  readonly comment?: string;
}

const MANY = 0xffffffff;

/** The bytes of an archive. */
export function zipOf(entries: readonly ZipEntry[], end: ZipEnd = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const packed = pack(entry);
    directory.push(centralHeader(entry, packed, offset));
    parts.push(packed.header, packed.content);
    offset += packed.header.length + packed.content.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, endOf(entries.length, central.length, offset, end)]);
}

interface Packed {
  readonly header: Buffer;
  readonly content: Buffer;
  readonly common: Buffer;
  readonly name: Uint8Array;
  readonly sizes: readonly [packed: number, unpacked: number];
}

function pack(entry: ZipEntry): Packed {
  const bytes = entry.bytes ?? new Uint8Array(0);
  const method = entry.method ?? (bytes.length > 0 ? 8 : 0);
  const content = method === 8 ? deflateRawSync(bytes) : Buffer.from(bytes);
  const name = typeof entry.name === 'string' ? Buffer.from(entry.name) : entry.name;
  const sizes = [content.length, entry.claims?.sizeBytes ?? bytes.length] as const;
  // Version needed, flags, method, time (noon), date (2020-06-01), checksum.
  const common = Buffer.alloc(14);
  common.writeUInt16LE(entry.isZip64 === true ? 45 : 20, 0);
  common.writeUInt16LE((typeof entry.name === 'string' ? 0x800 : 0) | (entry.flags ?? 0), 2);
  common.writeUInt16LE(method, 4);
  common.writeUInt16LE(12 << 11, 6);
  common.writeUInt16LE((40 << 9) | (6 << 5) | 1, 8);
  common.writeUInt32LE(entry.claims?.crc32 ?? crc32(bytes), 10);
  const header = Buffer.concat([u32(0x04034b50), common, u32(sizes[0]), u32(sizes[1]), u16(name.length), u16(0), Buffer.from(name)]);
  return { header, content, common, name, sizes };
}

function centralHeader(entry: ZipEntry, { common, name, sizes }: Packed, offset: number): Buffer {
  const [packedBytes, unpackedBytes] = sizes;
  const wide = entry.isZip64 === true ? Buffer.concat([u16(1), u16(24), u64(unpackedBytes), u64(packedBytes), u64(offset)]) : Buffer.alloc(0);
  const time = Buffer.concat([u16(0x5455), u16(5), Buffer.from([1]), u32(entry.mtimeS ?? 1_591_000_000)]);
  const narrow = (value: number): Buffer => u32(entry.isZip64 === true ? MANY : value);
  return Buffer.concat([
    u32(0x02014b50),
    u16(((entry.host ?? 3) << 8) | 30),
    common,
    narrow(packedBytes),
    narrow(unpackedBytes),
    u16(name.length),
    u16(wide.length + time.length),
    u16(0),
    u16(0),
    u16(0),
    u32(((entry.mode ?? 0o100644) << 16) >>> 0),
    narrow(offset),
    Buffer.from(name),
    wide,
    time,
  ]);
}

function endOf(count: number, sizeBytes: number, offset: number, { claimedEntries = count, isZip64 = false, comment = '' }: ZipEnd): Buffer {
  const text = Buffer.from(comment);
  const wide = isZip64
    ? [
        Buffer.concat([u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0), u64(claimedEntries), u64(claimedEntries), u64(sizeBytes), u64(offset)]),
        Buffer.concat([u32(0x07064b50), u32(0), u64(offset + sizeBytes), u32(1)]),
      ]
    : [];
  const counts = isZip64 ? [0xffff, 0xffff] : [claimedEntries & 0xffff, claimedEntries & 0xffff];
  return Buffer.concat([
    ...wide,
    u32(0x06054b50),
    u16(0),
    u16(0),
    ...counts.map(u16),
    u32(isZip64 ? MANY : sizeBytes),
    u32(isZip64 ? MANY : offset),
    u16(text.length),
    text,
  ]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
