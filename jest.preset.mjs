/**
 * What every project's Jest configuration shares. Tests run as ES modules straight from the
 * TypeScript sources: the condition `@wl/source` in each package's `exports` leads to them, so
 * no build is needed first.
 *
 * `import` must not be among the export conditions: Jest itself requires packages whose ES
 * module file it could then not load.
 */
export const preset = (rootDir, displayName) => ({
  rootDir,
  displayName,
  testEnvironment: `${import.meta.dirname}/jest.environment.mjs`,
  // No test waits for real time without need; this is for machines with other things to do.
  testTimeout: 240_000,
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/dist-spec/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript' },
          keepClassNames: true,
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testEnvironmentOptions: { customExportConditions: ['@wl/source', 'node', 'node-addons'] },
  coverageDirectory: '<rootDir>/coverage',
});
