import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../store/testing/store-place.js';
import { testMysql } from '../store/testing/test-databases.js';
import { result } from '../tasks/testing/fixture.js';
import { RedisNotifier, type RedisConfig } from './redis-notifier.js';
import { RedisProcess, redisMissing } from './testing/test-redis.js';
import { TwoServers } from './testing/two-servers.js';
import { until } from '../../shared/testing/until.js';

const skip = await redisMissing();
const skipMysql = skip || ('missing' in testMysql && testMysql.missing);

function configOf(port: number, changes: Partial<RedisConfig> = {}): RedisConfig {
  return {
    type: 'standalone',
    addresses: [{ host: '127.0.0.1', port }],
    username: '',
    password: '',
    db: 0,
    tls: undefined,
    masterName: '',
    sentinelUsername: '',
    sentinelPassword: '',
    ...changes,
  };
}

/** Tells again and again, as hints may be lost while a connection is being made, until the other one has heard. */
async function heard(from: RedisNotifier, to: RedisNotifier, taskId: number): Promise<readonly number[]> {
  let told: readonly number[] | undefined;
  to.subscribe((taskIds) => {
    if (taskIds.includes(taskId)) told = taskIds;
  });
  return until(`task ${taskId} is told of`, () => {
    from.publish(taskId);
    return told;
  });
}

describe('hints by Redis', { skip }, () => {
  it('reach the other servers of the database, not their sender, and no other database', async () => {
    await using redis = await RedisProcess.start();
    await using one = new RedisNotifier(configOf(redis.port), 'c1', silentLog);
    await using two = new RedisNotifier(configOf(redis.port), 'c1', silentLog);
    await using other = new RedisNotifier(configOf(redis.port), 'c2', silentLog);
    const strayed: (readonly number[])[] = [];
    one.subscribe((taskIds) => strayed.push(taskIds));
    other.subscribe((taskIds) => strayed.push(taskIds));
    assert.deepEqual(await heard(one, two, 7), [7]);
    await heard(two, one, 8);
    assert.deepEqual(strayed, []);
  });

  it('come again after Redis was away, and it harms nobody that it was', async () => {
    await using redis = await RedisProcess.start();
    await using one = new RedisNotifier(configOf(redis.port), 'c1', silentLog);
    await using two = new RedisNotifier(configOf(redis.port), 'c1', silentLog);
    await heard(one, two, 1);
    await redis.kill();
    one.publish(2);
    await redis.begin();
    await heard(one, two, 3);
  });

  it('are not had where Redis is not, or takes another password', async () => {
    await using redis = await RedisProcess.start();
    const said: string[] = [];
    const log = { ...silentLog, warn: (_fields: unknown, text: string) => void said.push(text) };
    await using nowhere = new RedisNotifier(configOf(1), 'c1', log);
    nowhere.publish(1);
    await until('it is said', () => said[0]);
    await using wrong = new RedisNotifier(configOf(redis.port, { username: 'x', password: 'y' }), 'c1', log);
    wrong.publish(1);
    await until('it is said again', () => said[1]);
  });
});

describe('two servers that hint', { skip: skipMysql }, () => {
  it('pass on starts and results long before they would look at the database', async () => {
    await using redis = await RedisProcess.start();
    const hints = (): RedisNotifier => new RedisNotifier(configOf(redis.port), 'c1', silentLog);
    await using servers = await TwoServers.open({ hints, watchMs: 600_000 });
    const { one, two } = servers;
    two.gateway.online.add('a');
    // The connections to Redis are being made meanwhile; a hint that came too early would be lost.
    const taskId = await until('a start is passed on', async () => {
      const id = await servers.create(one, { hosts: ['a'] });
      return two.gateway.assigns.length > 0 ? id : undefined;
    });
    const first = two.gateway.assigns[0]?.frame;
    assert.ok(first && first.taskId <= taskId);
    assert.equal(await two.service.runEnded('a', result(first.taskId, first.clock)), 'stored');
    await until('the task ends', async () => (await one.store.action(first.taskId)) === undefined || undefined);
  });
});
