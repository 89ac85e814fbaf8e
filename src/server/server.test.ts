import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readServerConfig } from './config/server-config.js';
import { Server } from './server.js';
import { KeptLog, TestServer } from './testing/test-server.js';

test('a port that is taken is named with its key, and nothing is left running', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const folder = mkdtempSync(join(tmpdir(), 'ibex-server-test-'));
  const file = join(folder, 'server.conf');
  const sqlite = `[SQLite]\nPath = "${join(folder, 'ibex.db')}"`;
  writeFileSync(file, `[HTTP]\nHost = "127.0.0.1"\nPort = ${port}\n[RPC]\nListen = "127.0.0.1:0"\n${sqlite}\n`);
  await assert.rejects(Server.start(readServerConfig(file).config, new KeptLog()), {
    name: 'UserError',
    message: `cannot listen on 127.0.0.1:${port} (HTTP.Host and HTTP.Port): the port is taken by another process`,
  });
  rmSync(folder, { recursive: true });
  holder.close();
});

test('tasks and their ids outlive a restart; FirstId lifts the first one', async () => {
  await using server = await TestServer.start('[Task]\nFirstId = 5000');
  const id = await server.createTask(['web-01'], { action: 'pause' });
  assert.equal(id, 5_000);
  await server.restart();
  assert.partialDeepStrictEqual((await server.call('GET', `/task/${id}`)).dat, { action: 'pause', meta: { id } });
  assert.ok((await server.createTask(['web-01'])) > id);
});

test('stopping twice is stopping once, and leaves no lock on the database', async () => {
  const server = await TestServer.start();
  await server.restart();
  await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
  assert.equal(existsSync(server.folder), false);
});
