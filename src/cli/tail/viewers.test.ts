import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { JsonViewer } from './json-viewer.js';
import { OutputStream } from './output-stream.js';
import { RawViewer } from './raw-viewer.js';
import { TextViewer, type TextOptions } from './text-viewer.js';
import type { ShownAction, ShownStatus, Viewer } from './viewer.js';

function capture() {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const read = (name: 'stdout' | 'stderr') => {
    const data: unknown = streams[name].read();
    return Buffer.isBuffer(data) ? data : Buffer.alloc(0);
  };
  const text = (options: Partial<TextOptions> = {}) =>
    new TextViewer(new OutputStream(streams.stdout), new OutputStream(streams.stderr), { ...PIPES, ...options });
  return {
    stdout: new OutputStream(streams.stdout),
    stderr: new OutputStream(streams.stderr),
    streams,
    read,
    text,
  };
}

/** 2026-01-02 13:00 by this machine's clock */
const NOW_MS = new Date(2026, 0, 2, 13, 0).getTime();
const PIPES: TextOptions = {
  oneScreen: true,
  terminal: false,
  call: (taskId, action, host) => `CALL ${taskId} ${action}${host === undefined ? '' : ` ${host}`}`,
  nowMs: () => NOW_MS,
};
const TASK = { taskId: 7, title: 'restart FH: web-01', hosts: ['web-01', 'web-02'] };
const FAILED: ShownStatus = { status: 'failed', clock: 1, exitCode: 3, reason: null, startBeforeMs: null };
const SUMMARY = {
  ok: false,
  paused: false,
  counts: { success: 1, failed: 1 },
  failed: [{ host: 'web-01', status: 'failed', exitCode: 3, reason: null, lastLine: 'oops' }],
} as const;

async function play(viewer: Viewer): Promise<void> {
  await viewer.task(TASK);
  await viewer.output('web-01', 'stdout', Buffer.from('one\ntw'));
  await viewer.output('web-02', 'stdout', Buffer.from('other\n'));
  await viewer.output('web-01', 'stderr', Buffer.from('oops\n'));
  await viewer.output('web-01', 'stdout', Buffer.from([0x6f, 0xff, 0x0a, 0x65, 0x6e, 0x64]));
  await viewer.status('web-01', FAILED);
  await viewer.end(SUMMARY);
}

test('text: lines with their host, whole, the unfinished one last, its bytes as they were; the summary at the end', async () => {
  const { text, read } = capture();
  await play(text());
  const expected = Buffer.concat([
    Buffer.from('web-01 | one\nweb-02 | other\nweb-01 | two'),
    Buffer.from([0xff]),
    Buffer.from('\nweb-01 | end\n'),
  ]);
  assert.deepEqual(read('stdout'), expected);
  assert.equal(
    read('stderr').toString(),
    'ibex: task 7 on 2 hosts: restart FH: web-01\nweb-01 ! oops\nibex: web-01: failed, exit 3\n' +
      'ibex: task 7, 2 hosts: 1 success, 1 failed\nibex:   web-01: failed, exit 3: oops\n',
  );
});

test('text: a gap ends the line before it', async () => {
  const { text, read } = capture();
  const viewer = text();
  await viewer.output('web-01', 'stdout', Buffer.from('half'));
  await viewer.gap('web-01', { stream: 'stdout', from: 4, to: 10, kept: false });
  await viewer.output('web-01', 'stdout', Buffer.from('rest\n'));
  assert.equal(read('stdout').toString(), 'web-01 | half\nweb-01 | rest\n');
  assert.equal(read('stderr').toString(), 'ibex: web-01: 6 bytes of stdout are missing here (from byte 4)\n');
});

test('text: bytes that a host keeps whose agent is away are said to lie there', async () => {
  const { text, read } = capture();
  const viewer = text();
  await viewer.task(TASK);
  await viewer.gap('web-01', { stream: 'stdout', from: 0, to: 10, kept: true });
  assert.match(read('stderr').toString(), /10 bytes .* lie on web-01, whose agent is away; ibex tail 7 shows them/);
});

test('text: a part of a line is shown without its newline, and is continued where nothing came between', async () => {
  const { text, read, streams } = capture();
  const viewer = text();
  await viewer.output('web-01', 'stdout', Buffer.from('..'));
  assert.equal(read('stdout').length, 0);
  await once(streams.stdout, 'readable');
  assert.equal(read('stdout').toString(), 'web-01 | ..');
  await viewer.output('web-01', 'stdout', Buffer.from('. done\nnext\n'));
  assert.equal(read('stdout').toString(), '. done\nweb-01 | next\n');
});

test('text: a part of a line is broken off for the line of another host, and its end is no line of its own', async () => {
  const { text, read, streams } = capture();
  const viewer = text();
  await viewer.output('web-01', 'stdout', Buffer.from('..'));
  await once(streams.stdout, 'readable');
  await viewer.output('web-02', 'stdout', Buffer.from('other\n'));
  await viewer.output('web-01', 'stdout', Buffer.from('.\n'));
  await viewer.output('web-02', 'stderr', Buffer.from('half'));
  await once(streams.stderr, 'readable');
  await viewer.output('web-01', 'stdout', Buffer.from('full\n'));
  await viewer.output('web-02', 'stderr', Buffer.from('\n'));
  assert.equal(read('stdout').toString(), 'web-01 | ..\nweb-02 | other\nweb-01 | .\nweb-01 | full\n');
  assert.equal(read('stderr').toString(), 'web-02 ! half\n');
});

