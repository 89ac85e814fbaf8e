import { readFileSync } from 'node:fs';
import { parse } from 'toml';
import { describeError, errorCode, UserError } from '../errors.js';

/** A parsed TOML table. */
export type TomlTable = Readonly<Record<string, unknown>>;

/** Reads and parses a TOML file. Throws UserError naming the file, and line and column of a syntax error. */
export function readTomlFile(path: string): TomlTable {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read config file ${path}: ${readProblem(error)}`);
  }
  try {
    const parsed: unknown = parse(text);
    return isTable(parsed) ? parsed : {};
  } catch (error) {
    throw new UserError(`config file ${path}${position(error)}: ${describeError(error)}`);
  }
}

export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function readProblem(error: unknown): string {
  switch (errorCode(error)) {
    case 'ENOENT':
      return 'no such file (name one with -c FILE)';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return describeError(error);
  }
}

/** The parser tells where by `location.start`. */
function position(error: unknown): string {
  if (!isObject(error) || !('location' in error) || !isObject(error.location)) return '';
  const { location } = error;
  if (!('start' in location) || !isObject(location.start)) return '';
  const { start } = location;
  const line = 'line' in start && typeof start.line === 'number' ? ` line ${start.line}` : '';
  const column = 'column' in start && typeof start.column === 'number' ? ` column ${start.column}` : '';
  return `${line}${column}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
