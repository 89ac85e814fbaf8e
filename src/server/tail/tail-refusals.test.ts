import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { ScriptedViewer } from '../testing/scripted-viewer.js';
import { TestServer } from '../testing/test-server.js';

const TAIL = { t: 'tail', versions: [1], taskId: 1, hosts: [], from: [] };

test('a task or host that does not exist is named in the refusal', async () => {
  await using server = await TestServer.start();
  const taskId = await server.createTask(['web-01'], { action: 'pause' });
  using unknown = await ScriptedViewer.tail(server.httpPort, 77);
  assert.deepEqual(await unknown.closed, { code: CloseCode.notFound, reason: 'no such task: 77' });
  using noHost = await ScriptedViewer.tail(server.httpPort, taskId, { hosts: ['web-09'] });
  assert.deepEqual(await noHost.closed, { code: CloseCode.notFound, reason: `task ${taskId} has no host web-09` });
  using otherCase = await ScriptedViewer.tail(server.httpPort, taskId, { hosts: ['WEB-01'] });
  assert.deepEqual((await otherCase.next('task')).hosts, [{ channel: 0, host: 'web-01' }]);
});

test('frames that break the protocol close with their code', async (t) => {
  await using server = await TestServer.start();
  await server.createTask(['web-01'], { action: 'pause' });
  const table: readonly (readonly [string, readonly (string | Uint8Array | object)[], number])[] = [
    ['no JSON', ['x'], CloseCode.badFrame],
    ['an unknown type', [{ t: 'tale' }], CloseCode.badFrame],
    ['a tail without a task', [{ ...TAIL, taskId: 0 }], CloseCode.badFrame],
    ['a binary frame', [new Uint8Array([1])], CloseCode.badFrame],
    ['credit before the tail', [{ t: 'credit', channel: 0, bytes: 1 }], CloseCode.badFrame],
    ['credit of nothing', [TAIL, { t: 'credit', channel: 0, bytes: 0 }], CloseCode.badFrame],
    ['a second tail', [TAIL, TAIL], CloseCode.badFrame],
    ['an unknown version', [{ ...TAIL, versions: [9] }], CloseCode.version],
  ];
  for (const [name, frames, code] of table) {
    await t.test(name, async () => {
      using viewer = await ScriptedViewer.open(server.httpPort);
      for (const frame of frames) {
        viewer.sendRaw(typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame));
      }
      assert.equal((await viewer.closed).code, code);
    });
  }
});

test('wrong credentials and pages of another site are kept out', async () => {
  await using server = await TestServer.start();
  const wrong = `Basic ${Buffer.from('ibex:wrong').toString('base64')}`;
  await assert.rejects(ScriptedViewer.open(server.httpPort, { authorization: wrong }));
  await assert.rejects(ScriptedViewer.open(server.httpPort, { origin: 'http://evil.example' }));
  await assert.rejects(ScriptedViewer.open(server.httpPort, { origin: 'null' }));
  using viewer = await ScriptedViewer.open(server.httpPort, { origin: `http://127.0.0.1:${server.httpPort}` });
  viewer.sendRaw(JSON.stringify(TAIL));
  assert.equal((await viewer.closed).code, CloseCode.notFound);
});

test('viewers are sent away when the server stops', async () => {
  await using server = await TestServer.start();
  const taskId = await server.createTask(['web-01'], { action: 'pause' });
  using viewer = await ScriptedViewer.tail(server.httpPort, taskId);
  await viewer.next('status');
  await server.restart();
  assert.equal((await viewer.closed).code, CloseCode.goingAway);
});
