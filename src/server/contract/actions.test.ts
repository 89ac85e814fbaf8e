import assert from 'node:assert/strict';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import type { TestServer } from '../testing/test-server.js';
import { onEachDatabase } from './testing/each-database.js';

const HINT = { status: 200, dat: 'you can click start to run the task', err: '' };
const DONE = { status: 200, dat: undefined, err: '' };
const INVALID = { status: 200, dat: undefined, err: 'action invalid' };
const FINISHED = { status: 200, dat: undefined, err: 'task already finished, no more action can do' };
const CANNOT_KILL = { status: 200, dat: undefined, err: 'current status cannot kill' };
const NO_SUCH_HOST = { status: 200, dat: undefined, err: 'no such host' };

let hostsUsed = 0;

/** A paused task on a host that has an agent, and on one that has none. */
async function pausedTask(server: TestServer) {
  const host = `app-${++hostsUsed}`;
  const agent = await ScriptedAgent.connect(server.agentPort, agentSelf(host));
  const id = await server.createTask([host, 'nowhere'], { action: 'pause' });
  const act = (action: unknown, name = host) => server.call('PUT', `/task/${id}/host/${name}/action`, { action });
  const status = async (name = host): Promise<string | undefined> => {
    const { dat } = await server.call('GET', `/task/${id}/result`);
    return Object.entries(dat ?? {}).find(([, hosts]) => Array.isArray(hosts) && hosts.includes(name))?.[0];
  };
  return { id, host, agent, act, status, [Symbol.dispose]: () => agent[Symbol.dispose]() };
}

type Paused = Awaited<ReturnType<typeof pausedTask>>;

async function run(
  { id, agent, act }: Paused,
  outcome?: 'success' | 'failed' | 'timeout' | 'killfailed',
): Promise<void> {
  assert.deepEqual(await act('redo'), DONE);
  const { clock } = await agent.next('assign');
  if (outcome === undefined) return;
  agent.result({ taskId: id, clock }, { status: outcome });
  await agent.next('result-ack');
}

/** How a host of a paused task gets into each status. */
const WAYS = {
  waiting: async () => undefined,
  running: (task: Paused) => run(task),
  killing: async (task: Paused) => {
    await run(task);
    assert.deepEqual(await task.act('kill'), DONE);
    await task.agent.next('kill');
  },
  success: (task: Paused) => run(task, 'success'),
  failed: (task: Paused) => run(task, 'failed'),
  timeout: (task: Paused) => run(task, 'timeout'),
  killfailed: (task: Paused) => run(task, 'killfailed'),
  killed: async (task: Paused) => {
    await task.act('redo');
    const { clock } = await task.agent.next('assign');
    await task.act('kill');
    task.agent.result({ taskId: task.id, clock }, { status: 'killed', exitCode: null, signal: 15 });
    await task.agent.next('result-ack');
  },
  ignored: async (task: Paused) => {
    assert.deepEqual(await task.act('ignore'), HINT);
  },
} as const;

