import { closeSync, existsSync, openSync } from 'node:fs';
import type { Log } from '../../shared/log.js';
import { describeError } from '../../shared/errors.js';
import { encodeResult } from '../../shared/protocol/binary-frames.js';
import { RESULTS_IN_FLIGHT, STORED_TAIL_BYTES } from '../../shared/protocol/limits.js';
import type { RunKey } from '../../shared/run-key.js';
import { EMPTY_REPORT } from '../../shared/run-report.js';
import { RunOutcome, RunReason } from '../../shared/task-states.js';
import { runFields } from '../runs/json-log.js';
import { faultPoint } from '../runs/fault-point.js';
import { readOutcome } from '../runs/outcome.js';
import { RunFile, type RunsFolder } from '../runs/run-folder.js';
import { readStreamEnd } from '../runs/spool-reader.js';
import type { IndexedRun, RunIndex } from './run-index.js';
import type { Session } from './session.js';

interface Pending {
  readonly entry: IndexedRun;
  /** only for a run that left nothing on disk because nothing could be written */
  readonly unwritable: string | undefined;
  /** servers that know no such run */
  readonly unknownTo: Set<string>;
  sentOn: Session | undefined;
}

/**
 * Brings outcomes to a server until one has stored them: first to the server that assigned the run, else to any of the
 * same cluster. At most 32 are under way on a session; the rest wait, in the order in which they ended.
 */
export class Delivery {
  readonly #runs: RunsFolder;
  readonly #index: RunIndex;
  readonly #log: Log;
  readonly #pending = new Map<RunKey, Pending>();
  readonly #sessions = new Map<Session, Set<RunKey>>();

  constructor(runs: RunsFolder, index: RunIndex, log: Log) {
    this.#runs = runs;
    this.#index = index;
    this.#log = log;
  }

  /** Delivers the outcome of a run, once more if it was delivered before. */
  add(entry: IndexedRun, unwritable?: string): void {
    this.#pending.set(entry.run, { entry, unwritable, unknownTo: new Set(), sentOn: undefined });
    this.#pump();
  }

  sessionReady(session: Session): void {
    this.#sessions.set(session, new Set());
    this.#pump();
  }

  sessionClosed(session: Session): void {
    for (const run of this.#sessions.get(session) ?? []) {
      const pending = this.#pending.get(run);
      if (pending) pending.sentOn = undefined;
    }
    this.#sessions.delete(session);
    this.#pump();
  }

  acknowledged(session: Session, run: RunKey, outcome: 'stored' | 'unknown'): void {
    const pending = this.#pending.get(run);
    if (pending?.sentOn !== session) return;
    this.#sessions.get(session)?.delete(run);
    pending.sentOn = undefined;
    if (outcome === 'unknown') {
      pending.unknownTo.add(session.server);
      this.#log.warn(runFields(run), 'the server knows no such run; its outcome is kept');
    } else {
      this.#pending.delete(run);
      this.#markAcknowledged(run);
    }
    this.#pump();
  }

  #markAcknowledged(run: RunKey): void {
    const onDisk = existsSync(this.#runs.file(run, RunFile.exit));
    this.#index.update(run, { state: 'acknowledged', ...(onDisk ? { outcome: undefined } : {}) });
    try {
      faultPoint('before-acknowledged');
      closeSync(openSync(this.#runs.file(run, RunFile.acknowledged), 'w', 0o600));
    } catch (error) {
      // It will be reported once more after the next start, and be acknowledged again.
      this.#log.warn({ ...runFields(run), err: describeError(error) }, 'cannot note that a result was stored');
    }
  }

  #pump(): void {
    for (const pending of this.#pending.values()) {
      if ([...this.#sessions.values()].every((inFlight) => inFlight.size >= RESULTS_IN_FLIGHT)) return;
      if (pending.sentOn) continue;
      const session = this.#sessionFor(pending);
      if (session) this.#send(session, pending);
    }
  }

  #sessionFor({ entry, unknownTo }: Pending): Session | undefined {
    const fitting = [...this.#sessions.entries()].filter(
      ([session, inFlight]) =>
        session.cluster8 === entry.cluster8 && !unknownTo.has(session.server) && inFlight.size < RESULTS_IN_FLIGHT,
    );
    const assigner = fitting.find(([session]) => session.server === entry.assignedBy);
    return (assigner ?? fitting[0])?.[0];
  }

  #send(session: Session, pending: Pending): void {
    const frame = this.#frame(pending);
    pending.sentOn = session;
    this.#sessions.get(session)?.add(pending.entry.run);
    session.sendBinary(frame);
  }

  #frame({ entry, unwritable }: Pending): Buffer {
    const { run } = entry;
    if (unwritable !== undefined) return unwritten(entry, unwritable);
    try {
      const outcome = entry.outcome ?? readOutcome(this.#runs, run);
      if (!outcome) throw new Error('its outcome is gone from the disk');
      const end = (name: 'stdout' | 'stderr', bytes: number): Buffer =>
        readStreamEnd(this.#runs.file(run, RunFile[name]), bytes, STORED_TAIL_BYTES);
      return encodeResult({
        ...outcome,
        stdout: end('stdout', outcome.stdoutBytes),
        stderr: end('stderr', outcome.stderrBytes),
      });
    } catch (error) {
      this.#log.error({ ...runFields(run), err: describeError(error) }, 'cannot read an outcome');
      return unwritten(entry, describeError(error));
    }
  }
}

function unwritten({ taskId, clock }: IndexedRun, why: string): Buffer {
  return encodeResult({
    taskId,
    clock,
    status: RunOutcome.failed,
    ...EMPTY_REPORT,
    reason: RunReason.lost,
    endedMs: Date.now(),
    stdoutTruncated: true,
    stderrTruncated: true,
    stdout: new Uint8Array(0),
    stderr: Buffer.from(`ibex: ${why}\n`),
  });
}
