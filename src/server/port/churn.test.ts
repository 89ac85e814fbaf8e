import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';
import { FaithfulAgent } from '../legacy/testing/faithful-agent.js';
import { until } from '../../shared/testing/until.js';
import { passBy } from './testing/passing-connections.js';

const PER_SECOND = 50;
const SECONDS = 5;

test('agents and others that come and go all the time leave no descriptor behind and disturb no session', async () => {
  await using server = await TestServer.start();
  using own = await ScriptedAgent.connect(server.agentPort, agentSelf('own'));
  using legacy = new FaithfulAgent('old', server.agentPort);
  await legacy.beat();
  // The first of a kind opens what the process keeps.
  await passBy(server.agentPort, PER_SECOND, 1);
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = await settled(descriptors);
  const over = new AbortController();
  const passed = passBy(server.agentPort, PER_SECOND, SECONDS).finally(() => over.abort());
  while (!over.signal.aborted) {
    await legacy.beat();
    assert.equal(legacy.message, '');
  }
  const { connections, failures } = await passed;
  assert.deepEqual(failures, []);
  assert.equal(connections, PER_SECOND * SECONDS);
  const id = await server.createTask(['own', 'old']);
  assert.equal((await own.next('assign')).taskId, id);
  await legacy.beatUntil('a start', () => legacy.runs(id));
  await until('no descriptor is left behind', () => descriptors() <= before + 2);
});

/** What it comes to once the closing of the last connections is over on either side. */
async function settled(descriptors: () => number): Promise<number> {
  let least = descriptors();
  for (let unchanged = 0; unchanged < 10; unchanged++) {
    await wait(50);
    if (descriptors() >= least) continue;
    least = descriptors();
    unchanged = 0;
  }
  return least;
}
