import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { detailOf, metaOf } from './testing/sample-task.js';
import { openTaskIds, StoreFixture } from './testing/store-fixture.js';
import { testDatabases } from './testing/test-databases.js';

const HARD = `it's "quoted" \\ \\' ? ;-- /* \u0000\u001a \r\n\t %_ 夜莺 é 🔥`;

/** Just as many bytes as a column of outputs takes. */
function fullText(): string {
  const text = HARD.repeat(2_000);
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > 65_535) break;
    end += character.length;
  }
  return text.slice(0, end).padEnd(end + 65_535 - Buffer.byteLength(text.slice(0, end)), '.');
}

/** Without the megabyte that assert would show. */
function assertSame(actual: unknown, expected: unknown): void {
  assert.ok(isDeepStrictEqual(actual, expected), 'something else came back than was stored');
}

for (const database of testDatabases) {
  describe(`what the store on ${database.name} holds`, { skip: database.skip }, () => {
    it('is every character, up to the limits of the API', async () => {
      await using f = await StoreFixture.open(database.place());
      const text = fullText();
      assert.equal(Buffer.byteLength(text), 65_535);
      const changes = {
        title: '🔥'.repeat(255),
        account: 'ö'.repeat(64),
        pause: '夜'.repeat(255),
        args: `${HARD}${'🔥'.repeat(512 - Array.from(HARD).length)}`,
        script: text,
        stdin: HARD.repeat(8_000),
        creator: '夜'.repeat(64),
      };
      const id = await f.create({ [`${HARD.slice(0, 20)}🔥`]: 5, b: 5 }, changes);
      assertSame(await f.store.meta(id), { ...metaOf(id), ...changes });
      const output = { stdout: text, stderr: `${text.slice(1)}.` };
      await f.store.commit([
        { kind: 'end-host', taskId: id, host: 'b', from: 'running', to: 'failed', output, detail: undefined },
      ]);
      assertSame(await f.store.outputs(id, 'b'), [{ host: 'b', status: 'failed', ...output }]);
      assert.deepEqual(await f.store.outputs(id, `${HARD.slice(0, 20)}🔥`), [
        { host: `${HARD.slice(0, 20)}🔥`, status: 'running', stdout: '', stderr: '' },
      ]);
    });

    it('are hosts told apart byte for byte', async () => {
      await using f = await StoreFixture.open(database.place());
      const id = await f.create({ e: 5, é: 5, ß: 5, ss: 5 });
      const output = { stdout: 'x', stderr: '' };
      await f.store.commit([
        { kind: 'end-host', taskId: id, host: 'é', from: 'running', to: 'success', output, detail: undefined },
      ]);
      assert.deepEqual(
        (await f.store.hosts(id)).map(({ status }) => status),
        ['running', 'success', 'running', 'running'],
      );
      assert.equal((await f.store.outputs(id, 'É'))[0]?.host, 'é');
      assert.equal((await f.store.lastRun(id, 'e'))?.startClock, 5);
      assert.deepEqual(await f.store.outputs(id, 'è'), []);
    });

    it('is right after changes of one host that come in one commit', async () => {
      await using f = await StoreFixture.open(database.place());
      const id = await f.create({ a: 5, b: 5, c: undefined });
      const output = { stdout: 'first', stderr: '' };
      await f.store.commit([
        { kind: 'host-started', taskId: id, host: 'a', run: { taskId: id, clock: 5 }, startedMs: 77 },
        {
          kind: 'end-host',
          taskId: id,
          host: 'a',
          from: 'running',
          to: 'failed',
          output,
          detail: detailOf(id, 'a', 5, { startedMs: null }),
        },
        { kind: 'kill-host', taskId: id, host: 'b', from: 'running', startClock: 5, clock: 6 },
        {
          kind: 'end-host',
          taskId: id,
          host: 'b',
          from: 'killing',
          to: 'killed',
          output: undefined,
          detail: undefined,
        },
        { kind: 'start-host', taskId: id, host: 'a', from: 'failed', clock: 9 },
        { kind: 'start-host', taskId: id, host: 'c', from: 'waiting', clock: 9 },
        { kind: 'task-action', taskId: id, action: 'start', clock: 9 },
        { kind: 'task-action', taskId: id, action: 'start', clock: 9 },
      ]);
      const open = await f.store.openTask(id);
      assert.deepEqual(
        open?.hosts.map(({ host, status, activeRun: doing, startClock }) => [host, status, doing?.clock, startClock]),
        [
          ['a', 'running', 9, 9],
          ['b', 'killed', undefined, 5],
          ['c', 'running', 9, 9],
        ],
      );
      assert.deepEqual(
        (await f.store.runDetails(id)).find(({ host }) => host === 'a'),
        detailOf(id, 'a', 5, { startedMs: 77 }),
      );
      assert.deepEqual((await f.store.outputs(id, 'a'))[0]?.stdout, '');
    });

    it('loses nothing of a crowd in which one comes too late', async () => {
      await using f = await StoreFixture.open(database.place());
      const names = Array.from({ length: 1_500 }, (_, i) => `host-${i}`);
      const id = await f.create(Object.fromEntries(names.map((name) => [name, 5])));
      const end = (host: string, from: 'running' | 'killing') =>
        f.store.commit([
          {
            kind: 'end-host',
            taskId: id,
            host,
            from,
            to: 'success',
            output: { stdout: host, stderr: '' },
            detail: detailOf(id, host, 5),
          },
        ]);
      const outcomes = await Promise.allSettled([
        ...names.slice(0, 700).map((host) => end(host, 'running')),
        end('host-1499', 'killing'),
        end('no-such-host', 'running'),
        ...names.slice(700, 1_400).map((host) => end(host, 'running')),
      ]);
      const refused = outcomes.flatMap((outcome, at) =>
        outcome.status === 'rejected' ? [[at, String(outcome.reason)]] : [],
      );
      assert.deepEqual(
        refused.map(([at]) => at),
        [700, 701],
      );
      assert.ok(refused.every(([, why]) => String(why).startsWith('StaleStateError')));
      const hosts = await f.store.outputs(id);
      assert.equal(hosts.length, 1_500);
      assert.equal(hosts.filter((row) => row.status === 'success' && row.stdout === row.host).length, 1_400);
      assert.equal((await f.store.runDetails(id)).length, 1_400);
      const some = await f.store.runDetails(id, ['host-3', 'host-1499', 'host-1399', 'no-such-host']);
      assert.deepEqual(some.map(({ host }) => host).sort(), ['host-1399', 'host-3']);
      assert.equal((await f.store.openTask(id))?.hosts.filter(({ activeRun: doing }) => doing).length, 100);
    });
  });

  describe(`idempotency keys on ${database.name}`, { skip: database.skip }, () => {
    const key = (letter: string, ttlMs: number) => ({ key: letter.repeat(64), ttlMs, bodyDigest: null });

    it('let one task be created, and tell the others of it', async () => {
      await using f = await StoreFixture.open(database.place());
      await using other = await f.place.open();
      const first = await f.create({ a: 1 }, {}, [key('a', 60_000)]);
      await f.create({ a: 1 }, {}, [key('b', 60_000)]);
      for (const store of [f.store, other]) {
        const id = await store.nextTaskId();
        const again = {
          kind: 'create-task',
          meta: metaOf(id),
          action: 'start',
          actionClock: 1,
          scheduler: '',
          hosts: [],
        } as const;
        await assert.rejects(store.commit([{ ...again, idempotencyKeys: [key('a', 1)] }]), {
          name: 'DuplicateTaskError',
          taskId: first,
        });
        assert.equal(await store.meta(id), undefined);
      }
    });

    it('harm nobody who shares the commit with one that is taken', async () => {
      await using f = await StoreFixture.open(database.place());
      await f.create({ a: 1 }, {}, [key('a', 60_000)]);
      const outcomes = await Promise.allSettled([
        f.create({ a: 1 }, {}, [key('c', 60_000)]),
        f.create({ a: 1 }, {}, [key('a', 60_000)]),
        f.create({ a: 1 }, {}, [key('d', 60_000)]),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.equal((await openTaskIds(f.store)).length, 3);
    });

    it('are free again when their time is over', async () => {
      await using f = await StoreFixture.open(database.place());
      const first = await f.create({ a: 1 }, {}, [key('a', 0)]);
      const second = await f.create({ a: 1 }, {}, [key('a', 60_000)]);
      assert.notEqual(second, first);
      await assert.rejects(f.create({ a: 1 }, {}, [key('a', 60_000)]), { taskId: second });
    });
  });
}
