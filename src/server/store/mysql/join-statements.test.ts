import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Statement } from '../engine.js';
import { joinStatements } from './join-statements.js';
import { RowShape } from './row-shape.js';

interface Row {
  readonly n: number;
}

const insert = new RowShape<Row>({ target: 't', rank: 1, head: 'insert ', row: '?', columns: ['n'] });
const update = new RowShape<Row>({ target: 't', rank: 2, head: 'update ', row: '?', columns: ['n'], rowsEach: 2 });
const other = new RowShape<Row>({ target: 'o', rank: 1, head: 'other ', row: '?', columns: ['n'] });

function told(statements: readonly Statement[]): string[] {
  return joinStatements(statements).map(({ sql, parameters }) => `${sql.split(' ')[0]} ${parameters.join(',')}`);
}

describe('joining statements', () => {
  it('makes one of each shape', () => {
    const statements = [1, 2, 3].flatMap((n) => [...insert.of(`${n}`, [{ n }]), ...update.of(`${n}`, [{ n }])]);
    assert.deepEqual(told(statements), ['insert 1,2,3', 'update 1,2,3']);
    assert.deepEqual(
      joinStatements(statements).map(({ expectRows }) => expectRows),
      [undefined, 6],
    );
  });

  it('keeps the order of what is about the same', () => {
    const again = [...update.of('1', [{ n: 1 }]), ...insert.of('1', [{ n: 2 }]), ...update.of('2', [{ n: 3 }])];
    assert.deepEqual(told(again), ['update 1', 'insert 2', 'update 3']);
    const twice = [...update.of('1', [{ n: 1 }]), ...update.of('1', [{ n: 2 }])];
    assert.deepEqual(told(twice), ['update 1', 'update 2']);
    const elsewhere = [...update.of('1', [{ n: 1 }]), ...other.of('1', [{ n: 2 }]), ...update.of('2', [{ n: 3 }])];
    assert.deepEqual(told(elsewhere), ['other 2', 'update 1,3']);
  });

  it('goes around nothing that is of no shape', () => {
    const plain: Statement = { sql: 'plain', parameters: [] };
    const statements = [...insert.of('1', [{ n: 1 }]), plain, ...insert.of('2', [{ n: 2 }])];
    assert.deepEqual(told(statements), ['insert 1', 'plain ', 'insert 2']);
  });

  it('makes several of very many rows', () => {
    const rows = Array.from({ length: 1_200 }, (_, n) => ({ n }));
    assert.deepEqual(
      joinStatements(update.of('1', rows)).map(({ expectRows }) => expectRows),
      [1_000, 1_000, 400],
    );
  });
});
