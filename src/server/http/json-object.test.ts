import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonObject } from './json-object.js';

function complaint(body: string): string {
  try {
    return `text ${new JsonObject(body).string('a')}`;
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

test('what follows the object is ignored, as a Go program reads it', () => {
  for (const body of [
    '{"a":"x"} trailing',
    '{"a":"x"}{"a":"y"}',
    ' \n{"b":{"c":"}"},"a":"x"}}}',
    '{"a":"x","b":"\\"}{"}x',
  ]) {
    assert.equal(new JsonObject(body).string('a'), 'x', body);
  }
});

test('what is no object is refused', () => {
  for (const body of [
    '',
    ' ',
    '{',
    '{"a":"x"',
    '{"a"}',
    '{a:1}',
    "{'a':1}",
    '[]',
    '"x"',
    '1',
    'x{}',
    '\ufeff{}',
    '{"a":"\n"}',
    '{"a":"x",}',
  ]) {
    assert.match(complaint(body), /^json body invalid: /, JSON.stringify(body));
  }
  assert.equal(complaint('null'), 'text ');
});

test('names match in any letter case, the last one wins, and none is special', () => {
  assert.equal(new JsonObject('{"a":"1","A":"2"}').string('a'), '2');
  assert.equal(new JsonObject('{"__proto__":{"a":"1"},"constructor":{"a":"1"}}').string('a'), '');
  assert.equal(new JsonObject('{"__proto__":"1"}').string('__proto__'), '1');
});

test('numbers may be written with a fraction or exponent of no value', () => {
  for (const [text, value] of [
    ['1.0', 1],
    ['1e0', 1],
    ['-0', 0],
    ['10E-1', 1],
    ['-5', -5],
  ] as const) {
    assert.ok(Object.is(new JsonObject(`{"a":${text}}`).integer('a'), value), text);
  }
  for (const text of ['1.5', '1e400', '1e-1', '"1"', 'true', '[1]', '18446744073709551616']) {
    assert.throws(
      () => new JsonObject(`{"a":${text}}`).integer('a'),
      { message: 'json body invalid: a must be a whole number' },
      text,
    );
  }
});

test('text that is no text in Unicode is mended', () => {
  assert.equal(new JsonObject('{"a":"\\ud800x"}').string('a'), '\ufffdx');
  assert.deepEqual(new JsonObject('{"a":["\\udc00",null]}').strings('a'), ['\ufffd', '']);
});

test('depth is no danger', () => {
  assert.match(complaint(`{"a":${'['.repeat(200_000)}`), /^json body invalid: not JSON/);
  assert.equal(complaint(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`), 'json body invalid: a must be a string');
});
