import type { Socket } from 'node:net';
import { Fields } from '../../shared/protocol/fields.js';
import type { RunKey } from '../../shared/run-key.js';
import { readResultHead } from '../../shared/protocol/binary-frames.js';
import type { Outcome } from './outcome.js';

/**
 * Link and executor exchange these messages over the executor's control socket, one JSON object a line. A message may be
 * lost: the run folders hold everything that must not be. An executor of another version may be at the other end.
 */
export type ToExecutor =
  /** take up the run whose folder is written; not later than this moment of the monotonic clock, ms */
  | { readonly t: 'start'; readonly run: RunKey; readonly startBeforeMonoMs: number }
  /** end every run of this task; `run` also if it was never seen, if `tombstone` */
  | {
      readonly t: 'kill';
      readonly run: RunKey;
      readonly cluster: string;
      readonly host: string;
      readonly tombstone: boolean;
    }
  | { readonly t: 'watch'; readonly run: RunKey }
  | { readonly t: 'unwatch'; readonly run: RunKey }
  /** give back the runs that wait, take no new one, and leave when the last script has ended */
  | { readonly t: 'retire' }
  /** the agent stops: leave when the last script has ended, unless an agent comes back before */
  | { readonly t: 'agent-stops' }
  /** another executor has gone: take over what it may have left behind */
  | { readonly t: 'recover' };

export interface WaitingRun {
  readonly run: RunKey;
  readonly startBeforeMonoMs: number;
}

export type ToLink =
  /**
   * first message, and again after a recovery or a retirement: these runs are waiting or running here, `queued` tells
   * until when each that waits may start, and `released` are those that have waited and will not be started here any more
   */
  | {
      readonly t: 'ready';
      readonly version: string;
      readonly waiting: readonly RunKey[];
      readonly running: readonly RunKey[];
      readonly queued: readonly WaitingRun[];
      readonly released: readonly WaitingRun[];
    }
  | { readonly t: 'started'; readonly run: RunKey; readonly startedMs: number }
  /** the outcome; it becomes durable right afterwards, and is reported all the same where the disk refuses it */
  | { readonly t: 'ended'; readonly run: RunKey; readonly outcome: Outcome }
  /** a watched run has written more */
  | { readonly t: 'grew'; readonly run: RunKey }
  /** the run can't even be claimed: nothing can be written */
  | { readonly t: 'unwritable'; readonly run: RunKey; readonly why: string };

export function parseToExecutor(f: Fields): ToExecutor {
  const t = f.oneOf('t', ['start', 'kill', 'watch', 'unwatch', 'retire', 'agent-stops', 'recover']);
  switch (t) {
    case 'start':
      return { t, run: f.name('run', 64), startBeforeMonoMs: f.integer('startBeforeMonoMs') };
    case 'kill':
      return {
        t,
        run: f.name('run', 64),
        cluster: f.name('cluster', 64),
        host: f.name('host', 256),
        tombstone: f.boolean('tombstone'),
      };
    case 'watch':
    case 'unwatch':
      return { t, run: f.name('run', 64) };
    case 'retire':
    case 'agent-stops':
    case 'recover':
      return { t };
    default:
      return t satisfies never;
  }
}

function readWaiting(f: Fields): WaitingRun {
  return { run: f.name('run', 64), startBeforeMonoMs: f.integer('startBeforeMonoMs') };
}

export function parseToLink(f: Fields): ToLink {
  const t = f.oneOf('t', ['ready', 'started', 'ended', 'grew', 'unwritable']);
  switch (t) {
    case 'ready':
      return {
        t,
        version: f.string('version', 64),
        waiting: f.strings('waiting', 1_000_000, 64),
        running: f.strings('running', 1_000_000, 64),
        // A version before these lists had none.
        queued: f.has('queued') ? f.list('queued', 1_000_000, readWaiting) : [],
        released: f.has('released') ? f.list('released', 1_000_000, readWaiting) : [],
      };
    case 'started':
      return { t, run: f.name('run', 64), startedMs: f.integer('startedMs') };
    case 'ended':
      return { t, run: f.name('run', 64), outcome: f.object('outcome', readResultHead) };
    case 'grew':
      return { t, run: f.name('run', 64) };
    case 'unwritable':
      return { t, run: f.name('run', 64), why: f.string('why', 4_096) };
    default:
      return t satisfies never;
  }
}

export function sendMessage(socket: Socket, message: ToExecutor | ToLink): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls back with each whole line that arrives, parsed. A line that can't be understood destroys the socket. */
export function onMessages<T>(socket: Socket, parse: (fields: Fields) => T, handle: (message: T) => void): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    pending += chunk;
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      const message = parseLine(line, parse);
      if (message === undefined) {
        socket.destroy(new Error('a message that cannot be understood'));
        return;
      }
      handle(message);
    }
  });
}

function parseLine<T>(line: string, parse: (fields: Fields) => T): T | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? parse(new Fields(value, 'control message')) : undefined;
  } catch {
    return undefined;
  }
}
