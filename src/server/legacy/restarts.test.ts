import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TimedScripts } from './testing/agent-scripts.js';
import { textOf } from './testing/legacy-server.js';
import type { LivingAgent } from './testing/living-agent.js';
import { until } from '../../shared/testing/until.js';
import { fleetDatabases, LegacyFleet } from './testing/legacy-fleet.js';

for (const database of fleetDatabases) {
  const { name, skip } = database;
  for (const kind of ['categraf', 'agentd'] as const) {
    test(`${kind}, ${name}: a server restart in the middle of a script costs nothing of it`, { skip }, async () => {
      await using fleet = await LegacyFleet.start(database);
      const agent = await fleet.agent('a', { kind, searchPauseMs: 100 });
      const folder = mkdtempSync(join(tmpdir(), 'legacy-restart-'));
      const gate = join(folder, 'gate');
      const script = `echo begin >>${join(folder, 'begins')}; until [ -e ${gate} ]; do sleep 0.05; done; echo end`;
      const id = await fleet.server.createTask(['a'], { script });
      await until('its process', () => existsSync(join(folder, 'begins')));
      const beats = agent.beats;
      await until('a report of it', () => agent.beats > beats + 1);
      await fleet.restartServer();
      const opened = await fleet.server.createTask(['a'], { script: `touch ${gate}` });
      assert.equal(await fleet.end(opened, 'a'), 'success');
      assert.equal(await fleet.end(id, 'a'), 'success');
      assert.equal(await textOf(fleet.server, id, 'a'), 'end\n');
      assert.equal(readFileSync(join(folder, 'begins'), 'utf8'), 'begin\n');
      rmSync(folder, { recursive: true, force: true });
    });
  }

  test(`${name}: a Categraf that is restarted in the middle of a script does not run it again`, { skip }, async () => {
    await using fleet = await LegacyFleet.start(database);
    const agent = await fleet.agent('a');
    const id = await fleet.server.createTask(['a'], { script: 'echo begin; sleep 2' });
    await until('its output', async () => (await textOf(fleet.server, id, 'a')) === 'begin\n');
    await agent.restart();
    assert.equal(await fleet.end(id, 'a'), 'failed');
    const beats = agent.beats;
    await until('more beats', () => agent.beats > beats + 3);
    assert.deepEqual(agent.starts, []);
    assert.match(String(await textOf(fleet.server, id, 'a', 'stderr')), /agent restarted/);
  });
}

/** Numbers that look random and are the same every time. */
function noise(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('kills, redos, broken connections and restarts in any order: no agent dies, no Categraf starts a run twice', async () => {
  await using fleet = await LegacyFleet.start();
  const below = noise(5);
  const hosts = ['a', 'b', 'c', 'd'];
  const living = new Map<string, LivingAgent>();
  const agents = await Promise.all(
    hosts.map(async (host, i) => {
      const held = (): boolean => living.get(host)?.reporting ?? false;
      const scripts = new TimedScripts(i < 2 ? 15 : 200, (id) => (i < 2 ? id % 20 : 0), held);
      const kind = i % 2 === 0 ? 'categraf' : 'agentd';
      const agent = await fleet.agent(host, { kind, intervalMs: 30, searchPauseMs: 60, scripts });
      living.set(host, agent);
      return agent;
    }),
  );
  const starts = new Map(agents.map((agent) => [agent, [agent.starts]]));
  const ids: number[] = [];
  for (let step = 0; step < 120; step++) {
    const id = ids.at(-1 - below(Math.min(ids.length, 6)));
    const agent = agents[below(agents.length)];
    const what = below(20);
    if (what < 9 || id === undefined || !agent) {
      const timeout = below(4) === 0 ? 1 : 20;
      ids.push(await fleet.server.createTask([hosts[below(4)] ?? 'a', 'away'], { timeout }));
    } else if (what < 13) await fleet.server.call('PUT', `/task/${id}/action`, { action: 'kill' });
    else if (what < 15) await fleet.server.call('PUT', `/task/${id}/host/${agent.host}/action`, { action: 'redo' });
    else if (what < 17) agent.disconnect();
    else if (what < 19) {
      await agent.restart();
      starts.get(agent)?.push(agent.starts);
    } else await fleet.restartServer();
    await new Promise((resolve) => setTimeout(resolve, below(40)));
  }
  for (const agent of agents) {
    assert.equal(agent.died, undefined);
    const runs = (starts.get(agent) ?? []).flat().map(({ id, clock }) => `${id} ${clock % 2 ** 40}`);
    if (agent.kind === 'categraf') assert.equal(new Set(runs).size, runs.length, `${agent.host} ran something twice`);
  }
  // Each of them still works.
  for (const { host } of agents) assert.equal((await fleet.run(host, ':')).status, 'success', host);
});
