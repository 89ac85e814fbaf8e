import assert from 'node:assert/strict';
import type { TestServer } from '../testing/test-server.js';
import { onEachDatabase } from './testing/each-database.js';
import { fieldsOf } from './testing/fields-of.js';
import { newCreator, taskBody } from './testing/task-body.js';

async function create(server: TestServer, change: object): Promise<number> {
  return Number((await server.call('POST', '/tasks', taskBody(change))).dat);
}

async function listed(server: TestServer, query: string): Promise<{ ids: readonly unknown[]; total: unknown }> {
  const { status, dat, err } = await server.call('GET', `/tasks?${query}`);
  assert.deepEqual([status, err], [200, ''], query);
  const { list, total } = fieldsOf(dat);
  assert.ok(Array.isArray(list));
  return { ids: list.map((item) => fieldsOf(item)['id']), total };
}

onEachDatabase((check) => {
  check('pages, newest first, with numbers of every kind', async (server) => {
    const creator = newCreator();
    const [a, b, c] = [
      await create(server, { creator }),
      await create(server, { creator }),
      await create(server, { creator }),
    ];
    const all = [c, b, a];
    const table: readonly (readonly [string, readonly unknown[]])[] = [
      ['', all],
      ['limit=2', [c, b]],
      ['limit=2&p=2', [a]],
      ['limit=2&p=3', []],
      ['limit=1&p=2', [b]],
      ['limit=2&p=0', [c, b]],
      ['limit=2&p=-5', [c, b]],
      ['limit=0', all],
      ['limit=0&p=2', []],
      ['limit=-1', all],
      ['limit=', all],
      ['limit=002', [c, b]],
      ['limit=%2B2', [c, b]],
      ['limit=2&limit=1', [c, b]],
      ['limit=9223372036854775807', all],
      ['limit=9223372036854775807&p=9223372036854775807', []],
      ['days=1', all],
      ['days=0', []],
      ['days=-1', []],
      ['days=9223372036854775807', all],
      ['days=-9223372036854775808', []],
      ['unknown=x', all],
    ];
    for (const [query, ids] of table) {
      const total = /days=(0|-)/.test(query) ? 0 : 3;
      assert.deepEqual(await listed(server, `creator=${creator}&${query}`), { ids, total }, query);
    }
  });

  check('numbers that are none are refused, limit before days before p', async (server) => {
    for (const [query, err] of [
      ['limit=abc&days=x&p=y', 'cannot convert [abc] to int'],
      ['p=y&days=x', 'cannot convert [x] to int64'],
      ['p=1.5', 'cannot convert [1.5] to int'],
      ['limit=+2', 'cannot convert [ 2] to int'],
      ['limit=9223372036854775808', 'cannot convert [9223372036854775808] to int'],
      ['days=1e3', 'cannot convert [1e3] to int64'],
      ['p=0x1', 'cannot convert [0x1] to int'],
    ] as const) {
      assert.deepEqual(await server.call('GET', `/tasks?${query}`), { status: 400, dat: undefined, err }, query);
    }
  });

  check('words of the title', async (server) => {
    const creator = newCreator();
    const disk = await create(server, { creator, title: 'Disk full 100% on /data_1' });
    const cpu = await create(server, { creator, title: 'cpu full', hosts: ['db-07'] });
    for (const [query, ids] of [
      ['full', [cpu, disk]],
      ['dISK', [disk]],
      ['data+disk', [disk]],
      ['%20%20ful%09cpu%20', [cpu]],
      ['full -disk', [cpu]],
      ['-full', []],
      ['db-07', [cpu]],
      ['-db-07', [disk]],
      ['100%25', [disk]],
      ['data_1', [disk]],
      ['data_2', []],
      ["full'%20or%201=1", []],
      ['a_a', []],
      ['%25', [disk]],
    ] as const) {
      assert.deepEqual((await listed(server, `creator=${creator}&query=${query}`)).ids, ids, query);
    }
  });

  check('the creator counts as a whole', async (server) => {
    const creator = newCreator();
    const id = await create(server, { creator: `${creator} x+y` });
    assert.deepEqual((await listed(server, `creator=${creator}`)).ids, []);
    assert.deepEqual((await listed(server, `creator=${encodeURIComponent(`${creator} x+y`)}`)).ids, [id]);
    assert.deepEqual((await listed(server, `creator=${creator}+x%2By`)).ids, [id]);
  });

  check('done tasks, in the list and by their ids', async (server) => {
    const creator = newCreator();
    const [open, done] = [await create(server, { creator }), await create(server, { creator })];
    await server.call('PUT', `/task/${done}/action`, { action: 'cancel' });
    const { dat } = await server.call('GET', `/tasks?creator=${creator}`);
    assert.partialDeepStrictEqual(dat, {
      list: [
        { id: done, done: true },
        { id: open, done: false },
      ],
    });
    for (const [ids, list] of [
      [`${open},${done}`, [done]],
      [`${open}`, []],
      [`${done},${done}`, [done, done]],
      [`,${done},,x,1.5, ${done}`, [done]],
      ['900000000001,-5', [900_000_000_001, -5]],
    ] as const) {
      assert.deepEqual((await server.call('GET', `/tasks/done-ids?ids=${ids}`)).dat, { list }, ids);
    }
    for (const ids of ['', '?ids=', '?ids=,', '?ids=x', '?ids=9223372036854775808']) {
      const refused = { status: 200, dat: undefined, err: 'arg(ids) empty' };
      assert.deepEqual(await server.call('GET', `/tasks/done-ids${ids}`), refused, ids);
    }
  });
});
