import type { MysqlSession } from './mysql-session.js';

const UNICODE = 'utf8mb4';
/** In these a character may take more bytes than in UTF-8. */
const BYTES_PER_CHARACTER: Readonly<Record<string, number>> = { ucs2: 2, utf16: 4, utf16le: 4, utf32: 4, gb18030: 4 };
const LAST_OF_BMP = 0xffff;
const PIECE = 0x4000;
/** ASCII, so that every character set has it; no task, host or text is called so. */
const NOWHERE = '\u0000 a text that no row can have';

/** The character set of a column that holds texts of tasks, and how much it takes. */
interface TextColumn {
  readonly charset: Charset;
  readonly characters: number;
  readonly bytes: number;
}

/** Tables in a character set that lacks characters, in the order of their names. */
export interface NarrowTables {
  readonly charset: string;
  readonly tables: readonly string[];
}

/**
 * The columns of the original tables that can't hold every text of the API: those in a character set that lacks
 * characters, and those that are shorter than ibex makes them.
 */
export class TextColumns {
  readonly #byName: ReadonlyMap<string, TextColumn>;
  readonly #charsetsOf = new Map<string, Set<Charset>>();

  private constructor(byName: ReadonlyMap<string, TextColumn>) {
    this.#byName = byName;
    for (const [name, { charset }] of byName) {
      if (charset.complete) continue;
      const table = name.slice(0, name.indexOf('.'));
      const charsets = this.#charsetsOf.get(table) ?? new Set();
      this.#charsetsOf.set(table, charsets.add(charset));
    }
  }

  /** Asks the database for its columns, and for the characters of each character set that is in use besides utf8mb4. */
  static async read(session: MysqlSession, timeoutMs: number): Promise<TextColumns> {
    const rows = await session.rows(
      `select table_name as tbl, column_name as col, character_set_name as charset,
         character_maximum_length as characters, character_octet_length as bytes
       from information_schema.columns
       where table_schema = database() and character_set_name is not null
         and (table_name in ('task_meta', 'task_host_doing', 'ibex_run') or table_name like 'task\\_host\\__%')`,
      [],
      timeoutMs,
    );
    const charsets = new Map<string, Charset>();
    const columns = new Map<string, TextColumn>();
    for (const row of rows) {
      const name = String(row['charset']);
      let charset = charsets.get(name);
      if (!charset) {
        charset = await Charset.of(name, session, timeoutMs);
        charsets.set(name, charset);
      }
      const bytes = Math.floor(Number(row['bytes']));
      columns.set(`${String(row['tbl'])}.${String(row['col'])}`, {
        charset,
        characters: Math.min(Number(row['characters']), Math.floor(bytes / (BYTES_PER_CHARACTER[name] ?? 1))),
        bytes,
      });
    }
    return new TextColumns(columns);
  }

  /** The tables in each character set that lacks characters. */
  get narrow(): readonly NarrowTables[] {
    const byCharset = new Map<string, string[]>();
    for (const [table, charsets] of this.#charsetsOf) {
      for (const { name } of charsets) byCharset.set(name, [...(byCharset.get(name) ?? []), table]);
    }
    const inOrder = new Intl.Collator('en', { numeric: true });
    return [...byCharset].map(([charset, tables]) => ({ charset, tables: tables.sort(inOrder.compare) }));
  }

  /** Why a column can't hold a text, in words; undefined where it can. */
  problem(table: string, column: string, text: string): string | undefined {
    const known = this.#byName.get(`${table}.${column}`);
    if (!known) return undefined;
    const { charset, characters, bytes } = known;
    const lacking = charset.lacking(text);
    if (lacking !== undefined) {
      return `the database cannot hold the character ${lacking}: its column ${table}.${column} has the character set ${charset.name}`;
    }
    // Two cheap looks first: nearly all texts are far shorter.
    if (text.length <= characters && text.length * 3 <= bytes) return undefined;
    if (Array.from(text).length <= characters && Buffer.byteLength(text) <= bytes) return undefined;
    return `it is longer than the database's column ${table}.${column} takes`;
  }

