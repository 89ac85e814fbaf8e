import { decode, encode } from '@msgpack/msgpack';
import { connect, type Socket } from 'node:net';
import type { EmulatorEvents } from './emulated-agent.js';
import type { EmulatedMachine } from './emulated-machine.js';

const SEARCH_PAUSE_MS = 10_000;

/**
 * An agent of the kind in Categraf that runs nothing: it pings, reports once an interval, counted from the end of its
 * last call, asks for each script that it is listed, and reports at the next beat that it has succeeded with one line.
 */
export class EmulatedLegacyAgent {
  readonly #machine: EmulatedMachine;
  readonly #events: EmulatorEvents;
  /** clock of each task that has ended here and that the server still lists, by id */
  readonly #ended = new Map<number, number>();
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #answered: ((result: unknown) => void) | undefined;
  #seq = 0;

  constructor(machine: EmulatedMachine, events: EmulatorEvents) {
    this.#machine = machine;
    this.#events = events;
  }

  dial(): void {
    const socket = connect({
      port: this.#machine.port,
      host: '127.0.0.1',
      localAddress: this.#machine.address,
      noDelay: true,
    });
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    this.#seq = 0;
    let ready = false;
    socket.on('connect', () => {
      this.#call('Server.Ping', '', () => {
        ready = true;
        this.#events.onReady();
        setTimeout(() => this.#beat(), Math.random() * this.#machine.intervalMs);
      });
    });
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (ready) this.#events.onLost();
      setTimeout(() => this.dial(), ready ? this.#machine.intervalMs : SEARCH_PAUSE_MS);
    });
  }

  #beat(): void {
    const told = [...this.#ended].map(([Id, Clock]) => ({ Id, Clock, Status: 'success', Stdout: 'ok\n', Stderr: '' }));
    this.#call('Server.Report', { Ident: this.#machine.host, ReportTasks: told }, (result) => {
      const listed = new Map(entriesOf(result));
      for (const id of this.#ended.keys()) {
        if (listed.has(id)) continue;
        this.#ended.delete(id);
        this.#events.onAcknowledged();
      }
      this.#ask([...listed].filter(([id]) => !this.#ended.has(id)));
    });
  }

  #ask([next, ...others]: readonly (readonly [number, number])[]): void {
    if (!next) {
      setTimeout(() => this.#beat(), this.#machine.intervalMs);
      return;
    }
    this.#call('Server.GetTaskMeta', next[0], () => {
      this.#ended.set(...next);
      this.#events.onAssigned();
      this.#ask(others);
    });
  }

  #call(method: string, param: unknown, answered: (result: unknown) => void): void {
    this.#answered = answered;
    if (this.#socket?.writable) this.#socket.write(encode([0, this.#seq++, method, [param]]));
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    let frame: unknown;
    try {
      frame = decode(this.#received);
    } catch (error) {
      // The rest of the answer is still to come.
      if (error instanceof RangeError) return;
      throw error;
    }
    this.#received = Buffer.alloc(0);
    if (!Array.isArray(frame) || frame[2] !== null) throw new Error(`answered with ${JSON.stringify(frame)}`);
    this.#answered?.(frame[3]);
  }
}

/** Ids and clocks of the list in an answer. */
function entriesOf(result: unknown): [number, number][] {
  const list =
    typeof result === 'object' && result !== null && 'AssignTasks' in result ? result.AssignTasks : undefined;
  if (!Array.isArray(list)) throw new Error('no answer to a report');
  return list.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('Id' in entry) || !('Clock' in entry))
      throw new Error('no entry');
    return [Number(entry.Id), Number(entry.Clock)];
  });
}
