import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testMysql } from '../store/testing/test-databases.js';
import { newTask, result } from '../tasks/testing/fixture.js';
import { TwoServers, type TestServer } from './testing/two-servers.js';
import { until } from '../../shared/testing/until.js';

const skip = 'missing' in testMysql && testMysql.missing;
const TASK = 8_001;

/** What a Go ibex, or a Nightingale that holds one, writes when it has started a task on host a. */
async function writeTask(servers: TwoServers, clock: number): Promise<void> {
  await servers.place.run(
    `insert into task_meta (id, title, account, batch, tolerance, timeout, pause, script, args, stdin, creator)
     values (${TASK}, 'foreign FH: a', 'root', 1, 0, 60, '', 'echo hi', '', '', 'go')`,
    `insert into task_host_1 (id, host, status) values (${TASK}, 'a', 'waiting'), (${TASK}, 'b', 'waiting')`,
    `insert into task_action (id, action, clock) values (${TASK}, 'start', ${clock})`,
    `insert into task_scheduler (id, scheduler) values (${TASK}, 'go:20090')`,
    `insert into task_scheduler_health (scheduler, clock) values ('go:20090', unix_timestamp() + 60)`,
    `update task_host_1 set status = 'running' where id = ${TASK} and host = 'a'`,
    `insert into task_host_doing (id, host, clock, action) values (${TASK}, 'a', ${clock}, 'start')`,
  );
}

function assigned(server: TestServer, host: string): Promise<number> {
  return until(`${host} is assigned`, () =>
    server.gateway.assigns.some(({ hosts }) => hosts.includes(host)) ? server.gateway.clockOf(host) : undefined,
  );
}

async function rows(
  servers: TwoServers,
): Promise<{ readonly hosts: unknown; readonly doing: number; readonly open: number }> {
  const hosts = await servers.place.run(`select host, status, stdout from task_host_1 where id = ${TASK} order by ii`);
  const doing = await servers.place.run(`select id from task_host_doing where id = ${TASK}`);
  const open = await servers.place.run(`select id from task_action where id = ${TASK}`);
  return { hosts: hosts.map((row) => ({ ...row })), doing: doing.length, open: open.length };
}

