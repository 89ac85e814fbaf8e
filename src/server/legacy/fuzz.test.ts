import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { TestServer } from '../testing/test-server.js';
import { FaithfulAgent } from './testing/faithful-agent.js';
import { frameBytes, recordedAgents } from './testing/recorded-agents.js';

/** `IBEX_FUZZ_CASES=100000` for some minutes of it; `IBEX_FUZZ_SEED` repeats what a run has shown, or tries others. */
const CASES = Number(process.env['IBEX_FUZZ_CASES'] ?? 2_000);
const SEED = Number(process.env['IBEX_FUZZ_SEED'] ?? 7);
const AT_ONCE = 200;
/** A connection whose last call never becomes whole is left after so long. */
const STAYS_MS = 400;
/** No call begins with it: the server closes the connection when it has worked on all that came before. */
const NO_CALL = Buffer.alloc(64, 0xc1);
const MOST_CHANGES = 6;
/** Heads of long texts, lists and maps, of nil, of extension types, and the byte that is none. */
const HEADS = [0xc0, 0xc1, 0xc4, 0xc6, 0xd4, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0x9f, 0x8f];

/** Numbers below a limit that look random and are the same every time. */
function noise(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** All that each recorded agent has sent, one call after the other. */
const CONVERSATIONS = recordedAgents().map(({ steps }) =>
  Buffer.concat(
    steps.flatMap((step) => {
      const frame = /^\d (?:sends|breaks) (.+)$/.exec(step)?.[1];
      return frame === undefined ? [] : [frameBytes(frame)];
    }),
  ),
);

/** One of the conversations up to any point, with some bytes changed, left out, or come twice. */
function mutated(below: (limit: number) => number): Buffer {
  const whole = CONVERSATIONS[below(CONVERSATIONS.length)] ?? Buffer.alloc(1);
  let bytes = Buffer.from(whole.subarray(0, 1 + below(whole.length)));
  for (let changes = below(MOST_CHANGES); changes > 0; changes--) {
    const at = below(bytes.length);
    const few = bytes.subarray(at, at + below(20));
    switch (below(4)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes[at] = HEADS[below(HEADS.length)] ?? 0;
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at + 1 + few.length)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), few, bytes.subarray(at)]);
    }
  }
  return bytes;
}

test('no bytes on the port disturb the server or its agents', async (t) => {
  t.diagnostic(`IBEX_FUZZ_CASES=${CASES} IBEX_FUZZ_SEED=${SEED}`);
  await using server = await TestServer.start('[Log]\nLevel = "ERROR"');
  using agent = new FaithfulAgent('a', server.agentPort);
  const id = await server.createTask(['a'], { timeout: 3_600 });
  await agent.beatUntil('a start', () => agent.runs(id));
  const below = noise(SEED);
  for (let done = 0; done < CASES; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => sent(server.agentPort, mutated(below))));
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

/** Resolves when the server has closed the connection, or has waited for more long enough. */
async function sent(port: number, bytes: Buffer): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve());
  });
  socket.resume();
  socket.write(Buffer.concat([bytes, NO_CALL]));
  const leaving = setTimeout(() => socket.destroy(), STAYS_MS);
  await closed;
  clearTimeout(leaving);
}
