import { escape, format } from 'mysql2';
import type { Statement } from '../engine.js';
import { RowsStatement } from './row-shape.js';

/** A packet's bytes besides its text, at most. */
const PACKET_HEAD_BYTES = 1_024;

/** Values go in here and nowhere else, escaped as the session's settings require. Throws RangeError for other kinds. */
function textOf(statement: Statement): string {
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

/** The statements as they go out; behind one that expects rows, what fails where it did not find them. */
export function textsOf(statements: readonly Statement[]): string[] {
  return statements.flatMap((statement) =>
    statement.expectRows === undefined ? [textOf(statement)] : [textOf(statement), guard(statement.expectRows)],
  );
}

/** The texts in as few packets as `bytesMost` allows. */
export function packetsOf(texts: readonly string[], bytesMost: number): string[] {
  const packets: string[] = [];
  let packet: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const length = Buffer.byteLength(text) + 1;
    if (packet.length > 0 && bytes + length > bytesMost) {
      packets.push(packet.join(';'));
      packet = [];
      bytes = 0;
    }
    packet.push(text);
    bytes += length;
  }
  packets.push(packet.join(';'));
  return packets;
}

/** The rows that each statement changed, from the results of their texts. */
export function changedRows(
  statements: readonly Statement[],
  results: readonly unknown[],
): ReadonlyMap<Statement, number> {
  const changed = new Map<Statement, number>();
  let at = 0;
  for (const statement of statements) {
    changed.set(statement, affectedRows(results[at]));
    at += textCount(statement);
  }
  return changed;
}

/** The statement that a text belongs to, by the text's position; `guard`: it ran, and changed other rows. */
export function statementAt(
  statements: readonly Statement[],
  position: number,
): { readonly statement: Statement; readonly guard: boolean } | undefined {
  let at = 0;
  for (const statement of statements) {
    const count = textCount(statement);
    if (position < at + count) return { statement, guard: position > at };
    at += count;
  }
  return undefined;
}

export function tooLong(packet: string, mostBytes: number): boolean {
  return packet.length * 3 + PACKET_HEAD_BYTES > mostBytes && Buffer.byteLength(packet) + PACKET_HEAD_BYTES > mostBytes;
}

/** Fails where the statement before counted other rows: no double is as big as e to the 710. */
function guard(rows: number): string {
  return `set @ibex_guard = exp(710 * (row_count() <> ${rows}))`;
}

function textCount({ expectRows }: Statement): number {
  return expectRows === undefined ? 1 : 2;
}

function affectedRows(result: unknown): number {
  if (typeof result !== 'object' || result === null || !('affectedRows' in result)) return 0;
  return typeof result.affectedRows === 'number' ? result.affectedRows : 0;
}
