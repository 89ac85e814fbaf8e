import assert from 'node:assert/strict';
import { ask, RawConnection, type RawAnswer } from '../http/testing/raw-connection.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { AUTHORIZATION, type TestServer } from '../testing/test-server.js';
import { onEachDatabase } from './testing/each-database.js';

/*
 * What Nightingale v5.15 and v6.7 were seen to send. It creates tasks itself, over few connections that it keeps; views
 * and buttons are requests of a browser that it passes on, with the browser's headers and its own credentials.
 */

const LABELS = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`label_${n}`, `${'v'.repeat(90)} <&> ${n}`]));

/** As Go prints JSON: no `& < >`. */
function goJson(value: object): string {
  return JSON.stringify(value).replace(/[&<>]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}

/** Field by field in Nightingale's order; only alarms of v6 have stdin. */
function alarm(host: string, stdin?: object): object {
  return {
    title: `heal FH: ${host}`,
    account: 'root',
    batch: 0,
    tolerance: 0,
    timeout: 30,
    pause: '',
    script: 'set -e\necho "args=$*" && echo "<&>" >&2\n',
    args: 'a,,b c',
    ...(stdin && { stdin: goJson(stdin) }),
    action: 'start',
    creator: 'root',
    hosts: [host],
  };
}

function goPost(body: string): string {
  return (
    `POST /ibex/v1/tasks HTTP/1.1\r\nHost: 10.0.0.1:10090\r\nUser-Agent: Go-http-client/1.1\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nAuthorization: ${AUTHORIZATION}\r\n` +
    `Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n${body}`
  );
}

function proxied(method: 'GET' | 'PUT', path: string, body?: object): string {
  const text = body === undefined ? '' : JSON.stringify(body);
  return (
    `${method} ${path} HTTP/1.1\r\nHost: n9e.example:17000\r\nUser-Agent: Mozilla/5.0\r\n` +
    (body === undefined ? '' : `Content-Length: ${text.length}\r\nContent-Type: application/json\r\n`) +
    `Accept-Encoding: gzip, deflate\r\nAuthorization: ${AUTHORIZATION}\r\nCookie: session=${'c'.repeat(20_000)}\r\n` +
    `Origin: http://n9e.example:17000\r\nReferer: http://n9e.example:17000/job-tasks\r\nX-Forwarded-For: 10.9.9.9\r\n` +
    `X-Language: zh\r\n\r\n${text}`
  );
}

/** Nightingale takes a task for created only so. */
function createdId({ status, body }: RawAnswer): number {
  assert.equal(status, 200);
  const answer: unknown = JSON.parse(body);
  assert.ok(typeof answer === 'object' && answer !== null && 'dat' in answer && 'err' in answer);
  assert.equal(answer.err, '');
  assert.ok(Number.isSafeInteger(answer.dat) && Number(answer.dat) > 0);
  return Number(answer.dat);
}

async function browser(server: TestServer, method: 'GET' | 'PUT', path: string, body?: object): Promise<unknown> {
  const answer = await ask(server.httpPort, proxied(method, path, body));
  assert.equal(answer.status, 200, path);
  return JSON.parse(answer.body);
}

onEachDatabase((check) => {
  check('a task from creation to the pages of its end', async (server) => {
    using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('node-b1'));
    using n9e = await RawConnection.open(server.httpPort);
    n9e.write(goPost(goJson(alarm('node-b1'))));
    const id = createdId(await n9e.answer());
    const assign = await agent.next('assign');
    assert.deepEqual([assign.taskId, assign.args, assign.stdin], [id, ['a', 'b c'], '']);
    assert.match(assign.script, /"<&>" >&2\n$/);
    const task = `/ibex/v1/task/${id}`;
    const page = (action: string, status: string, done: boolean) => ({
      dat: { action, hosts: [{ host: 'node-b1', status }], meta: { title: 'heal FH: node-b1', done } },
      err: '',
    });
    assert.partialDeepStrictEqual(await browser(server, 'GET', task), page('start', 'running', false));
    agent.result(assign, { stdout: Buffer.from('args=a b c\n'), stderr: Buffer.from('<&>\n') });
    await agent.next('result-ack');
    assert.partialDeepStrictEqual(await browser(server, 'GET', task), page('', 'success', true));
    const [stdout, stderr] = ['args=a b c\n', '<&>\n'];
    assert.deepEqual(await browser(server, 'GET', `${task}/stdout`), {
      dat: [{ id, host: 'node-b1', status: 'success', stdout, stderr: '' }],
      err: '',
    });
    assert.deepEqual(await browser(server, 'GET', `${task}/host/node-b1/stderr`), { dat: stderr, err: '' });
    assert.deepEqual(await browser(server, 'PUT', `${task}/action`, { action: 'kill' }), {
      err: 'task already finished, no more action can do',
    });
  });

  check('the buttons: start, pause, ignore, redo, kill, cancel', async (server) => {
    using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('node-b2'));
    using n9e = await RawConnection.open(server.httpPort);
    n9e.write(goPost(goJson({ ...alarm('node-b2'), batch: 1, action: 'pause', hosts: ['node-b2', 'node-ghost'] })));
    const task = `/ibex/v1/task/${createdId(await n9e.answer())}`;
    const press = (action: string, host?: string) =>
      browser(server, 'PUT', `${task}${host === undefined ? '' : `/host/${host}`}/action`, { action });
    const hint = { dat: 'you can click start to run the task', err: '' };
    assert.deepEqual(await press('start'), { err: '' });
    agent.result(await agent.next('assign'), { status: 'failed', exitCode: 3 });
    await agent.next('result-ack');
    assert.partialDeepStrictEqual(await browser(server, 'GET', task), {
      dat: { action: 'pause', hosts: [{ status: 'failed' }, { status: 'waiting' }] },
    });
    assert.deepEqual(await press('redo', 'node-b2'), { err: '' });
    await agent.next('assign');
    assert.deepEqual(await press('kill', 'node-b2'), { err: '' });
    const { taskId, clock } = await agent.next('kill');
    agent.result({ taskId, clock }, { status: 'killed', exitCode: null, signal: 15 });
    await agent.next('result-ack');
    assert.deepEqual(await press('ignore', 'node-b2'), hint);
    assert.deepEqual(await press('cancel'), { err: '' });
    assert.partialDeepStrictEqual(await browser(server, 'GET', task), {
      dat: { action: '', hosts: [{ status: 'ignored' }, { status: 'cancelled' }], meta: { done: true } },
    });
  });

  check('a burst of 20 alarms over kept connections; v6 posts one of them twice', async (server) => {
    const bodies = Array.from({ length: 20 }, (_, n) => goJson(alarm('node-b3', { ident: 'node-b3', n: String(n) })));
    const twice = [...bodies, bodies[7] ?? ''];
    const connections = await Promise.all(twice.map(() => RawConnection.open(server.httpPort)));
    connections.forEach((connection, n) => connection.write(goPost(twice[n] ?? '')));
    const ids = await Promise.all(connections.map(async (connection) => createdId(await connection.answer())));
    assert.equal(new Set(ids).size, 20);
    assert.equal(ids[20], ids[7]);
    // The same connections serve the next burst, which v5 sends without anything to tell its alarms apart.
    for (const connection of connections) connection.write(goPost(goJson(alarm('node-b3'))));
    const next = await Promise.all(connections.map(async (connection) => createdId(await connection.answer())));
    assert.equal(new Set([...ids, ...next]).size, 41);
    for (const connection of connections) connection[Symbol.dispose]();
  });

  check('an alarm with 20 KB of labels reaches the script whole', async (server) => {
    using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('node-b4'));
    const answer = await ask(server.httpPort, goPost(goJson(alarm('node-b4', LABELS))));
    const assign = await agent.next('assign');
    assert.equal(assign.taskId, createdId(answer));
    assert.ok(assign.stdin.length > 20_000);
    assert.deepEqual(JSON.parse(assign.stdin), LABELS);
  });

  check('what its users must not reach, and what they get for a task that is not there', async (server) => {
    for (const path of ['/ibex/v1/task/../tasks?limit=5', '/ibex/v1/task/x/../../task/1', '/ibex/v1/task/../hosts']) {
      const answer = await ask(server.httpPort, proxied('GET', path));
      assert.deepEqual([answer.status, answer.body], [404, '404 page not found'], path);
    }
    const unknown = await ask(server.httpPort, proxied('GET', '/ibex/v1/task/999999999'));
    assert.deepEqual([unknown.status, unknown.body], [404, '{"err":"no such task meta"}']);
    const stranger = await ask(server.httpPort, goPost('{}').replace(AUTHORIZATION, 'Bearer x'));
    assert.deepEqual([stranger.status, stranger.body], [401, '']);
  });
});
