import assert from 'node:assert/strict';
import type { TestServer } from '../testing/test-server.js';
import { onEachDatabase } from './testing/each-database.js';
import { fieldsOf } from './testing/fields-of.js';
import { newCreator, taskBody } from './testing/task-body.js';

const LONGEST_STDIN = 2 * 1024 * 1024;

async function stored(server: TestServer, change: object): Promise<unknown> {
  const { status, dat, err } = await server.call('POST', '/tasks', taskBody(change));
  assert.deepEqual([status, err], [200, '']);
  assert.ok(Number.isSafeInteger(dat) && Number(dat) > 0);
  return (await server.call('GET', `/task/${String(dat)}`)).dat;
}

onEachDatabase((check) => {
  check('a task reads back as it was sent, with its defaults', async (server) => {
    const dat = await stored(server, { stdin: 'in' });
    const { id, created } = fieldsOf(fieldsOf(dat)['meta']);
    assert.deepEqual(dat, {
      action: 'pause',
      hosts: [{ id, host: 'web-01', status: 'waiting', stdout: '', stderr: '' }],
      meta: {
        id,
        title: 'disk full FH: web-01',
        account: 'root',
        batch: 0,
        tolerance: 0,
        timeout: 30,
        pause: '',
        script: '#!/bin/sh\ndf -h',
        args: '',
        stdin: 'in',
        creator: 'ops',
        created,
        done: false,
      },
    });
    assert.ok(typeof created === 'string');
    assert.match(created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Math.abs(Date.parse(created) - Date.now()) < 60_000, created);
  });

  check('what may be left out is filled in, what is unknown ignored', async (server) => {
    const nothing = { batch: undefined, tolerance: undefined, timeout: undefined, pause: undefined, args: undefined };
    assert.partialDeepStrictEqual(await stored(server, nothing), {
      meta: { batch: 0, tolerance: 0, timeout: 30, pause: '', args: '', stdin: '' },
    });
    assert.partialDeepStrictEqual(
      await stored(server, { id: 99_999_999, done: true, created: '2001-01-01', x: { y: [] } }),
      {
        meta: { done: false },
      },
    );
  });

  check('fields are cleaned as callers know it', async (server) => {
    const table: readonly (readonly [object, object])[] = [
      [{ timeout: 0 }, { timeout: 30 }],
      [{ timeout: 432_000 }, { timeout: 432_000 }],
      [{ title: 'a FH: b FH: c' }, { title: 'a FH: web-01' }],
      [{ title: ' FH: b' }, { title: ' FH: b FH: web-01' }],
      [{ title: '   ' }, { title: '    FH: web-01' }],
      [{ args: 'a，， b，c' }, { args: 'a,, b,c' }],
      [{ pause: 'a， b' }, { pause: 'a,b' }],
      [{ script: '#!/bin/sh\r\necho "<&>" \'夜莺 🔥\'\0\t' }, { script: '#!/bin/sh\r\necho "<&>" \'夜莺 🔥\'\0\t' }],
      [{ script: 'x\ud800y' }, { script: 'x\ufffdy' }],
      [
        { batch: 4_294_967_295, tolerance: 4_294_967_295 },
        { batch: 4_294_967_295, tolerance: 4_294_967_295 },
      ],
    ];
    for (const [change, meta] of table) assert.partialDeepStrictEqual(await stored(server, change), { meta });
    assert.partialDeepStrictEqual(await stored(server, { hosts: ['# no', '', ' web-02\t', '#x', 'web-01'] }), {
      meta: { title: 'disk full FH: web-02' },
      hosts: [{ host: 'web-02' }, { host: 'web-01' }],
    });
  });

  check('fields of the greatest length are stored whole', async (server) => {
    const fields = {
      account: '夜'.repeat(64),
      creator: '🔥'.repeat(64),
      pause: 'p'.repeat(255),
      args: 'é'.repeat(512),
      script: 'x'.repeat(65_535),
      stdin: 's'.repeat(LONGEST_STDIN),
    };
    const host = 'h'.repeat(128);
    const title = 't'.repeat(255 - ' FH: '.length - host.length);
    assert.partialDeepStrictEqual(await stored(server, { ...fields, title, hosts: [host] }), {
      meta: { ...fields, title: `${title} FH: ${host}` },
      hosts: [{ host }],
    });
  });

  check('what is wrong is refused by name, in a fixed order, and creates nothing', async (server) => {
    const creator = newCreator();
    const invalid = (...names: string[]): RegExp => new RegExp(`^json body invalid.*${names.join('.*')}`);
    const table: readonly (readonly [object, number, RegExp | string])[] = [
      ...['title', 'account', 'script', 'action'].flatMap((name) =>
        [undefined, null, ''].map((value) => [{ [name]: value }, 400, invalid(name)] as const),
      ),
      [{ hosts: undefined, title: '', script: null, batch: -1 }, 400, invalid('title', 'script', 'hosts')],
      [{ hosts: null }, 400, invalid('hosts')],
      [{ hosts: 'web-01' }, 400, invalid('hosts')],
      [{ hosts: [1] }, 400, invalid('hosts')],
      [{ hosts: {} }, 400, invalid('hosts')],
      [{ batch: '1' }, 400, invalid('batch')],
      [{ timeout: 1.5 }, 400, invalid('timeout')],
      [{ timeout: true }, 400, invalid('timeout')],
      [{ tolerance: 1e300 }, 400, invalid('tolerance')],
      [{ title: {} }, 400, invalid('title')],
      [{ hosts: [] }, 400, 'arg(hosts) empty'],
      [{ hosts: [' ', '#a', null], batch: -1 }, 400, 'arg(hosts) empty'],
      [{ batch: -1, tolerance: -1 }, 200, 'arg(batch) should be nonnegative'],
      [{ tolerance: -1, timeout: -1 }, 200, 'arg(tolerance) should be nonnegative'],
      [{ timeout: -1, title: '<' }, 200, 'arg(timeout) should be nonnegative'],
      [{ batch: 4_294_967_296 }, 200, /batch/],
      [{ tolerance: 2 ** 62 }, 200, /tolerance/],
      [{ timeout: 432_001, title: '<' }, 200, 'arg(timeout) longer than five days'],
      [{ timeout: 2 ** 62 }, 200, 'arg(timeout) longer than five days'],
      ...['<', '>', '&', "'", '"'].flatMap((sign) => [
        [{ title: sign, args: sign }, 200, 'arg(title) is dangerous'] as const,
        [{ args: sign, pause: sign }, 200, 'arg(args) is dangerous'] as const,
        [{ pause: sign }, 200, 'arg(pause) is dangerous'] as const,
      ]),
      [{ title: 't'.repeat(245) }, 200, /title/],
      [{ account: 'a'.repeat(65) }, 200, /account/],
      [{ pause: 'p'.repeat(256) }, 200, /pause/],
      [{ args: 'a'.repeat(513) }, 200, /args/],
      [{ script: '夜'.repeat(21_846) }, 200, /script/],
      [{ stdin: 's'.repeat(LONGEST_STDIN + 1) }, 200, /stdin/],
      [{ hosts: ['h'.repeat(129)] }, 200, /host/],
      [{ hosts: ['a', 'b', ' a'] }, 200, /host a /],
      [{ hosts: ['web', 'WEB'] }, 200, /web and WEB/],
      [{ action: 'stop' }, 200, /action/],
      [{ action: 'Start' }, 200, /action/],
    ];
    for (const [change, status, err] of table) {
      const answer = await server.call('POST', '/tasks', taskBody({ creator, ...change }));
      const about = JSON.stringify(change).slice(0, 100);
      assert.deepEqual([answer.status, answer.dat], [status, undefined], about);
      if (typeof err === 'string') assert.equal(answer.err, err, about);
      else assert.match(String(answer.err), err, about);
    }
    assert.deepEqual((await server.call('GET', `/tasks?creator=${creator}`)).dat, { list: [], total: 0 });
  });
});
