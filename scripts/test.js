import { spawnSync } from 'node:child_process';
import { install, projectRoot, runtime } from './project.js';

/**
 * `npm test`: the checks, a build, and every test, on a fresh clone too. `npm test -- PATTERN...` runs only the tests
 * whose files match, after a build.
 */
const patterns = process.argv.slice(2);

const UNIT_TESTS = 'dist/**/*.test.js';
const SYSTEM_TESTS = 'test/**/*.test.ts';
/** Test files side by side. More only makes timings worse on the two cores that the tests must do with. */
const CONCURRENCY = 2;
const TEST_TIMEOUT_MS = 120_000;

install();
if (patterns.length === 0) npm('check');
npm('build');
run(runtime, [
  // The whole-system tests are run from their TypeScript; Node 22 announces that as experimental in every file.
  '--disable-warning=ExperimentalWarning',
  '--test',
  `--test-concurrency=${CONCURRENCY}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  '--test-reporter=spec',
  ...(patterns.length > 0 ? patterns : [UNIT_TESTS, SYSTEM_TESTS]),
]);

/** @param {string} script */
function npm(script) {
  run('npm', ['run', '--silent', script]);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: projectRoot, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
