import { join } from 'node:path';
import { COMPILED, filesBelow, projectRoot } from './project.js';

/** The source of every test, relative to the checkout. */
export function testFiles() {
  const files = ['src', 'test'].flatMap((folder) => filesBelow(folder).map((name) => join(folder, name)));
  return files.filter((name) => name.endsWith('.test.ts')).toSorted();
}

/**
 * The tests that an argument of the command line names: by path, by glob, or by a part of a path, in src, test or dist.
 * @param {string} argument
 */
export function testsNamed(argument) {
  const path = argument.replace(`${projectRoot}/`, '').replace(/^\.\//, '');
  const source = path.replace(new RegExp(`^(dist|${COMPILED})/`), 'src/').replace(/\.js$/, '.ts');
  if (!/[*?]/.test(source)) return testFiles().filter((name) => name.includes(source));
  const pattern = source
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*|\?/g, (part) => ({ '**/': '(.*/)?', '*': '[^/]*' })[part] ?? '[^/]');
  return testFiles().filter((name) => new RegExp(`^${pattern}$`).test(name));
}

/**
 * What the runner takes for a test: unit tests are run compiled, those of the whole system from their TypeScript.
 * @param {string} source
 */
export function runnable(source) {
  return source.replace(/^src\/(.*)\.ts$/, `${COMPILED}/$1.js`);
}
