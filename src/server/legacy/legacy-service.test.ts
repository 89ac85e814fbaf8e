import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ScriptedViewer } from '../testing/scripted-viewer.js';
import { TestServer } from '../testing/test-server.js';
import { AgentDisk } from './testing/agent-memory.js';
import { FaithfulAgent } from './testing/faithful-agent.js';
import { until } from '../../shared/testing/until.js';
import { act, hostView, running, statusOf, textOf } from './testing/legacy-server.js';
import { encodeCall } from './testing/old-msgpack.js';
import { RpcClient } from './testing/rpc-client.js';

test('what a running script prints is shown by the API as it comes', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  agent.print(id, 'one\n');
  await agent.beat();
  assert.equal(await textOf(server, id, 'a'), 'one\n');
  agent.print(id, 'two\n');
  await agent.beat();
  assert.equal(await textOf(server, id, 'a'), 'one\ntwo\n');
});

test('what a running script prints costs the database nothing, however often it is told', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  await agent.beat();
  using database = new WatchedDatabase(join(server.folder, 'ibex.db'));
  let writes = 0;
  for (let beat = 0; beat < 15; beat++) {
    agent.print(id, `line ${beat}\n`);
    await agent.beat();
    if (database.changed()) writes++;
  }
  assert.match(String(await textOf(server, id, 'a')), /line 14/);
  // That the agent was seen is written once in some seconds.
  assert.ok(writes <= 1, `${writes} writes`);
});

test('ibex tail shows what a running script prints, and at its end the rest', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await running(agent, id);
  using viewer = await ScriptedViewer.tail(server.httpPort, id);
  await viewer.next('status');
  agent.print(id, 'one\n');
  await agent.beat();
  const first = await viewer.next('output');
  assert.deepEqual([first.offset, Buffer.from(first.data).toString()], [0, 'one\n']);
  agent.print(id, 'two\n');
  agent.end(id, 'success');
  await agent.beat();
  const second = await viewer.next('output');
  assert.deepEqual([second.offset, Buffer.from(second.data).toString()], [4, 'two\n']);
  assert.deepEqual(await viewer.next('end'), { t: 'end', ok: true });
});

test('a script is given on a fresh connection too, and counts for the agent that names itself there', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort);
  await agent.beat();
  const id = await server.createTask(['a']);
  agent.breakAtScript = 'before';
  await agent.beat();
  await agent.beatUntil('a start', () => agent.runs(id));
  await running(agent, id);
  await server.call('PUT', `/task/${id}/action`, { action: 'kill' });
  await agent.beatUntil('the end', async () => (await statusOf(server, id, 'a')) === 'killed', 5);
  assert.equal(agent.starts.length, 1);
});

/** Runs a script that takes two beats, by which the server can tell what kind of agent it is. */
async function knownKind(server: TestServer, agent: FaithfulAgent): Promise<void> {
  const id = await server.createTask([agent.host]);
  await running(agent, id);
  agent.end(id);
  await agent.beat();
}

for (const kind of ['categraf', 'agentd'] as const) {
  test(`${kind}: a script whose answer was lost is given again, or its run ends; no kill ever meets it`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    await knownKind(server, agent);
    const id = await server.createTask(['a']);
    agent.breakAtScript = 'after';
    await agent.beat();
    await agent.beat();
    await server.call('PUT', `/task/${id}/action`, { action: 'kill' });
    await agent.beatUntil('the end', async () => (await statusOf(server, id, 'a')) !== 'killing', 40);
    assert.equal(await statusOf(server, id, 'a'), 'killed');
    assert.equal(agent.starts.length, 1);
  });

  test(`${kind}: a server that dies between a list and the script does not make the next one kill a shell`, async () => {
    await using server = await TestServer.start();
    using agent = new FaithfulAgent('a', server.agentPort, kind);
    await agent.beat();
    const ids = [await server.createTask(['a']), await server.createTask(['a'])] as const;
    // Both are listed; the first question for a script meets no server any more, the second one a new server.
    await agent.beat(undefined, async () => {
      await server.restart();
      agent.moveTo(server.agentPort);
    });
    await agent.beat();
    await agent.beat();
    for (const id of ids) await act(server, id, 'a', 'kill');
    for (const id of ids) {
      await agent.beatUntil('the end', async () => /^kill(ed|failed)$/.test(await statusOf(server, id, 'a')), 40);
    }
    const fresh = await server.createTask(['a']);
    await agent.beatUntil('a start', () => agent.runs(fresh));
  });
}

