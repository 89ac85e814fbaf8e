import { ProtocolError } from '../errors.js';
import { HostStatus } from '../task-states.js';
import { CloseCode } from './close-codes.js';
import { parseTextFrame } from './fields.js';
import { MAX_HOST_LENGTH } from './limits.js';
import type { TailServerTextFrame, TailViewerFrame } from './tail-frames.js';

const MAX_HOSTS = 100_000;

export function encodeTailFrame(frame: TailViewerFrame | TailServerTextFrame): string {
  return JSON.stringify(frame);
}

/** Parses a text frame that a viewer sent. Throws ProtocolError (badFrame). */
export function parseTailViewerFrame(text: string): TailViewerFrame {
  const { type, fields: f } = parseTextFrame(text);
  switch (type) {
    case 'tail':
      return {
        t: 'tail',
        versions: f.wholes('versions', 16),
        taskId: f.whole('taskId', 1),
        hosts: f.texts('hosts', MAX_HOSTS, MAX_HOST_LENGTH),
        from: f.list('from', MAX_HOSTS, (item) => ({
          host: item.name('host', MAX_HOST_LENGTH),
          clock: item.whole('clock'),
          stdout: item.whole('stdout'),
          stderr: item.whole('stderr'),
        })),
      };
    case 'credit':
      return { t: 'credit', channel: f.whole('channel'), bytes: f.whole('bytes', 1) };
    default:
      throw new ProtocolError(CloseCode.badFrame, `unknown frame ${JSON.stringify(type)}`);
  }
}

/** Parses a text frame that a server sent. Throws ProtocolError (badFrame). */
export function parseTailServerFrame(text: string): TailServerTextFrame {
  const { type, fields: f } = parseTextFrame(text);
  switch (type) {
    case 'task':
      return {
        t: 'task',
        version: f.whole('version'),
        taskId: f.whole('taskId', 1),
        title: f.text('title', 1_024),
        hosts: f.list('hosts', MAX_HOSTS, (item) => ({
          channel: item.whole('channel'),
          host: item.name('host', MAX_HOST_LENGTH),
        })),
        creditBytes: f.whole('creditBytes', 1),
      };
    case 'status':
      return {
        t: 'status',
        channel: f.whole('channel'),
        status: f.oneOf('status', Object.values(HostStatus)),
        clock: f.whole('clock'),
        exitCode: f.wholeOrNull('exitCode', 0, 255),
        reason: f.has('reason') ? f.text('reason', 64) : null,
      };
    case 'gap':
      return {
        t: 'gap',
        channel: f.whole('channel'),
        stream: f.oneOf('stream', ['stdout', 'stderr']),
        from: f.whole('from'),
        to: f.whole('to'),
      };
    case 'note':
      return { t: 'note', channel: f.whole('channel'), text: f.text('text', 1_024) };
    case 'end':
      return { t: 'end', ok: f.flag('ok') };
    default:
      throw new ProtocolError(CloseCode.badFrame, `unknown frame ${JSON.stringify(type)}`);
  }
}
