import assert from 'node:assert/strict';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { AUTHORIZATION, type TestServer } from '../testing/test-server.js';
import { onEachDatabase } from './testing/each-database.js';

const NOBODY = { status: 404, dat: undefined, err: 'no such task meta' };

async function text(server: TestServer, path: string): Promise<readonly [number, string | null, string]> {
  const url = `http://127.0.0.1:${server.httpPort}/ibex/v1${path}`;
  const response = await fetch(url, { headers: { authorization: AUTHORIZATION } });
  return [response.status, response.headers.get('content-type'), await response.text()];
}

onEachDatabase((check) => {
  check('a task that nobody knows', async (server) => {
    for (const id of [
      '900000000001',
      '0',
      '-1',
      '-100',
      '+77777',
      '9007199254740993',
      '9223372036854775807',
      '-9223372036854775808',
    ]) {
      for (const path of [
        '',
        '/stdout',
        '/stderr',
        '/stdout.json',
        '/stderr.json?host=x',
        '/host/x/stdout',
        '/host/x/stderr',
      ]) {
        assert.deepEqual(await server.call('GET', `/task/${id}${path}`), NOBODY, id + path);
      }
      assert.deepEqual(await server.call('PUT', `/task/${id}/action`, { action: 'start' }), NOBODY);
      assert.deepEqual(await server.call('PUT', `/task/${id}/host/x/action`, { action: 'redo' }), NOBODY);
      assert.deepEqual(await server.call('GET', `/task/${id}/state`), { status: 200, dat: 'done', err: '' }, id);
      assert.deepEqual(await server.call('GET', `/task/${id}/result`), { status: 200, dat: {}, err: '' }, id);
      assert.deepEqual(await server.call('GET', `/task/${id}/host/x/output`), { status: 200, dat: null, err: '' }, id);
      assert.deepEqual(await server.call('GET', `/runs/${id}`), NOBODY);
      for (const stream of ['stdout', 'stderr']) {
        assert.deepEqual(await text(server, `/task/${id}/${stream}.txt`), [
          404,
          'text/plain; charset=utf-8',
          'no such task',
        ]);
      }
    }
  });

  check('an id that is no number', async (server) => {
    for (const id of ['abc', '1.0', '1e3', '0x10', '7a', '9223372036854775808', '-9223372036854775809', '--1', 'ünï']) {
      const refused = { status: 400, dat: undefined, err: `cannot convert ${id} to int64` };
      for (const path of ['', '/state', '/result', '/stdout', '/stdout.txt', '/host/x/output']) {
        assert.deepEqual(await server.call('GET', `/task/${encodeURIComponent(id)}${path}`), refused, id + path);
      }
      assert.deepEqual(await server.call('PUT', `/task/${encodeURIComponent(id)}/action`, '{'), refused);
    }
  });

  check('a waiting task in all its views', async (server) => {
    const id = await server.createTask(['web-02', 'web-01'], { action: 'pause' });
    const entry = (host: string) => ({ id, host, status: 'waiting', stdout: '', stderr: '' });
    const views: readonly (readonly [string, unknown])[] = [
      ['/state', 'pause'],
      ['/result', { waiting: ['web-02', 'web-01'] }],
      ['/stdout', [entry('web-02'), entry('web-01')]],
      ['/stderr', [entry('web-02'), entry('web-01')]],
      [
        '/stdout.json',
        [
          { host: 'web-02', stdout: '' },
          { host: 'web-01', stdout: '' },
        ],
      ],
      ['/stderr.json?host=web-01', [{ host: 'web-01', stderr: '' }]],
      ['/stdout.json?host=WEB-01', [{ host: 'WEB-01', stdout: '' }]],
      [
        '/stdout.json?host=',
        [
          { host: 'web-02', stdout: '' },
          { host: 'web-01', stdout: '' },
        ],
      ],
      ['/host/web-01/output', entry('web-01')],
      ['/host/WEB-01/output', entry('web-01')],
      ['/host/web-01/stdout', ''],
      ['/host/Web-01/stderr', ''],
      ['/host/web-09/output', null],
    ];
    for (const [path, dat] of views) {
      assert.deepEqual(await server.call('GET', `/task/${id}${path}`), { status: 200, dat, err: '' }, path);
      assert.deepEqual(await server.call('GET', `/task/000${id}${path}`), { status: 200, dat, err: '' }, path);
    }
    assert.deepEqual(await text(server, `/task/${id}/stdout.txt`), [
      200,
      'text/plain; charset=utf-8',
      'web-02:\n\n\nweb-01:\n',
    ]);
    const missing = { status: 200, dat: undefined, err: `task: ${id}, host(web-09) not exists` };
    assert.deepEqual(await server.call('GET', `/task/${id}/stdout.json?host=web-09`), missing);
    assert.deepEqual(await server.call('GET', `/task/${id}/host/web-09/stdout`), missing);
  });

  check('a finished task in all its views', async (server) => {
    using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('db-01'));
    const id = await server.createTask(['db-01']);
    const { clock } = await agent.next('assign');
    const streams = { stdout: Buffer.from('a\x1b[31m\0夜 <b>\n'), stderr: Buffer.from('oops\xff', 'latin1') };
    agent.result(
      { taskId: id, clock },
      { ...streams, status: 'failed', exitCode: 3, startedMs: 1_000, endedMs: 3_500 },
    );
    await agent.next('result-ack');
    const stdout = 'a\x1b[31m\0夜 <b>\n';
    const stderr = 'oops\ufffd';
    const views: readonly (readonly [string, unknown])[] = [
      ['/state', 'done'],
      ['/result', { failed: ['db-01'] }],
      ['/stdout', [{ id, host: 'db-01', status: 'failed', stdout, stderr: '' }]],
      ['/stderr', [{ id, host: 'db-01', status: 'failed', stdout: '', stderr }]],
      ['/stderr.json', [{ host: 'db-01', stderr }]],
      ['/host/db-01/output', { id, host: 'db-01', status: 'failed', stdout, stderr }],
      ['/host/db-01/stdout', stdout],
    ];
    for (const [path, dat] of views) assert.deepEqual((await server.call('GET', `/task/${id}${path}`)).dat, dat, path);
    assert.equal((await text(server, `/task/${id}/stdout.txt`))[2], `db-01:\n${stdout}`);
    assert.partialDeepStrictEqual((await server.call('GET', `/task/${id}`)).dat, {
      action: '',
      hosts: [{ host: 'db-01', status: 'failed', stdout: '', stderr: '' }],
      meta: { done: true },
    });
    assert.deepEqual((await server.call('GET', `/runs/${id}`)).dat, [
      {
        host: 'db-01',
        status: 'failed',
        clock,
        exitCode: 3,
        signal: null,
        reason: null,
        started: '1970-01-01T00:00:01.000Z',
        ended: '1970-01-01T00:00:03.500Z',
        durationMs: 2_500,
        stdoutBytes: streams.stdout.length,
        stderrBytes: streams.stderr.length,
        stdoutTruncated: false,
        stderrTruncated: false,
        late: false,
      },
    ]);
  });
});
