import { errorCode } from '../../../shared/errors.js';
import type { StatementFault } from '../engine.js';
import { DeniedError, RefusedError, StoreError } from '../store.js';

/** The numbers of the server's errors, as MySQL and MariaDB share them. */
const DUPLICATE = 1062;
/** our own guards in a transaction; also a number that fits no column */
const OUT_OF_RANGE = 1690;
const UNKNOWN_DATABASE = 1049;
/** Two transactions got into each other's way, or a lock was not to be had in time; one was undone. */
const COLLISIONS: ReadonlySet<number> = new Set([
  1205, // lock wait timeout
  1213, // deadlock
  1020, // MariaDB 11: the row was changed after this transaction's snapshot
]);
/** The server takes no writes any more; another one behind the same name may. */
const READ_ONLY: ReadonlySet<number> = new Set([1290, 1792, 1836]);
/** The server may take this a moment later. */
const PASSING: ReadonlySet<number> = new Set([1040, 1053, 1203, 1226]);
/** The user has no right, or is not the one that the server knows. */
const NO_RIGHT: ReadonlySet<number> = new Set([1044, 1045, 1142, 1143, 1227, 1370, 1698]);
/** Whatever statement comes next fares no better, or the transaction is gone; no member is to blame. */
const OF_THE_SERVER: ReadonlySet<number> = new Set([
  ...COLLISIONS,
  ...READ_ONLY,
  ...PASSING,
  UNKNOWN_DATABASE,
  1021, // disk full
  1041, // out of memory
  1305, // no such savepoint: the transaction was undone
  1317, // query interrupted
  1927, // connection killed
]);

/** Why the server refuses, in words that follow "the database refuses: "; nothing of its own text is in them. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [1005, 'a table cannot be made'],
  [1020, 'another transaction is in the way'],
  [1021, 'its disk is full'],
  [1026, 'its disk cannot be written'],
  [1030, 'its storage engine fails'],
  [1040, 'it has too many connections (max_connections)'],
  [1041, 'it has no memory left'],
  [1044, 'access denied: the user has no rights on this database'],
  [1045, 'access denied: wrong user or password'],
  [UNKNOWN_DATABASE, 'there is no such database'],
  [1053, 'it is shutting down'],
  [1054, 'a column is missing'],
  [1071, 'a key is too long for the tables’ row format'],
  [1099, 'its tables are locked'],
  [1100, 'its tables are locked'],
  [1114, 'a table, or its disk, is full'],
  [1129, 'this machine is blocked (max_connect_errors)'],
  [1130, 'this machine may not connect'],
  [1142, 'the user lacks a right on a table'],
  [1143, 'the user lacks a right on a column'],
  [1146, 'a table is missing'],
  [1153, 'a statement is longer than max_allowed_packet'],
  [1194, 'a table is damaged'],
  [1195, 'a table is damaged'],
  [1203, 'the user has too many connections (max_user_connections)'],
  [1205, 'its tables or rows are locked by someone else'],
  [1213, 'another transaction is in the way'],
  [1223, 'its tables are locked for reading (FLUSH TABLES WITH READ LOCK)'],
  [1226, 'the user has reached a limit of its account, such as max_user_connections'],
  [1227, 'the user lacks a right'],
  [1290, 'it is read-only'],
  [1317, 'the statement was ended by an administrator'],
  [1370, 'the user lacks a right on a routine'],
  [1698, 'access denied: wrong user or password'],
  [1709, 'a key is too long for the tables’ row format'],
  [1792, 'it is read-only'],
  [1836, 'it is read-only'],
  [1927, 'the connection was ended by an administrator'],
  [1969, 'the statement took longer than max_statement_time'],
  [3024, 'the statement took longer than max_execution_time'],
]);
/** These values are refused, and will be again. */
const BAD_VALUES: ReadonlyMap<number, string> = new Map([
  [1048, 'null where none may be'],
  [1153, 'it is longer than max_allowed_packet'],
  [1264, 'a number that its column cannot hold'],
  [1265, 'a value that its column cannot hold'],
  [1267, 'a character that its column cannot hold'],
  [1292, 'a time that its column cannot hold'],
  [1300, 'a character that its column cannot hold'],
  [1364, 'a column that ibex does not know has no default'],
  [1365, 'a value that its column cannot hold'],
  [1366, 'a character that its column cannot hold'],
  [1406, 'a text that is too long for its column'],
  [1452, 'a foreign key'],
  [1644, 'a trigger'],
  [OUT_OF_RANGE, 'a number that its column cannot hold'],
  [3819, 'a check constraint'],
  [3988, 'a character that its column cannot hold'],
  [4025, 'a check constraint'],
]);

/** A session's statement took too long, or its connection ended: the connection is of no use any more. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/** The error number of the server; 0 where it is not the server's error. */
export function serverErrno(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return 0;
  return typeof error.errno === 'number' && 'sqlState' in error ? error.errno : 0;
}

/** Undefined where the statement is not to blame. A RangeError is our own, for a statement that can't be sent. */
export function statementFault(error: unknown): StatementFault | undefined {
  if (error instanceof RangeError) return 'refused';
  const errno = serverErrno(error);
  if (errno === 0 || OF_THE_SERVER.has(errno)) return undefined;
  return errno === DUPLICATE ? 'duplicate' : 'refused';
}

/** A guard of ours found other rows than it expected. */
export function isGuard(error: unknown): boolean {
  return serverErrno(error) === OUT_OF_RANGE;
}

export function isCollision(error: unknown): boolean {
  return COLLISIONS.has(serverErrno(error));
}

export function isReadOnlyServer(error: unknown): boolean {
  return READ_ONLY.has(serverErrno(error));
}

export function isUnknownDatabase(error: unknown): boolean {
  return serverErrno(error) === UNKNOWN_DATABASE;
}

export function isDuplicate(error: unknown): boolean {
  return serverErrno(error) === DUPLICATE;
}

/** True where only someone with more rights, or at another server, can do it. */
export function isDenied(error: unknown): boolean {
  return NO_RIGHT.has(serverErrno(error)) || isReadOnlyServer(error);
}

/** True for what another attempt to connect may mend: not for a wrong password, but for a server that is starting. */
export function mayBeReachedLater(error: unknown): boolean {
  const errno = serverErrno(error);
  if (errno !== 0) return PASSING.has(errno);
  return error instanceof ConnectionLostError || errorCode(error) !== undefined;
}

/** Why the database can't be reached or used, in words for an operator; the address is said elsewhere. */
export function problemOf(error: unknown): string {
  const reason = REASONS.get(serverErrno(error));
  if (reason !== undefined) return reason;
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

/** What the store's caller is told of an error: that the database refuses, or that it does not answer. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const options = { cause: error };
  if (error instanceof RangeError) return new RefusedError(`the database refuses it: ${error.message}`, options);
  // A server may say why it ends a connection.
  const errno = serverErrno(error) || (error instanceof ConnectionLostError ? serverErrno(error.cause) : 0);
  if (errno === 0) return new StoreError('the database does not answer', options);
  const bad = BAD_VALUES.get(errno);
  if (bad !== undefined) return new RefusedError(`the database refuses it: ${bad}`, options);
  return new DeniedError(`the database refuses: ${REASONS.get(errno) ?? `error ${errno}`}`, options);
}
