import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { TestServer } from '../../testing/test-server.js';
import { FaithfulAgent } from './testing/faithful-agent.js';
import { encodeCall } from './testing/old-msgpack.js';

/** Mutated conversations; 100,000 of them were tried by hand: IBEX_FUZZ_CASES=100000. */
const CASES = Number(process.env['IBEX_FUZZ_CASES'] ?? 3_000);
const AT_ONCE = 50;

/** Numbers that look random and are the same every time. */
function* noise(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

function conversation(): Buffer {
  const task = { Id: 1, Clock: 1_700_000_000, Status: 'running', Stdout: Buffer.alloc(300, 0xfe), Stderr: 'err' };
  return Buffer.concat([
    encodeCall(0, 'Server.Ping', ''),
    encodeCall(1, 'Server.Report', { Ident: 'fuzz', ReportTasks: [] }),
    encodeCall(2, 'Server.GetTaskMeta', 1),
    encodeCall(3, 'Server.Report', { Ident: 'fuzz', ReportTasks: [task, { ...task, Id: 2, Status: 'success' }] }),
  ]);
}

test('no bytes on the port disturb the server or its agents', async () => {
  await using server = await TestServer.start('[Log]\nLevel = "ERROR"');
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a']);
  await agent.beatUntil('a start', () => agent.runs(id));
  const random = noise(7);
  const whole = conversation();
  const below = (limit: number): number => Math.floor(random.next().value * limit);
  for (let done = 0; done < CASES; done += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const bytes = Buffer.from(whole.subarray(0, 1 + below(whole.length)));
        const changes = below(6);
        for (let i = 0; i < changes; i++) bytes[below(bytes.length)] = below(256);
        const socket = connect({ port: server.agentPort, host: '127.0.0.1' });
        const closed = new Promise<void>((resolve) => {
          socket.on('error', () => undefined).on('close', () => resolve());
        });
        socket.resume();
        socket.end(bytes);
        await closed;
      }),
    );
    await agent.beat();
    assert.equal(agent.message, '');
  }
  agent.end(id, 'success', 'undisturbed');
  await agent.beat();
  const { dat } = await server.call('GET', `/task/${id}/host/a/stdout`);
  assert.equal(dat, 'undisturbed');
  assert.deepEqual(
    server.log.lines.filter(({ message }) => /failed|failure/.test(message)),
    [],
  );
});
