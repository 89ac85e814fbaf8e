import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testsNamed } from '../scripts/test-files.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A checkout with the real scripts and packages, and these sources. */
function checkout(t: TestContext, sources: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-build-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['scripts', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(sources)) write(name, text);
  return {
    write,
    build: () => spawnSync(process.execPath, ['scripts/build.js'], { cwd: folder, encoding: 'utf8' }),
    exists: (name: string) => existsSync(join(folder, name)),
    inode: (name: string) => statSync(join(folder, name)).ino,
    remove: (name: string) => rmSync(join(folder, name)),
  };
}

test('a build changes in dist only what has changed in src, and takes away what has no source', (t) => {
  const here = checkout(t, {
    'src/main.ts': 'export const one = 1;\n',
    'src/part/part.ts': 'export const part = 1;\n',
    'src/part/part.test.ts': 'export const test = 1;\n',
    'src/part/testing/fixture.ts': 'export const fixture = 1;\n',
  });
  assert.equal(here.build().status, 0);
  for (const name of ['.build/part/part.test.js', '.build/part/testing/fixture.js']) assert.ok(here.exists(name));
  for (const name of ['dist/part/part.test.js', 'dist/part/testing']) assert.ok(!here.exists(name), name);
  const [main, part] = [here.inode('dist/main.js'), here.inode('dist/part/part.js')];

  here.write('src/part/part.ts', 'export const part = 2;\n');
  here.remove('src/part/part.test.ts');
  assert.equal(here.build().status, 0);
  assert.ok(!here.exists('.build/part/part.test.js'), 'a test without a source is not run any more');
  assert.equal(here.inode('dist/main.js'), main);
  assert.notEqual(here.inode('dist/part/part.js'), part, 'whoever has the old one open reads the old one');

  here.remove('src/part/part.ts');
  assert.equal(here.build().status, 0);
  assert.ok(!here.exists('dist/part/part.js') && !here.exists('dist/part/part.js.map'));
});

test('a build that fails leaves dist as it is', (t) => {
  const here = checkout(t, { 'src/main.ts': 'export const one = 1;\n' });
  assert.equal(here.build().status, 0);
  const main = here.inode('dist/main.js');
  here.write('src/main.ts', 'export const one: string = 2;\n');
  const { status, stdout } = here.build();
  assert.equal(status, 1);
  assert.match(stdout, /main\.ts.*TS2322/);
  assert.equal(here.inode('dist/main.js'), main);
});

test('tests are named by path, by what is compiled from them, by glob and by a part of the path', () => {
  const reports = 'src/server/core/reports.test.ts';
  for (const name of [reports, `./${reports}`, `${ROOT}${reports}`, 'dist/server/core/reports.test.js']) {
    assert.deepEqual(testsNamed(name), [reports], name);
  }
  assert.deepEqual(testsNamed('src/**/repor?s.test.ts'), [reports]);
  assert.ok(testsNamed('src/server/core/*.test.ts').includes(reports));
  assert.deepEqual(testsNamed('src/*.test.ts'), []);
  const legacy = testsNamed('legacy');
  assert.ok(legacy.includes('test/legacy.test.ts') && legacy.some((name) => name.startsWith('src/server/legacy/')));
  assert.deepEqual(testsNamed('no-such-test'), []);
});

test('nothing that serves tests is packed', () => {
  const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT });
  const [pack] = JSON.parse(answer.toString()) as readonly { readonly files: readonly { readonly path: string }[] }[];
  const paths = pack?.files.map(({ path }) => path) ?? [];
  assert.ok(paths.includes('dist/main.js') && paths.includes('ibex'));
  assert.deepEqual(
    paths.filter((path) => /\.test\.|testing\/|^(src|test|scripts|bench)\//.test(path)),
    [],
  );
});

test('npm on Node 20 warns of no package: those that need a later one run under the pinned runtime', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>;
  };
  // npm install writes the engines of better-sqlite3, kysely and uWebSockets.js again: take them out.
  const warned = Object.entries(lock.packages).filter(([, { engines }]) => /^>= ?2[1-9]/.test(engines?.node ?? ''));
  assert.deepEqual(warned, []);
});
