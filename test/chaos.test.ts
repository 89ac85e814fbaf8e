import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from './chaos/chaos.ts';
import { SQLITE } from './chaos/database.ts';
import { reportLines } from './chaos/report.ts';

const SEED = 5;

test('seconds full of kills: nothing is started twice, lost, wrong or left behind', async () => {
  const least = { leastKills: 10, leastStarts: 20 };
  const options = { durationMs: 15_000, ...least, seed: SEED, agents: 3, taskEveryMs: 300, disturbEveryMs: 600 };
  const report = await chaos({ ...options, database: SQLITE }, () => undefined);
  assert.deepEqual(report.wrong, [], reportLines(report).join('\n'));
});
