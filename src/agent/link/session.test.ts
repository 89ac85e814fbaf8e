import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { encodeFrame, parseAgentFrame } from '../../shared/protocol/agent-codec.js';
import type { AgentTextFrame, HelloFrame, ServerFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { checkProof, createIdentity, prove, type Identity } from '../../shared/protocol/opening.js';
import { RunIndex } from './run-index.js';
import { Session, type AgentSelf } from './session.js';

const CLUSTER = '0123456789abcdef0123456789abcdef';
const INTERVAL_MS = 1_000;

/** A session with its far end played by the test. No sockets: what the session says is kept in a list. */
class Stage {
  readonly agent = createIdentity().identity;
  readonly sent: AgentTextFrame[] = [];
  readonly pins = new Map<string, string>();
  readonly index = new RunIndex();
  closed: { readonly code: number; readonly reason: string } | undefined;
  readyCalls = 0;
  wanted = true;
  readonly frames: ServerFrame[] = [];
  readonly session: Session;

  constructor() {
    const self: AgentSelf = {
      host: 'web-01',
      version: '1',
      bootId: 'boot',
      instance: 'instance',
      storeId: 'store',
      identity: this.agent,
      intervalMs: INTERVAL_MS,
      serverKey: (cluster) => this.pins.get(cluster),
      pinServerKey: (cluster, key) => this.pins.set(cluster, key),
    };
    const socket = {
      send: (data: string | Uint8Array) => {
        assert.ok(typeof data === 'string');
        this.sent.push(parseAgentFrame(data));
      },
      close: (code: number, reason: string) => {
        this.closed = { code, reason };
      },
    };
    const events = {
      onProved: () => this.wanted,
      onReady: () => this.readyCalls++,
      onFrame: (_: Session, frame: ServerFrame) => this.frames.push(frame),
    };
    this.session = new Session(self, this.index, socket, events, 0);
    this.session.open();
  }

  closeCode(): number | undefined {
    return this.closed?.code;
  }

  hello(): HelloFrame {
    const [hello] = this.sent;
    assert.ok(hello?.t === 'hello');
    return hello;
  }

  say(frame: ServerFrame, nowMs = 0): void {
    this.session.receive(encodeFrame(frame), nowMs);
  }

  /** The server's half of the opening; `signer` other than the key's owner makes it a fraud. */
  challenge(server: Identity, signer = server, cluster = CLUSTER): string {
    const nonce = randomBytes(32).toString('base64url');
    const hello = this.hello();
    const opening = {
      version: 1,
      host: hello.host,
      cluster,
      agentKey: hello.key,
      agentNonce: hello.nonce,
      serverKey: server.publicKey,
      serverNonce: nonce,
    };
    const proof = prove('server', opening, signer);
    this.say({ t: 'challenge', version: 1, cluster, instance: 's1', key: server.publicKey, nonce, proof });
    const last = this.sent.at(-1);
    if (last?.t === 'proof') assert.ok(checkProof('agent', opening, Buffer.from(last.proof, 'base64url')));
    return nonce;
  }

  welcomed(): this {
    this.challenge(createIdentity().identity);
    this.say({ t: 'welcome', silentIntervals: 3 });
    return this;
  }
}

test('the opening: hello, proof against a proven server, its key pinned, the list of runs', () => {
  const stage = new Stage();
  const server = createIdentity().identity;
  stage.challenge(server);
  assert.equal(stage.pins.get(CLUSTER), server.publicKey);
  assert.equal(stage.session.ready, false);
  stage.say({ t: 'welcome', silentIntervals: 3 });
  assert.deepEqual(
    stage.sent.map((frame) => frame.t),
    ['hello', 'proof', 'runs', 'heartbeat'],
  );
  assert.equal(stage.readyCalls, 1);
});

test('a server that does not own the key it shows is refused before the agent proves anything', () => {
  const stage = new Stage();
  stage.challenge(createIdentity().identity, createIdentity().identity);
  assert.equal(stage.closed?.code, CloseCode.badProof);
  assert.deepEqual(
    stage.sent.map((frame) => frame.t),
    ['hello'],
  );
  assert.equal(stage.pins.size, 0);
});

test('a session that is not wanted ends before the agent proves anything', () => {
  const stage = new Stage();
  stage.wanted = false;
  stage.challenge(createIdentity().identity);
  assert.equal(stage.closed?.code, CloseCode.normal);
  assert.deepEqual(
    stage.sent.map((frame) => frame.t),
    ['hello'],
  );
});

test('another key for a known cluster is refused, and the remedy named', () => {
  const stage = new Stage();
  stage.pins.set(CLUSTER, createIdentity().identity.publicKey);
  stage.challenge(createIdentity().identity);
  assert.equal(stage.closed?.code, CloseCode.notAdmitted);
  assert.match(stage.closed?.reason ?? '', /servers\.json/);
});

test('frames out of order or unknown close the session with their code', () => {
  for (const text of [
    '{"t":"assign"}',
    '{"t":"welcome","silentIntervals":3}',
    '{"t":"nonsense"}',
    'not JSON',
    '[]',
    '7',
  ]) {
    const stage = new Stage();
    stage.session.receive(text, 0);
    assert.equal(stage.closed?.code, CloseCode.badFrame, text);
  }
  const stage = new Stage().welcomed();
  stage.say({ t: 'welcome', silentIntervals: 3 });
  assert.equal(stage.closed?.code, CloseCode.badFrame);
});

test('heartbeats tell the assigns received and what runs', () => {
  const stage = new Stage().welcomed();
  const assign = { t: 'assign', taskId: 7, clock: 1, account: 'root', script: 'x', args: [], stdin: '' } as const;
  stage.say({ ...assign, timeoutMs: 1_000, startWithinMs: 1_000 });
  const trace = { startedMs: undefined, assignedBy: 's1', startBeforeMonoMs: undefined };
  stage.index.put({ run: '01234567-7-1', cluster8: '01234567', taskId: 7, clock: 1, state: 'running', ...trace });
  stage.session.beat(INTERVAL_MS);
  const beat = stage.sent.at(-1);
  assert.ok(beat?.t === 'heartbeat');
  assert.deepEqual([beat.assigns, beat.runs], [1, 1]);
  assert.notEqual(beat.digest, '0');
});

test('a server that goes silent is given up, but not for a pause of the agent itself', () => {
  const stage = new Stage().welcomed();
  for (let now = INTERVAL_MS; now < 3 * INTERVAL_MS; now += INTERVAL_MS) stage.session.beat(now);
  assert.equal(stage.session.patienceLeftMs(2_900), 100);
  stage.session.checkSilence(2_999);
  assert.equal(stage.closeCode(), undefined);
  stage.session.beat(63_000);
  assert.equal(stage.closeCode(), undefined, 'a minute in which this process did not run');
  for (let now = 64_000; now <= 67_000; now += INTERVAL_MS) stage.session.beat(now);
  assert.equal(stage.closeCode(), CloseCode.silent);
});

test('a list of many runs is sent in several frames', () => {
  const stage = new Stage();
  const trace = { startedMs: undefined, assignedBy: undefined, startBeforeMonoMs: undefined };
  for (let taskId = 1; taskId <= 2_500; taskId++) {
    stage.index.put({ run: `01234567-${taskId}-1`, cluster8: '01234567', taskId, clock: 1, state: 'ended', ...trace });
  }
  stage.welcomed();
  const lists = stage.sent.filter((frame) => frame.t === 'runs');
  assert.deepEqual(
    lists.map((frame) => [frame.runs.length, frame.last]),
    [
      [1_000, false],
      [1_000, false],
      [500, true],
    ],
  );
});
