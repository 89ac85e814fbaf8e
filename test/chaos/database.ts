import { MariadbProcess } from '../../src/server/store/testing/mariadb-process.ts';

/** What the server of a chaos run keeps its data in. */
export interface Database extends AsyncDisposable {
  /** The part of server.conf that names it; `folder` is the run's own. */
  config(folder: string): string;
  /** Kills it with -9; undefined where it has no process of its own. `begin` starts it again on the same data. */
  readonly process: { kill(): Promise<void>; begin(): Promise<void> } | undefined;
}

export const SQLITE: Database = {
  config: (folder) => `[SQLite]\nPath = "${folder}/ibex.db"\n`,
  process: undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** A MariaDB of the run's own. */
export async function openMariadb(): Promise<Database> {
  if (!MariadbProcess.installed()) throw new Error('there is no mariadbd on this machine');
  const server = await MariadbProcess.start();
  return {
    config: () => `[MySQL]\nAddress = "127.0.0.1:${server.port}"\nUser = "root"\nPassword = ""\nDBName = "ibex"\n`,
    process: { kill: () => server.signal('SIGKILL'), begin: () => server.begin() },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
