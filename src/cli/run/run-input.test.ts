import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandScript } from './command-script.js';
import { joinArgs } from './script-args.js';
import { splitArgv } from './split-argv.js';
import { readText, safeTitle } from './task-text.js';

const SWITCHES = ['--json', '--raw'];

test('flags end at the script; what follows is its own', () => {
  assert.deepEqual(splitArgv(['--hosts', 'a,b', '--json', 'fix.sh', '-v', '--hosts', 'x', '--', 'y'], SWITCHES), {
    kind: 'script',
    flags: ['--hosts', 'a,b', '--json'],
    file: 'fix.sh',
    args: ['-v', '--hosts', 'x', '--', 'y'],
  });
});

test('flags end at --', () => {
  assert.deepEqual(splitArgv(['--hosts=a', '--raw', '--', 'ls', '-l', '--', '/'], SWITCHES), {
    kind: 'command',
    flags: ['--hosts=a', '--raw'],
    words: ['ls', '-l', '--', '/'],
  });
});

test('no script and no command', () => {
  assert.deepEqual(splitArgv(['--hosts', 'a'], SWITCHES), { kind: 'nothing', flags: ['--hosts', 'a'] });
});

test('arguments are joined as the API splits them', () => {
  assert.equal(joinArgs([]), '');
  assert.equal(joinArgs(['one', 'two words', '$HOME', '*']), 'one,,two words,,$HOME,,*');
  assert.equal(joinArgs(['', 'x']), ',,x');
  assert.equal(joinArgs([',x', 'y,']), ',x,,y,');
});

for (const [arg, why] of [
  ['a,,b', /"a,,b" holds ,,/],
  ["it's", /"it's" holds '/],
  ['a&b', /"a&b" holds &/],
  ['<x>', /"<x>" holds </],
  ['a"b', /holds "/],
  ['a，b', /turns into a plain comma/],
] as const) {
  test(`an argument that would not arrive is refused: ${arg}`, () => {
    assert.throws(() => joinArgs(['fine', arg]), why);
  });
}

test('a comma that would move to the next argument, a lone empty one, too long ones', () => {
  assert.throws(() => joinArgs(['a,', 'b']), /"a," ends with a comma/);
  assert.throws(() => joinArgs(['']), /one empty argument/);
  assert.throws(() => joinArgs(['x'.repeat(513)]), /513 characters.*512 fit/);
});

test('a command arrives word by word, whatever is in the words', () => {
  const words = ['printf', '[%s]', "it's", 'a  b', '', '$HOME `id` "x"', 'new\nline', '夜莺', '*'];
  const output = execFileSync('/bin/sh', ['-c', commandScript(words)], { encoding: 'utf8' });
  assert.equal(
    output,
    words
      .slice(2)
      .map((word) => `[${word}]`)
      .join(''),
  );
});

test('a title the API takes', () => {
  assert.equal(safeTitle('sh -c echo "a & b" > /tmp/x'), 'sh -c echo a b /tmp/x');
  assert.equal(safeTitle('&'), 'ibex run');
  assert.equal(safeTitle('x'.repeat(300)).length, 100);
});

test('files that cannot be sent are named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-cli-'));
  try {
    const binary = join(folder, 'binary');
    writeFileSync(binary, Buffer.from([0xff, 0xfe]));
    assert.throws(() => readText('script', binary), /script .*binary is not UTF-8/);
    assert.throws(() => readText('script', join(folder, 'none')), /none: no such file/);
    assert.throws(() => readText('stdin file', folder), /is a directory/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
