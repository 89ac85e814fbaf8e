import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { EmulatedMachine } from './emulated-machine.js';

const KEY = randomBytes(16).toString('base64');
const FIN = 0x80;
const Opcode = Object.freeze({ text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const);
type Opcode = (typeof Opcode)[keyof typeof Opcode];
const MASKED = 0x80;
const HEAD_END = Buffer.from('\r\n\r\n');

export interface ClientEvents {
  onOpen(): void;
  onText(text: string): void;
  /** Once, also where no connection could be made. */
  onClose(): void;
}

/**
 * A client's WebSocket with the little that an emulated agent needs: whole frames of a server that keeps to the
 * protocol. The packages for it take most of an emulator's time, so that a bench of a server would be one of them.
 */
export class ClientSocket {
  readonly #socket: Socket;
  readonly #events: ClientEvents;
  #open = false;
  #rest: Buffer = Buffer.alloc(0);

  constructor({ address, port }: Pick<EmulatedMachine, 'address' | 'port'>, path: string, events: ClientEvents) {
    this.#events = events;
    this.#socket = connect({ host: '127.0.0.1', port, localAddress: address, noDelay: true });
    const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
    this.#socket.write(`${head}Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
    this.#socket.on('data', (data: Buffer) => this.#receive(data));
    // Every error is followed by a close.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#open = false;
      events.onClose();
    });
  }

  /** Does nothing while it is not open. */
  send(data: string | Buffer): void {
    if (!this.#open) return;
    if (typeof data === 'string') this.#write(Opcode.text, Buffer.from(data));
    else this.#write(Opcode.binary, data);
  }

  /** Holds back all that is sent from here on, until uncork() sends it as one piece. */
  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  #write(opcode: Opcode, payload: Buffer): void {
    const { length } = payload;
    const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
    const start = 2 + extended + 4;
    const frame = Buffer.allocUnsafe(start + length);
    frame[0] = FIN | opcode;
    frame[1] = MASKED | (extended === 0 ? length : extended === 2 ? 126 : 127);
    if (extended === 2) frame.writeUInt16BE(length, 2);
    if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2);
    // Masks keep proxies from being misled, of which there are none here; so one that changes nothing does as well.
    frame.fill(0, start - 4, start);
    payload.copy(frame, start);
    this.#socket.write(frame);
  }

  #receive(data: Buffer): void {
    let bytes = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#open) {
      const end = bytes.indexOf(HEAD_END);
      if (end >= 0 && !bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) return void this.#socket.destroy();
      this.#rest = bytes;
      if (end < 0) return;
      this.#open = true;
      bytes = bytes.subarray(end + HEAD_END.length);
      this.#events.onOpen();
    }
    for (let frame = readFrame(bytes); frame; frame = readFrame(bytes)) {
      bytes = bytes.subarray(frame.end);
      this.#take(frame.opcode, frame.payload);
    }
    this.#rest = bytes;
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.text) this.#events.onText(payload.toString());
    else if (opcode === Opcode.ping) this.#write(Opcode.pong, payload);
    else if (opcode === Opcode.close) this.#socket.end();
  }
}

/** The first frame, if it is there as a whole. A server does not mask. */
function readFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly end: number } | undefined {
  const [first, short] = bytes;
  if (first === undefined || short === undefined) return undefined;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  return bytes.length < end ? undefined : { opcode: first & 0x0f, payload: bytes.subarray(start, end), end };
}
