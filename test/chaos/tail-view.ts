import { WebSocket } from 'ws';

/** All that a viewer gets to see of one host of a task that has ended. */
export interface HostView {
  readonly host: string;
  status: string;
  clock: number;
  exitCode: number | null;
  reason: string | null;
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
  /** bytes that were not to be had */
  missing: number;
  readonly notes: string[];
}

const TIMEOUT_MS = 20_000;
const HEADER_BYTES = 16;

/** Watches an ended task through the tail session, to its last frame. */
export async function viewTask(url: string, taskId: number): Promise<Map<string, HostView>> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ibex/v1/tail`, { auth: 'ibex:ibex' });
  const views = new Map<number, HostView>();
  let ended = false;
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`task ${taskId}: the tail does not end`)), TIMEOUT_MS);
      socket.on('error', reject);
      socket.on('close', (code, reason) => {
        clearTimeout(timer);
        if (ended) resolve();
        else reject(new Error(`task ${taskId}: the tail was closed with ${code} ${reason.toString()}`));
      });
      socket.on('open', () => socket.send(JSON.stringify({ t: 'tail', versions: [1], taskId, hosts: [], from: [] })));
      socket.on('message', (data, isBinary) => {
        const bytes = Buffer.isBuffer(data) ? data : Buffer.alloc(0);
        if (isBinary) keepOutput(socket, views, bytes);
        else ended = keepText(views, bytes.toString()) || ended;
      });
    });
  } finally {
    socket.terminate();
  }
  return new Map([...views.values()].map((view) => [view.host, view]));
}

function keepOutput(socket: WebSocket, views: ReadonlyMap<number, HostView>, frame: Buffer): void {
  const channel = frame.readUInt32BE(4);
  const view = views.get(channel);
  if (!view) throw new Error(`output on channel ${channel}, which was not announced`);
  const bytes = frame.subarray(HEADER_BYTES);
  view[frame[1] === 1 ? 'stdout' : 'stderr'].push(bytes);
  socket.send(JSON.stringify({ t: 'credit', channel, bytes: bytes.length }));
}

/** True for the last frame. */
function keepText(views: Map<number, HostView>, text: string): boolean {
  // The server's own tests see to the frames' shape; a wrong one shows here as a difference.
  const frame = JSON.parse(text) as Record<string, unknown> & { readonly t: string; readonly channel: number };
  const view = views.get(frame.channel);
  if (frame.t === 'task') {
    for (const { channel, host } of frame['hosts'] as { channel: number; host: string }[]) {
      const none = { status: '', clock: 0, exitCode: null, reason: null, missing: 0 };
      views.set(channel, { host, ...none, stdout: [], stderr: [], notes: [] });
    }
  } else if (frame.t === 'status' && view) {
    Object.assign(view, {
      status: frame['status'],
      clock: frame['clock'],
      exitCode: frame['exitCode'],
      reason: frame['reason'],
    });
  } else if (frame.t === 'gap' && view) {
    view.missing += Number(frame['to']) - Number(frame['from']);
  } else if (frame.t === 'note' && view) {
    view.notes.push(String(frame['text']));
  }
  return frame.t === 'end';
}
