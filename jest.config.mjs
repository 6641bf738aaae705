/** The whole suite in one Jest process (`npm test`): a process per project costs more than the tests. */
export default {
  projects: ['<rootDir>/libs/*', '<rootDir>/apps/*'],
  testTimeout: 240_000,
  // Jest would take a single worker on a machine with two cores.
  maxWorkers: 2,
  // ES modules of finished spec files stay in memory; a worker starts afresh above this.
  workerIdleMemoryLimit: '768MB',
  passWithNoTests: true,
};
