import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostTable, parseHosts } from './host-table.js';

test('a table of what the server lists', () => {
  const hosts = parseHosts([
    { host: 'web-01', connected: true, since: 1_000_000, version: '0.1.0', kind: 'agent', more: {} },
    { host: 'db', connected: false, since: null, version: '' },
  ]);
  assert.equal(
    hostTable(hosts, 1_000_000 + 3 * 3_600_000),
    ['HOST    AGENT      SINCE  VERSION', 'db      gone       -      -', 'web-01  connected  3h     0.1.0', ''].join(
      '\n',
    ),
  );
});

test('no hosts', () => {
  assert.equal(hostTable(parseHosts([]), 0), 'no agent has connected yet\n');
});

test('what is no list of hosts is refused', () => {
  assert.throws(() => parseHosts({}), /did not answer with a list/);
  assert.throws(() => parseHosts([{ connected: true }]), /without a name/);
});
