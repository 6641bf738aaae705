/**
 * Where a storage's paths are on its server, and which path a name in an answer stands for.
 * Every part is percent-encoded byte for byte; what comes back may be encoded in any way, or be a
 * whole URL. INV-34: an answer that names something outside of what was asked for is none.
 */

import { err, ok, RESERVED_NAME, ROOT, type Result } from '@wl/domain';

/** One storage's folder on its server. */
export class DavLocation {
  private constructor(
    /** `http(s)://host[:port]`. */
    readonly origin: string,
    /** Path of the folder, encoded, with a slash at both ends. */
    readonly basePath: string,
  ) {}

  /** Takes a URL apart; the error is a sentence for the user and repeats no credentials. */
  static parse(url: string): Result<DavLocation, string> {
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return err('the url of a WebDAV storage begins with https:// or http://, like https://dav.example.org/files');
    const { origin, pathname, search, hash, username, password } = new URL(url);
    if (username !== '' || password !== '') return err('credentials have no place in the url: give them as such');
    if (search !== '' || hash !== '') return err("the url of a WebDAV storage has no '?' and no '#'");
    const path = pathname.split('/').filter((part) => part !== '');
    if (path.includes(RESERVED_NAME)) return err(`a part of the url is ${RESERVED_NAME}, which is for what wl keeps for itself`);
    return ok(new DavLocation(origin, path.length === 0 ? '/' : `/${path.join('/')}/`));
  }

  /** For people. */
  get display(): string {
    return `${this.origin}${this.basePath}`;
  }

  /** Target of a request for the file, or whatever else, at a path of the storage or of our area. */
  file(path: string): string {
    return `${this.basePath}${path.split('/').map(encodePart).join('/')}`;
  }

  /** Target of a request for a directory: servers redirect, or refuse, where the slash is missing. */
  directory(path: string): string {
    return path === ROOT ? this.basePath : `${this.file(path)}/`;
  }

  /** A target as `Destination` and `If` want it. */
  absolute(target: string): string {
    return `${this.origin}${target}`;
  }

  /**
   * The name that an entry of an answer about `directory` has in it: `''` for the directory
   * itself. `not-unicode` where its bytes are none; `outside` where it is about something else.
   */
  nameIn(directory: string, href: string): Result<string, 'not-unicode' | 'outside'> {
    const path = this.#pathOf(href);
    if (path === undefined) return err('outside');
    const base = decode(this.directory(directory));
    const found = decode(path);
    if (base === undefined) return err('outside');
    if (found === undefined) return path.split('/').length >= base.split('/').length ? err('not-unicode') : err('outside');
    if (found === base || `${found}/` === base) return ok('');
    if (!found.startsWith(base)) return err('outside');
    const name = found.slice(base.length).replace(/\/$/, '');
    return name === '' || name.includes('/') ? err('outside') : ok(name);
  }

  /** Whether an answer about one thing names just that. */
  isAbout(path: string, href: string): boolean {
    const found = this.#pathOf(href);
    return found !== undefined && decode(found)?.replace(/\/$/, '') === decode(this.directory(path))?.replace(/\/$/, '');
  }

  #pathOf(href: string): string | undefined {
    const text = href.trim();
    if (text.startsWith('/') && !text.startsWith('//')) return text;
    // A proxy may have changed scheme or port: the path tells what it is about.
    const path = /^https?:\/\/[^/]*(\/.*)$/i.exec(text)?.[1];
    return path;
  }
}

function encodePart(part: string): string {
  return encodeURIComponent(part).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
