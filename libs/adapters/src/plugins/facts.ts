/**
 * What a module of a plugin turned out to be, and whether that is what its package promised.
 * Facts are plain data: they come from a thread in which the module was tried out.
 */

import type { PluginEntryPoint } from '@wl/ports/schemas';

/** What was seen of a default export. */
export interface ModuleFacts {
  /** `typeof` of it. */
  readonly kind: string;
  /** Its own plain values: traits, `TYPE`, `FIELDS`. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of its functions. */
  readonly functions: readonly string[];
  /** Names of the methods of what it makes, where it is a class. */
  readonly methods: readonly string[];
}

const FLAGS = ['CONTINUOUS', 'ONE_SHOT', 'UNIDIRECTIONAL', 'REQUIRES_MOUNT'] as const;

/** What a declared ability needs. */
const NEEDED = {
  ONE_SHOT: ['one_shot_sync'],
  CONTINUOUS: ['start_sync', 'stop_sync', 'is_running'],
} as const;

/** What is wrong with a syncer; empty when nothing is. */
export function judgeSyncer(entry: PluginEntryPoint, { kind, values, methods }: ModuleFacts): string[] {
  const about = (problem: string): string => `syncer ${entry.name} ${problem}`;
  if (kind !== 'function') return [about(`is no class: ${entry.module} has to export one as its default`)];
  const problems: string[] = [];
  const { SYNCER_NAME: name } = values;
  if (name !== entry.name) problems.push(`calls itself ${JSON.stringify(name) ?? 'nothing'} (SYNCER_NAME), the package calls it ${JSON.stringify(entry.name)}`);
  for (const key of ['SOURCE_TYPES', 'TARGET_TYPES']) {
    if (!isTypeList(values[key])) problems.push(`has no list of storage types in ${key} (["*"] stands for any)`);
  }
  for (const flag of FLAGS) {
    if (values[flag] !== undefined && typeof values[flag] !== 'boolean') problems.push(`has a ${flag} that is neither true nor false`);
  }
  if (values['ONE_SHOT'] !== true && values['CONTINUOUS'] !== true) problems.push('has neither ONE_SHOT nor CONTINUOUS, so that it could never be used');
  for (const [flag, needed] of Object.entries(NEEDED)) {
    const missing = needed.filter((method) => values[flag] === true && !methods.includes(method));
    if (missing.length > 0) problems.push(`has ${flag} but no ${missing.join(', ')}`);
  }
  if (!methods.includes('iter_errors')) problems.push('has no iter_errors');
  return problems.map(about);
}

/** What is wrong with a storage type; empty when nothing is. */
export function judgeBackend(entry: PluginEntryPoint, { kind, values, functions }: ModuleFacts): string[] {
  const about = (problem: string): string => `storage type ${entry.name} ${problem}`;
  if (kind !== 'object' && kind !== 'function') return [about(`is nothing: ${entry.module} has to export it as its default`)];
  const problems: string[] = [];
  if (values['TYPE'] !== entry.name) problems.push(`calls itself ${JSON.stringify(values['TYPE']) ?? 'nothing'} (TYPE), the package calls it ${JSON.stringify(entry.name)}`);
  if (!functions.includes('create')) problems.push('has no create');
  if (values['FIELDS'] !== undefined && !isFields(values['FIELDS'])) problems.push('has FIELDS that are no table of { description, required, secret }');
  return problems.map(about);
}

function isTypeList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((type) => typeof type === 'string' && type !== '');
}

function isFields(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((field: unknown) => {
    if (typeof field !== 'object' || field === null) return false;
    const { description, required, secret } = field as Readonly<Record<string, unknown>>;
    const isFlag = (flag: unknown): boolean => flag === undefined || typeof flag === 'boolean';
    return (description === undefined || typeof description === 'string') && isFlag(required) && isFlag(secret);
  });
}
