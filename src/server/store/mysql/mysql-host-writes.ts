import type { HostChange, HostRef, HostText, HostWrites } from '../dialect.js';
import type { Statement } from '../engine.js';
import { RowShape } from './row-shape.js';

const INSERT_RANK = 2;
/** after an insert of the same rows */
const UPDATE_RANK = 3;
/** MySQL counts so many rows for one that was there and was changed by an insert. */
const CHANGED = 2;
/** Whatever the column's character set, values come in utf8mb4. */
const SAME_BYTES = 'cast(convert(`host` using utf8mb4) as binary) = cast(? as binary)';
const TEXTS = ['stdout', 'stderr'] as const;

/**
 * Writes into one table of hosts. Many changes of hosts go into one `insert … on duplicate key update`, which is several
 * times faster than as many updates. It looks at the old status, and at the name byte for byte, as the column may
 * compare more loosely; for a host that is not as expected the server counts another number of rows, and the whole
 * transaction is undone.
 */
export class MysqlHostWrites implements HostWrites {
  readonly insert: HostWrites['insert'];
  readonly #table: string;
  readonly #byFrom = new Map<string, { status: RowShape<HostChange>; output: RowShape<HostChange & HostText> }>();

  constructor(table: string) {
    this.#table = table;
    this.insert = new RowShape<HostRef & { readonly status: string }>({
      target: table,
      rank: INSERT_RANK,
      head: `insert into \`${table}\` (\`id\`, \`host\`, \`status\`) values `,
      row: '(?, ?, ?)',
      columns: ['id', 'host', 'status'],
    });
  }

  readonly status: HostWrites['status'] = {
    of: (scope, rows) =>
      rows.flatMap((row) =>
        // For a row that stays the same the server counts as for a new one.
        row.from === row.to ? [this.#update(row, [], row)] : this.#shapes(row.from).status.of(scope, [row]),
      ),
  };

  readonly output: HostWrites['output'] = {
    of: (scope, rows) =>
      rows.flatMap((row) =>
        row.from === row.to ? [this.#update(row, TEXTS, row)] : this.#shapes(row.from).output.of(scope, [row]),
      ),
  };

  readonly outputOnly: HostWrites['outputOnly'] = {
    of: (_scope, rows) => rows.map((row) => this.#update(row, TEXTS)),
  };

  #shapes(from: string): { status: RowShape<HostChange>; output: RowShape<HostChange & HostText> } {
    let shapes = this.#byFrom.get(from);
    if (!shapes) {
      shapes = {
        status: changing<HostChange>(this.#table, from, []),
        output: changing<HostChange & HostText>(this.#table, from, TEXTS),
      };
      this.#byFrom.set(from, shapes);
    }
    return shapes;
  }

  #update(row: HostRef & Partial<HostText>, texts: readonly (keyof HostText)[], change?: HostChange): Statement {
    const columns = [...texts, ...(change ? ['status'] : [])].map((column) => `\`${column}\` = ?`);
    const guard = change ? ' and `status` = ?' : '';
    const statement = {
      sql:
        `update \`${this.#table}\` set ${columns.join(', ')} ` +
        `where \`id\` = ? and \`host\` = ? and ${SAME_BYTES}${guard}`,
      parameters: [
        ...texts.map((column) => row[column]),
        ...(change ? [change.to] : []),
        row.id,
        row.host,
        row.host,
        ...(change ? [change.from] : []),
      ],
    };
    return change ? { ...statement, expectRows: 1 } : statement;
  }
}

function changing<V extends HostChange>(
  table: string,
  from: string,
  texts: readonly (keyof V & string)[],
): RowShape<V> {
  // Word of our own closed set: it goes into the text as it is.
  const guard = `\`status\` = '${from}' and cast(\`host\` as binary) = cast(values(\`host\`) as binary)`;
  // The status last: MySQL assigns in this order, and the others look at the old one.
  const assignments = [...texts, 'status'].map(
    (column) => `\`${column}\` = if(${guard}, values(\`${column}\`), \`${column}\`)`,
  );
  return new RowShape<V>({
    target: table,
    rank: UPDATE_RANK,
    head: `insert into \`${table}\` (\`id\`, \`host\`, \`status\`${texts.map((column) => `, \`${column}\``).join('')}) values `,
    row: `(?, ?, ?${', ?'.repeat(texts.length)})`,
    tail: ` on duplicate key update ${assignments.join(', ')}`,
    columns: ['id', 'host', 'to', ...texts],
    rowsEach: CHANGED,
    // As an insert, one row costs half as much again.
    single: {
      text:
        `update \`${table}\` set ${[...texts, 'status'].map((column) => `\`${column}\` = ?`).join(', ')} ` +
        `where \`id\` = ? and \`host\` = ? and ${SAME_BYTES} and \`status\` = '${from}'`,
      columns: [...texts, 'to', 'id', 'host', 'host'],
      rowsEach: 1,
    },
  });
}
