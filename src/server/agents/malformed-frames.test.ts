import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { agentSelf, ScriptedAgent } from '../testing/scripted-agent.js';
import { TestServer } from '../testing/test-server.js';

type Opened = 'dialled' | 'challenged' | 'connected';

const HEARTBEAT = { t: 'heartbeat', assigns: 0, runs: 0, digest: '0', intervalMs: 1_000 };

/** What is sent, how far the session was, and the code it is closed with. */
const TABLE: readonly (readonly [name: string, when: Opened, frame: string | Uint8Array | object, code: number])[] = [
  ['no JSON', 'dialled', '{', CloseCode.badFrame],
  ['an empty text', 'dialled', '', CloseCode.badFrame],
  ['a list', 'dialled', '[]', CloseCode.badFrame],
  ['null', 'dialled', 'null', CloseCode.badFrame],
  ['no type', 'dialled', {}, CloseCode.badFrame],
  ['an unknown type', 'dialled', { t: 'hallo' }, CloseCode.badFrame],
  ['a frame of the other direction', 'dialled', { t: 'list' }, CloseCode.badFrame],
  ['a hello without fields', 'dialled', { t: 'hello' }, CloseCode.badFrame],
  ['a heartbeat before the hello', 'dialled', HEARTBEAT, CloseCode.badFrame],
  [
    'a proof before the hello',
    'dialled',
    { t: 'proof', proof: Buffer.alloc(64).toString('base64url') },
    CloseCode.badFrame,
  ],
  ['a binary frame before the hello', 'dialled', new Uint8Array([1, 1, 0, 0]), CloseCode.badFrame],
  ['a proof of the wrong length', 'challenged', { t: 'proof', proof: 'AAAA' }, CloseCode.badFrame],
  ['a wrong proof', 'challenged', { t: 'proof', proof: Buffer.alloc(64).toString('base64url') }, CloseCode.badProof],
  ['runs before the welcome', 'challenged', { t: 'runs', runs: [], last: true }, CloseCode.badFrame],
  ['a second hello', 'connected', 'HELLO', CloseCode.badFrame],
  ['a second proof', 'connected', { t: 'proof', proof: Buffer.alloc(64).toString('base64url') }, CloseCode.badFrame],
  ['runs that are no list', 'connected', { t: 'runs', runs: {}, last: true }, CloseCode.badFrame],
  [
    'a run in an unknown state',
    'connected',
    { t: 'runs', runs: [{ taskId: 1, clock: 1, state: 'odd' }], last: true },
    CloseCode.badFrame,
  ],
  ['a heartbeat without an interval', 'connected', { ...HEARTBEAT, intervalMs: 0 }, CloseCode.badFrame],
  ['a negative task id', 'connected', { t: 'accepted', taskId: -1, clock: 1 }, CloseCode.badFrame],
  ['a fractional clock', 'connected', { t: 'started', taskId: 1, clock: 1.5, startedMs: 1 }, CloseCode.badFrame],
  [
    'an unknown outcome of a watch',
    'connected',
    { t: 'watch-end', watch: 1, outcome: 'odd', stdoutBytes: 0, stderrBytes: 0 },
    CloseCode.badFrame,
  ],
  ['an empty binary frame', 'connected', new Uint8Array(), CloseCode.badFrame],
  ['a binary frame of unknown kind', 'connected', new Uint8Array(16).fill(9), CloseCode.badFrame],
  [
    'output without bytes',
    'connected',
    new Uint8Array([1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    CloseCode.badFrame,
  ],
  ['a result that is cut short', 'connected', new Uint8Array([2, 0, 0, 0, 0, 0, 0, 9]), CloseCode.badFrame],
  // uWS closes without a code of ours where the frame itself is over the limit.
  ['a frame of 5 MiB', 'connected', 'x'.repeat(5 * 1024 * 1024), 1006],
];

test('each malformed frame closes its session with its code, and the server goes on', async (t) => {
  await using server = await TestServer.start();
  for (const [name, when, frame, code] of TABLE) {
    await t.test(name, async () => {
      const self = agentSelf('web-01');
      await server.call('DELETE', '/host/web-01/key');
      using agent =
        when === 'connected'
          ? await ScriptedAgent.connect(server.agentPort, self)
          : await ScriptedAgent.dial(server.agentPort, self);
      if (when === 'challenged') {
        agent.send(agent.hello());
        await agent.next('challenge');
      }
      const data = frame === 'HELLO' ? agent.hello() : frame;
      agent.sendRaw(typeof data === 'string' || data instanceof Uint8Array ? data : JSON.stringify(data));
      const closed = await agent.closed;
      assert.equal(closed.code, code, closed.reason);
      if (code !== 1006) assert.notEqual(closed.reason, '');
    });
  }
});
