import { errorCode } from '../../../shared/errors.js';
import type { StatementFault } from '../engine.js';
import { StoreError } from '../store.js';

/** The numbers of the server's errors, as MySQL and MariaDB share them. */
const DUPLICATE = 1062;
const DEADLOCK = 1213;
const LOCK_WAIT = 1205;
/** MariaDB 11: the row was changed after this transaction's snapshot */
const RECORD_CHANGED = 1020;
/** the guards in our own transactions; also a number that fits no column */
const OUT_OF_RANGE = 1690;

/** Values or rows that the server refuses, in contrast to a server that can't write at all. */
const REFUSALS: ReadonlySet<number> = new Set([
  OUT_OF_RANGE,
  1048, // null where none may be
  1264, // number out of range of its column
  1265, // data truncated
  1292, // no time
  1365, // division by zero
  1366, // a character that the column's character set does not have
  1406, // too long
  1452, // foreign key
  3988, // a character that cannot be converted
]);

/** The server takes no writes any more; another one behind the same name may. */
const READ_ONLY: ReadonlySet<number> = new Set([1290, 1792, 1836]);

/** A session's statement took too long, or its connection ended: the connection is of no use any more. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/** The error number of the server; 0 where it is not the server's error. */
export function serverErrno(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return 0;
  return typeof error.errno === 'number' && 'sqlState' in error ? error.errno : 0;
}

/** Undefined where the statement is not to blame. A RangeError is our own, for one that no packet can hold. */
export function statementFault(error: unknown): StatementFault | undefined {
  if (error instanceof RangeError) return 'refused';
  const errno = serverErrno(error);
  if (errno === DUPLICATE) return 'duplicate';
  return REFUSALS.has(errno) ? 'refused' : undefined;
}

/** The transaction got into the way of another one, was undone, and has a fair chance at the next try. */
export function isCollision(error: unknown): boolean {
  return [DEADLOCK, LOCK_WAIT, RECORD_CHANGED].includes(serverErrno(error));
}

export function isReadOnlyServer(error: unknown): boolean {
  return READ_ONLY.has(serverErrno(error));
}

/** True for what another attempt to connect may mend: not for a wrong password, but for a server that is starting. */
export function mayBeReachedLater(error: unknown): boolean {
  const errno = serverErrno(error);
  if (errno !== 0) return [1040, 1053, 1203, 1226].includes(errno);
  return error instanceof ConnectionLostError || errorCode(error) !== undefined;
}

/** Why a connection could not be made, in words for an operator; the address is said elsewhere. */
export function connectProblem(error: unknown): string {
  switch (serverErrno(error)) {
    case 1045:
    case 1698:
      return 'access denied: wrong user or password';
    case 1044:
      return 'access denied: the user has no rights on this database';
    case 1040:
    case 1203:
      return 'too many connections';
    default:
  }
  switch (errorCode(error)) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENOENT':
      return 'there is no such socket';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is unknown';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no answer';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

export function unanswered(error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('the database does not answer', { cause: error });
}
