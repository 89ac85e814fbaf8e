import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Api } from './harness/api.ts';
import { withFleet, type Fleet } from './harness/fleet.ts';
import { TestMysql } from './harness/test-mysql.ts';
import { waitFor } from './harness/wait-for.ts';

const HOSTS = ['web-01', 'web-02', 'web-03'];
const options = { skip: await TestMysql.missing() };

/** Scripts that note their start outside of ibex, and end when the gate opens. */
function gatedScript(fleet: Fleet, name: string): { readonly script: string; open(): void; starts(): string[] } {
  const [journal, gate] = [join(fleet.folder, `${name}-journal`), join(fleet.folder, `${name}-gate`)];
  writeFileSync(journal, '');
  return {
    script: `echo "$IBEX_TASK_ID $IBEX_HOST" >>${journal}; echo begun; while [ ! -e ${gate} ]; do sleep 0.1; done; echo ended`,
    open: () => writeFileSync(gate, ''),
    starts: () => readFileSync(journal, 'utf8').trim().split('\n'),
  };
}

/** One host after the other, so that somebody has to schedule it. */
async function createChain(api: Api, script: string): Promise<number> {
  return await api.create({ script, hosts: HOSTS, timeout: 300, batch: 1 });
}

function assertOnce(starts: readonly string[], wanted: number): void {
  assert.equal(new Set(starts).size, wanted);
  assert.equal(starts.length, wanted, 'a script was started twice');
}

test('a POST on any of them runs at once, and any of them shows it', options, async () => {
  await withFleet(2, HOSTS, async (fleet) => {
    for (const [here, there] of [
      [fleet.server(0), fleet.server(1)],
      [fleet.server(1), fleet.server(0)],
    ] as const) {
      const id = await here.api.create({ script: 'echo out; echo err >&2', hosts: HOSTS });
      const done = Object.fromEntries(HOSTS.map((host) => [host, 'success']));
      assert.deepEqual(await here.api.settled(id), done);
      assert.deepEqual(await there.api.settled(id), done);
      assert.equal(await there.api.stdout(id, 'web-02'), 'out\n');
      assert.equal(await there.api.stderr(id, 'web-02'), 'err\n');
    }
    const gated = gatedScript(fleet, 'any');
    const id = await fleet.server(0).api.create({ script: gated.script, hosts: ['web-01'] });
    const shown = (): Promise<string> => fleet.server(1).api.stdout(id, 'web-01');
    await waitFor('its output at the other server', async () => (await shown()) === 'begun\n');
    gated.open();
    assert.deepEqual(await fleet.server(1).api.settled(id), { 'web-01': 'success' });
    assert.equal(await shown(), 'begun\nended\n');
  });
});

test('an agent that one of them does not reach is served through the other', options, async () => {
  await withFleet(2, HOSTS, async (fleet) => {
    await fleet.addAgent('far-01', [fleet.server(1)]);
    const id = await fleet.server(0).api.create({ script: 'echo there', hosts: ['far-01'] });
    assert.deepEqual(await fleet.server(0).api.settled(id), { 'far-01': 'success' });
    const gated = gatedScript(fleet, 'far');
    const killed = await fleet.server(0).api.create({ script: gated.script, hosts: ['far-01'] });
    await waitFor('its start', () => gated.starts()[0] !== '');
    await fleet.server(0).api.kill(killed);
    assert.deepEqual(await fleet.server(0).api.settled(killed), { 'far-01': 'killed' });
  });
});

test(
  'kill -9 of one: its tasks are taken over, every script runs once, and the other is no slower',
  options,
  async () => {
    await withFleet(2, HOSTS, async (fleet) => {
      const [one, two] = [fleet.server(0).api, fleet.server(1).api];
      const gated = gatedScript(fleet, 'killed');
      const ids = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          one.create({ script: gated.script, hosts: [HOSTS[i % 3] ?? ''], timeout: 300 }),
        ),
      );
      const chain = await createChain(one, gated.script);
      await waitFor('all starts', () => gated.starts().length === 41);
      await fleet.server(0).process.end('SIGKILL');
      const meanwhile = await two.create({ script: 'true', hosts: HOSTS });
      await two.settled(meanwhile);
      const log = fleet.server(1).process.stdout.toString();
      assert.doesNotMatch(log, /tasks taken over/, 'it did not wait for that');
      gated.open();
      for (const id of ids) assert.deepEqual(Object.values(await two.settled(id)), ['success']);
      assert.deepEqual(Object.values(await two.settled(chain)), ['success', 'success', 'success']);
      assertOnce(gated.starts(), 43);
      await fleet.startAgain(0);
      assert.deepEqual(Object.values(await one.settled(chain)), ['success', 'success', 'success']);
    });
  },
);

test('a server that is stopped, loses its tasks and wakes up again starts nothing a second time', options, async () => {
  await withFleet(2, HOSTS, async (fleet) => {
    const [one, two] = [fleet.server(0).api, fleet.server(1).api];
    const gated = gatedScript(fleet, 'stopped');
    const chain = await createChain(one, gated.script);
    await waitFor('the first start', () => gated.starts()[0] !== '');
    fleet.server(0).process.child.kill('SIGSTOP');
    gated.open();
    assert.deepEqual(Object.values(await two.settled(chain)), ['success', 'success', 'success']);
    fleet.server(0).process.child.kill('SIGCONT');
    assert.deepEqual(Object.values(await one.settled(chain)), ['success', 'success', 'success']);
    const after = await one.create({ script: 'true', hosts: HOSTS });
    assert.deepEqual(Object.values(await one.settled(after)), ['success', 'success', 'success']);
    assertOnce(gated.starts(), 3);
  });
});
