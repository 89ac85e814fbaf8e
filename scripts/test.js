import { spawnSync } from 'node:child_process';
import { build, install, projectRoot } from './project.js';
import { runTests } from './run-tests.js';
import { testFiles, testsNamed } from './test-files.js';

/**
 * `npm test`: the checks, a build, and every test, on a fresh clone too. `npm test -- NAME...` builds and runs only the
 * tests whose path contains a NAME or matches it as a glob. Options go to Node's test runner.
 */
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));

const unknown = names.filter((name) => testsNamed(name).length === 0);
if (unknown.length > 0) {
  console.error(`npm test: no test's path contains ${unknown.join(' or ')}`);
  console.error('A NAME is a path (src/server/core/reports.test.ts), a part of one (legacy), or a quoted glob.');
  process.exit(2);
}

install();
if (names.length === 0) {
  const check = spawnSync('npm', ['run', '--silent', 'check'], { cwd: projectRoot, stdio: 'inherit' });
  if (check.status !== 0) process.exit(check.status ?? 1);
}
try {
  build();
} catch {
  // The compiler has said what is wrong.
  process.exit(1);
}
process.exit(await runTests(names.length === 0 ? testFiles() : [...new Set(names.flatMap(testsNamed))], options));
