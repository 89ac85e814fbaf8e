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

function position(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const line = 'line' in error && typeof error.line === 'number' ? error.line : undefined;
  const column = 'column' in error && typeof error.column === 'number' ? error.column : undefined;
  return line === undefined ? '' : ` line ${line}${column === undefined ? '' : ` column ${column}`}`;
}
