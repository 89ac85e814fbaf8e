import { escape, format } from 'mysql2';
import type { Statement } from '../engine.js';
import { RowsStatement } from './row-shape.js';

/** What a packet has besides its text. */
const PACKET_HEAD_BYTES = 1_024;

/** Values go in here and nowhere else, escaped as the session's settings require. Throws RangeError for other kinds. */
export function textOf(statement: Statement): string {
  if (statement instanceof RowsStatement) return statement.filled(literal);
  return format(statement.sql, statement.parameters.map(plainValue), true);
}

function literal(value: unknown): string {
  const plain = plainValue(value);
  // Numbers are the most frequent; the library's function takes all kinds of values, and longer for each.
  return typeof plain === 'number' ? String(plain) : escape(plain);
}

/** Only these kinds are written the same whatever the settings. */
function plainValue(value: unknown): string | number | null {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  throw new RangeError(`a statement's value cannot be ${typeof value}`);
}

/**
 * A whole transaction in as few packets as `bytesMost` allows; the last one holds the commit. A statement that does not
 * find the rows it expects ends it before that.
 */
export function packetsOf(statements: readonly Statement[], bytesMost: number): string[] {
  const packets: string[] = [];
  let texts: string[] = [];
  let bytes = 0;
  const add = (text: string): void => {
    const length = Buffer.byteLength(text) + 1;
    if (texts.length > 0 && bytes + length > bytesMost) {
      packets.push(texts.join(';'));
      texts = [];
      bytes = 0;
    }
    texts.push(text);
    bytes += length;
  };
  add('begin');
  for (const statement of statements) {
    add(textOf(statement));
    if (statement.expectRows !== undefined) add(guard(statement.expectRows));
  }
  add('commit');
  packets.push(texts.join(';'));
  return packets;
}

/** The rows that each statement changed, from the results of its packets put one after the other. */
export function changedRows(
  statements: readonly Statement[],
  results: readonly unknown[],
): ReadonlyMap<Statement, number> {
  const changed = new Map<Statement, number>();
  // The first result is that of begin.
  let at = 1;
  for (const statement of statements) {
    changed.set(statement, affectedRows(results[at]));
    at += statement.expectRows === undefined ? 1 : 2;
  }
  return changed;
}

export function tooLong(packet: string, mostBytes: number): boolean {
  return packet.length * 3 + PACKET_HEAD_BYTES > mostBytes && Buffer.byteLength(packet) + PACKET_HEAD_BYTES > mostBytes;
}

/** Fails where the statement before counted other rows: no double is as big as e to the 710. */
function guard(rows: number): string {
  return `set @ibex_guard = exp(710 * (row_count() <> ${rows}))`;
}

function affectedRows(result: unknown): number {
  if (typeof result !== 'object' || result === null || !('affectedRows' in result)) return 0;
  return typeof result.affectedRows === 'number' ? result.affectedRows : 0;
}
