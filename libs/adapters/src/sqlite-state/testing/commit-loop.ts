/**
 * A process of its own for the tests: opens the state it is given and carries out the numbered
 * transactions from a number on, saying each number once its commit has returned, until it is
 * killed.
 */

import { writeSync } from 'node:fs';

import { openSqliteState } from '../open-sqlite-state.js';
import { IDENTITY, transaction } from './transactions.js';

const [path = '', first = ''] = process.argv.slice(2);
const state = openSqliteState({ path, onNotice: (message) => writeSync(2, `${message}\n`) });
const pair = state.openPair(IDENTITY);
for (let n = Number(first); ; n += 1) {
  pair.commit(transaction(n));
  writeSync(1, `${String(n)}\n`);
}
