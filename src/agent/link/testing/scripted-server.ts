import { once } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import { encodeFrame, parseAgentFrame } from '../../../shared/protocol/agent-codec.js';
import type { AgentFrame, HelloFrame, ServerFrame } from '../../../shared/protocol/agent-frames.js';
import { parseBinaryFrame } from '../../../shared/protocol/binary-frames.js';
import { until } from '../../../shared/testing/until.js';
import { createIdentity, prove, type Identity } from '../../../shared/protocol/opening.js';

/** The database that servers belong to. */
export interface Cluster {
  readonly id: string;
  readonly identity: Identity;
}

export function newCluster(): Cluster {
  return { id: randomBytes(16).toString('hex'), identity: createIdentity().identity };
}

export interface ScriptedServerOptions {
  readonly cluster: Cluster;
  readonly instance?: string;
  /** time between a hello and the challenge that answers it */
  readonly challengeAfterMs?: number;
}

interface Heard {
  readonly frame: AgentFrame;
  readonly atMs: number;
}

/** A server's end of agent sessions over real sockets, that opens them as it should and then says what a test tells it. */
export class ScriptedServer implements AsyncDisposable {
  readonly instance: string;
  readonly heard: Heard[] = [];
  /** hellos that were answered with a challenge */
  challenged = 0;
  /** openings that went as far as the welcome */
  welcomed = 0;
  /** false: heartbeats get no answer */
  answers = true;
  readonly #options: ScriptedServerOptions;
  readonly #server: WebSocketServer;
  readonly #open = new Set<WebSocket>();
  #disposed = false;

  private constructor(options: ScriptedServerOptions, server: WebSocketServer) {
    this.#options = options;
    this.#server = server;
    this.instance = options.instance ?? randomUUID();
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(options: ScriptedServerOptions, port = 0): Promise<ScriptedServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    await once(server, 'listening');
    return new ScriptedServer(options, server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** sessions that are open */
  get sessions(): number {
    return this.#open.size;
  }

  send(frame: ServerFrame): void {
    for (const socket of this.#open) socket.send(encodeFrame(frame));
  }

  count(type: AgentFrame['t']): number {
    return this.heard.filter(({ frame }) => frame.t === type).length;
  }

  /** The first frame of a type, once it is there. */
  async first<T extends AgentFrame['t']>(type: T): Promise<Extract<AgentFrame, { readonly t: T }>> {
    const wanted = (frame: AgentFrame): frame is Extract<AgentFrame, { readonly t: T }> => frame.t === type;
    await until(`${type} was heard`, () => this.count(type) > 0);
    const frame = this.heard.map((one) => one.frame).find(wanted);
    if (!frame) throw new Error('it was there');
    return frame;
  }

  /** Ends like a process that is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  #serve(socket: WebSocket): void {
    let hello: HelloFrame | undefined;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#open.delete(socket);
    });
    socket.on('message', (data: Buffer, isBinary) => {
      const frame = isBinary ? parseBinaryFrame(data) : parseAgentFrame(data.toString());
      this.heard.push({ frame, atMs: performance.now() });
      if (frame.t === 'hello') void this.#challenge(socket, (hello = frame));
      else if (frame.t === 'proof' && hello) {
        this.welcomed++;
        this.#open.add(socket);
        socket.send(encodeFrame({ t: 'welcome', silentIntervals: 3 }));
      } else if (frame.t === 'heartbeat' && this.answers) socket.send(encodeFrame({ t: 'alive' }));
    });
  }

  async #challenge(socket: WebSocket, hello: HelloFrame): Promise<void> {
    const { cluster, challengeAfterMs = 0 } = this.#options;
    if (challengeAfterMs > 0) await wait(challengeAfterMs);
    this.challenged++;
    const nonce = randomBytes(32).toString('base64url');
    const opening = {
      version: 1,
      host: hello.host,
      cluster: cluster.id,
      agentKey: hello.key,
      agentNonce: hello.nonce,
      serverKey: cluster.identity.publicKey,
      serverNonce: nonce,
    };
    const proof = prove('server', opening, cluster.identity);
    const key = cluster.identity.publicKey;
    socket.send(
      encodeFrame({ t: 'challenge', version: 1, cluster: cluster.id, instance: this.instance, key, nonce, proof }),
    );
  }
}
