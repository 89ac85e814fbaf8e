import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { TestServer } from '../testing/test-server.js';
import { statusOf, textOf } from './testing/legacy-server.js';
import { encodeCall } from './testing/old-msgpack.js';
import type { Cutting } from './testing/raw-connection.js';
import { frameBytes, recordedAgents, recordedCall, type RecordedAgent } from './testing/recorded-agents.js';
import { Replay } from './testing/replay.js';

const RECORDED = recordedAgents();
const CUTTINGS: readonly Cutting[] = ['whole', 'byte by byte', 'with half of the next'];
const STORED_BYTES = 65_535;

test('the tests write calls byte for byte as real agents do', () => {
  for (const { agent, name, steps } of RECORDED) {
    // Numbers beyond 2^53 can't be told apart here.
    if (name === 'large-numbers') continue;
    for (const [, frame = ''] of steps.flatMap((step) => [...step.matchAll(/^\d (?:sends|breaks) (.+)$/g)])) {
      const bytes = frameBytes(frame);
      const { seq, method, param } = recordedCall(bytes);
      assert.deepEqual(encodeCall(seq, method, param), bytes, `${agent} ${name}`);
    }
  }
});

suite('no answer harms a recorded agent, and every result is stored', { concurrency: true }, () => {
  for (const cutting of CUTTINGS) {
    test(`frames ${cutting}`, { concurrency: 64 }, async (t) => {
      await using server = await TestServer.start();
      // Beside others they would take the restart for their own, or be silent for too long to keep their name.
      const alone = RECORDED.filter(({ steps }) => steps.some((step) => / (restarts|waits)$/.test(step)));
      const others = RECORDED.filter((recorded) => !alone.includes(recorded));
      const replay = (recorded: RecordedAgent): Promise<void> =>
        t.test(`${recorded.agent}: ${recorded.about} (${recorded.name})`, () => replayed(server, recorded, cutting));
      await Promise.all(others.map(replay));
      for (const recorded of alone) await replay(recorded);
    });
  }
});

async function replayed(server: TestServer, recorded: RecordedAgent, cutting: Cutting): Promise<void> {
  using replay = new Replay(server, recorded, cutting);
  await replay.run();
  for (const [recordedId, { end }] of Object.entries(recorded.tasks)) {
    const id = replay.ids.get(Number(recordedId)) ?? assert.fail('it was never made');
    assert.equal(await statusOf(server, id, replay.host), end, `status of ${recordedId}`);
    const told = replay.rules.endOf(id);
    if (!told) continue;
    for (const [stream, bytes] of [['stdout', told.Stdout] as const, ['stderr', told.Stderr] as const]) {
      const whole = Buffer.from(bytes).toString();
      const stored = String(await textOf(server, id, replay.host, stream));
      if (Buffer.byteLength(whole) <= STORED_BYTES) assert.equal(stored, whole);
      else assert.ok(whole.endsWith(stored) && Buffer.byteLength(stored) > STORED_BYTES - 4, 'its end is stored');
    }
  }
}
