import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { JsonViewer } from './json-viewer.js';
import { OutputStream } from './output-stream.js';
import { RawViewer } from './raw-viewer.js';
import { TextViewer } from './text-viewer.js';
import type { Viewer } from './viewer.js';

function capture() {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const read = (name: 'stdout' | 'stderr') => {
    const data: unknown = streams[name].read();
    return Buffer.isBuffer(data) ? data : Buffer.alloc(0);
  };
  return { stdout: new OutputStream(streams.stdout), stderr: new OutputStream(streams.stderr), read };
}

const TASK = { taskId: 7, title: 'restart FH: web-01', hosts: ['web-01', 'web-02'] };
const FAILED = { status: 'failed', clock: 1, exitCode: 3, reason: null } as const;

async function play(viewer: Viewer): Promise<void> {
  await viewer.task(TASK);
  await viewer.output('web-01', 'stdout', Buffer.from('one\ntw'));
  await viewer.output('web-02', 'stdout', Buffer.from('other\n'));
  await viewer.output('web-01', 'stderr', Buffer.from('oops\n'));
  await viewer.output('web-01', 'stdout', Buffer.from([0x6f, 0xff, 0x0a, 0x65, 0x6e, 0x64]));
  await viewer.status('web-01', FAILED);
  await viewer.end(false);
}

test('text: lines with their host, whole, the unfinished one last, its bytes as they were', async () => {
  const { stdout, stderr, read } = capture();
  await play(new TextViewer(stdout, stderr));
  const expected = Buffer.concat([
    Buffer.from('web-01 | one\nweb-02 | other\nweb-01 | two'),
    Buffer.from([0xff]),
    Buffer.from('\nweb-01 | end\n'),
  ]);
  assert.deepEqual(read('stdout'), expected);
  assert.equal(
    read('stderr').toString(),
    'ibex: task 7 on 2 hosts: restart FH: web-01\nweb-01 ! oops\nibex: web-01: failed, exit 3\n',
  );
});

test('text: a gap ends the line before it', async () => {
  const { stdout, stderr, read } = capture();
  const viewer = new TextViewer(stdout, stderr);
  await viewer.output('web-01', 'stdout', Buffer.from('half'));
  await viewer.gap('web-01', 'stdout', 4, 10);
  await viewer.output('web-01', 'stdout', Buffer.from('rest\n'));
  assert.equal(read('stdout').toString(), 'web-01 | half\nweb-01 | rest\n');
  assert.equal(read('stderr').toString(), 'ibex: web-01: 6 bytes of stdout are missing here (from byte 4)\n');
});

test('raw: the bytes and nothing else', async () => {
  const { stdout, stderr, read } = capture();
  const viewer: Viewer = new RawViewer(stdout, stderr);
  await viewer.task({ ...TASK, hosts: ['web-01'] });
  await viewer.output('web-01', 'stdout', Buffer.from([0, 255, 10, 13]));
  await viewer.output('web-01', 'stderr', Buffer.from('e'));
  await viewer.status('web-01', FAILED);
  await viewer.end(false);
  assert.deepEqual(read('stdout'), Buffer.from([0, 255, 10, 13]));
  assert.equal(read('stderr').toString(), 'e');
});

test('raw: more than one host is refused', async () => {
  const { stdout, stderr } = capture();
  await assert.rejects(new RawViewer(stdout, stderr).task(TASK), /task 7 has 2 hosts .* --host/);
});

test('json: one object a line, bytes that are no text in base64', async () => {
  const { stdout, read } = capture();
  await play(new JsonViewer(stdout));
  const events = read('stdout')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  assert.deepEqual(events, [
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
    { type: 'status', host: 'web-01', status: 'failed', clock: 1, exitCode: 3, reason: null },
    { type: 'line', host: 'web-01', stream: 'stdout', text: 'end', ended: false },
    { type: 'end', ok: false },
  ]);
});
