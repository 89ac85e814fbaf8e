import { randomBytes } from 'node:crypto';
import { encodeFrame, parseServerFrame } from '../../src/shared/protocol/agent-codec.js';
import type {
  AgentTextFrame,
  AssignFrame,
  ChallengeFrame,
  ServerFrame,
  WatchFrame,
} from '../../src/shared/protocol/agent-frames.js';
import { encodeResult } from '../../src/shared/protocol/binary-frames.js';
import { AGENT_PATH, STORED_TAIL_BYTES } from '../../src/shared/protocol/limits.js';
import { checkProof, createIdentity, prove, type Identity } from '../../src/shared/protocol/opening.js';
import { runsDigest } from '../../src/shared/protocol/runs-digest.js';
import { Backoff } from '../../src/shared/backoff.js';
import type { RunId } from '../../src/shared/run-key.js';
import { EMPTY_REPORT } from '../../src/shared/run-report.js';
import { ClientSocket } from './client-socket.js';
import type { EmulatedMachine } from './emulated-machine.js';
import { EmulatedOutput, readLinesScript } from './emulated-output.js';

export interface EmulatorEvents {
  onReady(): void;
  onLost(): void;
  onAssigned(): void;
  onAcknowledged(): void;
}

/**
 * An agent that runs nothing: its end of the session is complete and honest (keys, proofs, heartbeats, results resent
 * until acknowledged). A script "prints" one line and succeeds at once, unless it is one that linesScript() made.
 */
export class EmulatedAgent {
  readonly #machine: EmulatedMachine;
  readonly #events: EmulatorEvents;
  readonly #identity: Identity = createIdentity().identity;
  readonly #storeId = randomBytes(8).toString('hex');
  readonly #instance = randomBytes(8).toString('hex');
  readonly #backoff = new Backoff({ firstMs: 400, maxMs: 4_000 });
  readonly #unacknowledged = new Map<string, Buffer>();
  /** of the runs whose script writes lines; kept, as a real agent keeps them for days */
  readonly #outputs = new Map<string, EmulatedOutput>();
  #socket: ClientSocket | undefined;
  #nonce = '';
  #assigns = 0;
  #beats: NodeJS.Timeout | undefined;

  constructor(machine: EmulatedMachine, events: EmulatorEvents) {
    this.#machine = machine;
    this.#events = events;
  }

  dial(): void {
    this.#assigns = 0;
    this.#socket = new ClientSocket(this.#machine, AGENT_PATH, {
      onOpen: () => this.#hello(),
      onText: (text) => this.#handle(parseServerFrame(text)),
      onClose: () => {
        if (this.#beats) this.#events.onLost();
        clearInterval(this.#beats);
        this.#beats = undefined;
        setTimeout(() => this.dial(), this.#backoff.nextMs());
      },
    });
  }

  #hello(): void {
    this.#nonce = randomBytes(32).toString('base64url');
    const who = {
      host: this.#machine.host,
      agent: 'emulated',
      bootId: 'boot',
      instance: this.#instance,
      storeId: this.#storeId,
    };
    this.#send({ t: 'hello', versions: [1], ...who, key: this.#identity.publicKey, nonce: this.#nonce });
  }

  #handle(frame: ServerFrame): void {
    switch (frame.t) {
      case 'challenge':
        return this.#prove(frame);
      case 'welcome':
        this.#backoff.reset();
        this.#list();
        this.#startBeating();
        for (const result of this.#unacknowledged.values()) this.#socket?.send(result);
        return this.#events.onReady();
      case 'assign':
        // A run's frames go out in one piece, or the emulator would spend half of its time in the kernel.
        this.#socket?.cork();
        this.#run(frame);
        return this.#socket?.uncork();
      case 'list':
        return this.#list();
      case 'result-ack':
        this.#unacknowledged.delete(`${frame.taskId}-${frame.clock}`);
        return this.#events.onAcknowledged();
      case 'watch':
        return this.#watch(frame);
      case 'credit':
        for (const output of this.#outputs.values()) output.credit(frame.watch, frame.bytes);
        return;
      case 'unwatch':
        for (const output of this.#outputs.values()) output.unwatch(frame.watch);
        return;
      default:
    }
  }

  #prove(frame: ChallengeFrame): void {
    const opening = {
      version: frame.version,
      host: this.#machine.host,
      cluster: frame.cluster,
      agentKey: this.#identity.publicKey,
      agentNonce: this.#nonce,
      serverKey: frame.key,
      serverNonce: frame.nonce,
    };
    if (!checkProof('server', opening, Buffer.from(frame.proof, 'base64url'))) throw new Error('the server lies');
    this.#send({ t: 'proof', proof: prove('agent', opening, this.#identity) });
  }

  #run(frame: AssignFrame): void {
    const { taskId, clock } = frame;
    const startedMs = Date.now();
    this.#assigns++;
    this.#events.onAssigned();
    this.#send({ t: 'accepted', taskId, clock });
    this.#send({ t: 'started', taskId, clock, startedMs });
    const lines = readLinesScript(frame.script);
    if (!lines) return this.#end({ taskId, clock }, startedMs, Buffer.from('ok\n'));
    const output = new EmulatedOutput({ taskId, clock }, (sent) => this.#send(sent));
    this.#outputs.set(`${taskId}-${clock}`, output);
    output.write(lines.lines, lines.everyMs, () => this.#end({ taskId, clock }, startedMs, output.written));
  }

  #end({ taskId, clock }: RunId, startedMs: number, stdout: Buffer): void {
    const result = encodeResult({
      taskId,
      clock,
      status: 'success',
      ...EMPTY_REPORT,
      exitCode: 0,
      startedMs,
      endedMs: Date.now(),
      stdoutBytes: stdout.length,
      stdout: stdout.subarray(-STORED_TAIL_BYTES),
      stderr: Buffer.alloc(0),
    });
    this.#unacknowledged.set(`${taskId}-${clock}`, result);
    this.#send(result);
  }

  #watch(frame: WatchFrame): void {
    const output = this.#outputs.get(`${frame.taskId}-${frame.clock}`);
    if (!output) {
      const nothing = { outcome: 'gone', stdoutBytes: 0, stderrBytes: 0 } as const;
      return this.#send({ t: 'watch-end', watch: frame.watch, ...nothing });
    }
    output.watch(frame);
  }

  /** Runs that write lines and have not ended. */
  #running(): RunId[] {
    const running = [...this.#outputs].filter(([, { ended }]) => !ended);
    return running.map(([, { run }]) => run);
  }

  #list(): void {
    const ended = [...this.#unacknowledged.keys()].map((name) => {
      const [taskId = 0, clock = 0] = name.split('-').map(Number);
      return { taskId, clock, state: 'ended' } as const;
    });
    const running = this.#running().map((run) => ({ ...run, state: 'running' }) as const);
    this.#send({ t: 'runs', runs: [...ended, ...running], last: true });
  }

  /** Beats begin at a random moment of the interval, as those of machines that were started one by one do. */
  #startBeating(): void {
    const beat = (): void => {
      const runs = this.#running();
      const held = { runs: runs.length, digest: runsDigest(runs) };
      this.#send({ t: 'heartbeat', assigns: this.#assigns, ...held, intervalMs: this.#machine.intervalMs });
    };
    this.#beats = setTimeout(() => {
      beat();
      this.#beats = setInterval(beat, this.#machine.intervalMs);
    }, Math.random() * this.#machine.intervalMs);
  }

  #send(frame: AgentTextFrame | Buffer): void {
    this.#socket?.send(Buffer.isBuffer(frame) ? frame : encodeFrame(frame));
  }
}
