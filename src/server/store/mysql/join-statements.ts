import type { Statement, StatementShape } from '../engine.js';

/** Text of one statement, UTF-16 units, unless one row has more. */
const TEXT_MOST = 256 * 1_024;

interface Gathered {
  readonly rows: unknown[];
  textUnits: number;
}

interface Wave {
  readonly shapes: Map<StatementShape, Gathered>;
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
  let wave = emptyWave();
  const flush = (): void => {
    joined.push(...statementsOf(wave));
    wave = emptyWave();
  };
  for (const statement of statements) {
    const { part } = statement;
    if (!part) {
      flush();
      joined.push(statement);
      continue;
    }
    const { shape, rows, scope, textUnits } = part;
    const about = `${shape.target} ${scope}`;
    if (shape.rank <= (wave.ranks.get(about) ?? -1)) flush();
    wave.ranks.set(about, shape.rank);
    const gathered = wave.shapes.get(shape);
    if (!gathered) {
      wave.shapes.set(shape, { rows: [...rows], textUnits });
      continue;
    }
    for (const row of rows) gathered.rows.push(row);
    gathered.textUnits += textUnits;
  }
  flush();
  return joined;
}

function emptyWave(): Wave {
  return { shapes: new Map(), ranks: new Map() };
}

function statementsOf(wave: Wave): Statement[] {
  const shapes = [...wave.shapes].sort(([a], [b]) => a.rank - b.rank);
  return shapes.flatMap(([shape, gathered]) => pieces(shape, gathered).map((piece) => shape.statement(piece)));
}

function pieces(shape: StatementShape, { rows, textUnits }: Gathered): (readonly unknown[])[] {
  if (rows.length <= shape.rowsMost && textUnits <= TEXT_MOST) return [rows];
  const found: unknown[][] = [];
  let piece: unknown[] = [];
  let text = 0;
  for (const row of rows) {
    const length = shape.textUnits(row);
    if (piece.length >= shape.rowsMost || (piece.length > 0 && text + length > TEXT_MOST)) {
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
