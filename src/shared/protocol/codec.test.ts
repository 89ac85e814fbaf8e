import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../errors.js';
import { encodeFrame, parseAgentFrame, parseServerFrame } from './agent-codec.js';
import type { AgentTextFrame, OutputFrame, ResultFrame, ServerFrame } from './agent-frames.js';
import { encodeOutput, encodeResult, parseBinaryFrame } from './binary-frames.js';
import { CloseCode } from './close-codes.js';
import { STORED_TAIL_BYTES } from './limits.js';
import { encodeTailFrame, parseTailServerFrame, parseTailViewerFrame } from './tail-codec.js';
import type { TailServerTextFrame, TailViewerFrame } from './tail-frames.js';

const KEY = Buffer.alloc(32, 1).toString('base64url');
const PROOF = Buffer.alloc(64, 2).toString('base64url');
const RUN = { taskId: 7, clock: 1_700_000_000 };

const AGENT_FRAMES: readonly AgentTextFrame[] = [
  {
    t: 'hello',
    versions: [1, 2],
    host: 'web-01',
    agent: '0.1.0',
    bootId: 'b',
    instance: 'i',
    storeId: 's',
    key: KEY,
    nonce: KEY,
  },
  { t: 'proof', proof: PROOF },
  { t: 'runs', runs: [{ ...RUN, state: 'running' }], last: true },
  { t: 'heartbeat', assigns: 3, runs: 1, digest: 'x', intervalMs: 1_000 },
  { t: 'accepted', ...RUN },
  { t: 'started', ...RUN, startedMs: 5 },
  { t: 'watch-end', watch: 4, outcome: 'complete', stdoutBytes: 1, stderrBytes: 2 },
];

const SERVER_FRAMES: readonly ServerFrame[] = [
  { t: 'challenge', version: 1, cluster: 'c', instance: 'i', key: KEY, nonce: KEY, proof: PROOF },
  { t: 'welcome', silentIntervals: 3 },
  {
    t: 'assign',
    ...RUN,
    account: 'root',
    script: 'echo \u{1f525}',
    args: ['a b', ''],
    stdin: '\0',
    timeoutMs: 1_000,
    startWithinMs: 0,
  },
  { t: 'kill', ...RUN },
  { t: 'list' },
  { t: 'result-ack', ...RUN, outcome: 'unknown' },
  { t: 'alive' },
  { t: 'watch', ...RUN, watch: 1, stdoutFrom: -10, stderrFrom: null, follow: true, creditBytes: 0 },
  { t: 'credit', watch: 1, bytes: 1 },
  { t: 'unwatch', watch: 1 },
];

const TAIL_VIEWER_FRAMES: readonly TailViewerFrame[] = [
  { t: 'tail', versions: [1], taskId: 7, hosts: ['a'], from: [{ host: 'a', clock: 1, stdout: 2, stderr: 3 }] },
  { t: 'credit', channel: 0, bytes: 1 },
];

const TAIL_SERVER_FRAMES: readonly TailServerTextFrame[] = [
  { t: 'task', version: 1, taskId: 7, title: 'x', hosts: [{ channel: 0, host: 'a' }], creditBytes: 1 },
  { t: 'status', channel: 0, status: 'killfailed', clock: 1, exitCode: null, reason: 'lost', startBeforeMs: 9 },
  { t: 'run', channel: 0, clock: 1 },
  { t: 'action', action: 'pause', cause: 'pause-list', failed: 1, tolerance: 0, pausedAfter: 'a' },
  { t: 'gap', channel: 0, stream: 'stderr', from: 1, to: 2, kept: true },
  { t: 'note', channel: 0, text: 'x' },
  { t: 'end', ok: false },
];

test('every text frame survives encoding and parsing', () => {
  for (const frame of AGENT_FRAMES) assert.deepEqual(parseAgentFrame(encodeFrame(frame)), frame);
  for (const frame of SERVER_FRAMES) assert.deepEqual(parseServerFrame(encodeFrame(frame)), frame);
  for (const frame of TAIL_VIEWER_FRAMES) assert.deepEqual(parseTailViewerFrame(encodeTailFrame(frame)), frame);
  for (const frame of TAIL_SERVER_FRAMES) assert.deepEqual(parseTailServerFrame(encodeTailFrame(frame)), frame);
});

test('fields of a later version are ignored', () => {
  assert.deepEqual(parseServerFrame('{"t":"alive","more":[1]}'), { t: 'alive' });
});

function refuses(parse: (text: string) => unknown, text: string): void {
  assert.throws(
    () => parse(text),
    (error) => error instanceof ProtocolError && error.closeCode === CloseCode.badFrame && error.message.length < 300,
    text.slice(0, 200),
  );
}

