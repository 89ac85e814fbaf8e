import type { Statement, StatementShape } from '../engine.js';

/** Text of one statement, UTF-16 units, unless one row has more. */
const TEXT_MOST = 256 * 1_024;

interface Wave {
  readonly rows: Map<StatementShape, unknown[]>;
  /** the last shape of each scope and target, by its rank */
  readonly ranks: Map<string, number>;
}

/**
 * The same work in fewer statements. Parts of one shape become one statement as long as nothing changes places that
 * touches the same thing: where a scope comes back to a shape, or to one that must come before, all that was gathered
 * goes first.
 */
export function joinStatements(statements: readonly Statement[]): Statement[] {
  const joined: Statement[] = [];
  let wave: Wave = { rows: new Map(), ranks: new Map() };
  const flush = (): void => {
    joined.push(...statementsOf(wave));
    wave = { rows: new Map(), ranks: new Map() };
  };
  for (const statement of statements) {
    const { part } = statement;
    if (!part) {
      flush();
      joined.push(statement);
      continue;
    }
    const { shape, rows, scope } = part;
    const about = `${shape.target} ${scope}`;
    if (shape.rank <= (wave.ranks.get(about) ?? -1)) flush();
    wave.ranks.set(about, shape.rank);
    const gathered = wave.rows.get(shape);
    if (gathered) for (const row of rows) gathered.push(row);
    else wave.rows.set(shape, [...rows]);
  }
  flush();
  return joined;
}

function statementsOf(wave: Wave): Statement[] {
  const shapes = [...wave.rows].sort(([a], [b]) => a.rank - b.rank);
  return shapes.flatMap(([shape, rows]) => pieces(rows, shape.rowsMost).map((piece) => shape.statement(piece)));
}

function pieces(rows: readonly unknown[], rowsMost: number): (readonly unknown[])[] {
  const found: unknown[][] = [];
  let piece: unknown[] = [];
  let text = 0;
  for (const row of rows) {
    const length = textLength(row);
    if (piece.length >= rowsMost || (piece.length > 0 && text + length > TEXT_MOST)) {
      found.push(piece);
      piece = [];
      text = 0;
    }
    piece.push(row);
    text += length;
  }
  found.push(piece);
  return found;
}

function textLength(row: unknown): number {
  let length = 0;
  if (typeof row === 'object' && row !== null) {
    for (const value of Object.values(row)) if (typeof value === 'string') length += value.length;
  }
  return length;
}
