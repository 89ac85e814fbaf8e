import { sql, type Compilable, type RawBuilder } from 'kysely';
import type { RowWrite } from '../dialect.js';
import type { Statement, UniqueKey } from '../engine.js';

type Expected = Readonly<{ expectRows?: number; unique?: UniqueKey }>;

/** Stands for a value that is given when the statement is used. */
class Slot<V> {
  readonly row: number;
  readonly name: keyof V;

  constructor(row: number, name: keyof V) {
    this.row = row;
    this.name = name;
  }
}

export type SlotOf<V> = <K extends keyof V>(name: K) => RawBuilder<V[K]>;

/**
 * A statement compiled once and used many times with other values: kysely takes longer to compile one than SQLite to
 * run it.
 */
export class Template<V> implements RowWrite<V> {
  readonly #sql: string;
  readonly #parameters: readonly unknown[];
  readonly #expected: Expected;

  private constructor(compilable: Compilable, expected: Expected) {
    const compiled = compilable.compile();
    this.#sql = compiled.sql;
    this.#parameters = compiled.parameters;
    this.#expected = expected;
  }

  static of<V>(build: (slot: SlotOf<V>) => Compilable, expected: Expected = {}): Template<V> {
    return new Template<V>(build(slotsOf<V>(0)), expected);
  }

  /** One statement for `count` rows; it must be bound to just as many. */
  static ofRows<V>(count: number, build: (slots: readonly SlotOf<V>[]) => Compilable): Template<V> {
    return new Template<V>(build(Array.from({ length: count }, (_, row) => slotsOf<V>(row))), {});
  }

  /** A statement a row. */
  of(_scope: string, rows: readonly V[]): Statement[] {
    return rows.map((row) => this.bind(row));
  }

  bind(...rows: readonly V[]): Statement {
    const parameters = this.#parameters.map((parameter) =>
      isSlot<V>(parameter) ? rows[parameter.row]?.[parameter.name] : parameter,
    );
    return { sql: this.#sql, parameters, ...this.#expected };
  }
}

/** Statements for any number of rows, in pieces of `most` rows and a rest. */
export class RowsTemplate<V> implements RowWrite<V> {
  readonly #most: number;
  readonly #build: (slots: readonly SlotOf<V>[]) => Compilable;
  readonly #templates = new Map<number, Template<V>>();

  constructor(most: number, build: (slots: readonly SlotOf<V>[]) => Compilable) {
    this.#most = most;
    this.#build = build;
  }

  of(_scope: string, rows: readonly V[]): Statement[] {
    const statements: Statement[] = [];
    let at = 0;
    // The rest goes in powers of two, so that few different statements are ever compiled.
    for (let size = this.#most; size >= 1; size = Math.floor(size / 2)) {
      for (; rows.length - at >= size; at += size) {
        statements.push(this.#template(size).bind(...rows.slice(at, at + size)));
      }
    }
    return statements;
  }

  #template(size: number): Template<V> {
    let template = this.#templates.get(size);
    if (!template) {
      template = Template.ofRows(size, this.#build);
      this.#templates.set(size, template);
    }
    return template;
  }
}

function isSlot<V>(value: unknown): value is Slot<V> {
  return value instanceof Slot;
}

function slotsOf<V>(row: number): SlotOf<V> {
  return <K extends keyof V>(name: K) => sql<V[K]>`${new Slot<V>(row, name)}`;
}
