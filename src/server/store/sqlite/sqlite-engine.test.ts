import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Database, { type Statement as SqliteStatement } from 'better-sqlite3';
import { StatementError, type Statement } from '../engine.js';
import { SqliteEngine } from './sqlite-engine.js';

const INSERT = 'insert into numbers (n) values (?)';
const MEMBERS = 600;

describe('a transaction on SQLite', () => {
  it('of which members fail runs each statement twice at most', async () => {
    const database = new CountingDatabase(':memory:');
    database.exec('create table numbers (n integer primary key)');
    await using engine = new SqliteEngine(database);
    // Every second one is the same as the one before.
    const members = Array.from({ length: MEMBERS }, (_, i) => ({
      statements: [insert(MEMBERS + i), insert(i - (i % 2))],
    }));
    const outcomes = await engine.transaction(members);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome instanceof StatementError ? outcome.fault : outcome)),
      members.map((_, i) => (i % 2 === 0 ? [1, 1] : 'duplicate')),
    );
    const { runs } = database;
    assert.ok(count(runs, INSERT) <= 2 * 2 * MEMBERS, `${count(runs, INSERT)} inserts`);
    assert.equal(count(runs, 'begin immediate'), 2);
    assert.equal(count(runs, 'commit'), 1);
    assert.equal(database.prepare('select n from numbers').all([]).length, MEMBERS);
  });

  it('of which none fails is one without savepoints', async () => {
    const database = new CountingDatabase(':memory:');
    database.exec('create table numbers (n integer primary key)');
    await using engine = new SqliteEngine(database);
    assert.deepEqual(await engine.transaction([{ statements: [insert(1), insert(2)] }, { statements: [insert(3)] }]), [
      [1, 1],
      [1],
    ]);
    assert.deepEqual(database.runs, ['begin immediate', INSERT, INSERT, INSERT, 'commit']);
  });
});

function insert(n: number): Statement {
  return { sql: INSERT, parameters: [n] };
}

function count(runs: readonly string[], sql: string): number {
  return runs.filter((run) => run === sql).length;
}

class CountingDatabase extends Database {
  /** The texts of what was run, in order. */
  readonly runs: string[] = [];

  override prepare(sql: string): SqliteStatement {
    const statement = super.prepare(sql);
    return {
      reader: statement.reader,
      all: (parameters) => statement.all(parameters),
      iterate: (parameters) => statement.iterate(parameters),
      run: (parameters) => {
        this.runs.push(sql);
        return statement.run(parameters);
      },
    };
  }
}
