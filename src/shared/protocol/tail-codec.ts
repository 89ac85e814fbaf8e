import { HostStatus, PauseCause, TaskAction } from '../task-states.js';
import { parseTextFrame, type FrameReaders } from './fields.js';
import { MAX_HOST_LENGTH } from './limits.js';
import type { TailServerTextFrame, TailViewerFrame } from './tail-frames.js';

const MAX_HOSTS = 100_000;

export function encodeTailFrame(frame: TailViewerFrame | TailServerTextFrame): string {
  return JSON.stringify(frame);
}

/** Parses a text frame that a viewer sent. Throws ProtocolError (badFrame). */
export function parseTailViewerFrame(text: string): TailViewerFrame {
  return parseTextFrame(text, VIEWER_FRAMES);
}

/** Parses a text frame that a server sent. Throws ProtocolError (badFrame). */
export function parseTailServerFrame(text: string): TailServerTextFrame {
  return parseTextFrame(text, SERVER_FRAMES);
}

const VIEWER_FRAMES: FrameReaders<TailViewerFrame> = {
  tail: (f) => ({
    t: 'tail',
    versions: f.integers('versions', 16),
    taskId: f.integer('taskId', 1),
    hosts: f.strings('hosts', MAX_HOSTS, MAX_HOST_LENGTH),
    from: f.list('from', MAX_HOSTS, (item) => ({
      host: item.name('host', MAX_HOST_LENGTH),
      clock: item.integer('clock'),
      stdout: item.integer('stdout'),
      stderr: item.integer('stderr'),
    })),
  }),
  credit: (f) => ({ t: 'credit', channel: f.integer('channel'), bytes: f.integer('bytes', 1) }),
};

const SERVER_FRAMES: FrameReaders<TailServerTextFrame> = {
  task: (f) => ({
    t: 'task',
    version: f.integer('version'),
    taskId: f.integer('taskId', 1),
    title: f.string('title', 1_024),
    hosts: f.list('hosts', MAX_HOSTS, (item) => ({
      channel: item.integer('channel'),
      host: item.name('host', MAX_HOST_LENGTH),
    })),
    creditBytes: f.integer('creditBytes', 1),
  }),
  run: (f) => ({ t: 'run', channel: f.integer('channel'), clock: f.integer('clock') }),
  status: (f) => ({
    t: 'status',
    channel: f.integer('channel'),
    status: f.oneOf('status', Object.values(HostStatus)),
    clock: f.integer('clock'),
    exitCode: f.integerOrNull('exitCode', 0, 255),
    reason: f.has('reason') ? f.string('reason', 64) : null,
    startBeforeMs: f.integerOrNull('startBeforeMs'),
  }),
  action: (f) => ({
    t: 'action',
    action: f.oneOf('action', Object.values(TaskAction)),
    cause: f.has('cause') ? f.oneOf('cause', Object.values(PauseCause)) : null,
    failed: f.integer('failed'),
    tolerance: f.integer('tolerance'),
    pausedAfter: f.has('pausedAfter') ? f.string('pausedAfter', MAX_HOST_LENGTH) : null,
  }),
  gap: (f) => ({
    t: 'gap',
    channel: f.integer('channel'),
    stream: f.oneOf('stream', ['stdout', 'stderr']),
    from: f.integer('from'),
    to: f.integer('to'),
    kept: f.has('kept') && f.boolean('kept'),
  }),
  note: (f) => ({ t: 'note', channel: f.integer('channel'), text: f.string('text', 1_024) }),
  end: (f) => ({ t: 'end', ok: f.boolean('ok') }),
};
