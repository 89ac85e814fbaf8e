import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostTable, parseHosts } from './host-table.js';

test('a table of what the server lists', () => {
  const refused = { why: 'another key is pinned for web-01', address: '10.0.0.9', count: 3, remedy: 'forget it' };
  const servers = [{ server: '10.0.0.1:20090' }, { server: '10.0.0.2:20090' }];
  const running = [{ task: 7, clock: 1 }];
  const more = { kind: 'ibex', servers, running, refused, something: {} };
  const hosts = parseHosts([
    { host: 'web-01', connected: true, since: 1_000_000, version: '0.1.0', ...more },
    { host: 'db', connected: false, since: null, version: '' },
  ]);
  assert.equal(
    hostTable(hosts, 1_000_000 + 3 * 3_600_000),
    [
      'HOST    AGENT      SINCE  VERSION  KIND  RUNNING  SERVERS',
      'db      gone       -      -        -     -        -',
      'web-01  connected  3h     0.1.0    ibex  1        10.0.0.1:20090 10.0.0.2:20090',
      'web-01: refused 3 times, last from 10.0.0.9: another key is pinned for web-01 (forget it)',
      '',
    ].join('\n'),
  );
});

test('no hosts', () => {
  assert.equal(hostTable(parseHosts([]), 0), 'no agent has connected yet\n');
});

test('what is no list of hosts is refused', () => {
  assert.throws(() => parseHosts({}), /did not answer with a list/);
  assert.throws(() => parseHosts([{ connected: true }]), /without a name/);
});
