/**
 * `with-index`: a page of each directory for people with a browser, written as the object of the
 * directory itself (`dir/`), where the original puts it. Pages are written when a pass makes
 * durable what it did; a listing takes them for the directory's marker.
 */

import { parentOf, ROOT, type RelativePath } from '@wl/domain';

import type { KeyLayout } from './key-layout.js';
import type { ListedObject, S3Api } from './s3-api.js';
import { sha256Of } from './writing/digests.js';

/** Keeps the pages of one storage up to date. */
export class IndexPages {
  readonly #changed = new Set<RelativePath>();

  constructor(
    private readonly api: S3Api,
    private readonly layout: KeyLayout,
  ) {}

  /** Something came to, or went from, the directory that holds `path`. */
  noteChange(path: RelativePath): void {
    this.#changed.add(parentOf(path));
  }

  /** A directory is gone, its page with it. */
  noteRemoval(path: RelativePath): void {
    this.#changed.delete(path);
    this.noteChange(path);
  }

  /** Writes the pages of all directories that changed. */
  async write(signal?: AbortSignal): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const directory of changed) await this.#writePage(directory, signal);
  }

  async #writePage(directory: RelativePath, signal?: AbortSignal): Promise<void> {
    const key = this.layout.directory(directory, 'write the index of');
    // A bucket's root has no key to write a page at.
    if (key === '') return;
    const files: ListedObject[] = [];
    let isMarked = false;
    const directories: string[] = [];
    for (let continuation: string | undefined; ; ) {
      const page = await this.api.list({ prefix: key, delimiter: '/', ...(continuation !== undefined && { continuation }) }, signal);
      files.push(...page.objects.filter((object) => object.key !== key));
      isMarked ||= page.objects.some((object) => object.key === key);
      directories.push(...page.commonPrefixes.filter((prefix) => prefix !== this.layout.area));
      if (page.next === undefined) break;
      continuation = page.next;
    }
    // A directory that is gone must not come back by its page; one that is merely empty has a page that says so.
    if (files.length + directories.length === 0 && !isMarked && directory !== ROOT) return;
    const content = Buffer.from(pageOf(directory, key, directories, files));
    await this.api.putObject(key, content, sha256Of(content), { metadata: new Map(), contentType: 'text/html; charset=utf-8' }, { kind: 'none' }, signal);
  }
}

function pageOf(directory: RelativePath, key: string, directories: readonly string[], files: readonly ListedObject[]): string {
  const title = escaped(`/${directory}`);
  const link = (name: string, attributes: string): string => `<li><a href="./${escaped(encodeURIComponent(name).replaceAll('%2F', '/'))}"${attributes}>${escaped(name)}</a></li>`;
  const lines = [
    ...(directory === ROOT ? [] : ['<li><a href="../">../</a></li>']),
    ...directories.map((prefix) => link(prefix.slice(key.length), '')),
    ...files.map(({ key: file, sizeBytes, lastModifiedMs }) => link(file.slice(key.length), ` data-size="${String(sizeBytes)}" data-timestamp="${String(Math.floor(lastModifiedMs / 1000))}"`)),
  ];
  return `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>${title}</title></head>\n<body><h1>${title}</h1>\n<ul>\n${lines.join('\n')}\n</ul></body></html>\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
