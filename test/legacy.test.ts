import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { systemTests } from './harness/system-test.ts';
import { waitFor } from './harness/wait-for.ts';

/** A short text, a number below 128, a list and a struct as an old MessagePack library writes them. */
type Value = string | number | readonly Value[] | { readonly [key: string]: Value };

function encode(value: Value): Buffer {
  if (typeof value === 'number') return Buffer.from([value]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from([0xa0 | value.length]), Buffer.from(value)]);
  if (isList(value)) return Buffer.concat([Buffer.from([0x90 | value.length]), ...value.map(encode)]);
  const fields = Object.entries(value).flat();
  return Buffer.concat([Buffer.from([0x80 | (fields.length / 2)]), ...fields.map(encode)]);
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value);
}

async function call(socket: Socket, seq: number, method: string, param: Value): Promise<Buffer> {
  socket.write(encode([0, seq, method, [param]]));
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  assert.deepEqual([...answer.subarray(0, 4)], [0x94, 1, seq, 0xc0]);
  return answer;
}

systemTests(['web-01'], (check) => {
  check('a legacy agent works beside one with a key, on the same port', async (world) => {
    const socket = connect(world.rpcPort, '127.0.0.1');
    await once(socket, 'connect');
    assert.match((await call(socket, 0, 'Server.Ping', '')).toString('latin1'), /pong/);
    const report: Value = { Ident: 'old-01', ReportTasks: [] };
    await call(socket, 1, 'Server.Report', report);
    await waitFor('both hosts', async () => {
      const hosts = await world.api.connectedHosts();
      return hosts.includes('old-01') && hosts.includes('web-01');
    });
    const id = await world.api.create({ script: 'echo from the old one', hosts: ['old-01'] });
    assert.match((await call(socket, 2, 'Server.Report', report)).toString('latin1'), /start/);
    const script = await call(socket, 3, 'Server.GetTaskMeta', id);
    assert.match(script.toString('latin1'), /echo from the old one/);
    assert.deepEqual(await world.api.statuses(id), { 'old-01': 'running' });

    const other = await world.api.create({ script: 'echo from the new one', hosts: ['web-01'] });
    assert.deepEqual(await world.api.settled(other), { 'web-01': 'success' });
    socket.destroy();
    await waitFor('the old one to be gone', async () => !(await world.api.connectedHosts()).includes('old-01'));
  });
});
