import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { AssignFrame } from '../shared/protocol/agent-frames.js';
import { until } from '../shared/testing/until.js';
import { newCluster, ScriptedServer } from './link/testing/scripted-server.js';
import { readStat } from './runs/process-identity.js';
import { AgentProcess } from './testing/agent-process.js';

/** A server that leaves its agents alone for so long is given up. */
const SILENT_MS = 3_000;
const OPENING_MS = 10_000;
/** of timers and of a busy machine */
const SLACK_MS = 1_500;

function assignOf(script: string): AssignFrame {
  const run = { taskId: 7, clock: 1_000, timeoutMs: 60_000, startWithinMs: 60_000 };
  return { t: 'assign', ...run, account: userInfo().username, script, args: [], stdin: '' };
}

/** Appends to a file when it starts, and ends once the test says so. */
function gated(agent: AgentProcess) {
  const starts = join(agent.folder, 'starts');
  const gate = join(agent.folder, 'gate');
  return {
    assign: assignOf(`echo x >>${starts}; while [ ! -e ${gate} ]; do sleep 0.02; done; echo done`),
    open: () => writeFileSync(gate, ''),
    starts: () => readFileSync(starts, 'utf8'),
  };
}

/** Accepts connections, reads them, and never says a word; or says a word and then nothing. */
async function muteServer(greeting?: string): Promise<AsyncDisposable & { address: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.resume();
    if (greeting !== undefined) socket.write(greeting);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    address: `127.0.0.1:${address.port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('two servers assign the same run: it starts once, and the first one is told how it ended', async () => {
  const cluster = newCluster();
  await using one = await ScriptedServer.start({ cluster });
  await using two = await ScriptedServer.start({ cluster });
  await using agent = new AgentProcess([one.address, two.address]);
  await Promise.all([one, two].map((server) => until('the session is open', () => server.count('runs') > 0)));
  const { assign, open, starts } = gated(agent);
  one.send(assign);
  await one.first('started');
  two.send(assign);
  await two.first('started');
  two.send(assign);
  one.send(assign);
  open();
  const { status, stdout } = await one.first('result');
  assert.deepEqual([status, Buffer.from(stdout).toString()], ['success', 'done\n']);
  one.send({ t: 'result-ack', taskId: 7, clock: 1_000, outcome: 'stored' });
  await wait(200); // nothing tells that a second start, or a second result, will not come
  assert.equal(starts(), 'x\n');
  assert.deepEqual([one.count('result'), two.count('result')], [1, 0]);
});

test('the server that assigned a run is gone when it ends: another one of its cluster is told, and none of another', async () => {
  const cluster = newCluster();
  const assigner = await ScriptedServer.start({ cluster });
  await using stranger = await ScriptedServer.start({ cluster: newCluster() });
  await using other = await ScriptedServer.start({ cluster });
  await using agent = new AgentProcess([assigner.address, stranger.address, other.address]);
  for (const server of [assigner, stranger, other]) await server.first('runs');
  const { assign, open } = gated(agent);
  assigner.send(assign);
  await assigner.first('started');
  await assigner[Symbol.asyncDispose]();
  open();
  assert.equal((await other.first('result')).status, 'success');
  assert.equal(stranger.count('result'), 0);
});

test('a server that does not know a run is not asked again; another of its cluster is', async () => {
  const cluster = newCluster();
  await using one = await ScriptedServer.start({ cluster });
  await using two = await ScriptedServer.start({ cluster });
  await using _agent = new AgentProcess([one.address, two.address]);
  for (const server of [one, two]) await server.first('runs');
  one.send(assignOf('exit 3'));
  await one.first('result');
  one.send({ t: 'result-ack', taskId: 7, clock: 1_000, outcome: 'unknown' });
  const { exitCode } = await two.first('result');
  assert.equal(exitCode, 3);
  assert.equal(one.count('result'), 1);
});

test('two addresses that lead to one server process are one session; the other takes over when it ends', async () => {
  const cluster = newCluster();
  const instance = randomUUID();
  const front = await ScriptedServer.start({ cluster, instance });
  await using back = await ScriptedServer.start({ cluster, instance, challengeAfterMs: 200 });
  await using agent = new AgentProcess([front.address, back.address]);
  await front.first('runs');
  await until('the second one was asked who it is', () => back.challenged > 0);
  await until('two heartbeats have come', () => front.count('heartbeat') > 2);
  assert.deepEqual([front.welcomed, back.welcomed, back.challenged], [1, 0, 1]);
  assert.doesNotMatch(agent.log(), /cannot reach|refuses/);
  await front[Symbol.asyncDispose]();
  await back.first('runs');
});

test('servers that accept and say nothing are given up within the opening time, and leave nothing behind', async () => {
  await using works = await ScriptedServer.start({ cluster: newCluster() });
  await using silent = await muteServer();
  await using halfway = await muteServer('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n');
  await using agent = new AgentProcess([silent.address, halfway.address, works.address]);
  await works.first('runs');
  const dialled = [...silent.sockets, ...halfway.sockets];
  assert.equal(dialled.length, 2);
  works.send(assignOf('true'));
  assert.equal((await works.first('result')).status, 'success');
  await Promise.all(dialled.map((socket) => once(socket, 'close')));
  const beats = works.count('heartbeat');
  assert.ok(beats >= OPENING_MS / 1_000 - 2, `${beats} heartbeats elsewhere meanwhile`);
  assert.match(agent.log(), /did not finish the opening/);
});

test('a server that goes silent is given up in time, connects again, and the others notice nothing', async () => {
  const cluster = newCluster();
  await using silent = await ScriptedServer.start({ cluster });
  await using works = await ScriptedServer.start({ cluster });
  await using _agent = new AgentProcess([silent.address, works.address]);
  for (const server of [silent, works]) await until('it beats', () => server.count('heartbeat') > 1);
  silent.answers = false;
  const since = performance.now();
  await until('the session has ended', () => silent.sessions === 0);
  const tookMs = performance.now() - since;
  assert.ok(tookMs > SILENT_MS / 2, `${tookMs} ms`);
  silent.answers = true;
  await until('a second session', () => silent.welcomed === 2);
  assert.equal(works.welcomed, 1);
});

test('an agent that was stopped for a while does not take its servers for dead', async () => {
  await using server = await ScriptedServer.start({ cluster: newCluster() });
  await using agent = new AgentProcess([server.address]);
  await until('it beats', () => server.count('heartbeat') > 1);
  process.kill(agent.pid, 'SIGSTOP');
  await until('it has stopped', () => readStat(agent.pid)?.state === 'T');
  await wait(SILENT_MS + SLACK_MS);
  const before = server.count('heartbeat');
  process.kill(agent.pid, 'SIGCONT');
  await until('it beats again', () => server.count('heartbeat') > before + 3);
  assert.equal(server.welcomed, 1);
});

test('of more than three addresses the fastest three are held; when one is lost, the next fastest takes its place', async (t) => {
  const cluster = newCluster();
  // Far enough apart for a machine that is busy with other tests.
  const delays = [1_000, 0, 1_500, 0, 0];
  const servers = await Promise.all(delays.map((ms) => ScriptedServer.start({ cluster, challengeAfterMs: ms })));
  t.after(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));
  await using _agent = new AgentProcess(servers.map(({ address }) => address));
  const [slow, fast, slowest, second, third] = servers;
  assert.ok(slow && fast && slowest && second && third);
  for (const server of [fast, second, third]) await server.first('runs');
  await until('it has settled', () => fast.count('heartbeat') > 2);
  assert.deepEqual(
    servers.map(({ sessions }) => sessions),
    [0, 1, 0, 1, 1],
  );
  await second[Symbol.asyncDispose]();
  await until('the fourth fastest has a session', () => slow.sessions === 1);
  assert.deepEqual([fast.welcomed, third.welcomed, slowest.sessions], [1, 1, 0]);
});