describe('a task that someone else schedules', { skip }, () => {
  it('reaches the agent that is connected here; its result is stored, and the rest is left alone', async () => {
    await using servers = await TwoServers.open();
    const { one } = servers;
    one.gateway.online.add('a').add('b');
    const clock = Math.floor(Date.now() / 1_000);
    await writeTask(servers, clock);
    assert.equal(await assigned(one, 'a'), clock);
    const [assign] = one.gateway.assigns;
    assert.equal(assign?.frame.script, 'echo hi');
    assert.equal(await one.service.runEnded('a', result(TASK, clock)), 'stored');
    assert.deepEqual(await rows(servers), {
      hosts: [
        { host: 'a', status: 'success', stdout: 'hi\n' },
        { host: 'b', status: 'waiting', stdout: null },
      ],
      doing: 0,
      open: 1,
    });
    assert.equal(await one.service.runEnded('a', result(TASK, clock)), 'stored');
  });

  it('is killed for the one who has written so, under the clock that the kill has', async () => {
    await using servers = await TwoServers.open();
    const { one } = servers;
    one.gateway.online.add('a');
    const clock = Math.floor(Date.now() / 1_000);
    await writeTask(servers, clock);
    await assigned(one, 'a');
    await servers.place.run(
      `update task_host_1 set status = 'killing' where id = ${TASK} and host = 'a'`,
      `update task_host_doing set action = 'kill', clock = ${clock + 7} where id = ${TASK}`,
    );
    const kill = await until('the kill is passed on', () => one.gateway.kills[0]);
    assert.deepEqual(kill, { host: 'a', run: { taskId: TASK, clock } });
    const killed = { status: 'killed', exitCode: 143, signal: 15 } as const;
    assert.equal(await one.service.runEnded('a', result(TASK, clock, killed)), 'stored');
    const { hosts, doing } = await rows(servers);
    assert.deepEqual(
      [hosts, doing],
      [
        [
          { host: 'a', status: 'killed', stdout: 'hi\n' },
          { host: 'b', status: 'waiting', stdout: null },
        ],
        0,
      ],
    );
  });

  it('that is killed before it was passed on ends by the word of the agent, which has recorded the kill', async () => {
    await using servers = await TwoServers.open();
    const { one } = servers;
    const clock = Math.floor(Date.now() / 1_000);
    await writeTask(servers, clock);
    await servers.place.run(
      `update task_host_1 set status = 'killing' where id = ${TASK} and host = 'a'`,
      `update task_host_doing set action = 'kill', clock = ${clock + 7} where id = ${TASK}`,
    );
    one.gateway.online.add('a');
    one.service.agentConnected('a');
    const { run } = await until('the kill is passed on', () => one.gateway.kills[0]);
    const killed = { status: 'killed', exitCode: null, signal: null } as const;
    assert.equal(await one.service.runEnded('a', result(TASK, run.clock, killed)), 'stored');
    assert.equal((await rows(servers)).doing, 0);
    assert.deepEqual(one.gateway.assigns, []);
  });

  it('that makes no sense keeps no other agent waiting for what it has to do', async () => {
    await using servers = await TwoServers.open();
    const { one } = servers;
    await writeTask(servers, Math.floor(Date.now() / 1_000));
    await servers.place.run(`update task_host_1 set status = 'sleeping' where id = ${TASK} and host = 'a'`);
    for (const host of ['a', 'c']) {
      one.gateway.online.add(host);
      one.service.agentConnected(host);
    }
    assert.deepEqual(await until('c is clear', () => one.service.openRuns('c')), []);
    assert.equal(one.service.openRuns('a'), undefined);
  });

  it('that no agent would take is sent to none', async () => {
    await using servers = await TwoServers.open();
    const { one } = servers;
    await writeTask(servers, Math.floor(Date.now() / 1_000));
    for (const wrong of [`account = ''`, `script = ''`, `timeout = 1000000`, `stdin = repeat('x', 5000000)`]) {
      const right = `account = 'root', script = 'x', timeout = 60, stdin = ''`;
      await servers.place.run(`update task_meta set ${right}, ${wrong} where id = ${TASK}`);
      one.gateway.online.add('a');
      await assert.rejects(one.service.actOnHost(TASK, 'b', 'ignore'), /can be given to no agent/, wrong);
    }
    assert.deepEqual(one.gateway.assigns, []);
  });

  it('without a timeout has the usual one', async () => {
    await using servers = await TwoServers.open();
    const { one } = servers;
    await writeTask(servers, Math.floor(Date.now() / 1_000));
    await servers.place.run(`update task_meta set timeout = 0 where id = ${TASK}`);
    one.gateway.online.add('a');
    await assigned(one, 'a');
    assert.equal(one.gateway.assigns[0]?.frame.timeoutMs, 30_000);
  });

  it('with two schedulers, as a race of theirs leaves it, reaches the agent of a server that schedules nothing', async () => {
    await using servers = await TwoServers.open({ schedules: false });
    const { one } = servers;
    one.gateway.online.add('a');
    const clock = Math.floor(Date.now() / 1_000);
    await writeTask(servers, clock);
    await servers.place.run(`insert into task_scheduler (id, scheduler) values (${TASK}, 'go-2:20090')`);
    assert.equal(await assigned(one, 'a'), clock);
    assert.equal(await one.service.runEnded('a', result(TASK, clock)), 'stored');
    const schedulers = await servers.place.run(`select scheduler from task_scheduler where id = ${TASK}`);
    assert.equal(schedulers.length, 2);
  });

  it('is taken over once its scheduler has been silent for too long', async () => {
    await using servers = await TwoServers.open();
    const { one, two } = servers;
    for (const { gateway } of [one, two]) gateway.online.add('a').add('b');
    const clock = Math.floor(Date.now() / 1_000);
    await writeTask(servers, clock);
    assert.equal(await one.service.runEnded('a', result(TASK, await assigned(one, 'a'))), 'stored');
    await servers.place.run(
      `update task_scheduler_health set clock = unix_timestamp() - 11 where scheduler = 'go:20090'`,
    );
    const owner = await until('b is started', () =>
      [one, two].find(({ gateway }) => gateway.assigns.some(({ hosts }) => hosts.includes('b'))),
    );
    assert.equal(await owner.service.runEnded('b', result(TASK, owner.gateway.clockOf('b'))), 'stored');
    await until('the task is done', async () => (await rows(servers)).open === 0 || undefined);
  });
});

describe('a server that does not schedule', { skip }, () => {
  it('stores tasks for whoever does, and starts nothing by itself', async () => {
    await using servers = await TwoServers.open({ schedules: false });
    const { one } = servers;
    one.gateway.online.add('a');
    const { id } = await one.service.create(newTask({ hosts: ['a'] }));
    const { tasks, activeRuns: doings } = await one.store.snapshot();
    assert.deepEqual(
      tasks.map(({ taskId, scheduler }) => [taskId, scheduler]),
      [[id, '']],
    );
    assert.deepEqual(doings, []);
    // Whoever schedules takes it.
    const clock = Math.floor(Date.now() / 1_000);
    await servers.place.run(
      `update task_scheduler set scheduler = 'go:20090' where id = ${id}`,
      `update task_host_${id % 100} set status = 'running' where id = ${id}`,
      `insert into task_host_doing (id, host, clock, action) values (${id}, 'a', ${clock}, 'start')`,
    );
    assert.equal(await assigned(one, 'a'), clock);
    assert.equal(await one.service.runEnded('a', result(id, clock)), 'stored');
    assert.deepEqual(await servers.statuses(id), { a: 'success' });
    assert.equal(await one.store.action(id), 'start');
  });
});