  /** The text with each character replaced that the column lacks, and its end where it is too long. */
  fitting(table: string, column: string, text: string): string {
    const known = this.#byName.get(`${table}.${column}`);
    if (!known) return text;
    const { charset, characters, bytes } = known;
    const held = charset.replaced(text);
    if (held.length <= characters && held.length * 3 <= bytes) return held;
    let end = held.length <= characters ? held : Array.from(held).slice(-characters).join('');
    if (Buffer.byteLength(end) > bytes) {
      end = Buffer.from(end)
        .subarray(-bytes)
        .toString()
        .replace(/^\uFFFD+/, '');
    }
    return end;
  }

  /**
   * Parameters for a query: a text that no column of its tables can hold is in no row, and to compare it with such a
   * column is an error.
   */
  comparable(sql: string, parameters: readonly unknown[]): readonly unknown[] {
    if (this.#charsetsOf.size === 0) return parameters;
    const charsets = Array.from(sql.matchAll(/`(task_\w+)`/g), ([, table = '']) => [
      ...(this.#charsetsOf.get(table) ?? []),
    ]).flat();
    if (charsets.length === 0) return parameters;
    return parameters.map((value) =>
      typeof value === 'string' && charsets.some((charset) => charset.lacking(value) !== undefined) ? NOWHERE : value,
    );
  }
}

/** The characters that a character set of the database has. */
class Charset {
  readonly name: string;
  /** by UTF-16 unit; undefined: all of them */
  readonly #has: Uint8Array | undefined;
  readonly #beyondBmp: boolean;
  readonly #substitute: string;

  private constructor(name: string, has: Uint8Array | undefined, beyondBmp: boolean) {
    this.name = name;
    this.#has = has;
    this.#beyondBmp = beyondBmp;
    this.#substitute = !has || has[0xfffd] === 1 ? '\uFFFD' : '?';
  }

  static async of(name: string, session: MysqlSession, timeoutMs: number): Promise<Charset> {
    if (name === UNICODE) return new Charset(name, undefined, true);
    if (name === 'utf8mb3' || name === 'utf8') return new Charset(name, undefined, false);
    const has = new Uint8Array(LAST_OF_BMP + 1);
    for (let from = 0; from <= LAST_OF_BMP; from += PIECE) {
      const units = Array.from({ length: PIECE }, (_, i) => from + i).filter((unit) => !isSurrogate(unit));
      const back = await convertedAndBack(name, String.fromCharCode(...units), session, timeoutMs);
      units.forEach((unit, position) => {
        has[unit] = back.length === units.length && back.charCodeAt(position) === unit ? 1 : 0;
      });
    }
    const beyond = '\u{1F525}';
    return new Charset(name, has, (await convertedAndBack(name, beyond, session, timeoutMs)) === beyond);
  }

  /** True where nothing is lacking. */
  get complete(): boolean {
    return this.#has === undefined && this.#beyondBmp;
  }

  /** The first character of the text that it does not have. */
  lacking(text: string): string | undefined {
    if (this.complete) return undefined;
    for (const character of text) if (!this.#holds(character)) return character;
    return undefined;
  }

  replaced(text: string): string {
    if (this.lacking(text) === undefined) return text;
    return Array.from(text, (character) => (this.#holds(character) ? character : this.#substitute)).join('');
  }

  #holds(character: string): boolean {
    if (character.length > 1) return this.#beyondBmp;
    return this.#has === undefined || this.#has[character.charCodeAt(0)] === 1;
  }
}

async function convertedAndBack(
  charset: string,
  text: string,
  session: MysqlSession,
  timeoutMs: number,
): Promise<string> {
  if (!/^\w+$/.test(charset)) throw new Error(`no name of a character set: ${charset}`);
  const question = `select convert(convert(? using ${charset}) using utf8mb4) as back`;
  const [row] = await session.rows(question, [text], timeoutMs);
  return String(row?.['back']);
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
