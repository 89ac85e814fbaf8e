import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { importsBySource } from './imports.js';
import { build, install, projectRoot } from './project.js';
import { runTests } from './run-tests.js';
import { testFiles, testsNamed } from './test-files.js';

/**
 * `npm run watch`: builds whenever a source changes, and runs the unit tests that import it, directly or not, and a
 * whole-system test that has itself changed. `npm run watch -- NAME...` runs the tests of these names each time.
 */
const names = process.argv.slice(2);

/** Editors and git write several files, and some in two steps. */
const SETTLE_MS = 100;

/** @type {Set<string>} */
const changed = new Set();
/** @type {() => void} */
let wake = () => {};
for (const folder of ['src', 'test']) {
  watch(join(projectRoot, folder), { recursive: true }, (_, name) => {
    if (name === null || !name.endsWith('.ts')) return;
    changed.add(join(folder, name));
    wake();
  });
}

install();
let tests = names.flatMap(testsNamed);
for (;;) {
  if (builds()) await runAll(tests);
  console.log('\nWaiting for a change ...');
  if (changed.size === 0) await new Promise((resolve) => (wake = () => resolve(undefined)));
  await delay(SETTLE_MS);
  tests = names.length > 0 ? names.flatMap(testsNamed) : affectedTests(changed);
  console.log(`Changed: ${[...changed].join(', ')}`);
  changed.clear();
}

function builds() {
  try {
    build();
    return true;
  } catch {
    // The compiler has said what is wrong.
    return false;
  }
}

/** @param {readonly string[]} sources */
async function runAll(sources) {
  if (sources.length > 0) await runTests([...new Set(sources)], []);
}

/** @param {ReadonlySet<string>} sources */
function affectedTests(sources) {
  const imports = importsBySource();
  const reached = new Set(sources);
  // A set goes on with what is added meanwhile.
  for (const source of reached) {
    for (const [importer, imported] of imports) if (imported.includes(source)) reached.add(importer);
  }
  return testFiles().filter((test) => reached.has(test));
}
