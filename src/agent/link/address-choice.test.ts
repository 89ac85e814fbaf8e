import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseAddresses, type Measured } from './address-choice.js';

function of(address: string, ms: number | undefined, held = false, instance = address): Measured {
  return { address, answer: ms === undefined ? undefined : { ms, instance }, held };
}

test('the fastest are chosen', () => {
  assert.deepEqual(chooseAddresses([of('a', 9), of('b', 3), of('c', 50), of('d', 1)], 3), ['d', 'b', 'a']);
});

test('a held address is left only for one that is faster by much', () => {
  const others = [of('b', 100, true), of('c', 100, true)];
  assert.deepEqual(chooseAddresses([...others, of('a', 40, true), of('d', 31)], 3).includes('d'), true);
  assert.deepEqual(chooseAddresses([of('a', 10, true), of('b', 4)], 1), ['b']);
  assert.deepEqual(chooseAddresses([of('a', 9, true), of('b', 6)], 1), ['a']);
  assert.deepEqual(chooseAddresses([of('a', 100, true), of('b', 80)], 1), ['a']);
});

test('of two addresses that lead to one server only the faster one counts, unless nothing else is left', () => {
  const measured = [of('a', 1, false, 'x'), of('b', 2, false, 'x'), of('c', 300)];
  assert.deepEqual(chooseAddresses(measured, 2), ['a', 'c']);
  assert.deepEqual(chooseAddresses(measured, 3), ['a', 'c', 'b']);
});

test('what did not answer fills the places that are left, held ones first', () => {
  const silent = [of('a', undefined), of('b', undefined, true), of('c', 9), of('d', undefined)];
  assert.deepEqual(chooseAddresses(silent, 3), ['c', 'b', 'a']);
});
