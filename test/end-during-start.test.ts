import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { IbexProcess } from './harness/ibex-process.ts';

/** Well under the 10 s for which a database that does not answer is tried. */
const END_WITHIN_MS = 5_000;

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
    const timer = setTimeout(() => server.child.kill('SIGKILL'), END_WITHIN_MS);
    const { code, stderr } = await server.end(signal);
    clearTimeout(timer);
    assert.equal(code, 0, stderr);
  });
}
