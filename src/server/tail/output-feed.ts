import type { OutputFrame, Stream, WatchEndFrame } from '../../shared/protocol/agent-frames.js';
import type { TailServerTextFrame } from '../../shared/protocol/tail-frames.js';
import type { RunId } from '../../shared/run-key.js';
import { isFinal, type HostStatus } from '../../shared/task-states.js';
import type { Watch, WatchRequest, WatchSink } from '../agents/session-watches.js';
import type { RunDetail } from '../core/records.js';
import type { HostState } from '../tasks/task-service.js';

/** A feed's tail: the task, the windows, the agents and the viewer. */
export interface FeedContext {
  readonly taskId: number;
  /** of the tail session */
  readonly version: number;
  readonly viewerWindowBytes: number;
  readonly agentWindowBytes: number;
  /** Undefined where the host has no session. */
  watch(host: string, request: WatchRequest, sink: WatchSink): Watch | undefined;
  /** True if the host's agent holds the run as one that has not ended. */
  holdsRun(host: string, run: RunId): boolean;
  /** True while the viewer's socket has room for more. */
  hasRoom(): boolean;
  send(frame: TailServerTextFrame): void;
  sendOutput(frame: Omit<OutputFrame, 't'>): void;
  /** The stored output is to be sent, once its turn has come. */
  wantStored(output: OutputFeed): void;
  /** `complete` may have changed. */
  settled(output: OutputFeed): void;
}

/**
 * The output of one host of a tail: from its agent while that has it, else from the store, always from the offset that
 * was reached. It keeps no bytes: the agent gets credit only for what the viewer, and the viewer's socket, can take.
 */
export class OutputFeed {
  readonly channel: number;
  readonly host: string;
  readonly #context: FeedContext;
  #status: HostStatus = 'waiting';
  #clock = 0;
  #detail: RunDetail | undefined;
  #startBeforeMs: number | null = null;
  /** the final status waits until all output was sent */
  #statusDue = false;
  /** the clock of which the viewer knows */
  #shownClock = 0;
  #offsets: Record<Stream, number> = { stdout: 0, stderr: 0 };
  #viewerCredit: number;
  #watch: Watch | undefined;
  #watchFollows = false;
  #agentCredit = 0;
  /** this host's agent has no such output */
  #gone = false;
  /** everything up to the run's end was sent */
  #exhausted = false;
  #noted = false;
  /** the stored output is being sent */
  #storing = false;
  #awaitingCredit: (() => void) | undefined;

  constructor(channel: number, host: string, context: FeedContext) {
    this.channel = channel;
    this.host = host;
    this.#context = context;
    this.#viewerCredit = context.viewerWindowBytes;
  }

  get status(): HostStatus {
    return this.#status;
  }

  /** Changes with every new run. */
  get clock(): number {
    return this.#clock;
  }

  get detail(): RunDetail | undefined {
    return this.#detail;
  }

  /** True while a final status waits for output that is still to be sent. */
  get statusDue(): boolean {
    return this.#statusDue;
  }

