/**
 * One ESLint run over the workspace (`npm run lint`): type-aware rules for TypeScript, plain ones
 * for the scripts in tools/, the import arrows between the rooms (tools/eslint/rooms.mjs), and the
 * globals that would let the clock, chance or the process into code that must be repeatable.
 */
import tseslint from 'typescript-eslint';

import { arrows } from './tools/eslint/rooms.mjs';

const tests = ['**/*.spec.ts', '**/*.e2e.ts', '**/testing/**/*.ts', 'apps/cli/e2e/**/*.ts', 'apps/cli/e2e-s3/**/*.ts', 'apps/cli/e2e-sftp/**/*.ts'];

const forbid = (names, message) => names.map((name) => ({ name, message }));
const forbidProperties = (pairs, message) =>
  pairs.map(([object, property]) => ({ object, property, message }));

const timers = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];
const clockReads = [['Date', 'now'], ['performance', 'now']];
const newDate = 'NewExpression[callee.name="Date"][arguments.length=0], CallExpression[callee.name="Date"]';

const throughClock =
  'Time comes through the Clock port: the simulator runs the engine on a virtual clock, and no test waits for real time.';
const throughPort =
  'The engine runs on ports alone: report through a port and let apps/* decide what is printed, and what ends the process.';
const pure = 'libs/domain is pure: no clock, no chance, no process. Pass the fact in as an argument.';

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/dist-spec/**', '**/node_modules/**', '**/coverage/**', '**/generated/**', '.nx/**'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { wl: { rules: { arrows } } },
    rules: {
      'wl/arrows': 'error',
      // `== null` asks for null and undefined at once, which is what one wants of foreign data.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-param-reassign': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A port may be asynchronous where one implementation of it has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: tests,
    rules: {
      // A fake's methods are taken apart and handed to what is tested; they use no `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['libs/domain/src/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-globals': [
        'error',
        ...forbid([...timers, 'queueMicrotask', 'process', 'Buffer', 'console', 'fetch', 'crypto', 'performance'], pure),
      ],
      'no-restricted-properties': [
        'error',
        ...forbidProperties([...clockReads, ['Math', 'random'], ['globalThis', 'process'], ['globalThis', 'crypto'], ['globalThis', 'performance']], pure),
      ],
      'no-restricted-syntax': ['error', { selector: newDate, message: pure }],
    },
  },
  {
    files: ['libs/engine/src/**/*.ts', 'libs/ports/src/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-globals': [
        'error',
        ...forbid([...timers, 'performance'], throughClock),
        ...forbid(['process', 'console', 'fetch', 'crypto'], throughPort),
      ],
      'no-restricted-properties': [
        'error',
        ...forbidProperties([...clockReads, ['AbortSignal', 'timeout'], ...timers.map((name) => ['globalThis', name])], throughClock),
        ...forbidProperties([['Math', 'random']], 'Chance comes from outside, so that a failing run can be replayed from its seed.'),
        ...forbidProperties([['globalThis', 'process'], ['globalThis', 'console'], ['globalThis', 'crypto']], throughPort),
      ],
      'no-restricted-syntax': ['error', { selector: newDate, message: throughClock }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    rules: {
      eqeqeq: 'error',
      'no-undef': 'off', // node's globals are many; a wrong one shows at the first run
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-unreachable': 'error',
      'no-redeclare': 'error',
      'no-dupe-keys': 'error',
      'no-fallthrough': 'error',
      'prefer-const': 'error',
      'no-var': 'error',
    },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
);
