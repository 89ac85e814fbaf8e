import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encoder } from '@msgpack/msgpack';
import { FrameScanner, LegacyProtocolError } from './frame-scanner.js';
import { encodeMetaAnswer, encodePong, encodeReportAnswer, parseCall } from './rpc-codec.js';
import { attemptClock, attemptOf, isKillClock, killClock, MAX_ATTEMPT, startClockOf } from './wire-clock.js';
import { encodeCall } from './testing/old-msgpack.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** A short text as these agents write it. */
const text = (value: string): string => hex(Uint8Array.of(0xa0 | value.length)) + hex(Buffer.from(value));
const PING = `940000${text('Server.Ping')}91a0`;

/** A report of a host `h` with one task whose stdout is two bytes that are no text, as these agents write it. */
const REPORT = [
  `9400cc80${text('Server.Report')}9182`,
  text('Ident') + text('h'),
  `${text('ReportTasks')}9185`,
  `${text('Id')}d10080`,
  `${text('Clock')}d26553f100`,
  text('Status') + text('success'),
  `${text('Stdout')}a2fffe`,
  `${text('Stderr')}a0`,
].join('');

test('reads calls as agents write them', () => {
  assert.deepEqual(parseCall(Buffer.from(PING, 'hex')), { seq: 0, method: 'ping' });
  const call = parseCall(Buffer.from(REPORT, 'hex'));
  assert.equal(call.method, 'report');
  assert.ok(call.method === 'report');
  assert.equal(call.seq, 128);
  assert.equal(call.report.ident, 'h');
  const [task] = call.report.tasks;
  assert.deepEqual([task?.taskId, task?.clock, task?.status], [128, 1_700_000_000, 'success']);
  assert.equal(hex(task?.stdout ?? new Uint8Array()), 'fffe');
});

test('reads new strings, bytes for text, structs as lists, missing and unknown keys', () => {
  const encoder = new Encoder();
  const task = [7, 8, 'failed', Buffer.from('out'), 'err'];
  const asLists = encoder.encode([0, 1, 'Server.Report', [[Buffer.from('h'), [task]]]]);
  const asMaps = encoder.encode([0, 1, 'Server.Report', [{ Ident: 'h', New: 1, ReportTasks: null }]]);
  const [lists, maps] = [parseCall(asLists), parseCall(asMaps)];
  assert.ok(lists.method === 'report' && maps.method === 'report');
  assert.equal(lists.report.tasks[0]?.status, 'failed');
  assert.deepEqual(maps.report, { ident: 'h', tasks: [] });
  const twoParams = parseCall(encoder.encode([0, 1, 'Server.GetTaskMeta', [9, 10]]));
  assert.deepEqual(twoParams, { seq: 1, method: 'meta', taskId: 9 });
});

test('passes over tasks of other servers whose numbers are beyond 2^53', () => {
  const big = Buffer.from(REPORT.replace('d10080', 'd37fffffffffffffff'), 'hex');
  const call = parseCall(big);
  assert.ok(call.method === 'report');
  assert.deepEqual(call.report.tasks, []);
});

const MALFORMED: Readonly<Record<string, string>> = {
  'an answer instead of a request': '9401c0c0c0',
  'three values': '930000a0',
  'a report that is a number': `940000${text('Server.Report')}9101`,
  'an id that is a text': `940000${text('Server.GetTaskMeta')}91a131`,
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  test(`refuses ${what}`, () => {
    assert.throws(() => parseCall(Buffer.from(bytes, 'hex')), LegacyProtocolError);
  });
}

test('refuses a report of more tasks than any agent has', () => {
  const tasks = (count: number) => Array.from({ length: count }, () => []);
  const report = (count: number) => new Encoder().encode([0, 1, 'Server.Report', [['h', tasks(count)]]]);
  assert.doesNotThrow(() => parseCall(report(4_096)));
  assert.throws(() => parseCall(report(4_097)), LegacyProtocolError);
});

test('a clock tells which start it belongs to, whether it is a kill, and which attempt', () => {
  const start = 1_800_000_000;
  for (const attempt of [0, 1, MAX_ATTEMPT]) {
    const wire = attemptClock(start, attempt);
    assert.ok(Number.isSafeInteger(wire));
    assert.deepEqual([startClockOf(wire), isKillClock(wire), attemptOf(wire)], [start, false, attempt]);
  }
  assert.deepEqual([startClockOf(killClock(start)), isKillClock(killClock(start))], [start, true]);
  assert.deepEqual([startClockOf(-1), isKillClock(-1), attemptOf(-1)], [-1, false, 0]);
});

test('answers begin with an array of four in its short form', () => {
  assert.equal(hex(encodePong(0)), '940100c0a4706f6e67');
  assert.equal(hex(encodeReportAnswer(1, { assign: [] })), `940101c082${text('Message')}a0${text('AssignTasks')}90`);
  assert.equal(encodeMetaAnswer(70_000, { script: '\ud800', args: '', account: 'root', stdin: '' })[0], 0x94);
});

test('the scanner finds the end of a call that comes byte by byte', () => {
  const call = Buffer.from(REPORT, 'hex');
  const scanner = new FrameScanner(1_000);
  const stream = Buffer.concat([call, Buffer.from(PING, 'hex')]);
  for (let length = 1; length < call.length; length++) {
    assert.equal(scanner.scan(stream.subarray(0, length)), undefined, `at ${length}`);
  }
  assert.equal(scanner.scan(stream), call.length);
  assert.equal(scanner.scan(stream.subarray(call.length)), PING.length / 2);
});

test('the scanner refuses what is too long, too deep or of no use, before it is there', () => {
  const refuse = (bytes: string): void => {
    assert.throws(() => new FrameScanner(1_000).scan(Buffer.from(bytes, 'hex')), LegacyProtocolError);
  };
  refuse('9400dbffffffff');
  refuse('ddffffffff');
  refuse('91'.repeat(20));
  refuse('94c1');
  refuse('94d6ff00000000');
});

test('a call number of any width comes back', () => {
  for (const seq of [0, 127, 128, 65_536, 4_000_000_000]) {
    assert.equal(parseCall(encodeCall(seq, 'Server.Ping', '')).seq, seq);
  }
});
