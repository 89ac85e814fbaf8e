import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { plainTask } from '../core/testing/plain-task.js';
import type { OpenRun, PulledWork } from '../tasks/agent-gateway.js';
import { KeptLog } from '../testing/test-server.js';
import { ByteBudget } from './byte-budget.js';
import { LegacyConnection } from './legacy-connection.js';
import { LegacyHost } from './legacy-host.js';
import { RpcClient } from './testing/rpc-client.js';

/** An agent leaves after five seconds. */
const AGENT_WAITS_MS = 5_000;
/** Of a database that has become slow; two such waits in one answer would be too many. */
const STORED_AFTER_MS = 2_500;

const started = Date.now();
const REDO: OpenRun = {
  taskId: 2,
  clock: Math.floor(started / 1_000),
  status: 'running',
  // Before this server: the agent may have its script already, and would start it as soon as it is listed.
  meta: plainTask({ id: 2, created: new Date(started - 1_000) }),
  timeoutMs: 30_000,
  startUntilMs: started + 30_000,
  assignedAtMs: started,
  dispatched: false,
  startedAtMs: null,
  startedMs: null,
};

/** Stores results slowly, and nothing else at all. */
const slowWork: PulledWork = {
  openRuns: () => [REDO],
  runDispatched: () => new Promise(() => undefined),
  runLost: () => new Promise(() => undefined),
  runEnded: () => delay(STORED_AFTER_MS, 'stored'),
  settledRun: () => new Promise(() => undefined),
  taskExists: () => new Promise(() => undefined),
};

test('an answer comes before its agent leaves, whatever hangs in the database', { concurrency: true }, async (t) => {
  const log = new KeptLog();
  const parts = {
    work: slowWork,
    log,
    nowMs: () => Date.now(),
    liveBudget: new ByteBudget(1_000),
    serverStartMs: started,
  };
  let connections = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const host = new LegacyHost('a', 'categraf', parts);
    const handler = {
      report: async (peer: LegacyConnection, report: Parameters<LegacyHost['beat']>[1]) => {
        host.attach(peer);
        return await host.beat(peer, report);
      },
      meta: (peer: LegacyConnection, taskId: number) => host.meta(peer, taskId),
      closed: () => undefined,
    };
    assert.ok(
      new LegacyConnection(socket, { id: ++connections, handler, budget: new ByteBudget(1_000_000), log }).open,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const asked = async (method: string, param: Parameters<RpcClient['call']>[1]): Promise<unknown> => {
    using client = await RpcClient.open(address.port);
    return await Promise.race([client.call(method, param), delay(AGENT_WAITS_MS, 'the agent has left')]);
  };
  const result = { Id: 1, Clock: 1, Status: 'success', Stdout: '', Stderr: '' };
  const cases = {
    'a result that is stored slowly, and a redo that is to be noted': async () => {
      const answer = await asked('Server.Report', { Ident: 'a', ReportTasks: [result] });
      // What could not be noted is not listed.
      assert.deepEqual(answer, { Message: '', AssignTasks: [] });
    },
    'a script that is to be noted': async () => {
      assert.match(JSON.stringify(await asked('Server.GetTaskMeta', 2)), /can't be looked up now/);
    },
    'a task that nobody knows of': async () => {
      assert.match(JSON.stringify(await asked('Server.GetTaskMeta', 3)), /can't be looked up now/);
    },
  };
  await Promise.all(Object.entries(cases).map(([what, work]) => t.test(what, work)));
  server.close();
});
