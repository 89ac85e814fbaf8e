import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { ResultFrame } from '../../shared/protocol/agent-frames.js';
import { RefusedError } from '../store/store.js';
import type { AgentEvents } from '../tasks/agent-gateway.js';

/** Times that the database is asked to take a result with its output, before it is asked to take it without. */
const TRIES_WITH_OUTPUT = 2;

/**
 * Stores a result; where the database refuses its output, the status and all else without it, and a line that says so.
 * Rejects with RefusedError where it refuses that too, and with StoreError where it does not answer.
 */
export async function storeResult(
  host: string,
  result: ResultFrame,
  { events, log }: { readonly events: Pick<AgentEvents, 'runEnded'>; readonly log: Log },
): Promise<'stored' | 'unknown'> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await events.runEnded(host, result);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (attempt < TRIES_WITH_OUTPUT) continue;
      const { taskId: task, clock: run } = result;
      log.warn(
        { host, task, run, err: describeError(error) },
        'the database refuses an output, it is stored without it',
      );
      return await events.runEnded(host, withoutOutput(result, error));
    }
  }
}

function withoutOutput(result: ResultFrame, refusal: RefusedError): ResultFrame {
  return {
    ...result,
    stdoutTruncated: true,
    stderrTruncated: true,
    stdout: new Uint8Array(),
    stderr: Buffer.from(`ibex: the output of this run is not stored: ${refusal.message}\n`),
  };
}
