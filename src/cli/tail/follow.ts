import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../shared/backoff.js';
import { ProtocolError, UserError } from '../../shared/errors.js';
import { parseBinaryFrame } from '../../shared/protocol/binary-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { TAIL_VERSIONS } from '../../shared/protocol/limits.js';
import { encodeTailFrame, parseTailServerFrame } from '../../shared/protocol/tail-codec.js';
import type { TailServerFrame } from '../../shared/protocol/tail-frames.js';
import { ApiClient } from '../api/api-client.js';
import type { ServerAddress } from '../api/server-address.js';
import { Positions } from './positions.js';
import { FrameShower } from './show-frame.js';
import { TailSocket, type SocketClosed } from './tail-socket.js';
import type { Viewer } from './viewer.js';

/** For how long a server that has gone is looked for again before the tail gives up. */
const RECONNECT_FOR_MS = 10 * 60_000;
const RECONNECT_BACKOFF = { firstMs: 250, maxMs: 3_000 };

export interface FollowOptions {
  readonly server: ServerAddress;
  readonly taskId: number;
  /** empty: all hosts of the task */
  readonly hosts: readonly string[];
  readonly viewer: Viewer;
  /** true: the server is known to exist, so one that can't be reached at first is waited for as well */
  readonly patient: boolean;
  /** true: a pause is an end, once nothing runs any more; false: it is waited until somebody starts the task again */
  readonly endAtPause: boolean;
  readonly signal: AbortSignal;
}

export interface Followed {
  /** every host shown succeeded */
  readonly ok: boolean;
  readonly paused: boolean;
  /** some of the output was not to be had */
  readonly incomplete: boolean;
}

type Ending =
  | { readonly kind: 'end'; readonly ok: boolean }
  | { readonly kind: 'paused' }
  | { readonly kind: 'lost'; readonly heard: boolean }
  | { readonly kind: 'stopped' };

/**
 * Shows a task until every host has ended, or the task has paused, over as many connections as that takes. Resolves with undefined if the
 * signal aborts first. Throws UserError where the server can't be reached, or refuses.
 */
export async function follow(options: FollowOptions): Promise<Followed | undefined> {
  const { server, viewer, signal } = options;
  const positions = new Positions();
  const shower = new FrameShower(viewer, positions);
  const backoff = new Backoff(RECONNECT_BACKOFF);
  let lostAtMs: number | undefined;
  for (;;) {
    const ending = await connectOnce(options, positions, shower, lostAtMs !== undefined);
    if (signal.aborted || ending?.kind === 'stopped') return undefined;
    if (ending?.kind === 'end') return { ok: ending.ok, paused: false, incomplete: shower.incomplete };
    if (ending?.kind === 'paused') {
      await viewer.end(shower.summary(false));
      return { ok: false, paused: true, incomplete: shower.incomplete };
    }
    if (ending?.heard) {
      backoff.reset();
      lostAtMs = undefined;
    }
    if (!ending) await explainRefusal(server, options.patient || lostAtMs !== undefined);
    if (lostAtMs === undefined) await viewer.note(undefined, `lost the connection to ${server.origin}, reconnecting`);
    lostAtMs ??= performance.now();
    if (performance.now() - lostAtMs > RECONNECT_FOR_MS) {
      throw new UserError(`no answer from ${server.origin} for ${RECONNECT_FOR_MS / 60_000} minutes`);
    }
    await sleep(backoff.nextMs(), undefined, { signal }).catch(() => undefined);
  }
}

/** One connection, from its opening to its end; undefined if none could be opened. */
async function connectOnce(options: FollowOptions, positions: Positions, shower: FrameShower, again: boolean) {
  using socket = await TailSocket.open(options.server, options.signal);
  if (!socket) return undefined;
  const { taskId, hosts, server, viewer } = options;
  socket.send(encodeTailFrame({ t: 'tail', versions: TAIL_VERSIONS, taskId, hosts, from: positions.list() }));
  if (again) await viewer.note(undefined, `connected to ${server.origin} again`);
  return await showAll(socket, shower, options.endAtPause);
}

async function showAll(socket: TailSocket, shower: FrameShower, endAtPause: boolean): Promise<Ending> {
  for (let heard = false; ; heard = true) {
    const message = await socket.next();
    if (message === undefined) return { kind: 'stopped' };
    if (isClosed(message)) return afterClose(message, heard);
    const frame = parseFrame(message);
    const reply = await shower.show(frame);
    if (reply !== undefined) socket.send(reply);
    if (frame.t === 'end') return { kind: 'end', ok: frame.ok };
    if (endAtPause && shower.paused) return { kind: 'paused' };
  }
}

function isClosed(message: string | Uint8Array | SocketClosed): message is SocketClosed {
  return typeof message === 'object' && 'code' in message;
}

function parseFrame(message: string | Uint8Array): TailServerFrame {
  if (typeof message === 'string') return parseTailServerFrame(message);
  const frame = parseBinaryFrame(message);
  if (frame.t !== 'output') throw new ProtocolError(CloseCode.badFrame, `a ${frame.t} frame does not belong in a tail`);
  return frame;
}

/** Decides whether another connection follows a closed one; throws where the server has said that it would not help. */
function afterClose({ code, reason }: SocketClosed, heard: boolean): Ending {
  switch (code) {
    case CloseCode.notFound:
      throw new UserError(reason);
    case CloseCode.version:
      throw new UserError(`the server speaks another version of the tail protocol: ${reason}`);
    case CloseCode.badFrame:
      throw new UserError(`the server does not understand this ibex: ${reason}`);
    default:
      return { kind: 'lost', heard };
  }
}

/** Throws UserError with the reason why no connection could be opened, if waiting will not mend it. */
async function explainRefusal(server: ServerAddress, patient: boolean): Promise<void> {
  const answer = await new ApiClient(server).probe();
  switch (answer.kind) {
    case 'silent':
      if (!patient) throw new UserError(answer.why);
      return;
    case 'refused':
      throw new UserError(answer.why);
    case 'answered':
      if (!patient) throw new UserError(`${server.origin} answers, but does not take the connection for a tail`);
      return;
    default:
      answer satisfies never;
  }
}
