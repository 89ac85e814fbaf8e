import { errorStack, ProtocolError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { OutputFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { MAX_FRAME_BYTES, TAIL_VERSIONS } from '../../shared/protocol/limits.js';
import { encodeTailFrame, parseTailViewerFrame } from '../../shared/protocol/tail-codec.js';
import type {
  TailCreditFrame,
  TailFrame,
  TailServerTextFrame,
  TailTaskFrame,
} from '../../shared/protocol/tail-frames.js';
import { STATUS_RULES } from '../../shared/task-states.js';
import type { SessionRegistry } from '../agents/session-registry.js';
import type { ActionInForce } from '../core/action-in-force.js';
import type { Store } from '../store/store.js';
import type { TaskService } from '../tasks/task-service.js';
import { chooseHosts } from './choose-hosts.js';
import { OutputFeed, type FeedContext } from './output-feed.js';
import { HostStates } from './host-states.js';
import { StoredFeed } from './stored-feed.js';
import { agentWindow, VIEWER_BUFFER_BYTES, viewerWindow } from './windows.js';

export interface TailParts {
  readonly store: Store;
  readonly tasks: TaskService;
  readonly agents: SessionRegistry;
  readonly log: Log;
}

/** The connection of a tail session. No member throws, also after the connection has ended. */
export interface ViewerSocket {
  /** Sends a text frame. False if it was dropped because the viewer does not read. */
  send(frame: string): boolean;
  /** As send(). The frame's bytes are copied. */
  sendOutput(frame: Omit<OutputFrame, 't'>): boolean;
  /** Bytes that wait for the viewer to read. */
  bufferedBytes(): number;
  close(code: number, reason: string): void;
}

/** One viewer of one task, from its first frame to the end of the last host. Disposing it frees its watches. */
export class TailSession implements Disposable {
  readonly #parts: TailParts;
  readonly #socket: ViewerSocket;
  readonly #ending: (() => void)[] = [];
  readonly #outputs: OutputFeed[] = [];
  readonly #byHost = new Map<string, OutputFeed>();
  readonly #incomplete = new Set<OutputFeed>();
  /** a change of the task's action that is still to be sent */
  #action: ActionInForce | undefined;
  #asked = false;
  #closed = false;

  constructor(socket: ViewerSocket, parts: TailParts) {
    this.#socket = socket;
    this.#parts = parts;
  }

  get asked(): boolean {
    return this.#asked;
  }

  receiveText(text: string): void {
    if (this.#closed) return;
    try {
      const frame = parseTailViewerFrame(text);
      switch (frame.t) {
        case 'tail':
          return this.#tail(frame);
        case 'credit':
          return this.#credit(frame);
        default:
          frame satisfies never;
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  receiveBinary(): void {
    this.close(CloseCode.badFrame, 'a viewer sends no binary frames');
  }

  /** The viewer's socket has room again. */
  drained(): void {
    for (const output of this.#outputs) output.topUp();
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this[Symbol.dispose]();
    this.#socket.close(code, reason);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#ending) end();
    for (const output of this.#outputs) output[Symbol.dispose]();
  }

  #tail(frame: TailFrame): void {
    if (this.#asked) throw new ProtocolError(CloseCode.badFrame, 'tail: only one task a session');
    this.#asked = true;
    this.#open(frame).catch((error: unknown) => this.#fail(error));
  }

  async #open(frame: TailFrame): Promise<void> {
    const version = TAIL_VERSIONS.find((known) => frame.versions.includes(known));
    if (version === undefined) {
      throw new ProtocolError(CloseCode.version, `this server speaks tail version ${TAIL_VERSIONS.join(', ')}`);
    }
    const { store, tasks, agents } = this.#parts;
    const { taskId } = frame;
    // Listening begins before the states are read, so that no change falls between.
    const states = new HostStates(tasks, store, taskId, {
      apply: (state, detail) => this.#byHost.get(state.host)?.update(state, detail),
      act: (action) => {
        if (version < 2) return;
        this.#action = action;
        this.#sendAction();
      },
      failed: (error) => this.#fail(error),
    });
    this.#ending.push(() => states.stop());
    const meta = await store.meta(taskId);
    const initial = await tasks.states(taskId);
    const action = await tasks.action(taskId);
    if (this.#closed) return;
    if (!meta || !initial) throw new ProtocolError(CloseCode.notFound, `no such task: ${taskId}`);
    const hosts = chooseHosts(initial, frame.hosts, taskId);

    const feed = new StoredFeed(store, taskId, (error) => this.#fail(error));
    this.#ending.push(() => feed.stop());
    const context = this.#context(taskId, version, hosts.length, feed);
    hosts.forEach(({ host }, channel) => this.#add(new OutputFeed(channel, host, context)));
    for (const { host, clock, stdout, stderr } of frame.from) this.#byHost.get(host)?.resume(clock, stdout, stderr);
    const listed = this.#outputs.map(({ channel, host }) => ({ channel, host }));
    this.#sendTask({
      t: 'task',
      version,
      taskId,
      title: meta.title,
      hosts: listed,
      creditBytes: context.viewerWindowBytes,
    });
    this.#ending.push(agents.onReady((host) => this.#byHost.get(host)?.agentReady()));
    states.start(hosts, action);
  }

  #add(output: OutputFeed): void {
    this.#outputs.push(output);
    this.#byHost.set(output.host, output);
    this.#incomplete.add(output);
  }

  #context(taskId: number, version: number, hosts: number, feed: StoredFeed): FeedContext {
    return {
      taskId,
      version,
      viewerWindowBytes: viewerWindow(hosts),
      agentWindowBytes: agentWindow(hosts),
      watch: (host, request, sink) => this.#parts.agents.watch(host, request, sink),
      holdsRun: (host, run) => this.#parts.agents.holdsRun(host, run),
      hasRoom: () => this.#socket.bufferedBytes() < VIEWER_BUFFER_BYTES,
      send: (frame) => this.#send(encodeTailFrame(frame)),
      sendOutput: (frame) => this.#sendOutput(frame),
      wantStored: (output) => feed.add(output),
      settled: (output) => this.#settled(output),
    };
  }

  /** After the statuses of the hosts that had ended before: a person reads first that a host failed, then of the pause. */
  #sendAction(): void {
    if (!this.#action || this.#outputs.some(({ statusDue }) => statusDue)) return;
    this.#send(encodeTailFrame({ t: 'action', ...this.#action }));
    this.#action = undefined;
  }

  #settled(output: OutputFeed): void {
    this.#sendAction();
    if (!output.complete) {
      this.#incomplete.add(output);
      return;
    }
    this.#incomplete.delete(output);
    if (this.#incomplete.size > 0 || this.#closed) return;
    const ok = this.#outputs.every(({ status }) => STATUS_RULES[status].ok);
    this.#send(encodeTailFrame({ t: 'end', ok }));
    this.close(CloseCode.normal, 'all hosts have ended');
  }

  #credit({ channel, bytes }: TailCreditFrame): void {
    const output = this.#outputs[channel];
    if (!output) throw new ProtocolError(CloseCode.badFrame, `credit: no host has channel ${channel}`);
    output.credit(bytes);
  }

  #sendTask(frame: TailTaskFrame): void {
    const text = encodeTailFrame(frame satisfies TailServerTextFrame);
    if (Buffer.byteLength(text) > MAX_FRAME_BYTES) {
      throw new ProtocolError(CloseCode.overload, `task ${frame.taskId} has too many hosts for one tail; name some`);
    }
    this.#send(text);
  }

  #send(frame: string): void {
    if (!this.#closed) this.#expectSent(this.#socket.send(frame));
  }

  #sendOutput(frame: Omit<OutputFrame, 't'>): void {
    if (!this.#closed) this.#expectSent(this.#socket.sendOutput(frame));
  }

  #expectSent(sent: boolean): void {
    if (!sent) this.close(CloseCode.overload, 'frames were lost because the viewer does not read');
  }

  #fail(error: unknown): void {
    if (error instanceof ProtocolError) return this.close(error.closeCode, error.message);
    this.#parts.log.error({ err: errorStack(error) }, 'tail failed');
    this.close(CloseCode.internal, 'the server could not read the task, try again');
  }
}
