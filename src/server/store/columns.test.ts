import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunDetail, TaskMeta } from '../core/records.js';
import { OWN_TABLES, type OwnTable, type RowOf } from './schema/columns.js';
import {
  hostTable,
  ORIGINAL_COLUMNS,
  type TaskActionTable,
  type TaskHostDoingTable,
  type TaskMetaRow,
  type TaskSchedulerTable,
} from './schema/tables.js';
import { DuplicateTaskError, type AgentRecord } from './store.js';
import { detailOf, metaOf } from './testing/sample-task.js';
import { StoreFixture } from './testing/store-fixture.js';
import { testDatabases } from './testing/test-databases.js';

type Row = Readonly<Record<string, unknown>>;

const HOST = 'web-01';
const KEY = { key: 'a'.repeat(64), ttlMs: 60_000, bodyDigest: 'b'.repeat(64) };
const INSTANCE = 'c0ffee00-0000-4000-8000-000000000001';

const AGENT: AgentRecord = {
  host: HOST,
  key: 'k',
  storeId: 's',
  bootId: 'b',
  version: '1.0',
  kind: 'ibex',
  firstSeenMs: 100,
  lastSeenMs: 200,
};
const SERVER = { instance: INSTANCE, name: '10.0.0.1:20090', version: '1.1' };
const SESSION = { host: HOST, address: '10.0.0.2:5', sinceMs: 300 };

/** Nothing of it is as in detailOf, besides what tells which run it is. */
function otherDetailOf(taskId: number, clock: number): RunDetail {
  return {
    ...detailOf(taskId, HOST, clock),
    exitCode: 4,
    signal: 15,
    reason: 'lost',
    startedMs: 1_001,
    endedMs: 2_001,
    stdoutBytes: 70_001,
    stderrBytes: 2,
    stdoutTruncated: false,
    stderrTruncated: false,
    late: false,
  };
}

type OwnSamples = { readonly [T in OwnTable]: RowOf<(typeof OWN_TABLES)[T]['columns']> };
interface Samples extends OwnSamples {
  readonly task_meta: TaskMetaRow;
  readonly task_action: TaskActionTable;
  readonly task_scheduler: TaskSchedulerTable;
  readonly task_host_doing: TaskHostDoingTable;
}

/** A new task and its run on HOST as rows; `stored` tells the values that the database itself chooses. */
function samplesOf(meta: TaskMeta, stored: (table: string, column: string) => unknown): Samples {
  const { terminal, ...columns } = meta;
  const { id } = meta;
  const chosen = (table: OwnTable, column: string): number => {
    const value = stored(table, column);
    assert.ok(typeof value === 'number', `${table}.${column} is ${typeof value}`);
    return value;
  };
  return {
    task_meta: { ...columns, created: String(stored('task_meta', 'created')) },
    task_action: { id, action: 'start', clock: Math.floor(meta.created.getTime() / 1_000) },
    task_scheduler: { id, scheduler: '127.0.0.1:20090' },
    task_host_doing: { id, host: HOST, clock: 5, action: 'start' },
    ibex_run: {
      task_id: id,
      host: HOST,
      clock: 5,
      exit_code: 3,
      signal: 9,
      reason: 'policy',
      started_ms: 1_000,
      ended_ms: 2_000,
      stdout_bytes: 70_000,
      stderr_bytes: 1,
      stdout_truncated: 1,
      stderr_truncated: 1,
      late: 1,
    },
    ibex_task: { id, terminal: Number(terminal) },
    ibex_agent: {
      host: HOST,
      public_key: 'k',
      store_id: 's',
      boot_id: 'b',
      version: '1.0',
      kind: 'ibex',
      first_seen_ms: 100,
      last_seen_ms: 200,
    },
    ibex_server: {
      instance: INSTANCE,
      name: '10.0.0.1:20090',
      version: '1.1',
      seen_ms: chosen('ibex_server', 'seen_ms'),
    },
    ibex_session: { instance: INSTANCE, host: HOST, address: '10.0.0.2:5', since_ms: 300 },
    ibex_idempotency: {
      request_key: KEY.key,
      task_id: id,
      expires_ms: chosen('ibex_idempotency', 'expires_ms'),
      body_digest: KEY.bodyDigest,
    },
    ibex_cluster: {
      id: String(stored('ibex_cluster', 'id')),
      server_key: String(stored('ibex_cluster', 'server_key')),
      last_task_id: chosen('ibex_cluster', 'last_task_id'),
    },
  };
}

