/** The scoreboard as Markdown, and its place in docs/torture.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ROOT } from '../programs.mjs';

const START = '<!-- peers: npm run torture:peers -- --write -->';
const END = '<!-- end of peers -->';
/** Verdicts under which something was lost, or shown as what it never was. */
const WRONG = ['lost', 'torn', 'overwritten', 'false delete', 'stuck', 'failed'];

/** Whether a verdict is one that no program should get. */
export function isWrong({ verdict }) {
  return WRONG.includes(verdict);
}

/** The table, as lines. */
export function tableOf({ seed, programs, rows }) {
  const cell = ({ verdict, because }, word) => `${word(verdict)}: ${because}`.replaceAll('|', '\\|');
  const word = (verdict) => (isWrong({ verdict }) ? `**${verdict}**` : verdict);
  const count = (index) => {
    const cells = rows.map(({ cells: all }) => all[index]).filter(({ verdict }) => verdict !== 'n/a');
    const wrong = cells.filter(isWrong).length;
    return `${cells.length - wrong} of ${cells.length}`;
  };
  return [
    `${new Date().toISOString().slice(0, 10)}, seed ${seed}, on ${process.platform}. ${programs.map(({ name, version, settings }) => `*${name}* (${version}): ${settings}`).join('. ')}.`,
    '',
    `| | scenario | ${programs.map(({ name }) => name).join(' | ')} |`,
    `|---|---|${programs.map(() => '---|').join('')}`,
    ...rows.map(({ id, title, cells }) => `| ${id} | ${title} | ${cells.map((each) => cell(each, word)).join(' | ')} |`),
    `| | *nothing lost, torn, overwritten or wrongly deleted* | ${programs.map((_, index) => count(index)).join(' | ')} |`,
  ];
}

/** Writes the table between its markers. */
export function writePage(outcome) {
  const page = path.join(ROOT, 'docs/torture.md');
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [text.indexOf(START), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} has no place for the table: ${START} … ${END}`);
  writeFileSync(page, `${text.slice(0, begin)}${START}\n${tableOf(outcome).join('\n')}\n${text.slice(end)}`);
}
