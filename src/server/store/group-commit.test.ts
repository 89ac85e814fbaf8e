import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StatementError, type Member, type MemberOutcome, type SqlEngine, type Statement } from './engine.js';
import { GroupCommit } from './group-commit.js';
import { StoreError, type Store } from './store.js';
import { createOf, metaOf } from './testing/sample-task.js';
import { openTaskIds, StoreFixture } from './testing/store-fixture.js';
import { SqlitePlace } from './testing/store-place.js';

describe('a group of commits', () => {
  it('loses only the member that is to blame, and that one whole', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    const { store } = f;
    const outcomes = await Promise.allSettled([
      store.commit([createOf(metaOf(1), { a: 1 })]),
      // a duplicate id
      store.commit([createOf(metaOf(2), { a: 1 }), createOf(metaOf(1), { a: 1 })]),
      // a status that the row does not have
      store.commit([
        createOf(metaOf(3), { a: 1 }),
        { kind: 'start-host', taskId: 1, host: 'a', from: 'waiting', clock: 2 },
      ]),
      store.commit([createOf(metaOf(4), { a: 1 })]),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'stored' : nameOf(outcome.reason))),
      ['stored', 'TaskIdTakenError', 'StaleStateError', 'stored'],
    );
    assert.deepEqual(await openTaskIds(store), [1, 4]);
    assert.deepEqual(await statusesOf(store, 2), []);
    assert.deepEqual(await statusesOf(store, 3), []);
  });

  it('leaves out what is aborted before the transaction begins', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    const caller = new AbortController();
    const outcomes = Promise.allSettled([
      f.store.commit([createOf(metaOf(1), { a: 1 })], caller.signal),
      f.store.commit([createOf(metaOf(2), { a: 1 })]),
    ]);
    caller.abort();
    assert.deepEqual(
      (await outcomes).map((outcome) => (outcome.status === 'fulfilled' ? 'stored' : nameOf(outcome.reason))),
      ['NotWantedError', 'stored'],
    );
    assert.deepEqual(await openTaskIds(f.store), [2]);
  });

  it('is made of what comes after one that nobody wanted from the beginning', async () => {
    await using f = await StoreFixture.open(new SqlitePlace());
    await assert.rejects(f.store.commit([createOf(metaOf(1), { a: 1 })], AbortSignal.abort()), {
      name: 'NotWantedError',
    });
    await f.store.commit([createOf(metaOf(2), { a: 1 })]);
    assert.deepEqual(await openTaskIds(f.store), [2]);
  });

  it('leaves out what was due to be aborted while the transaction before held the event loop up', async () => {
    const engine = new SlowEngine();
    await using commits = new GroupCommit(engine);
    const first = commits.run([statement('a')]);
    await engine.begun(1);
    const caller = new AbortController();
    setTimeout(() => caller.abort(), 1);
    const second = commits.run([statement('b')], caller.signal);
    const until = performance.now() + 10;
    while (performance.now() < until);
    engine.release();
    await first;
    await assert.rejects(second, { name: 'NotWantedError' });
    assert.deepEqual(engine.groups, [['a']]);
  });

  it('is what came while the one before was under way', async () => {
    const engine = new SlowEngine();
    await using commits = new GroupCommit(engine);
    const first = commits.run([statement('a')]);
    await engine.begun(1);
    const others = [commits.run([statement('b'), statement('c')]), commits.run([statement('d')])];
    engine.release();
    assert.deepEqual(await first, [1]);
    await engine.begun(2);
    engine.release();
    assert.deepEqual(await Promise.all(others), [[1, 1], [1]]);
    assert.deepEqual(engine.groups, [['a'], ['b', 'c', 'd']]);
  });

  it('is refused whole when the database is to blame', async () => {
    const engine = new SlowEngine();
    await using commits = new GroupCommit(engine);
    const both = Promise.allSettled([commits.run([statement('a')]), commits.run([statement('b')])]);
    await engine.begun(1);
    engine.release(new StoreError('disk full'));
    for (const outcome of await both) assert.equal(outcome.status, 'rejected');
    const next = commits.run([statement('c')]);
    await engine.begun(2);
    engine.release();
    assert.deepEqual(await next, [1]);
  });

  it('is cut at its limits, and what waits beyond the last one is refused', async () => {
    const engine = new SlowEngine();
    await using commits = new GroupCommit(engine, { groupStatements: 2, groupBytes: 1_000, queueBytes: 60 });
    const runs = ['a', 'b', 'c', 'dddddddddddddddddddd'].map((text) => commits.run([statement(text)]));
    await assert.rejects(commits.run([statement('too much for this queue')]), StoreError);
    for (let group = 1; group <= 2; group++) {
      await engine.begun(group);
      engine.release();
    }
    await Promise.all(runs);
    assert.deepEqual(engine.groups, [
      ['a', 'b'],
      ['c', 'dddddddddddddddddddd'],
    ]);
  });

  it('gives each member its own outcome, in one transaction', async () => {
    const engine = new SlowEngine();
    await using commits = new GroupCommit(engine);
    const runs = Promise.allSettled(
      ['a', 'rows', 'task-id', 'idempotency-key', 'b'].map((sql) => commits.run([statement(sql)])),
    );
    await engine.begun(1);
    engine.refuse('rows', new StatementError('rows', undefined));
    for (const unique of ['task-id', 'idempotency-key'] as const) {
      engine.refuse(unique, new StatementError('duplicate', { ...statement(unique), unique }));
    }
    engine.release();
    assert.deepEqual(
      (await runs).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : nameOf(outcome.reason))),
      [[1], 'StaleStateError', 'TaskIdTakenError', 'IdempotencyKeyTakenError', [1]],
    );
    assert.equal(engine.groups.length, 1);
  });
});

/** An engine whose transactions end when the test says so: SQLite's are over before anything else can come. */
class SlowEngine implements SqlEngine {
  readonly outOfProcess = true;
  readonly groups: string[][] = [];
  readonly #refused = new Map<string, StatementError>();
  #release: ((error: Error | undefined) => void) | undefined;
  #onBegin: (() => void) | undefined;

  async transaction(members: readonly Member[]): Promise<readonly MemberOutcome[]> {
    this.groups.push(members.flatMap(({ statements }) => statements.map(({ sql }) => sql)));
    const released = new Promise<Error | undefined>((resolve) => (this.#release = resolve));
    this.#onBegin?.();
    const error = await released;
    if (error) throw error;
    return members.map(({ statements }) => this.#refused.get(statements[0]?.sql ?? '') ?? statements.map(() => 1));
  }

  /** The member that begins with this statement is left out. */
  refuse(sql: string, error: StatementError): void {
    this.#refused.set(sql, error);
  }

  async begun(group: number): Promise<void> {
    while (this.groups.length < group) await new Promise<void>((resolve) => (this.#onBegin = resolve));
  }

  release(error?: Error): void {
    this.#release?.(error);
  }

  query<Row>(): Promise<Row[]> {
    return Promise.reject(new Error('not asked here'));
  }

  compile(): Statement {
    throw new Error('not asked here');
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function statement(sql: string): Statement {
  return { sql, parameters: [sql] };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

async function statusesOf(store: Store, taskId: number): Promise<readonly string[]> {
  return (await store.hosts(taskId)).map(({ status }) => status);
}
