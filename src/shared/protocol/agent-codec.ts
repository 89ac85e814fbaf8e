import { ProtocolError } from '../errors.js';
import {
  AgentRunState,
  type AgentRun,
  type AgentTextFrame,
  type AssignFrame,
  type ServerFrame,
} from './agent-frames.js';
import { CloseCode } from './close-codes.js';
import { parseTextFrame, type Fields } from './fields.js';
import { MAX_HOST_LENGTH, MAX_TIMEOUT_SECONDS, RUNS_PER_FRAME } from './limits.js';
import { NONCE_BYTES, PROOF_BYTES, PUBLIC_KEY_BYTES } from './opening.js';

const TOKEN_LENGTH = 64;
const MAX_VERSIONS = 16;
const MAX_INTERVAL_MS = 24 * 3_600_000;

/** JSON text of any text frame of the session. */
export function encodeFrame(frame: AgentTextFrame | ServerFrame): string {
  return JSON.stringify(frame);
}

/** Parses a text frame that an agent sent. Throws ProtocolError (badFrame) naming frame and field. */
export function parseAgentFrame(text: string): AgentTextFrame {
  const { type, fields: f } = parseTextFrame(text);
  switch (type) {
    case 'hello':
      return {
        t: 'hello',
        versions: f.wholes('versions', MAX_VERSIONS),
        host: f.name('host', MAX_HOST_LENGTH),
        agent: f.text('agent', TOKEN_LENGTH),
        bootId: f.name('bootId', TOKEN_LENGTH),
        instance: f.name('instance', TOKEN_LENGTH),
        storeId: f.name('storeId', TOKEN_LENGTH),
        key: f.bytes('key', PUBLIC_KEY_BYTES).toString('base64url'),
        nonce: f.bytes('nonce', NONCE_BYTES).toString('base64url'),
      };
    case 'proof':
      return { t: 'proof', proof: f.bytes('proof', PROOF_BYTES).toString('base64url') };
    case 'runs':
      return { t: 'runs', runs: f.list('runs', RUNS_PER_FRAME, readRun), last: f.flag('last') };
    case 'heartbeat':
      return {
        t: 'heartbeat',
        assigns: f.whole('assigns'),
        runs: f.whole('runs'),
        digest: f.text('digest', TOKEN_LENGTH),
        intervalMs: f.whole('intervalMs', 1, MAX_INTERVAL_MS),
      };
    case 'accepted':
      return { t: 'accepted', ...readRunId(f) };
    case 'started':
      return { t: 'started', ...readRunId(f), startedMs: f.whole('startedMs') };
    case 'watch-end':
      return {
        t: 'watch-end',
        watch: f.whole('watch'),
        outcome: f.oneOf('outcome', ['complete', 'current', 'gone']),
        stdoutBytes: f.whole('stdoutBytes'),
        stderrBytes: f.whole('stderrBytes'),
      };
    default:
      throw unknownFrame(type);
  }
}

/** Parses a text frame that a server sent. Throws ProtocolError (badFrame) naming frame and field. */
export function parseServerFrame(text: string): ServerFrame {
  const { type, fields: f } = parseTextFrame(text);
  switch (type) {
    case 'challenge':
      return {
        t: 'challenge',
        version: f.whole('version'),
        cluster: f.name('cluster', TOKEN_LENGTH),
        instance: f.name('instance', TOKEN_LENGTH),
        key: f.bytes('key', PUBLIC_KEY_BYTES).toString('base64url'),
        nonce: f.bytes('nonce', NONCE_BYTES).toString('base64url'),
        proof: f.bytes('proof', PROOF_BYTES).toString('base64url'),
      };
    case 'welcome':
      return { t: 'welcome', silentIntervals: f.whole('silentIntervals', 1, 1_000) };
    case 'assign':
      return readAssign(f);
    case 'kill':
      return { t: 'kill', ...readRunId(f) };
    case 'list':
      return { t: 'list' };
    case 'result-ack':
      return { t: 'result-ack', ...readRunId(f), outcome: f.oneOf('outcome', ['stored', 'unknown']) };
    case 'alive':
      return { t: 'alive' };
    case 'watch':
      return {
        t: 'watch',
        ...readRunId(f),
        watch: f.whole('watch', 0, 0xffff_ffff),
        stdoutFrom: f.wholeOrNull('stdoutFrom', -Number.MAX_SAFE_INTEGER),
        stderrFrom: f.wholeOrNull('stderrFrom', -Number.MAX_SAFE_INTEGER),
        follow: f.flag('follow'),
        creditBytes: f.whole('creditBytes'),
      };
    case 'credit':
      return { t: 'credit', watch: f.whole('watch'), bytes: f.whole('bytes', 1) };
    case 'unwatch':
      return { t: 'unwatch', watch: f.whole('watch') };
    default:
      throw unknownFrame(type);
  }
}

function readAssign(f: Fields): AssignFrame {
  return {
    t: 'assign',
    ...readRunId(f),
    account: f.name('account', 64),
    script: f.name('script', 1 << 20),
    args: f.texts('args', 1_024, 4_096),
    stdin: f.text('stdin', 4 << 20),
    timeoutMs: f.whole('timeoutMs', 1, MAX_TIMEOUT_SECONDS * 1_000),
    startWithinMs: f.whole('startWithinMs'),
  };
}

function readRun(f: Fields): AgentRun {
  return { ...readRunId(f), state: f.oneOf('state', Object.values(AgentRunState)) };
}

function readRunId(f: Fields): { taskId: number; clock: number } {
  return { taskId: f.whole('taskId', 1), clock: f.whole('clock') };
}

function unknownFrame(type: string): ProtocolError {
  return new ProtocolError(CloseCode.badFrame, `unknown frame ${JSON.stringify(type)}`);
}
