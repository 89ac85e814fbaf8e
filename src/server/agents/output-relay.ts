import type { Stream } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import type { SessionRegistry } from './session-registry.js';

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
}

/** Asks agents for what their running scripts have written. Holds an answer only until it is complete. */
export class OutputRelay {
  readonly #registry: Pick<SessionRegistry, 'watch'>;
  readonly #asked = new Map<string, Promise<Answer | undefined>>();

  constructor(registry: Pick<SessionRegistry, 'watch'>) {
    this.#registry = registry;
  }

  current(host: string, run: RunId, bytes: number, timeoutMs: number): Promise<Answer | undefined> {
    const question = JSON.stringify([host, run.taskId, run.clock, bytes]);
    const asked = this.#asked.get(question);
    if (asked) return asked;
    const answer = this.#ask(host, run, bytes, timeoutMs).finally(() => this.#asked.delete(question));
    this.#asked.set(question, answer);
    return answer;
  }

  #ask(host: string, run: RunId, bytes: number, timeoutMs: number): Promise<Answer | undefined> {
    const pieces: Record<Stream, Uint8Array[]> = { stdout: [], stderr: [] };
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(undefined), timeoutMs);
      const request = { taskId: run.taskId, clock: run.clock, stdoutFrom: -bytes, stderrFrom: -bytes };
      const watch = this.#registry.watch(
        host,
        { ...request, follow: false, creditBytes: 2 * bytes },
        {
          // Copied: the bytes are the socket's again when this returns.
          output: ({ stream, data }) => pieces[stream].push(Buffer.from(data)),
          end: ({ outcome }) => {
            const gone = outcome === 'gone';
            finish(gone ? undefined : { stdout: endOf(pieces.stdout), stderr: endOf(pieces.stderr) });
          },
          lost: () => finish(undefined),
        },
      );
      function finish(answer: Answer | undefined): void {
        clearTimeout(timer);
        watch?.[Symbol.dispose]();
        resolve(answer);
      }
      if (!watch) finish(undefined);
    });
  }
}

/** The text of the end of a stream, without the rest of a character whose beginning, or end, is not there. */
function endOf(pieces: readonly Uint8Array[]): string {
  const bytes = Buffer.concat(pieces);
  let from = 0;
  while (from < Math.min(3, bytes.length) && isContinuation(bytes[from])) from++;
  // stream: a character that is still being written is left out instead of being replaced.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(from), { stream: true });
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
