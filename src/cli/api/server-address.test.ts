import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAddress } from './server-address.js';

const NONE = { url: undefined, user: undefined, password: undefined };

function credentials(authorization: string): string {
  return Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
}

test('defaults', () => {
  const address = serverAddress(NONE, {});
  assert.equal(address.origin, 'http://127.0.0.1:10090');
  assert.equal(credentials(address.authorization), 'ibex:ibex');
});

test('a flag wins over the environment, that over the URL', () => {
  const env = { IBEX_URL: 'https://u:p@ibex.example:1234/x/', IBEX_PASSWORD: 'from env' };
  const address = serverAddress({ ...NONE, user: 'flag' }, env);
  assert.equal(address.origin, 'https://ibex.example:1234');
  assert.equal(credentials(address.authorization), 'flag:from env');
  assert.equal(credentials(serverAddress(NONE, { IBEX_URL: 'http://u:p%40@h' }).authorization), 'u:p@');
});

test('a bare host:port is taken as http', () => {
  assert.equal(serverAddress({ ...NONE, url: 'localhost:10091' }, {}).origin, 'http://localhost:10091');
});

test('what is no URL is named', () => {
  assert.throws(() => serverAddress({ ...NONE, url: 'ftp://x' }, {}), /no server at ftp:\/\/x: .*must look like/);
  assert.throws(() => serverAddress({ ...NONE, url: 'http://' }, {}), /no server at http:\/\//);
});
