/**
 * The page of benchmarks, which two programs write: `npm run bench` all of it but one section,
 * `npm run bench:s3` that one, between markers. Each keeps what the other wrote.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const BEGIN = '<!-- s3: begin, written by `npm run bench:s3` -->';
const END = '<!-- s3: end -->';

/** Writes everything but the S3 section, which stays as it is, at the end. Lines without line ends. */
export function writeMain(file, lines) {
  const section = split(file).section;
  write(file, [...lines, ...(section === '' ? [] : ['', section])]);
}

/** Writes the S3 section. The rest stays. */
export function writeS3Section(file, lines) {
  const { before, after } = split(file);
  write(file, [...(before === '' ? [] : [before, '']), BEGIN, '', ...lines, '', END, ...(after === '' ? [] : ['', after])]);
}

function split(file) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 && end < 0) return { before: text.trim(), section: '', after: '' };
  if (begin < 0 || end < begin) throw new Error(`${file} has one marker of the S3 section without the other: mend it by hand`);
  return { before: text.slice(0, begin).trim(), section: text.slice(begin, end + END.length), after: text.slice(end + END.length).trim() };
}

function write(file, lines) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${lines.join('\n').trimEnd()}\n`);
}
