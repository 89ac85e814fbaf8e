import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { projectRoot, runtime } from './project.js';
import { runnable } from './test-files.js';

/** Test files side by side. More only makes timings worse on the two cores that the tests must do with. */
const CONCURRENCY = 2;
/** Of a file and of each test in it: ends what hangs, and is never reached by what is slow on a busy machine. */
const TIMEOUT_MS = 400_000;

/**
 * Runs tests that are built.
 * @param {readonly string[]} sources
 * @param {readonly string[]} options further ones for the runner
 * @returns {Promise<number>} exit code
 */
export async function runTests(sources, options) {
  const fixed = [
    // The whole-system tests are run from their TypeScript; Node 22 announces that as experimental in every file.
    '--disable-warning=ExperimentalWarning',
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TIMEOUT_MS}`,
    '--test-reporter=spec',
  ];
  const args = [...fixed, ...options, ...sources.map(runnable)];
  const runner = spawn(runtime, args, { cwd: projectRoot, stdio: 'inherit' });
  const [code] = await once(runner, 'exit');
  return typeof code === 'number' ? code : 1;
}
