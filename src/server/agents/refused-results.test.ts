import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import type { RunId } from '../../shared/run-key.js';
import { until } from '../../shared/testing/until.js';
import { FaithfulAgent } from '../legacy/testing/faithful-agent.js';
import { MysqlPlace } from '../store/testing/mysql-place.js';
import { mysqlServer, testMysql } from '../store/testing/test-databases.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { onMysql, TestServer } from '../testing/test-server.js';

/** A way in which a database refuses an output that says REFUSE: statements on a table of hosts. */
interface Refusal {
  readonly why: string;
  readonly statements: (table: string) => readonly string[];
}

interface RefusingDatabase {
  readonly name: string;
  readonly skip: string | false;
  readonly refusals: readonly Refusal[];
  /** refuses every change of a host's row */
  readonly everything: Refusal;
  start(): Promise<RefusingServer>;
}

interface RefusingServer extends AsyncDisposable {
  readonly server: TestServer;
  run(statements: readonly string[]): Promise<void>;
}

const SIGNAL = "signal sqlstate '45000' set message_text = 'no'";

const MYSQL: RefusingDatabase = {
  name: 'MySQL',
  skip: 'missing' in testMysql && testMysql.missing,
  refusals: [
    { why: 'a trigger', statements: (table) => [beforeUpdate(table, `if ${refused('new')} then ${SIGNAL}; end if`)] },
    {
      why: 'a trigger that makes it null where none may be',
      statements: (table) => [
        `alter table ${table} modify status varchar(32) not null`,
        beforeUpdate(table, `if ${refused('new')} then set new.status = null; end if`),
      ],
    },
    { why: 'a constraint', statements: (table) => [`alter table ${table} add constraint no check (not ${refused()})`] },
    { why: 'a column that is too small', statements: (table) => [`alter table ${table} modify stdout varchar(20)`] },
    {
      why: 'a character set',
      statements: (table) => [`alter table ${table} modify stdout text character set latin1`],
    },
  ],
  everything: { why: 'a trigger', statements: (table) => [beforeUpdate(table, SIGNAL)] },
  start: async () => {
    // Of its own: what is done to its tables must not come to another test. It is dropped with all databases of this run.
    const place = MysqlPlace.take(mysqlServer(), []);
    const server = await TestServer.start(onMysql(place));
    return {
      server,
      run: async (statements) => void (await place.run(...statements)),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

const SQLITE: RefusingDatabase = {
  name: 'SQLite',
  skip: false,
  refusals: ['abort', 'fail'].map((how) => ({
    why: `a trigger that raises ${how}`,
    statements: (table) => [sqliteTrigger(table, `raise(${how}, 'no') where ${refused('new')}`)],
  })),
  everything: { why: 'a trigger', statements: (table) => [sqliteTrigger(table, "raise(abort, 'no')")] },
  start: async () => {
    const server = await TestServer.start();
    return {
      server,
      run: async (statements) => {
        const database = new Database(join(server.folder, 'ibex.db'));
        for (const text of statements) database.prepare(text).run([]);
        database.close();
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

function refused(row?: string): string {
  return `coalesce(${row === undefined ? '' : `${row}.`}stdout, '') like '%REFUSE%'`;
}

function beforeUpdate(table: string, statement: string): string {
  return `create trigger no_${table} before update on ${table} for each row begin ${statement}; end`;
}

function sqliteTrigger(table: string, select: string): string {
  return `create trigger no_${table} before update on ${table} begin select ${select}; end`;
}

/** Too long for 20 characters, and not in latin1. */
const REFUSED_OUTPUT = 'REFUSE this output 🙂 of a script\n';

for (const database of [SQLITE, MYSQL]) {
  describe(`results that ${database.name} refuses`, { skip: database.skip }, () => {
    test('are stored without their output, with their status and the reason, and hold nothing back', async () => {
      await using refusing = await database.start();
      const { server } = refusing;
      using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('a'));
      const refusedRuns: { readonly why: string; readonly run: RunId }[] = [];
      for (const { why, statements } of database.refusals) {
        const run = await start(server, agent);
        await refusing.run(statements(tableOf(run)));
        refusedRuns.push({ why, run });
      }
      const good = [await start(server, agent), await start(server, agent)];
      for (const { run } of refusedRuns) agent.result(run, { stdout: Buffer.from(REFUSED_OUTPUT), exitCode: 3 });
      for (const run of good) agent.result(run, { stdout: Buffer.from('good') });
      for (const { why, run } of refusedRuns) {
        await acknowledged(agent, run, 'stored');
        const output = await outputOf(server, run);
        assert.deepEqual([output.status, output.stdout], ['success', ''], why);
        assert.match(output.stderr, /^ibex: the output of this run is not stored: /, why);
      }
      for (const run of good) {
        await acknowledged(agent, run, 'stored');
        assert.equal((await outputOf(server, run)).stdout, 'good');
      }
    });

    test('keep no place among those under way, where even the status is refused', async () => {
      await using refusing = await database.start();
      const { server } = refusing;
      using agent = await ScriptedAgent.connect(server.agentPort, agentSelf('a'));
      const good = await start(server, agent);
      const refusedRuns: RunId[] = [];
      while (refusedRuns.length < 40) {
        const run = await start(server, agent);
        if (tableOf(run) !== tableOf(good)) refusedRuns.push(run);
      }
      await refusing.run(refusedRuns.flatMap((run) => database.everything.statements(tableOf(run))));
      for (const run of refusedRuns.slice(0, 32)) agent.result(run);
      for (const run of refusedRuns.slice(0, 32)) await acknowledged(agent, run, 'unknown');
      for (const run of refusedRuns.slice(32)) agent.result(run);
      agent.result(good, { stdout: Buffer.from('good') });
      await acknowledged(agent, good, 'stored');
      assert.equal((await outputOf(server, good)).stdout, 'good');
      for (const run of refusedRuns.slice(32)) await acknowledged(agent, run, 'unknown');
      assert.equal(server.log.lines.filter(({ message }) => /failure|agent gone/.test(message)).length, 0);
    });

    test('hold back no other host of their task', async () => {
      await using refusing = await database.start();
      const { server } = refusing;
      const hosts = Array.from({ length: 20 }, (_, i) => `h${i}`);
      const agents = await Promise.all(hosts.map((host) => ScriptedAgent.connect(server.agentPort, agentSelf(host))));
      await server.createTask(hosts, { timeout: 600 });
      const assigns = await Promise.all(agents.map((agent) => agent.next('assign')));
      const [refusal] = database.refusals;
      const [first] = assigns;
      assert.ok(refusal && first);
      await refusing.run(refusal.statements(tableOf(first)));
      for (const [i, agent] of agents.entries()) {
        const { taskId, clock } = assigns[i] ?? first;
        agent.result({ taskId, clock }, { stdout: Buffer.from(i % 7 === 0 ? REFUSED_OUTPUT : 'good') });
      }
      for (const [i, agent] of agents.entries()) {
        await acknowledged(agent, assigns[i] ?? first, 'stored');
        const { stdout, status } = await outputOf(server, first, hosts[i]);
        assert.deepEqual([status, stdout], ['success', i % 7 === 0 ? '' : 'good']);
        agent[Symbol.dispose]();
      }
    });

    test('of a legacy agent keep it from no other work', async () => {
      await using refusing = await database.start();
      const { server } = refusing;
      using agent = new FaithfulAgent('a', server.agentPort);
      const [stuck, refusedId] = [await server.createTask(['a']), await server.createTask(['a'])];
      await agent.beatUntil('two starts', () => agent.runs(stuck) && agent.runs(refusedId));
      const [refusal] = database.refusals;
      await refusing.run(database.everything.statements(`task_host_${stuck % 100}`));
      await refusing.run(refusal?.statements(`task_host_${refusedId % 100}`) ?? []);
      agent.end(stuck);
      agent.end(refusedId, 'failed', REFUSED_OUTPUT);
      await agent.beat();
      assert.equal(agent.message, '');
      const { status, stdout, stderr } = await outputOf(server, { taskId: refusedId });
      assert.deepEqual([status, stdout], ['failed', '']);
      assert.match(stderr, /^ibex: the output of this run is not stored: /);
      const later = await server.createTask(['a']);
      await agent.beatUntil('a later start', () => agent.runs(later));
      agent.end(later, 'success', 'good');
      await agent.beat();
      assert.equal((await outputOf(server, { taskId: later })).stdout, 'good');
      agent.restart();
      await agent.beat();
      await agent.beat();
      assert.ok(
        agent.assigned.some(({ Id }) => Id === stuck),
        'it is listed until it is stored',
      );
      assert.equal(agent.starts.length, 3, 'and never started again');
    });
  });
}

/** A task for host a that its agent has been sent. */
async function start(server: TestServer, agent: ScriptedAgent): Promise<RunId> {
  await server.createTask(['a'], { timeout: 600 });
  const { taskId, clock } = await agent.next('assign');
  return { taskId, clock };
}

function tableOf({ taskId }: RunId): string {
  return `task_host_${taskId % 100}`;
}

async function acknowledged(agent: ScriptedAgent, { taskId }: RunId, outcome: string): Promise<void> {
  const ack = await agent.nextAck(taskId);
  assert.equal(ack.outcome, outcome);
}

async function outputOf(
  server: TestServer,
  { taskId }: Pick<RunId, 'taskId'>,
  host = 'a',
): Promise<{ readonly status: string; readonly stdout: string; readonly stderr: string }> {
  let output: unknown;
  await until('the end', async () => {
    ({ dat: output } = await server.call('GET', `/task/${taskId}/host/${host}/output`));
    return typeof output === 'object' && output !== null && 'status' in output && output.status !== 'running';
  });
  return output as { readonly status: string; readonly stdout: string; readonly stderr: string };
}