test('a machine that was renamed is served under its new name', async () => {
  await using server = await TestServer.start();
  using client = await RpcClient.open(server.agentPort);
  await client.call('Server.Report', { Ident: 'old', ReportTasks: [] });
  await assert.rejects(client.call('Server.Report', { Ident: 'new', ReportTasks: [] }), /closed/);
  using again = await RpcClient.open(server.agentPort);
  await again.call('Server.Report', { Ident: 'new', ReportTasks: [] });
  assert.match(await hostView(server), /"host":"new","connected":true/);
});

test('a result that an agentd has after a restart of the server is not taken for that of an older script', async () => {
  await using server = await TestServer.start();
  using agent = new FaithfulAgent('a', server.agentPort, 'agentd');
  const id = await server.createTask(['a']);
  await running(agent, id);
  await server.restart();
  agent.moveTo(server.agentPort);
  await agent.beat();
  await agent.beat();
  agent.end(id);
  await agent.beat();
  assert.equal(await statusOf(server, id, 'a'), 'success');
  assert.equal(await textOf(server, id, 'a', 'stderr'), '');
});

test('an agent that has a script under the id of a new task already is found out', async () => {
  await using server = await TestServer.start();
  const disk = new AgentDisk();
  disk.scripts.set(1, { script: 'rm -r /old', args: '', account: 'root', stdin: '' });
  using agent = new FaithfulAgent('a', server.agentPort, 'categraf', disk);
  // Of a task that may be older than the server, by its second, nothing is concluded.
  const startedMs = Date.now();
  while (Math.floor(Date.now() / 1_000) === Math.floor(startedMs / 1_000)) await delay(20);
  const id = await server.createTask(['a']);
  assert.equal(id, 1);
  await running(agent, id);
  agent.end(id);
  await agent.beat();
  assert.match(JSON.stringify(server.log.lines), /ran an older script of this id/);
  assert.match(String(await textOf(server, id, 'a', 'stderr')), /ibex: the agent had a script under the id/);
});

test('nobody gets the script of a task that is not for it', async () => {
  await using server = await TestServer.start();
  const id = await server.createTask(['a'], { script: 'secret' });
  using stranger = await RpcClient.open(server.agentPort);
  for (const asked of [id, id + 1, -1]) {
    assert.doesNotMatch(JSON.stringify(await stranger.call('Server.GetTaskMeta', asked)), /secret/);
  }
  await stranger.call('Server.Report', { Ident: 'b', ReportTasks: [] });
  assert.doesNotMatch(JSON.stringify(await stranger.call('Server.GetTaskMeta', id)), /secret/);
});

test('an agent without an interval is slowed down, and the others are not', async () => {
  await using server = await TestServer.start();
  using hasty = await RpcClient.open(server.agentPort);
  using agent = new FaithfulAgent('a', server.agentPort);
  const began = performance.now();
  let reports = 0;
  while (performance.now() - began < 1_000) {
    await hasty.call('Server.Report', { Ident: 'hasty', ReportTasks: [] });
    reports++;
  }
  assert.ok(reports <= 20, `${reports} reports in a second`);
  await agent.beat();
  assert.equal(agent.message, '');
});

test('calls of a connection that is gone are not worked on: its agent is served on a new one, and gone when that is', async () => {
  await using server = await TestServer.start();
  const hasty = connect({ port: server.agentPort, host: '127.0.0.1' });
  const report = { Ident: 'a', ReportTasks: [] };
  // Far more than are answered at once, so that some wait for their turn when the connection ends.
  hasty.write(Buffer.concat(Array.from({ length: 40 }, (_, seq) => encodeCall(seq, 'Server.Report', report))));
  await once(hasty, 'data');
  const closed = once(hasty, 'close');
  hasty.destroy();
  await closed;
  await until('its end', async () => /"connected":false/.test(await hostView(server)));
  // No event tells that a call was not worked on; in this time two would have been.
  await delay(250);
  assert.match(await hostView(server), /"connected":false/);
  using again = new FaithfulAgent('a', server.agentPort);
  await again.beat();
  assert.equal(again.message, '');
});

/** Sees whether anybody else has written to a database. */
class WatchedDatabase implements Disposable {
  readonly #database: Database;
  #version = '';

  constructor(file: string) {
    this.#database = new Database(file);
    this.changed();
  }

  changed(): boolean {
    const before = this.#version;
    this.#version = JSON.stringify(this.#database.prepare('pragma data_version').all([]));
    return this.#version !== before;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
