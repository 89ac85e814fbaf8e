import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { AUTHORIZATION, TestServer } from '../testing/test-server.js';

/** Sends bytes as they are and resolves with all that came until the server closed the connection. */
async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => (answer += chunk));
  socket.write(request);
  await once(socket, 'close');
  return answer;
}

function post(body: string, head = ''): string {
  return `POST /ibex/v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZATION}\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const TASK = { title: 't', account: 'root', script: ':', action: 'pause', creator: 'c', hosts: ['a'] };

test('answers to POST close the connection, those to GET leave it open', async () => {
  await using server = await TestServer.start();
  assert.match(
    await exchange(server.httpPort, post(JSON.stringify(TASK))),
    /^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n/,
  );

  const socket = connect(server.httpPort, '127.0.0.1');
  socket.setEncoding('utf8');
  for (let i = 0; i < 2; i++) {
    socket.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n');
    const answer = String(await once(socket, 'data'));
    assert.match(answer, /\r\n\r\npong$/);
    assert.doesNotMatch(answer, /Connection: close/);
  }
  socket.destroy();
});

test('dot segments reach nothing, also with credentials', async () => {
  await using server = await TestServer.start();
  for (const path of ['/ibex/v1/task/../tasks', '/ibex/v1/task/%2e%2e/tasks', '/ibex/v1/task/x/../../tasks']) {
    const request = `PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZATION}\r\nContent-Length: 0\r\n\r\n`;
    assert.match(await exchange(server.httpPort, request), /^HTTP\/1.1 404 Not Found\r\n[^]*404 page not found$/, path);
  }
});

test('HEAD gets the head of a 404 and no body', async () => {
  await using server = await TestServer.start();
  const answer = await exchange(server.httpPort, 'HEAD /ping HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(answer, /^HTTP\/1.1 404 Not Found\r\n/);
  assert.match(answer, /\r\n\r\n$/);
});

test('a body over the limit gets a refusal in words, and nothing is created', async () => {
  await using server = await TestServer.start('MaxContentLength = 2048');
  const long = JSON.stringify({ ...TASK, script: 'x'.repeat(3_000_000) });
  const answer = await exchange(server.httpPort, post(long));
  assert.match(answer, /^HTTP\/1.1 413 /);
  assert.match(answer, /\{"err":"body longer than 2048 bytes \(HTTP.MaxContentLength\)"\}$/);
  assert.deepEqual((await server.call('GET', '/tasks')).dat, { list: [], total: 0 });
});

test('a long body of a stranger is read to its end before the 401', async () => {
  await using server = await TestServer.start();
  const request = post('x'.repeat(3_000_000)).replace(/Authorization: .*\r\n/, '');
  assert.match(await exchange(server.httpPort, request), /^HTTP\/1.1 401 Unauthorized\r\n[^]*\r\n\r\n$/);
});

test('a body in chunks and one after 100-continue are read', async () => {
  await using server = await TestServer.start();
  const json = JSON.stringify(TASK);
  const chunked = `POST /ibex/v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZATION}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunks = [json.slice(0, 9), json.slice(9)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
  assert.match(await exchange(server.httpPort, `${chunked}${chunks}0\r\n\r\n`), /\{"dat":1,"err":""\}$/);
  assert.match(await exchange(server.httpPort, post(json, 'Expect: 100-continue\r\n')), /\{"dat":2,"err":""\}$/);
});

test('a caller that leaves before its body is whole creates nothing', async () => {
  await using server = await TestServer.start();
  const socket = connect(server.httpPort, '127.0.0.1');
  socket.write(post(JSON.stringify(TASK)).slice(0, -1));
  await server.call('GET', '/tasks');
  socket.destroy();
  assert.deepEqual((await server.call('GET', '/tasks')).dat, { list: [], total: 0 });
});

test('an agent that never came cannot be forgotten; /healthz and /addr answer strangers', async () => {
  await using server = await TestServer.start();
  assert.deepEqual(await server.call('DELETE', '/host/web-01/key'), {
    status: 200,
    dat: undefined,
    err: 'no such host',
  });
  const health = await fetch(`http://127.0.0.1:${server.httpPort}/healthz`);
  assert.deepEqual([health.status, await health.text()], [200, 'ok']);
  const addr = await fetch(`http://127.0.0.1:${server.httpPort}/addr`);
  assert.equal(await addr.text(), '127.0.0.1');
});

test('foreign Host, Origin and cookies do not matter to the API', async () => {
  await using server = await TestServer.start();
  const request = post(JSON.stringify(TASK), 'Origin: http://n9e.example\r\nCookie: a=b\r\n').replace(
    'Host: x',
    'Host: n9e.example',
  );
  assert.match(await exchange(server.httpPort, request), /\{"dat":1,"err":""\}$/);
});

test('the access log names method, path, status and caller, and holds no body and no query', async () => {
  await using server = await TestServer.start();
  await server.call('GET', '/tasks?query=secret');
  const line = server.log.lines.find(({ message }) => message === 'request');
  assert.partialDeepStrictEqual(line?.fields, {
    method: 'GET',
    path: '/ibex/v1/tasks',
    status: 200,
    remote: '127.0.0.1',
  });
  assert.doesNotMatch(JSON.stringify(server.log.lines), /secret/);
});