  /** True once the host has ended and all of its output was sent. */
  get complete(): boolean {
    return isFinal(this.#status) && (this.#clock === 0 || this.#exhausted);
  }

  /** Where a broken tail had got to; only before the first update. */
  resume(clock: number, stdout: number, stderr: number): void {
    this.#clock = clock;
    this.#shownClock = clock;
    this.#offsets = { stdout, stderr };
  }

  update({ status, clock, startBeforeMs }: HostState, detail: RunDetail | undefined): void {
    if (clock !== this.#clock) this.#restart(clock);
    this.#status = status;
    this.#detail = detail;
    this.#startBeforeMs = startBeforeMs;
    this.#statusDue = true;
    if (!isFinal(status) || this.#context.version < 2) this.#sendStatus();
    else if (clock !== this.#shownClock) this.#sendRun();
    // A run that goes on although its host is settled (ignored, or given up as timed out) is shown up to here.
    if (this.#watch && this.#watchFollows && isFinal(status) && this.#runLives()) this.#stopWatching();
    this.#advance();
    this.#settle();
  }

  /** The host's agent has connected. */
  agentReady(): void {
    this.#gone = false;
    this.#noted = false;
    this.#advance();
  }

  /** The viewer has shown so many bytes. */
  credit(bytes: number): void {
    this.#viewerCredit = Math.min(this.#viewerCredit + bytes, this.#context.viewerWindowBytes);
    this.topUp();
    const wake = this.#awaitingCredit;
    this.#awaitingCredit = undefined;
    wake?.();
  }

  /** Lets the agent send what viewer and socket can take now, unless it still may send much. */
  topUp(): void {
    if (!this.#watch || !this.#context.hasRoom()) return;
    const missing = Math.min(this.#context.agentWindowBytes, this.#viewerCredit) - this.#agentCredit;
    if (missing <= 0 || (this.#agentCredit > 0 && missing < this.#context.agentWindowBytes / 2)) return;
    this.#agentCredit += missing;
    this.#watch.credit(missing);
  }

  /** True if the store is the place to get the rest from. */
  get wantsStored(): boolean {
    return isFinal(this.#status) && this.#clock > 0 && !this.#exhausted && !this.#watch;
  }

  /** Tries the agent once more, for it may have come back while the stored output waited for its turn. */
  tryAgent(): void {
    if (!this.#watch && !this.#gone && this.wantsStored) this.#startWatching();
  }

  /** Sends the end of a stream that the store holds, as credit allows. Resolves with false if another run began. */
  async sendStored(stream: Stream, text: string, wholeBytes: number): Promise<boolean> {
    const clock = this.#clock;
    this.#storing = true;
    const bytes = Buffer.from(text);
    // Where bytes were replaced because they were no UTF-8 the text is longer than what it stands for.
    const start = Math.max(0, wholeBytes - bytes.length);
    this.#skipTo(stream, start, !this.#gone && this.#detail?.[`${stream}Truncated`] === false);
    let rest = bytes.subarray(this.#offsets[stream] - start);
    while (rest.length > 0) {
      if (this.#viewerCredit === 0) await new Promise<void>((resolve) => (this.#awaitingCredit = resolve));
      if (this.#clock !== clock) return false;
      const piece = rest.subarray(0, this.#viewerCredit);
      this.#sendOutput(stream, piece);
      rest = rest.subarray(piece.length);
    }
    return true;
  }

  storedSent(): void {
    this.#storing = false;
    this.#exhausted = true;
    this.#settle();
  }

  /** The viewer has left. */
  [Symbol.dispose](): void {
    this.#stopWatching();
    this.#clock = -1;
    this.#awaitingCredit?.();
  }

  #settle(): void {
    if (this.complete) this.#sendStatus();
    this.#context.settled(this);
  }

  #sendStatus(): void {
    if (!this.#statusDue) return;
    this.#statusDue = false;
    this.#shownClock = this.#clock;
    const { exitCode = null, reason = null } = this.#detail ?? {};
    const [channel, status, clock] = [this.channel, this.#status, this.#clock];
    this.#context.send({ t: 'status', channel, status, clock, exitCode, reason, startBeforeMs: this.#startBeforeMs });
  }

  /** Tells which run the output is of that comes before the status. */
  #sendRun(): void {
    this.#shownClock = this.#clock;
    this.#context.send({ t: 'run', channel: this.channel, clock: this.#clock });
  }

  #restart(clock: number): void {
    this.#sendStatus();
    this.#stopWatching();
    this.#clock = clock;
    this.#offsets = { stdout: 0, stderr: 0 };
    this.#exhausted = false;
    this.#gone = false;
    this.#noted = false;
    this.#storing = false;
    this.#awaitingCredit?.();
  }

  #advance(): void {
    if (this.#clock <= 0 || this.#exhausted || this.#watch || this.#storing) return;
    if (!this.#gone && this.#startWatching()) return;
    if (isFinal(this.#status)) return this.#context.wantStored(this);
    const notStarted = this.#startBeforeMs !== null && this.#context.version >= 2;
    if (this.#noted || this.#gone || notStarted) return;
    this.#noted = true;
    this.#context.send({
      t: 'note',
      channel: this.channel,
      text: `the agent of ${this.host} is out of reach; its output goes on when it is back`,
    });
  }

  #startWatching(): boolean {
    const follow = !(isFinal(this.#status) && this.#runLives());
    const creditBytes = this.#context.hasRoom() ? Math.min(this.#context.agentWindowBytes, this.#viewerCredit) : 0;
    const watch = this.#context.watch(
      this.host,
      {
        taskId: this.#context.taskId,
        clock: this.#clock,
        stdoutFrom: this.#offsets.stdout,
        stderrFrom: this.#offsets.stderr,
        follow,
        creditBytes,
      },
      {
        output: (frame) => this.#relay(frame),
        end: (frame) => this.#watchEnded(frame),
        lost: () => {
          this.#watch = undefined;
          this.#advance();
        },
      },
    );
    if (!watch) return false;
    this.#watch = watch;
    this.#watchFollows = follow;
    this.#agentCredit = creditBytes;
    return true;
  }

  #stopWatching(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #relay({ stream, offset, data }: OutputFrame): void {
    this.#agentCredit -= data.length;
    this.#skipTo(stream, offset);
    const seen = this.#offsets[stream] - offset;
    if (seen < data.length) this.#sendOutput(stream, data.subarray(seen));
    this.topUp();
  }

  #watchEnded({ outcome, stdoutBytes, stderrBytes }: WatchEndFrame): void {
    this.#watch = undefined;
    if (outcome === 'gone') {
      this.#gone = true;
      return this.#advance();
    }
    this.#skipTo('stdout', stdoutBytes);
    this.#skipTo('stderr', stderrBytes);
    this.#exhausted = outcome === 'complete' || isFinal(this.#status);
    this.#settle();
  }

  #skipTo(stream: Stream, to: number, kept = false): void {
    const from = this.#offsets[stream];
    if (to <= from) return;
    this.#offsets[stream] = to;
    this.#context.send({ t: 'gap', channel: this.channel, stream, from, to, kept });
  }

  #sendOutput(stream: Stream, data: Uint8Array): void {
    const offset = this.#offsets[stream];
    this.#offsets[stream] += data.length;
    this.#viewerCredit -= data.length;
    this.#context.sendOutput({ channel: this.channel, stream, offset, data });
  }

  #runLives(): boolean {
    return this.#context.holdsRun(this.host, { taskId: this.#context.taskId, clock: this.#clock });
  }
}