for (const database of testDatabases) {
  describe(`every column on ${database.name}`, { skip: database.skip }, () => {
    it('is written, and by its own value', async () => {
      await using f = await StoreFixture.open(database.place());
      const { store, place } = f;
      const id = await f.create({ [HOST]: 5 }, {}, [KEY]);
      const detail = detailOf(id, HOST, 5);
      await store.commit([
        { kind: 'late-output', taskId: id, host: HOST, output: { stdout: 'o', stderr: 'e' }, detail },
      ]);
      await store.saveAgent(AGENT);
      await store.markServer(SERVER);
      await store.saveSessions(INSTANCE, [SESSION]);

      const tables = [...Object.keys(ORIGINAL_COLUMNS), ...Object.keys(OWN_TABLES)];
      const rows = new Map<string, Row>();
      for (const table of tables) {
        const [row, ...more] = await place.run(`select * from ${table}`);
        assert.ok(row && more.length === 0, `one row in ${table}`);
        rows.set(table, row);
      }
      const samples = samplesOf(metaOf(id), (table, column) => rows.get(table)?.[column]);
      for (const [table, sample] of Object.entries<object>({ ...samples })) {
        for (const [column, value] of Object.entries(sample)) {
          assert.deepEqual(String(rows.get(table)?.[column]), String(value), `${table}.${column}`);
          assert.ok(!['', '0', 'null', 'undefined'].includes(String(value)), `${table}.${column} has a default value`);
        }
      }
      const [hostRow] = await place.run(`select * from ${hostTable(id)}`);
      assert.partialDeepStrictEqual(hostRow, { id, host: HOST, status: 'running', stdout: 'o', stderr: 'e' });
    });

    it('is added where the tables were made before it was there', async () => {
      await using f = await StoreFixture.open(database.place());
      await f.store[Symbol.asyncDispose]();
      await f.place.run('alter table ibex_run drop column late', 'alter table ibex_run drop column reason');
      await f.reopen();
      const id = await f.create({ [HOST]: 5 });
      const detail = detailOf(id, HOST, 5);
      await f.store.commit([{ kind: 'late-output', taskId: id, host: HOST, output: undefined, detail }]);
      assert.deepEqual(await f.store.runDetails(id), [detail]);
    });

    it('is read, and replaced by what comes later', async () => {
      await using f = await StoreFixture.open(database.place());
      const { store } = f;
      const id = await f.create({ [HOST]: 5 }, {}, [KEY]);
      assert.deepEqual(await store.meta(id), metaOf(id));
      const [sample, other] = [detailOf(id, HOST, 5), otherDetailOf(id, 5)];
      for (const detail of [sample, other, sample]) {
        await store.commit([{ kind: 'late-output', taskId: id, host: HOST, output: undefined, detail }]);
        assert.deepEqual(await store.runDetails(id), [detail]);
      }
      for (const [field, value] of Object.entries(other)) {
        if (!['taskId', 'host', 'clock'].includes(field))
          assert.ok(!Object.entries(sample).some(([name, is]) => name === field && is === value), field);
      }

      await store.saveAgent(AGENT);
      assert.deepEqual(await store.agents(), [AGENT]);
      const changed = { storeId: 's2', bootId: 'b2', version: '2.0', kind: 'categraf', lastSeenMs: 201 };
      await store.saveAgent({ ...AGENT, ...changed, key: 'k2', firstSeenMs: 101 });
      assert.deepEqual(await store.agent(HOST), { ...AGENT, ...changed });

      for (const session of [SESSION, { ...SESSION, address: '10.0.0.3:6', sinceMs: 301 }]) {
        await store.saveSessions(INSTANCE, [session]);
        assert.deepEqual(await store.sessions([INSTANCE]), [{ instance: INSTANCE, ...session }]);
      }
      for (const server of [SERVER, { ...SERVER, name: '10.0.0.9:20090', version: '1.2' }]) {
        await store.markServer(server);
        const marks = await store.serverMarks();
        assert.deepEqual(
          marks.map(({ instance, name, version }) => ({ instance, name, version })),
          [server],
        );
        assert.ok(marks.every(({ seenMsAgo }) => seenMsAgo < 60_000));
      }

      const { tasks, activeRuns } = await store.snapshot();
      const actionClock = Math.floor(metaOf(id).created.getTime() / 1_000);
      assert.deepEqual(tasks, [{ taskId: id, action: 'start', actionClock, scheduler: '127.0.0.1:20090' }]);
      assert.deepEqual(activeRuns, [{ taskId: id, host: HOST, clock: 5, action: 'start' }]);
      await assert.rejects(
        f.create({ [HOST]: 5 }, {}, [KEY]),
        (error) => error instanceof DuplicateTaskError && error.taskId === id && error.bodyDigest === KEY.bodyDigest,
      );
    });
  });
}
