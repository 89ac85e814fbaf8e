import { readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { describeError, errorCode, UserError } from '../../shared/errors.js';

/** A file's text; `-` is this process's own standard input. Throws UserError if it can't be read or is not UTF-8. */
export function readText(what: string, file: string): string {
  const bytes = readBytes(what, file);
  // The API carries text. Bytes that are none would arrive changed, so they are not sent at all.
  if (!isUtf8(bytes)) throw new UserError(`${what} ${file} is not UTF-8 text`);
  return bytes.toString();
}

/** A title the API takes: without the characters it refuses, and short enough for the host that the server adds. */
export function safeTitle(text: string): string {
  return (
    text
      .replaceAll(/[<>&'"\s]+/g, ' ')
      .trim()
      .slice(0, 100) || 'ibex run'
  );
}

function readBytes(what: string, file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    switch (errorCode(error)) {
      case 'ENOENT':
        throw new UserError(`${what} ${file}: no such file`);
      case 'EACCES':
        throw new UserError(`${what} ${file}: permission denied`);
      case 'EISDIR':
        throw new UserError(`${what} ${file} is a directory`);
      default:
        throw new UserError(`cannot read ${what} ${file}: ${describeError(error)}`);
    }
  }
}
