/** Zip archives of a few small files, not compressed, made without any program. */

import { renameSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** Puts an archive of these files in its place as its owner should: in one step. */
export function publishZip(location: string, files: Readonly<Record<string, string>>): void {
  const [contents, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const bytes = Buffer.from(text);
    // Version, flags (UTF-8), stored, some day in 2020, checksum, sizes, length of the name, no extra field.
    const common = numbers([20, 2], [0x800, 2], [0, 2], [0x6000, 2], [0x50c1, 2], [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [Buffer.byteLength(name), 2], [0, 2]);
    const whole = Buffer.concat([numbers([0x04034b50, 4]), common, Buffer.from(name), bytes]);
    contents.push(whole);
    directory.push(numbers([0x02014b50, 4], [0x031e, 2]), common, numbers([0, 6], [0o100644 << 16, 4], [offset, 4]), Buffer.from(name));
    offset += whole.length;
  }
  const [central, count] = [Buffer.concat(directory), contents.length];
  const end = numbers([0x06054b50, 4], [0, 4], [count, 2], [count, 2], [central.length, 4], [offset, 4], [0, 2]);
  writeFileSync(`${location}.new`, Buffer.concat([...contents, central, end]));
  renameSync(`${location}.new`, location);
}

/** Numbers in little-endian bytes. */
function numbers(...fields: readonly (readonly [value: number, bytes: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([value, bytes]) => {
      const field = Buffer.alloc(bytes);
      field.writeUIntLE(value >>> 0, 0, bytes);
      return field;
    }),
  );
}
