import assert from 'node:assert/strict';
import { encodeFrame } from '../../../shared/protocol/agent-codec.js';
import type { AgentRun, AgentTextFrame, ResultFrame, ServerFrame } from '../../../shared/protocol/agent-frames.js';
import { createIdentity, prove } from '../../../shared/protocol/opening.js';
import { runsDigest } from '../../../shared/protocol/runs-digest.js';
import type { RunId } from '../../../shared/run-key.js';
import { EMPTY_REPORT } from '../../../shared/run-report.js';
import { KeptLog } from '../../testing/test-server.js';
import { AgentSession } from '../agent-session.js';
import { HandshakeQueue } from '../handshake-queue.js';
import type { Admission, SessionHost } from '../host-session.js';

export const RUN: RunId = { taskId: 7, clock: 1_000 };
export const RESULT: ResultFrame = {
  t: 'result',
  ...RUN,
  status: 'success',
  ...EMPTY_REPORT,
  exitCode: 0,
  startedMs: 1,
  endedMs: 2,
  stdoutBytes: 2,
  stdout: Buffer.from('hi'),
  stderr: Buffer.alloc(0),
};

/** A session without a socket: what it sends is kept, and time stands still until a test moves it. */
export class SessionBench {
  nowMs = 0;
  readonly sent: ServerFrame[] = [];
  closedWith: { code: number; reason: string } | undefined;
  drops = false;
  admission: Promise<Admission> = Promise.resolve({ admitted: true, newStore: false });
  expected: RunId[] = [];
  readonly listed: { runs: readonly AgentRun[]; newStore: boolean }[] = [];
  readonly results: { result: ResultFrame; settle: (outcome: 'stored' | Error) => void }[] = [];
  readonly agent = createIdentity().identity;
  readonly #cluster = { id: 'c'.repeat(32), identity: createIdentity().identity };
  readonly server: SessionHost = {
    cluster: this.#cluster,
    instance: 'server',
    log: new KeptLog(),
    monotonicMs: () => this.nowMs,
    admit: () => this.admission,
    ready: () => undefined,
    closed: () => undefined,
    formerHosts: () => [],
    events: {
      agentListed: (_host, runs, newStore) => this.listed.push({ runs, newStore }),
      runStarted: () => undefined,
      runEnded: (_host, result) =>
        new Promise((resolve, reject) => {
          const settle = (outcome: 'stored' | Error): void =>
            outcome === 'stored' ? resolve(outcome) : reject(outcome);
          this.results.push({ result, settle });
        }),
      expectedRuns: () => this.expected,
    },
  };
  readonly session = new AgentSession(
    {
      address: '127.0.0.1',
      send: (frame) => {
        if (this.drops) return false;
        this.sent.push(JSON.parse(String(frame)) as ServerFrame); // what the session itself encoded
        this.#answered?.();
        return true;
      },
      ping: () => undefined,
      close: (code, reason) => {
        this.closedWith = { code, reason };
        this.#answered?.();
      },
    },
    this.server,
    new HandshakeQueue(() => this.nowMs),
  );
  #answered: (() => void) | undefined;

  say(frame: AgentTextFrame): void {
    this.session.receiveText(encodeFrame(frame));
  }

  /** Resolves with the session's answer. */
  hello(versions = [1]): Promise<void> {
    const answer = this.#answer();
    const nonce = Buffer.alloc(32).toString('base64url');
    const who = { host: 'web-01', agent: '1', bootId: 'b', instance: 'i', storeId: 's' };
    this.say({ t: 'hello', versions, ...who, key: this.agent.publicKey, nonce });
    return answer;
  }

  /** Resolves with the session's answer. */
  prove(role: 'agent' | 'server' = 'agent'): Promise<void> {
    const challenge = this.sent.find((frame) => frame.t === 'challenge');
    assert.ok(challenge);
    const opening = {
      version: 1,
      host: 'web-01',
      cluster: challenge.cluster,
      agentKey: this.agent.publicKey,
      agentNonce: Buffer.alloc(32).toString('base64url'),
      serverKey: challenge.key,
      serverNonce: challenge.nonce,
    };
    const answer = this.#answer();
    this.say({ t: 'proof', proof: prove(role, opening, this.agent) });
    return answer;
  }

  async open(runs: readonly AgentRun[] = []): Promise<this> {
    await this.hello();
    await this.prove();
    this.say({ t: 'runs', runs, last: true });
    this.sent.length = 0;
    return this;
  }

  beat(assigns: number, runs: readonly RunId[]): void {
    this.say({ t: 'heartbeat', assigns, runs: runs.length, digest: runsDigest(runs), intervalMs: 1_000 });
  }

  /** undefined while the session is open */
  closeCode(): number | undefined {
    return this.closedWith?.code;
  }

  types(): string[] {
    return this.sent.map(({ t }) => t);
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => (this.#answered = resolve));
  }
}

/** Lets promises that are resolved already run their course. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
