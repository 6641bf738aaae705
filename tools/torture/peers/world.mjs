/**
 * Two folders, a home for the program under test, and an eye that knows nothing of it: where any content can be found
 * again, under whatever name, in trashes and backups too. Everything is below one scratch directory.
 */
import * as fs from 'node:fs';
import path from 'node:path';

/** A scratch world of one scenario and one program. */
export class World {
  /** @param {string} dir absolute, fresh */
  constructor(dir) {
    this.dir = dir;
    this.left = path.join(dir, 'left');
    this.right = path.join(dir, 'right');
    this.home = path.join(dir, 'home');
    for (const each of [this.left, this.right, this.home]) fs.mkdirSync(each);
  }

  /** Absolute path of a name on a side. */
  at(side, name = '') {
    return path.join(this[side], name);
  }

  /** Writes a file, with directories on the way; by renaming, as most editors do. */
  put(side, name, content) {
    const place = this.at(side, name);
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.writeFileSync(`${place}.new~`, content);
    fs.renameSync(`${place}.new~`, place);
  }

  /** What a file holds; `undefined` where there is none. */
  get(side, name) {
    try {
      return fs.readFileSync(this.at(side, name), 'utf8');
    } catch (error) {
      if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(error.code)) return undefined;
      throw error;
    }
  }

  /** Removes a file or tree. */
  remove(side, name) {
    fs.rmSync(this.at(side, name), { recursive: true, force: true });
  }

  /** Files of a side that a user sees: no dot names, no areas of programs. */
  names(side) {
    return filesBelow(this[side])
      .map((place) => path.relative(this[side], place))
      .filter((name) => !name.split('/').some((part) => part.startsWith('.')) && name !== 'RCLONE_TEST')
      .sort();
  }

  /** Where a content is: relative paths of both sides and of the home, where programs keep backups. */
  places(content) {
    const size = Buffer.byteLength(content);
    return filesBelow(this.dir)
      .filter((place) => fs.statSync(place, { throwIfNoEntry: false })?.size === size && fs.readFileSync(place, 'utf8') === content)
      .map((place) => path.relative(this.dir, place));
  }

  /** In a few words where a content is. */
  whereabouts(content, name) {
    const places = this.places(content);
    if (places.length === 0) return 'gone';
    const [isLeft, isRight] = [places.includes(`left/${name}`), places.includes(`right/${name}`)];
    if (isLeft && isRight) return 'both';
    if (isLeft || isRight) return isLeft ? 'left' : 'right';
    return places.some((place) => /^(left|right)\/[^.]/.test(place) && !place.includes('/.')) ? 'renamed' : 'trash';
  }
}

/** Every regular file below a directory; what cannot be entered is passed over. */
export function filesBelow(directory) {
  let entries;
  try {
    entries = fs.readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const place = path.join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(place);
    return entry.isFile() ? [place] : [];
  });
}
