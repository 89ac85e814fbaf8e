import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUTHORIZATION, TestServer } from '../testing/test-server.js';
import { ask, head, post, RawConnection } from './testing/raw-connection.js';

const TASK = { title: 't', account: 'root', script: ':', action: 'pause', creator: 'c', hosts: ['a'] };
const JSON_TASK = JSON.stringify(TASK);

test('a connection goes on after every answer, for POST as for GET', async () => {
  await using server = await TestServer.start();
  using connection = await RawConnection.open(server.httpPort);
  for (let i = 1; i <= 3; i++) {
    connection.write(post(JSON_TASK));
    const created = await connection.answer();
    assert.deepEqual(created.body, `{"dat":${i},"err":""}`);
    assert.notEqual(created.headers['connection'], 'close');
    connection.write(head('GET', '/ping'));
    assert.equal((await connection.answer()).body, 'pong');
  }
});

test('requests sent without waiting are answered in their order', async () => {
  await using server = await TestServer.start();
  using connection = await RawConnection.open(server.httpPort);
  connection.write(Array.from({ length: 20 }, () => post(JSON_TASK) + head('GET', '/ping')).join(''));
  const ids = new Set<string>();
  for (let i = 0; i < 20; i++) {
    ids.add((await connection.answer()).body);
    assert.equal((await connection.answer()).body, 'pong');
  }
  assert.equal(ids.size, 20);
});

test('200 connections at once are all served', async () => {
  await using server = await TestServer.start();
  const connections = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(server.httpPort)));
  for (const connection of connections) connection.write(post(JSON_TASK));
  const answers = await Promise.all(connections.map((connection) => connection.answer()));
  assert.equal(new Set(answers.map(({ body }) => body)).size, 200);
  assert.ok(answers.every(({ status }) => status === 200));
  for (const connection of connections) connection[Symbol.dispose]();
});

test('callers of HTTP/1.0, such as proxies and health checks, are answered', async () => {
  await using server = await TestServer.start();
  using plain = await RawConnection.open(server.httpPort);
  plain.write('GET /ping HTTP/1.0\r\n\r\n');
  assert.equal((await plain.answer()).body, 'pong');
  await plain.closed;

  using proxied = await RawConnection.open(server.httpPort);
  proxied.write(post(JSON_TASK, 'Connection: close\r\n').replace('HTTP/1.1', 'HTTP/1.0'));
  assert.equal((await proxied.answer()).body, '{"dat":1,"err":""}');
  await proxied.closed;
});

test('paths match as they were sent, dot segments reach nothing', async () => {
  await using server = await TestServer.start();
  const nothing = [
    '/ibex/v1/task/../tasks',
    '/ibex/v1/task/%2e%2e/tasks',
    '/ibex/v1/task/%2E%2E/tasks',
    '/ibex/v1/task/x/../../tasks',
    '/ibex/v1/task/..%2ftasks',
    '/ibex/v1/./tasks',
    '/ibex/v1//tasks',
    '//ibex/v1/tasks',
    '/prefix/ibex/v1/tasks',
    '/ibex/v1/tasks/more',
    '/ibex/v1/Tasks',
    '/ibex/v1/task/',
    '*',
    'http://h',
  ];
  for (const target of nothing) {
    const { status, body } = await ask(server.httpPort, head('GET', target));
    // `..%2ftasks` is one segment that is no number; everything else is no route.
    if (target.includes('..%2f'))
      assert.deepEqual([status, JSON.parse(body)], [400, { err: 'cannot convert ../tasks to int64' }]);
    else assert.deepEqual([status, body], [404, '404 page not found'], target);
  }
  for (const target of ['http://n9e.example:80/ibex/v1/tasks?limit=1', 'HTTPS://x/ibex/v1/tasks']) {
    assert.equal((await ask(server.httpPort, head('GET', target))).status, 200, target);
  }
});

test('any host name can be named in a path', async () => {
  await using server = await TestServer.start();
  const hosts = ['web/01', '夜莺', 'a b', 'x%y', 'q?#&='];
  const id = await server.createTask(hosts, { action: 'pause' });
  for (const host of hosts) {
    const { body } = await ask(
      server.httpPort,
      head('GET', `/ibex/v1/task/${id}/host/${encodeURIComponent(host)}/output`),
    );
    assert.partialDeepStrictEqual(JSON.parse(body), { dat: { host } });
  }
});

test('every method that a route does not have is 404 page not found', async () => {
  await using server = await TestServer.start();
  for (const [method, path] of [
    ['HEAD', '/ping'],
    ['HEAD', '/ibex/v1/tasks'],
    ['OPTIONS', '/ibex/v1/tasks'],
    ['PATCH', '/ibex/v1/tasks'],
    ['DELETE', '/ibex/v1/task/1'],
    ['POST', '/ibex/v1/task/1'],
    ['PUT', '/ibex/v1/tasks'],
    ['HEAD', '/ibex/v1/tasks/'],
  ] as const) {
    const answer = await ask(server.httpPort, head(method, path, 'Content-Length: 0\r\n'));
    assert.equal(answer.status, 404, `${method} ${path}`);
    assert.equal(answer.body, method === 'HEAD' ? '' : '404 page not found');
    assert.match(answer.headers['content-type'] ?? '', /^text\/plain/);
  }
});

