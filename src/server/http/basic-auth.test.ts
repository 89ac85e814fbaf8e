import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BasicAuth } from './basic-auth.js';

const auth = new BasicAuth({ ibex: 'ibex', ops: 'a:b 夜' });

function header(credentials: string, scheme = 'Basic'): string {
  return `${scheme} ${Buffer.from(credentials).toString('base64')}`;
}

test('right credentials name their user, whatever the letter case of the scheme', () => {
  assert.equal(auth.user(header('ibex:ibex')), 'ibex');
  assert.equal(auth.user(header('ops:a:b 夜', 'bAsIc')), 'ops');
});

test('everything else is nobody', () => {
  for (const credentials of ['ibex:wrong', 'ibex:', 'IBEX:ibex', 'nobody:', 'nobody:ibex', 'ibex', ':', '']) {
    assert.equal(auth.user(header(credentials)), undefined, credentials);
  }
  for (const text of ['', 'Basic', 'Basic !!!', 'Bearer abc', header('ibex:ibex').slice(6)]) {
    assert.equal(auth.user(text), undefined, text);
  }
});
