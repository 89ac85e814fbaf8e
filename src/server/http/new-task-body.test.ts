import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNewTask } from './new-task-body.js';

const body = {
  title: 'disk full',
  account: 'root',
  batch: 0,
  tolerance: 0,
  timeout: 0,
  pause: '',
  script: '#!/bin/sh\necho hi',
  args: '',
  action: 'start',
  creator: 'me',
  hosts: ['web-01'],
};

function complaint(change: object): string {
  try {
    parseNewTask(JSON.stringify({ ...body, ...change }));
    return '';
  } catch (error) {
    return error instanceof Error && 'status' in error ? `${String(error.status)} ${error.message}` : String(error);
  }
}

test('defaults are filled in, hosts cleaned, and the first host closes the title', () => {
  const task = parseNewTask(
    JSON.stringify({
      ...body,
      title: 'a FH: old',
      hosts: [' web-02 ', '# no', '', 'web-01'],
      pause: 'a， b',
      args: 'x，y z',
    }),
  );
  assert.deepEqual(task, {
    ...body,
    title: 'a FH: web-02',
    hosts: ['web-02', 'web-01'],
    pause: 'a,b',
    args: 'x,y z',
    timeout: 30,
    stdin: '',
    terminal: undefined,
  });
});

test('names of fields match in any letter case, and null counts as absent', () => {
  const { title: _title, ...rest } = body;
  assert.equal(parseNewTask(JSON.stringify({ ...rest, TITLE: 'x', batch: null })).title, 'x FH: web-01');
});

test('complaints come in the order that callers know', () => {
  assert.match(
    complaint({ title: '', creator: '', batch: -1 }),
    /^400 json body invalid: title is required, creator is required$/,
  );
  assert.match(complaint({ hosts: null }), /^400 json body invalid: hosts is required$/);
  assert.equal(complaint({ hosts: ['#x'], batch: -1 }), '400 arg(hosts) empty');
  assert.equal(complaint({ batch: -1, tolerance: -1 }), '200 arg(batch) should be nonnegative');
  assert.equal(complaint({ timeout: 432_001, title: '<' }), '200 arg(timeout) longer than five days');
  assert.equal(complaint({ title: '"', args: '<' }), '200 arg(title) is dangerous');
  assert.equal(complaint({ pause: '&' }), '200 arg(pause) is dangerous');
  assert.match(complaint({ action: 'stop' }), /^200 arg\(action\)/);
});

test('a wrong type names the field', () => {
  assert.equal(complaint({ batch: '1' }), '400 json body invalid: batch must be a whole number');
  assert.equal(complaint({ batch: 1.5 }), '400 json body invalid: batch must be a whole number');
  assert.equal(complaint({ title: 7 }), '400 json body invalid: title must be a string');
  assert.equal(complaint({ hosts: [7] }), '400 json body invalid: hosts must be a list of strings');
});

test('lengths count characters, or bytes where the agent counts bytes', () => {
  assert.equal(complaint({ account: '夜'.repeat(64) }), '');
  assert.equal(complaint({ account: '🔥'.repeat(64) }), '');
  assert.equal(complaint({ account: 'a'.repeat(65) }), '200 arg(account) longer than 64 characters');
  assert.equal(complaint({ script: '夜'.repeat(21_846) }), '200 arg(script) longer than 65535 bytes');
  assert.equal(complaint({ terminal: 'no' }), '400 json body invalid: terminal must be true or false');
  assert.match(complaint({ stdin: 'x'.repeat(2_097_153) }), /^200 arg\(stdin\)/);
  assert.match(complaint({ stdin: '\0'.repeat(600_000) }), /^200 arg\(stdin\).*escaped/);
  assert.equal(complaint({ stdin: 'x'.repeat(2_097_152) }), '');
});

test('hosts that are the same, or differ only by letter case, are refused by name', () => {
  assert.equal(complaint({ hosts: ['a', 'b', 'a '] }), '200 arg(hosts): host a is named twice');
  assert.equal(complaint({ hosts: ['web', 'WEB'] }), '200 arg(hosts): web and WEB are the same host');
});