test('text: in two files the lines of one do not break those of the other', async () => {
  const { text, read, streams } = capture();
  const viewer = text({ oneScreen: false });
  await viewer.output('web-01', 'stdout', Buffer.from('..'));
  await once(streams.stdout, 'readable');
  await viewer.note(undefined, 'hm');
  await viewer.output('web-01', 'stdout', Buffer.from('.\n'));
  assert.equal(read('stdout').toString(), 'web-01 | ...\n');
});

test('text: on a terminal the host stands again behind a return to the beginning of the line', async () => {
  const { text, read } = capture();
  const viewer = text({ terminal: true });
  await viewer.output('web-01', 'stdout', Buffer.from('10%\r20%\r\n'));
  assert.equal(read('stdout').toString(), 'web-01 | 10%\rweb-01 | 20%\r\n');
});

test('text: a status is one that a tired person understands', async () => {
  const { text, read } = capture();
  const viewer = text();
  const cases: readonly (readonly [Partial<ShownStatus>, string])[] = [
    [{ status: 'success', exitCode: 0 }, 'success, exit 0'],
    [{ status: 'failed', exitCode: 137 }, 'failed, exit 137, SIGKILL'],
    [{ status: 'timeout', exitCode: 143 }, 'timeout, its time was up and it was ended (exit 143, SIGTERM)'],
    [{ status: 'timeout', reason: 'not-started' }, 'timeout, never started: its agent was away or busy for too long'],
    [{ status: 'failed', reason: 'of-a-later-server' }, 'failed, of-a-later-server'],
    [{ status: 'running', startBeforeMs: NOW_MS + 65_000 }, 'not started, its agent is away; waits until 13:01'],
    [
      { status: 'running', startBeforeMs: NOW_MS + 86_400_000 },
      'not started, its agent is away; waits until 2026-01-03 13:00',
    ],
  ];
  for (const [status, expected] of cases) {
    await viewer.status('web-01', { ...FAILED, exitCode: null, ...status });
    assert.equal(read('stderr').toString(), `ibex: web-01: ${expected}\n`);
  }
});

test('text: a pause is told with its cause and the calls that go on', async () => {
  const { text, read } = capture();
  const viewer = text();
  await viewer.task(TASK);
  read('stderr');
  const paused: ShownAction = {
    action: 'pause',
    cause: 'tolerance',
    failed: 1,
    tolerance: 0,
    pausedAfter: null,
  };
  await viewer.action(paused);
  const lines = read('stderr').toString();
  assert.match(lines, /^ibex: task 7 is paused: 1 host has failed, and its tolerance is 0$/m);
  for (const call of ['CALL 7 ignore HOST', 'CALL 7 start', 'CALL 7 cancel']) assert.ok(lines.includes(call), lines);
  await viewer.action({ ...paused, cause: 'pause-list', pausedAfter: 'web-01' });
  assert.match(read('stderr').toString(), /is paused: web-01 was started, after which it was to pause/);
  await viewer.action({ ...paused, action: 'start', cause: null });
  assert.equal(read('stderr').toString(), 'ibex: task 7 goes on\n');
});

test('raw: the bytes and nothing else', async () => {
  const { stdout, stderr, read } = capture();
  const viewer: Viewer = new RawViewer(stdout, stderr);
  await viewer.task({ ...TASK, hosts: ['web-01'] });
  await viewer.output('web-01', 'stdout', Buffer.from([0, 255, 10, 13]));
  await viewer.output('web-01', 'stderr', Buffer.from('e'));
  await viewer.status('web-01', FAILED);
  await viewer.end(SUMMARY);
  assert.deepEqual(read('stdout'), Buffer.from([0, 255, 10, 13]));
  assert.equal(read('stderr').toString(), 'e');
});

test('raw: more than one host is refused', async () => {
  const { stdout, stderr } = capture();
  await assert.rejects(new RawViewer(stdout, stderr).task(TASK), /task 7 has 2 hosts .* --host/);
});

function events(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

test('json: one object a line, bytes that are no text in base64, a final status after the last line', async () => {
  const { stdout, read } = capture();
  await play(new JsonViewer(stdout));
  assert.deepEqual(events(read('stdout').toString()), [
    { type: 'task', task: 7, title: 'restart FH: web-01', hosts: ['web-01', 'web-02'] },
    { type: 'line', host: 'web-01', stream: 'stdout', text: 'one', ended: true },
    { type: 'line', host: 'web-02', stream: 'stdout', text: 'other', ended: true },
    { type: 'line', host: 'web-01', stream: 'stderr', text: 'oops', ended: true },
    {
      type: 'line',
      host: 'web-01',
      stream: 'stdout',
      base64: Buffer.from('two\xff', 'latin1').toString('base64'),
      ended: true,
    },
    { type: 'line', host: 'web-01', stream: 'stdout', text: 'end', ended: false },
    {
      type: 'status',
      host: 'web-01',
      status: 'failed',
      clock: 1,
      exitCode: 3,
      reason: null,
      startBeforeMs: null,
    },
    { type: 'end', ...SUMMARY },
  ]);
});

test('json: a part of a line comes as a piece that has not ended, cut between characters', async () => {
  const { stdout, read, streams } = capture();
  const viewer = new JsonViewer(stdout);
  await viewer.output('web-01', 'stdout', Buffer.from('夜莺').subarray(0, 4));
  await once(streams.stdout, 'readable');
  await viewer.output('web-01', 'stdout', Buffer.from('夜莺\n').subarray(4));
  assert.deepEqual(events(read('stdout').toString()), [
    { type: 'line', host: 'web-01', stream: 'stdout', text: '夜', ended: false },
    { type: 'line', host: 'web-01', stream: 'stdout', text: '莺', ended: true },
  ]);
});
