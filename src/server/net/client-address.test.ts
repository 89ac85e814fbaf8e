import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientAddress } from './client-address.js';

const PROXY = '10.0.0.1';

test('X-Forwarded-For is read from the right, and only as far as proxies are trusted', () => {
  const client = new ClientAddress(['10.0.0.0/24', 'fd00::/64']);
  const cases: readonly (readonly [string, string | undefined, string])[] = [
    [PROXY, '203.0.113.7', '203.0.113.7'],
    [PROXY, undefined, PROXY],
    [PROXY, '', PROXY],
    ['203.0.113.9', '1.2.3.4', '203.0.113.9'],
    [PROXY, '1.2.3.4, 203.0.113.7', '203.0.113.7'],
    [PROXY, '1.2.3.4, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [PROXY, '10.0.0.9,10.0.0.2', '10.0.0.9'],
    [PROXY, '203.0.113.7, unknown', PROXY],
    [PROXY, '203.0.113.7:4711', '203.0.113.7'],
    [PROXY, '"[2001:db8::1]:4711"', PROXY],
    [PROXY, '[2001:db8::1]:4711', '2001:db8::1'],
    ['fd00::5', '2001:db8::1', '2001:db8::1'],
    [`::ffff:${PROXY}`, '::ffff:203.0.113.7', '203.0.113.7'],
    [PROXY, ',,,', PROXY],
  ];
  for (const [peer, header, expected] of cases) assert.equal(client.of(peer, header), expected, `${peer} ${header}`);
});

test('nobody is trusted by default', () => {
  assert.equal(new ClientAddress([]).of('127.0.0.1', '203.0.113.7'), '127.0.0.1');
});
