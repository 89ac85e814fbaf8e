import { randomBytes, randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { encodeFrame, parseServerFrame } from '../../shared/protocol/agent-codec.js';
import type {
  AgentRun,
  AgentTextFrame,
  HelloFrame,
  ResultAckFrame,
  ResultFrame,
  ServerFrame,
  Stream,
} from '../../shared/protocol/agent-frames.js';
import { encodeOutput, encodeResult } from '../../shared/protocol/binary-frames.js';
import { AGENT_PATH } from '../../shared/protocol/limits.js';
import { checkProof, createIdentity, prove, type Identity } from '../../shared/protocol/opening.js';
import { EMPTY_REPORT } from '../../shared/run-report.js';
import { FrameQueue } from './frame-queue.js';

export interface AgentSelf {
  readonly host: string;
  readonly identity: Identity;
  readonly bootId: string;
  readonly instance: string;
  readonly storeId: string;
}

export function agentSelf(host: string): AgentSelf {
  return {
    host,
    identity: createIdentity().identity,
    bootId: randomUUID(),
    instance: randomUUID(),
    storeId: randomUUID(),
  };
}

export interface DialOptions {
  readonly deaf?: boolean;
  /** several values of one name go in a line each */
  readonly headers?: Record<string, string | string[]>;
}

/** An agent's end of a session over a real WebSocket, that says what a test tells it to say. */
export class ScriptedAgent implements Disposable {
  readonly self: AgentSelf;
  /** resolves when the session has ended */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #frames = new FrameQueue<ServerFrame>();

  private constructor(socket: WebSocket, self: AgentSelf) {
    this.#socket = socket;
    this.self = self;
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#frames.push(parseServerFrame(data));
    });
    // ws reports an error before some closings; the closing is what counts here.
    socket.addEventListener('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    });
  }

  /** Only connects. One that is deaf answers no pings, like a machine that has lost its network. */
  static async dial(
    port: number,
    self: AgentSelf,
    { deaf = false, headers = {} }: DialOptions = {},
  ): Promise<ScriptedAgent> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${AGENT_PATH}`, { autoPong: !deaf, headers });
    const agent = new ScriptedAgent(socket, self);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the server cannot be reached')));
    });
    return agent;
  }

  /** Connects and goes through the opening, up to the list of runs. */
  static async connect(
    port: number,
    self: AgentSelf,
    { runs = [], ...options }: DialOptions & { readonly runs?: readonly AgentRun[] } = {},
  ): Promise<ScriptedAgent> {
    const agent = await ScriptedAgent.dial(port, self, options);
    await agent.prove();
    await agent.next('welcome');
    agent.send({ t: 'runs', runs, last: true });
    return agent;
  }

  hello(): HelloFrame {
    const { host, identity, bootId, instance, storeId } = this.self;
    const nonce = randomBytes(32).toString('base64url');
    return {
      t: 'hello',
      versions: [1],
      host,
      agent: 'test',
      bootId,
      instance,
      storeId,
      key: identity.publicKey,
      nonce,
    };
  }

  /** hello, challenge, proof */
  async prove(): Promise<void> {
    const hello = this.hello();
    this.send(hello);
    const challenge = await this.next('challenge');
    const opening = {
      version: challenge.version,
      host: hello.host,
      cluster: challenge.cluster,
      agentKey: hello.key,
      agentNonce: hello.nonce,
      serverKey: challenge.key,
      serverNonce: challenge.nonce,
    };
    if (!checkProof('server', opening, Buffer.from(challenge.proof, 'base64url'))) throw new Error('no server');
    this.send({ t: 'proof', proof: prove('agent', opening, this.self.identity) });
  }

  /** The next frame of a type; others stay for later. Rejects if the session ends first. */
  async next<T extends ServerFrame['t']>(type: T): Promise<Extract<ServerFrame, { readonly t: T }>> {
    const ended = this.closed.then(({ code, reason }) => {
      throw new Error(`closed with ${code} ${reason} before ${type} came`);
    });
    const wanted = (frame: ServerFrame): frame is Extract<ServerFrame, { readonly t: T }> => frame.t === type;
    return await Promise.race([this.#frames.next(wanted), ended]);
  }

  /** The server's answer to the result of this task. */
  async nextAck(taskId: number): Promise<ResultAckFrame> {
    const ended = this.closed.then(({ code, reason }) => {
      throw new Error(`closed with ${code} ${reason} before the ack of ${taskId} came`);
    });
    const wanted = (frame: ServerFrame): frame is ResultAckFrame => frame.t === 'result-ack' && frame.taskId === taskId;
    return await Promise.race([this.#frames.next(wanted), ended]);
  }

  stopReading(): void {
    this.#socket.pause();
  }

  /** Goes on to read, so that the end of the session is seen. */
  readOn(): void {
    this.#socket.resume();
  }

  send(frame: AgentTextFrame): void {
    this.sendRaw(encodeFrame(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  output(watch: number, stream: Stream, offset: number, text: string): void {
    this.sendRaw(encodeOutput({ channel: watch, stream, offset, data: Buffer.from(text) }));
  }

  /** Reports the end of a run; it succeeded unless told otherwise. */
  result(run: { readonly taskId: number; readonly clock: number }, fields: Partial<ResultFrame> = {}): void {
    const stdout = fields.stdout ?? new Uint8Array();
    const stderr = fields.stderr ?? new Uint8Array();
    this.sendRaw(
      encodeResult({
        taskId: run.taskId,
        clock: run.clock,
        status: 'success',
        ...EMPTY_REPORT,
        exitCode: 0,
        startedMs: 1,
        endedMs: 2,
        stdoutBytes: stdout.length,
        stderrBytes: stderr.length,
        ...fields,
        stdout,
        stderr,
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
