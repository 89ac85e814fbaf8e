import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { IbexProcess } from './harness/ibex-process.ts';

/** Takes connections and says nothing: a database that hangs. */
const database = createServer();
const folder = mkdtempSync(join(tmpdir(), 'ibex-test-'));
const config = join(folder, 'server.conf');

before(async () => {
  await once(database.listen(0, '127.0.0.1'), 'listening');
  const address = database.address();
  assert.ok(typeof address === 'object' && address !== null);
  writeFileSync(
    config,
    `[HTTP]\nHost = "127.0.0.1"\nPort = 0\n[RPC]\nListen = "127.0.0.1:0"\n` +
      `[MySQL]\nAddress = "127.0.0.1:${address.port}"\nUser = "root"\nDBName = "ibex"\n`,
  );
});

after(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends a server that waits for its database`, async () => {
    const waiting = once(database, 'connection');
    const server = new IbexProcess(['server', '-c', config]);
    await waiting;
    // One that waited until it gives the database up would end with 1.
    const { code, stderr } = await server.end(signal);
    assert.equal(code, 0, stderr);
  });
}