onEachDatabase((check) => {
  for (const status of [
    'waiting',
    'running',
    'killing',
    'success',
    'failed',
    'timeout',
    'killfailed',
    'killed',
    'ignored',
  ] as const) {
    check(`every action on a host that is ${status}`, async (server) => {
      const kills = status === 'running' || status === 'timeout';
      // What has reported its end has nothing left to kill.
      const afterKill = status === 'timeout' ? 'killed' : kills ? 'killing' : status;
      for (const [action, answer, after] of [
        ['ignore', HINT, 'ignored'],
        ['redo', DONE, status === 'killing' ? 'killing' : 'running'],
        ['kill', kills ? DONE : CANNOT_KILL, afterKill],
        ['stop', INVALID, status],
        ['Redo', INVALID, status],
        ['start', INVALID, status],
        ['', INVALID, status],
        [undefined, INVALID, status],
      ] as const) {
        using task = await pausedTask(server);
        await WAYS[status](task);
        assert.equal(await task.status(), status);
        assert.deepEqual(await task.act(action), answer, action);
        assert.equal(await task.status(), after, action);
        assert.equal(await task.status('nowhere'), 'waiting');
        assert.equal((await server.call('GET', `/task/${task.id}/state`)).dat, 'pause');
      }
    });
  }

  check('every action on a task of which one host runs and one waits', async (server) => {
    for (const [action, answer, state, running, waiting] of [
      ['start', DONE, 'start', 'running', 'waiting'],
      ['pause', DONE, 'pause', 'running', 'waiting'],
      ['cancel', DONE, 'cancel', 'running', 'cancelled'],
      ['kill', DONE, 'kill', 'killing', 'cancelled'],
      ['stop', INVALID, 'start', 'running', 'waiting'],
      ['Kill', INVALID, 'start', 'running', 'waiting'],
      ['redo', INVALID, 'start', 'running', 'waiting'],
      [null, INVALID, 'start', 'running', 'waiting'],
    ] as const) {
      const host = `app-${++hostsUsed}`;
      using agent = await ScriptedAgent.connect(server.agentPort, agentSelf(host));
      const id = await server.createTask([host, 'nowhere'], { batch: 1 });
      await agent.next('assign');
      assert.deepEqual(await server.call('PUT', `/task/${id}/action`, { action }), answer, String(action));
      assert.equal((await server.call('GET', `/task/${id}/state`)).dat, state);
      const { dat } = await server.call('GET', `/task/${id}/result`);
      assert.deepEqual(dat, { [running]: [host], [waiting]: ['nowhere'] }, String(action));
    }
  });

  check('a finished task takes no action, whatever the body of a host action says', async (server) => {
    const id = await server.createTask(['app'], { action: 'pause' });
    assert.deepEqual(await server.call('PUT', `/task/${id}/action`, { action: 'kill' }), DONE);
    assert.deepEqual((await server.call('GET', `/task/${id}/result`)).dat, { cancelled: ['app'] });
    for (const action of ['start', 'pause', 'cancel', 'kill', 'stop', '']) {
      assert.deepEqual(await server.call('PUT', `/task/${id}/action`, { action }), FINISHED);
    }
    for (const body of [{ action: 'ignore' }, { action: 'redo' }, { action: 'kill' }, { action: 'stop' }, 7]) {
      assert.deepEqual(await server.call('PUT', `/task/${id}/host/app/action`, body), FINISHED);
      assert.deepEqual(await server.call('PUT', `/task/${id}/host/nobody/action`, body), FINISHED);
    }
    const { status, err } = await server.call('PUT', `/task/${id}/action`, 7);
    assert.deepEqual([status, String(err).slice(0, 17)], [400, 'json body invalid']);
  });

  check('bodies that are no action', async (server) => {
    const id = await server.createTask(['app'], { action: 'pause' });
    for (const path of [`/task/${id}/action`, `/task/${id}/host/app/action`]) {
      for (const body of ['text', 7, [], { action: 1 }, { action: {} }, undefined]) {
        const { status, err } = await server.call('PUT', path, body);
        assert.equal(status, 400);
        assert.match(String(err), /^json body invalid/);
      }
      for (const body of [{}, { action: null }, { other: 'kill' }, null]) {
        assert.deepEqual(await server.call('PUT', path, body), INVALID);
      }
    }
    for (const action of ['ignore', 'redo', 'kill']) {
      assert.deepEqual(await server.call('PUT', `/task/${id}/host/nobody/action`, { action }), NO_SUCH_HOST);
    }
    assert.deepEqual((await server.call('GET', `/task/${id}/result`)).dat, { waiting: ['app'] });
  });

  check('hosts and fields may be named in another letter case', async (server) => {
    const id = await server.createTask(['App-X', 'app-y'], { action: 'pause' });
    assert.deepEqual(await server.call('PUT', `/task/${id}/host/aPP-x/action`, { ACTION: 'ignore' }), HINT);
    assert.deepEqual((await server.call('GET', `/task/${id}/result`)).dat, { ignored: ['App-X'], waiting: ['app-y'] });
  });

  check('a task created with pause waits for its start, though all its hosts are ignored', async (server) => {
    const id = await server.createTask(['app', 'nowhere'], { action: 'pause' });
    const view = async () => (await server.call('GET', `/task/${id}`)).dat;
    for (const host of ['app', 'nowhere']) {
      assert.deepEqual(await server.call('PUT', `/task/${id}/host/${host}/action`, { action: 'ignore' }), HINT);
    }
    const hosts = [{ status: 'ignored' }, { status: 'ignored' }];
    assert.partialDeepStrictEqual(await view(), { action: 'pause', meta: { done: false }, hosts });
    assert.deepEqual(await server.call('PUT', `/task/${id}/action`, { action: 'start' }), DONE);
    assert.partialDeepStrictEqual(await view(), { action: '', meta: { done: true }, hosts });
    assert.deepEqual(await server.call('PUT', `/task/${id}/action`, { action: 'start' }), FINISHED);
  });

  check('too many failures pause a task; ignoring them and a start finish it', async (server) => {
    const host = `app-${++hostsUsed}`;
    using agent = await ScriptedAgent.connect(server.agentPort, agentSelf(host));
    const id = await server.createTask([host, 'nowhere'], { batch: 1 });
    const { clock } = await agent.next('assign');
    agent.result({ taskId: id, clock }, { status: 'failed', exitCode: 1 });
    await agent.next('result-ack');
    const state = async (): Promise<unknown> => (await server.call('GET', `/task/${id}/state`)).dat;
    assert.equal(await state(), 'pause');
    assert.deepEqual(await server.call('PUT', `/task/${id}/action`, { action: 'start' }), DONE);
    assert.equal(await state(), 'pause');
    const paused = { action: 'pause', cause: 'tolerance', failed: 1, tolerance: 0, pausedAfter: null };
    assert.deepEqual((await server.call('GET', `/action/${id}`)).dat, paused);
    assert.deepEqual(await server.call('PUT', `/task/${id}/host/${host}/action`, { action: 'ignore' }), HINT);
    await server.call('PUT', `/task/${id}/action`, { action: 'start' });
    assert.deepEqual((await server.call('GET', `/task/${id}/result`)).dat, { ignored: [host], running: ['nowhere'] });
    assert.deepEqual(await server.call('PUT', `/task/${id}/host/nowhere/action`, { action: 'ignore' }), DONE);
    assert.equal(await state(), 'done');
    const ended = { action: '', cause: null, failed: null, tolerance: 0, pausedAfter: null };
    assert.deepEqual((await server.call('GET', `/action/${id}`)).dat, ended);
    assert.equal((await server.call('GET', `/action/${id + 1_000_000}`)).status, 404);
  });
});
