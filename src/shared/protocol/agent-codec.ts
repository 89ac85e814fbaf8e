import { AgentRunState, type AgentRun, type AgentTextFrame, type ServerFrame } from './agent-frames.js';
import { parseTextFrame, type Fields, type FrameReaders } from './fields.js';
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
  return parseTextFrame(text, AGENT_FRAMES);
}

/** Parses a text frame that a server sent. Throws ProtocolError (badFrame) naming frame and field. */
export function parseServerFrame(text: string): ServerFrame {
  return parseTextFrame(text, SERVER_FRAMES);
}

const AGENT_FRAMES: FrameReaders<AgentTextFrame> = {
  hello: (f) => ({
    t: 'hello',
    versions: f.integers('versions', MAX_VERSIONS),
    host: f.name('host', MAX_HOST_LENGTH),
    agent: f.string('agent', TOKEN_LENGTH),
    bootId: f.name('bootId', TOKEN_LENGTH),
    instance: f.name('instance', TOKEN_LENGTH),
    storeId: f.name('storeId', TOKEN_LENGTH),
    key: f.bytes('key', PUBLIC_KEY_BYTES).toString('base64url'),
    nonce: f.bytes('nonce', NONCE_BYTES).toString('base64url'),
  }),
  proof: (f) => ({ t: 'proof', proof: f.bytes('proof', PROOF_BYTES).toString('base64url') }),
  runs: (f) => ({ t: 'runs', runs: f.list('runs', RUNS_PER_FRAME, readRun), last: f.boolean('last') }),
  heartbeat: (f) => ({
    t: 'heartbeat',
    assigns: f.integer('assigns'),
    runs: f.integer('runs'),
    digest: f.string('digest', TOKEN_LENGTH),
    intervalMs: f.integer('intervalMs', 1, MAX_INTERVAL_MS),
  }),
  accepted: (f) => ({ t: 'accepted', ...f.runId() }),
  started: (f) => ({ t: 'started', ...f.runId(), startedMs: f.integer('startedMs') }),
  'watch-end': (f) => ({
    t: 'watch-end',
    watch: f.integer('watch'),
    outcome: f.oneOf('outcome', ['complete', 'current', 'gone']),
    stdoutBytes: f.integer('stdoutBytes'),
    stderrBytes: f.integer('stderrBytes'),
  }),
};

const SERVER_FRAMES: FrameReaders<ServerFrame> = {
  challenge: (f) => ({
    t: 'challenge',
    version: f.integer('version'),
    cluster: f.name('cluster', TOKEN_LENGTH),
    instance: f.name('instance', TOKEN_LENGTH),
    key: f.bytes('key', PUBLIC_KEY_BYTES).toString('base64url'),
    nonce: f.bytes('nonce', NONCE_BYTES).toString('base64url'),
    proof: f.bytes('proof', PROOF_BYTES).toString('base64url'),
  }),
  welcome: (f) => ({ t: 'welcome', silentIntervals: f.integer('silentIntervals', 1, 1_000) }),
  assign: (f) => ({
    t: 'assign',
    ...f.runId(),
    account: f.name('account', 64),
    script: f.name('script', 1 << 20),
    args: f.strings('args', 1_024, 4_096),
    stdin: f.string('stdin', 4 << 20),
    timeoutMs: f.integer('timeoutMs', 1, MAX_TIMEOUT_SECONDS * 1_000),
    startWithinMs: f.integer('startWithinMs'),
    ...(f.has('terminal') ? { terminal: f.boolean('terminal') } : {}),
  }),
  kill: (f) => ({ t: 'kill', ...f.runId() }),
  list: () => ({ t: 'list' }),
  'result-ack': (f) => ({ t: 'result-ack', ...f.runId(), outcome: f.oneOf('outcome', ['stored', 'unknown']) }),
  alive: () => ({ t: 'alive' }),
  watch: (f) => ({
    t: 'watch',
    ...f.runId(),
    watch: f.integer('watch', 0, 0xffff_ffff),
    stdoutFrom: f.integerOrNull('stdoutFrom', -Number.MAX_SAFE_INTEGER),
    stderrFrom: f.integerOrNull('stderrFrom', -Number.MAX_SAFE_INTEGER),
    follow: f.boolean('follow'),
    creditBytes: f.integer('creditBytes'),
  }),
  credit: (f) => ({ t: 'credit', watch: f.integer('watch'), bytes: f.integer('bytes', 1) }),
  unwatch: (f) => ({ t: 'unwatch', watch: f.integer('watch') }),
};

function readRun(f: Fields): AgentRun {
  return { ...f.runId(), state: f.oneOf('state', Object.values(AgentRunState)) };
}
