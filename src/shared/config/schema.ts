import { UserError } from '../errors.js';
import { didYouMean } from '../nearest-name.js';
import { isTable, type TomlTable } from './toml-file.js';

/** How one key is read: its default, and a reader that throws a plain Error saying what was expected. */
export interface Key<T> {
  readonly fallback: T;
  readonly read: (value: unknown) => T;
  /** set for keys of the Go ibex that mean nothing here; using one gives a warning with this text */
  readonly unused?: string;
}

export type Section = Readonly<Record<string, Key<unknown>>>;
type Values<S extends Section> = {
  readonly [K in keyof S]: S[K] extends Key<infer T>
    ? K extends typeof ANY_KEYS
      ? Readonly<Record<string, T>>
      : T
    : never;
};
/** Sections by their TOML table name; the section named '' holds the top-level keys. */
export type Schema = Readonly<Record<string, Section>>;
export type Config<S extends Schema> = { readonly [N in keyof S]: Values<S[N]> };

export interface ReadConfig<S extends Schema> {
  readonly config: Config<S>;
  readonly warnings: readonly string[];
}

/**
 * Reads a TOML table by a schema. Keys that are missing take their default. An unknown table or key is a UserError
 * that names file, key and the nearest known name; so is a value of the wrong kind.
 */
export function readConfig<S extends Schema>(schema: S, table: TomlTable, file: string): ReadConfig<S> {
  const warnings: string[] = [];
  const top = schema[''] ?? {};
  const tableNames = Object.keys(schema).filter((name) => name !== '');
  for (const [name, value] of Object.entries(table)) {
    if (Object.hasOwn(top, name)) continue;
    if (tableNames.includes(name)) {
      if (!isTable(value)) throw new UserError(`${file}: ${name} must be a table [${name}]`);
      continue;
    }
    const shown = isTable(value) ? `[${name}]` : name;
    throw new UserError(`${file}: unknown key ${shown}${didYouMean(name, [...Object.keys(top), ...tableNames])}`);
  }
  const config: Record<string, unknown> = {};
  for (const [name, section] of Object.entries(schema)) {
    const raw = name === '' ? table : (table[name] ?? {});
    config[name] = readSection(section, isTable(raw) ? raw : {}, name, file, warnings, tableNames);
  }
  // The loop above fills every section from the schema, key by key, through that key's own reader.
  return { config: config as Config<S>, warnings };
}

/** A key for values that the schema can't list, such as user names: the section's table is handed over as it is. */
export const ANY_KEYS = '*';

function readSection(
  section: Section,
  raw: TomlTable,
  name: string,
  file: string,
  warnings: string[],
  tableNames: readonly string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const anyKey = section[ANY_KEYS];
  if (anyKey) {
    const entries = Object.entries(raw).map(([key, value]): [string, unknown] => [
      key,
      readKey(anyKey, value, `${name}.${key}`, file),
    ]);
    return { [ANY_KEYS]: Object.fromEntries(entries) };
  }
  for (const key of Object.keys(raw)) {
    if (Object.hasOwn(section, key) || (name === '' && tableNames.includes(key))) continue;
    throw new UserError(`${file}: unknown key ${name}.${key}${didYouMean(key, Object.keys(section))}`);
  }
  const unused: { readonly key: string; readonly why: string }[] = [];
  for (const [key, spec] of Object.entries(section)) {
    const path = name === '' ? key : `${name}.${key}`;
    const given = raw[key];
    values[key] = given === undefined ? spec.fallback : readKey(spec, given, path, file);
    if (given !== undefined && spec.unused !== undefined) unused.push({ key, why: spec.unused });
  }
  if (unused.length > 0)
    warnings.push(`${file}: without meaning here: ${name === '' ? '' : `[${name}] `}${byReason(unused)}`);
  return values;
}

/** `ReadTimeout, WriteTimeout (why); PProf (why)` */
function byReason(unused: readonly { readonly key: string; readonly why: string }[]): string {
  const reasons = Map.groupBy(unused, ({ why }) => why);
  return [...reasons].map(([why, keys]) => `${keys.map(({ key }) => key).join(', ')} (${why})`).join('; ');
}

function readKey(key: Key<unknown>, value: unknown, path: string, file: string): unknown {
  try {
    return key.read(value);
  } catch (error) {
    const expected = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file}: ${path} ${expected}, not ${JSON.stringify(value)}`);
  }
}