test('a body over the limit gets a refusal in words, and nothing is created', async () => {
  await using server = await TestServer.start('MaxContentLength = 2048');
  using connection = await RawConnection.open(server.httpPort);
  connection.write(post(JSON.stringify({ ...TASK, script: 'x'.repeat(3_000_000) })));
  const answer = await connection.answer();
  assert.equal(answer.status, 413);
  assert.deepEqual(JSON.parse(answer.body), { err: 'body longer than 2048 bytes (HTTP.MaxContentLength)' });
  await connection.closed;
  assert.deepEqual((await server.call('GET', '/tasks')).dat, { list: [], total: 0 });
});

test('a long body of a stranger is read to its end before the 401', async () => {
  await using server = await TestServer.start();
  const request = post('x'.repeat(3_000_000)).replace(/Authorization: .*\r\n/, '');
  const { status, headers, body } = await ask(server.httpPort, request);
  assert.deepEqual([status, body], [401, '']);
  assert.equal(headers['www-authenticate'], 'Basic realm="Authorization Required"');
});

test('bodies in chunks, with extensions and trailers, and after 100-continue are read', async () => {
  await using server = await TestServer.start();
  const chunks = (extension: string, trailer: string): string =>
    head('POST', '/ibex/v1/tasks', 'Transfer-Encoding: chunked\r\n') +
    [JSON_TASK.slice(0, 9), JSON_TASK.slice(9)]
      .map((part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`)
      .join('') +
    `0\r\n${trailer}\r\n`;
  assert.equal((await ask(server.httpPort, chunks('', ''))).body, '{"dat":1,"err":""}');
  assert.equal((await ask(server.httpPort, chunks(';a=b', 'X-T: 1\r\n'))).body, '{"dat":2,"err":""}');
  assert.equal((await ask(server.httpPort, post(JSON_TASK, 'Expect: 100-continue\r\n'))).body, '{"dat":3,"err":""}');
});

test('what is no HTTP request is refused in words and the connection closed', async () => {
  await using server = await TestServer.start();
  const broken = [
    ['hello\r\n\r\n', 400],
    [post(JSON_TASK).replace(/Content-Length: \d+/, 'Content-Length: -5'), 400],
    [post(JSON_TASK).replace(/Content-Length: \d+/, 'Content-Length: 99999999999999999999'), 400],
    [post(JSON_TASK, 'Content-Length: 3\r\n'), 400],
    [post(JSON_TASK, 'Transfer-Encoding: chunked\r\n'), 400],
    [`${head('POST', '/ibex/v1/tasks', 'Transfer-Encoding: chunked\r\n')}zz\r\n`, 400],
    [head('GET', '/ping', `Cookie: ${'a'.repeat(70_000)}\r\n`), 431],
  ] as const;
  for (const [request, status] of broken) {
    using connection = await RawConnection.open(server.httpPort);
    connection.write(request);
    const answer = await connection.answer();
    assert.equal(answer.status, status, request.slice(0, 200));
    assert.match(answer.body, /^\{"err":"[^"]+"\}$/);
    await connection.closed;
  }
  assert.deepEqual((await server.call('GET', '/tasks')).dat, { list: [], total: 0 });
});

test('garbage behind a good request does not take away its answer', async () => {
  await using server = await TestServer.start();
  using connection = await RawConnection.open(server.httpPort);
  connection.write(`${post(JSON_TASK)}garbage\r\n\r\n`);
  assert.equal((await connection.answer()).body, '{"dat":1,"err":""}');
  await connection.closed;
});

test('cookies of 20 KB, foreign Host and Origin and any spelling of basic do not matter', async () => {
  await using server = await TestServer.start();
  const lines = `Origin: http://n9e.example\r\nCookie: ${'a'.repeat(20_000)}\r\nX-Forwarded-For: 10.0.0.1\r\n`;
  for (const scheme of ['Basic', 'basic', 'BASIC']) {
    const request = post(JSON_TASK, lines).replace('Host: x', 'Host: n9e.example').replace('Basic', scheme);
    assert.equal((await ask(server.httpPort, request)).status, 200, scheme);
  }
  const noHost = head('GET', '/ibex/v1/tasks').replace('Host: x\r\n', '');
  assert.equal((await ask(server.httpPort, noHost)).status, 200);
  const upgrade = head('GET', '/ibex/v1/tasks', 'Connection: Upgrade\r\nUpgrade: h2c\r\n');
  assert.equal((await ask(server.httpPort, upgrade)).status, 200);
});

test('a caller that leaves before its body is whole creates nothing', async () => {
  await using server = await TestServer.start();
  {
    using connection = await RawConnection.open(server.httpPort);
    connection.write(post(JSON_TASK).slice(0, -1));
    await server.call('GET', '/tasks');
  }
  while (!server.log.lines.some(({ message }) => message === 'caller left'))
    await new Promise((resolve) => setImmediate(resolve));
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
  assert.match(await addr.text(), /^127\.0\.0\.1:\d+$/);
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
  assert.doesNotMatch(JSON.stringify(server.log.lines), new RegExp(`secret|${AUTHORIZATION}`));
});
