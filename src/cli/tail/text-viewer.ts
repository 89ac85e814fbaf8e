import type { Stream } from '../../shared/protocol/agent-frames.js';
import { isFinal } from '../../shared/task-states.js';
import { HostLines } from './host-lines.js';
import type { Line } from './line-splitter.js';
import type { OutputStream } from './output-stream.js';
import type { ShownAction, ShownGap, ShownStatus, ShownTask, Summary, Viewer } from './viewer.js';
import { actionLines, gapText, progressText, summaryLines } from './words.js';

/** Printed between host and line: `|` for the script's stdout, `!` for its stderr. */
const MARKS = Object.freeze({ stdout: '|', stderr: '!' } as const);
const STREAMS = ['stdout', 'stderr'] as const satisfies readonly Stream[];
const NEWLINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);
const RETURN = 0x0d;

interface OpenLine {
  readonly host: string;
  /** its last byte moved to the beginning of the line */
  readonly returned: boolean;
}

export interface TextOptions {
  /** false: standard output and error lead to different places, so a line of one does not break a line of the other */
  readonly oneScreen: boolean;
  readonly terminal: boolean;
  /** the command that asks the API for an action on the task, or on one of its hosts */
  readonly call: (taskId: number, action: string, host?: string) => string;
  readonly nowMs: () => number;
}

/**
 * For people: `HOST | line` on standard output; `HOST ! line` for the scripts' stderr and `ibex: ...` for all that is
 * not a script's on standard error. Lines of several hosts are never mixed within a line: where something else is to be
 * printed, a line that is not finished is broken off, and goes on in a line of its own.
 */
export class TextViewer implements Viewer {
  readonly #out: Readonly<Record<Stream, OutputStream>>;
  readonly #options: TextOptions;
  readonly #lines = new HostLines((host, stream, lines) => this.#print(host, stream, lines));
  /** unfinished lines at the end of what was printed */
  readonly #open: Record<Stream, OpenLine | undefined> = { stdout: undefined, stderr: undefined };
  #taskId = 0;

  constructor(stdout: OutputStream, stderr: OutputStream, options: TextOptions) {
    this.#out = { stdout, stderr };
    this.#options = options;
  }

  async task(task: ShownTask): Promise<void> {
    this.#taskId = task.taskId;
    const hosts = task.hosts.length === 1 ? (task.hosts[0] ?? '') : `${task.hosts.length} hosts`;
    await this.#say(`task ${task.taskId} on ${hosts}: ${task.title}`);
  }

  async output(host: string, stream: Stream, data: Uint8Array): Promise<void> {
    await this.#lines.push(host, stream, data);
  }

  async gap(host: string, gap: ShownGap): Promise<void> {
    await this.#lines.flush(host, [gap.stream]);
    await this.#say(gapText(host, this.#taskId, gap));
  }

  async restarted(host: string): Promise<void> {
    await this.#lines.flush(host);
    await this.#say(`${host}: started again`);
  }

  async status(host: string, status: ShownStatus): Promise<void> {
    if (isFinal(status.status)) await this.#lines.flush(host);
    await this.#say(`${host}: ${progressText(status, this.#options.nowMs())}`);
  }

  async action(action: ShownAction): Promise<void> {
    const call = (name: string, host?: string) => this.#options.call(this.#taskId, name, host);
    for (const line of actionLines(this.#taskId, action, call)) await this.#say(line);
  }

  async note(host: string | undefined, text: string): Promise<void> {
    await this.#say(host === undefined ? text : `${host}: ${text}`);
  }

  async end(summary: Summary): Promise<void> {
    await this.#lines.flushAll();
    for (const stream of STREAMS) await this.#endLine(stream);
    for (const line of summaryLines(this.#taskId, summary)) await this.#say(line);
  }

  async #print(host: string, stream: Stream, lines: readonly Line[]): Promise<void> {
    const open = this.#open[stream];
    const goesOn = open?.host === host;
    // The end of a line that was broken off has nothing more to show.
    const shown = goesOn ? lines : lines.filter((line) => line.bytes.length > 0 || !line.continues);
    const last = shown.at(-1);
    if (!last) return;
    // All is written before anything is waited for: a timer may print meanwhile.
    const ended = goesOn ? undefined : this.#endLines(stream);
    this.#open[stream] = last.ended ? undefined : { host, returned: last.bytes.at(-1) === RETURN };
    const bare = goesOn && !(this.#options.terminal && open.returned);
    const printed = this.#out[stream].write(prefixed(host, stream, shown, bare, this.#options.terminal));
    await Promise.all([ended, printed]);
  }

  async #say(text: string): Promise<void> {
    await Promise.all([this.#endLines('stderr'), this.#out.stderr.write(`ibex: ${text}\n`)]);
  }

  /** Ends the unfinished lines that stand where something else of this stream is to be printed. */
  async #endLines(stream: Stream): Promise<void> {
    const streams = this.#options.oneScreen ? STREAMS : [stream];
    await Promise.all(streams.map((each) => this.#endLine(each)));
  }

  async #endLine(stream: Stream): Promise<void> {
    if (this.#open[stream] === undefined) return;
    this.#open[stream] = undefined;
    await this.#out[stream].write(NEWLINE);
  }
}

/**
 * Lines with host and mark before each, and a newline after each that has ended, as one piece: a write a line would be
 * slow. `bare`: the first one continues what was printed last. `terminal`: the prefix stands again behind each return to
 * the beginning of the line, where it would be overwritten.
 */
export function prefixed(
  host: string,
  stream: Stream,
  lines: readonly Line[],
  bare = false,
  terminal = false,
): Uint8Array {
  const prefix = Buffer.from(`${host} ${MARKS[stream]} `);
  return Buffer.concat(
    lines.flatMap((line, i) => [
      i === 0 && bare ? NOTHING : prefix,
      terminal && line.bytes.includes(RETURN) ? withPrefix(line.bytes, prefix) : line.bytes,
      line.ended ? NEWLINE : NOTHING,
    ]),
  );
}

function withPrefix(bytes: Uint8Array, prefix: Buffer): Buffer {
  // latin1 stands for bytes here: one character each.
  const [text, before] = [Buffer.from(bytes).toString('latin1'), prefix.toString('latin1')];
  return Buffer.from(
    text.replaceAll(/\r(?=[^\r])/g, () => `\r${before}`),
    'latin1',
  );
}