/** Every frame with one field missing, null, or of each wrong kind. */
function mutations(frame: object): string[] {
  const wrong = [undefined, null, {}, 'x'.repeat(5_000_000), -1.5, true];
  return Object.keys(frame).flatMap((name) => wrong.map((value) => JSON.stringify({ ...frame, [name]: value })));
}

test('malformed frames: each wrong kind of each field is refused, or is a value that the field allows', () => {
  const table: readonly (readonly [(text: string) => { readonly t: string }, readonly { readonly t: string }[]])[] = [
    [parseAgentFrame, AGENT_FRAMES],
    [parseServerFrame, SERVER_FRAMES],
    [parseTailViewerFrame, TAIL_VIEWER_FRAMES],
    [parseTailServerFrame, TAIL_SERVER_FRAMES],
  ];
  let refused = 0;
  for (const [parse, frames] of table) {
    for (const text of frames.flatMap(mutations)) {
      try {
        const parsed = parse(text);
        // Only fields that may be null (or absent) take one of the wrong kinds.
        const given: unknown = JSON.parse(text);
        assert.ok(typeof given === 'object' && given !== null);
        for (const [name, value] of Object.entries(parsed)) {
          // Absent from servers of before.
          const absent = name === 'kept' ? false : null;
          const sent: unknown = new Map<string, unknown>(Object.entries(given)).get(name) ?? absent;
          assert.deepEqual(value, sent, `${parsed.t}: ${name}`);
        }
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${String(error)} for ${text.slice(0, 200)}`);
        refused++;
      }
    }
  }
  assert.ok(refused > 300, `${refused} refused`);
});

test('lengths are counted in characters, not in halves of them', () => {
  const assign = SERVER_FRAMES.find((frame) => frame.t === 'assign');
  const withAccount = (account: string): string => JSON.stringify({ ...assign, account });
  assert.equal(parseServerFrame(withAccount('\u{1f525}'.repeat(64))).t, 'assign');
  refuses(parseServerFrame, withAccount('\u{1f525}'.repeat(65)));
});

test('malformed frames: texts that are no frame at all', () => {
  for (const text of ['', '{', '[]', 'null', '1', '"x"', '{}', '{"t":1}', '{"t":"nonsense"}', '{"t":"__proto__"}']) {
    for (const parse of [parseAgentFrame, parseServerFrame, parseTailViewerFrame, parseTailServerFrame]) {
      refuses(parse, text);
    }
  }
  refuses(parseAgentFrame, encodeFrame({ t: 'alive' }));
  refuses(parseServerFrame, encodeFrame({ t: 'accepted', ...RUN }));
});

const RESULT: Omit<ResultFrame, 't'> = {
  ...RUN,
  status: 'failed',
  exitCode: 137,
  signal: 9,
  reason: 'lost',
  startedMs: null,
  endedMs: 9,
  stdoutBytes: 100_000,
  stderrBytes: 1,
  stdoutTruncated: true,
  stderrTruncated: false,
  stdout: Buffer.from([0, 255, 254]),
  stderr: Buffer.from('e'),
};
const OUTPUT: Omit<OutputFrame, 't'> = {
  channel: 0xffff_ffff,
  stream: 'stderr',
  offset: 2 ** 52,
  data: Buffer.from([0, 255]),
};

test('binary frames survive encoding and parsing', () => {
  assert.deepEqual(parseBinaryFrame(encodeResult(RESULT)), { t: 'result', ...RESULT });
  assert.deepEqual(parseBinaryFrame(encodeOutput(OUTPUT)), { t: 'output', ...OUTPUT });
});

test('a binary frame cut anywhere, or with any one byte changed, is refused or parsed, never worse', () => {
  for (const frame of [encodeResult(RESULT), encodeOutput(OUTPUT)]) {
    for (let at = 0; at < frame.length; at++) {
      const changed = Buffer.from(frame);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      for (const bytes of [frame.subarray(0, at), changed]) {
        try {
          parseBinaryFrame(bytes);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, `${String(error)} at ${at}`);
        }
      }
    }
  }
});

function refusesBytes(bytes: Uint8Array): void {
  assert.throws(() => parseBinaryFrame(bytes), ProtocolError);
}

test('binary frames out of bounds are refused', () => {
  refusesBytes(new Uint8Array(0));
  refusesBytes(Buffer.from([3, 0, 0, 0]));
  refusesBytes(encodeResult({ ...RESULT, stdout: Buffer.alloc(STORED_TAIL_BYTES + 1) }));
  refusesBytes(encodeOutput({ ...OUTPUT, data: new Uint8Array(0) }));
  refusesBytes(encodeOutput({ ...OUTPUT, data: new Uint8Array(100_000) }));
});
