import { after, before, describe, test } from 'node:test';
import { MysqlPlace } from '../../store/testing/mysql-place.js';
import type { StorePlace } from '../../store/testing/store-place.js';
import { testDatabases } from '../../store/testing/test-databases.js';
import { TestServer } from '../../testing/test-server.js';

export type Check = (name: string, run: (server: TestServer) => Promise<void>) => void;

/** Defines the same tests for every kind of database; those of one kind share a server. */
export function onEachDatabase(define: (check: Check) => void): void {
  for (const database of testDatabases) {
    describe(database.name, { skip: database.skip }, () => {
      let place: StorePlace | undefined;
      let server: TestServer | undefined;
      before(async () => {
        place = database.place();
        server = await TestServer.start(serverLines(place));
      });
      after(async () => {
        await server?.[Symbol.asyncDispose]();
        await place?.[Symbol.asyncDispose]();
      });
      define((name, run) => {
        test(name, async () => {
          if (!server) throw new Error('no server');
          await run(server);
        });
      });
    });
  }
}

/** Lines of server.conf that make a server use this database; a server that is told nothing makes a SQLite file. */
function serverLines(place: StorePlace): string {
  if (!(place instanceof MysqlPlace)) return '';
  const { address, user, password, database } = place.target;
  const text = 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`;
  const fields = { Address: text, User: user, Password: password, DBName: database, Create: true };
  return ['[MySQL]', ...Object.entries(fields).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join('\n');
}
