import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { AUTHORIZATION, TestServer } from '../testing/test-server.js';
import { onEachDatabase } from './testing/each-database.js';
import { fieldsOf } from './testing/fields-of.js';
import { newCreator, taskBody } from './testing/task-body.js';

async function post(server: TestServer, body: object, key?: string) {
  const response = await fetch(`http://127.0.0.1:${server.httpPort}/ibex/v1/tasks`, {
    method: 'POST',
    headers: { authorization: AUTHORIZATION, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  const { dat, err } = { dat: undefined, err: undefined, ...(typeof answer === 'object' ? answer : {}) };
  return { status: response.status, dat, err, duplicate: response.headers.get('x-ibex-duplicate') };
}

async function total(server: TestServer, creator: string): Promise<unknown> {
  const { dat } = await server.call('GET', `/tasks?creator=${creator}`);
  return fieldsOf(dat)['total'];
}

onEachDatabase((check) => {
  check('an alarm that comes 20 times at once runs once', async (server) => {
    const creator = newCreator();
    const host = `heal-${creator}`;
    using agent = await ScriptedAgent.connect(server.agentPort, agentSelf(host));
    const alarm = taskBody({ creator, hosts: [host], action: 'start', stdin: '{"ident":"x"}' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(server, alarm)));
    assert.deepEqual(new Set(answers.map(({ status, err }) => `${status}${String(err)}`)), new Set(['200']));
    assert.equal(new Set(answers.map(({ dat }) => dat)).size, 1);
    assert.equal(answers.filter(({ duplicate }) => duplicate === '1').length, 19);
    assert.equal(await total(server, creator), 1);
    const { taskId } = await agent.next('assign');
    assert.equal(taskId, answers[0]?.dat);
    assert.ok(
      server.log.lines.some(
        ({ fields, message }) => 'task' in fields && fields.task === taskId && /again/.test(message),
      ),
    );
  });

  check('20 alarms that differ, and 20 tasks without stdin that do not, are 20 tasks each', async (server) => {
    for (const stdin of [(n: number) => `{"n":${n}}`, () => '']) {
      const creator = newCreator();
      const bodies = Array.from({ length: 20 }, (_, n) => taskBody({ creator, stdin: stdin(n) }));
      const answers = await Promise.all(bodies.map((body) => post(server, body)));
      assert.equal(new Set(answers.map(({ dat }) => dat)).size, 20);
      assert.ok(answers.every(({ duplicate }) => duplicate === null));
      assert.equal(await total(server, creator), 20);
    }
  });

  check("a caller's own key makes one task, and only of one body", async (server) => {
    const creator = newCreator();
    const first = await post(server, taskBody({ creator, timeout: 30 }), `${creator} key`);
    assert.equal(first.duplicate, null);
    // Said in another way: the default of the timeout, the suffix that the title gets.
    for (const same of [{}, { timeout: 0 }, { title: 'disk full FH: web-02' }, { account: 'root', other: 1 }]) {
      const again = await post(server, taskBody({ creator, ...same }), `${creator} key`);
      assert.deepEqual(again, { ...first, duplicate: '1' });
    }
    for (const other of [{ title: 'other' }, { stdin: 'x' }, { hosts: ['other'] }, { timeout: 31 }]) {
      const answer = await post(server, taskBody({ creator, timeout: 30, ...other }), `${creator} key`);
      assert.deepEqual([answer.status, answer.dat, answer.duplicate], [422, undefined, null]);
      assert.match(String(answer.err), new RegExp(`Idempotency-Key .* task ${first.dat} .* another body`));
    }
    const other = await post(server, taskBody({ creator }), `${creator} key 2`);
    assert.notEqual(other.dat, first.dat);
    // A request that is refused does not use its key up.
    assert.equal(
      (await post(server, taskBody({ creator, batch: -1 }), `${creator} key 3`)).err,
      'arg(batch) should be nonnegative',
    );
    assert.equal((await post(server, taskBody({ creator }), `${creator} key 3`)).duplicate, null);
    assert.equal((await post(server, taskBody({ creator }), 'k'.repeat(256))).status, 400);
    assert.equal(await total(server, creator), 3);
  });
});

test('keys outlive a restart; a window of 0 lets every alarm through', async () => {
  await using server = await TestServer.start('[Task]\nDuplicateWindow = 0');
  const alarm = taskBody({ stdin: 'x' });
  const [a, b] = [await post(server, alarm), await post(server, alarm)];
  assert.notEqual(a.dat, b.dat);
  const first = await post(server, alarm, 'key');
  await server.restart();
  assert.deepEqual(await post(server, alarm, 'key'), { ...first, duplicate: '1' });
});
