const PROBLEMS: Readonly<Record<string, string>> = {
  AUTH: 'permission denied',
  BUSY: 'another process keeps it locked',
  CANTOPEN: 'the file cannot be opened or created',
  CORRUPT: 'its file is damaged',
  FULL: 'its disk is full',
  IOERR: 'its file cannot be read or written',
  LOCKED: 'another process keeps it locked',
  NOMEM: 'the machine has no memory left',
  NOTADB: 'the file is not a SQLite database',
  PERM: 'permission denied',
  PROTOCOL: 'another process keeps it locked',
  READONLY: 'its file cannot be written',
};

/** An error of SQLite in words, by its code such as SQLITE_IOERR_WRITE. */
export function sqliteProblem(code: string): string {
  const [, kind = ''] = code.split('_');
  return PROBLEMS[kind] ?? `error ${code}`;
}
