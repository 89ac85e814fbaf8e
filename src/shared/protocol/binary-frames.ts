import { ProtocolError } from '../errors.js';
import { readReport } from '../run-report.js';
import { RunOutcome } from '../task-states.js';
import type { OutputFrame, ResultFrame, ResultHead } from './agent-frames.js';
import { CloseCode } from './close-codes.js';
import { Fields } from './fields.js';
import { MAX_FRAME_BYTES, OUTPUT_CHUNK_BYTES, STORED_TAIL_BYTES } from './limits.js';

/*
 * output: u8 kind = 1, u8 stream (1 stdout, 2 stderr), u16 zero, u32 channel, u64 offset, then the bytes
 * result: u8 kind = 2, u8 zero, u16 zero, u32 length of the head, head (JSON), u32 length of stdout, stdout, stderr
 * All numbers big-endian.
 */
const KIND_OUTPUT = 1;
const KIND_RESULT = 2;
export const OUTPUT_HEADER_BYTES = 16;
const OUTCOMES = Object.freeze(Object.values(RunOutcome));
const STREAM_CODES = Object.freeze({ stdout: 1, stderr: 2 } as const);

export function encodeOutput(frame: Omit<OutputFrame, 't'>): Buffer {
  const buffer = Buffer.allocUnsafe(OUTPUT_HEADER_BYTES + frame.data.length);
  writeOutputHeader(buffer, frame.channel, frame.stream, frame.offset);
  buffer.set(frame.data, OUTPUT_HEADER_BYTES);
  return buffer;
}

/** Writes only the header, for callers that read the payload straight into the frame's buffer. */
export function writeOutputHeader(
  buffer: Buffer,
  channel: number,
  stream: OutputFrame['stream'],
  offset: number,
): void {
  buffer.writeUInt8(KIND_OUTPUT, 0);
  buffer.writeUInt8(STREAM_CODES[stream], 1);
  buffer.writeUInt16BE(0, 2);
  buffer.writeUInt32BE(channel, 4);
  buffer.writeBigUInt64BE(BigInt(offset), 8);
}

export function encodeResult(frame: Omit<ResultFrame, 't'>): Buffer {
  const { stdout, stderr, ...head } = frame;
  const json = Buffer.from(JSON.stringify(head));
  const buffer = Buffer.alloc(12 + json.length + stdout.length + stderr.length);
  buffer.writeUInt8(KIND_RESULT, 0);
  buffer.writeUInt32BE(json.length, 4);
  buffer.set(json, 8);
  buffer.writeUInt32BE(stdout.length, 8 + json.length);
  buffer.set(stdout, 12 + json.length);
  buffer.set(stderr, 12 + json.length + stdout.length);
  return buffer;
}

/** Parses a binary frame. Payloads are views of `bytes`: copy what must outlive it. Throws ProtocolError (badFrame). */
export function parseBinaryFrame(bytes: Uint8Array): OutputFrame | ResultFrame {
  if (bytes.length > MAX_FRAME_BYTES) throw bad('is too long');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view[0]) {
    case KIND_OUTPUT:
      return parseOutput(view);
    case KIND_RESULT:
      return parseResult(view);
    default:
      throw bad(`of unknown kind ${view[0] ?? 'none'}`);
  }
}

function parseOutput(view: Buffer): OutputFrame {
  if (view.length <= OUTPUT_HEADER_BYTES) throw bad('output without bytes');
  if (view.length > OUTPUT_HEADER_BYTES + OUTPUT_CHUNK_BYTES) throw bad('output with too many bytes');
  const code = view.readUInt8(1);
  if (code !== STREAM_CODES.stdout && code !== STREAM_CODES.stderr) throw bad(`output of unknown stream ${code}`);
  if (view.readUInt16BE(2) !== 0) throw bad('output with reserved bits set');
  const offset = view.readBigUInt64BE(8);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw bad('output with an offset out of range');
  return {
    t: 'output',
    channel: view.readUInt32BE(4),
    stream: code === STREAM_CODES.stdout ? 'stdout' : 'stderr',
    offset: Number(offset),
    data: view.subarray(OUTPUT_HEADER_BYTES),
  };
}

function parseResult(view: Buffer): ResultFrame {
  if (view.length < 12) throw bad('result is too short');
  if (view.readUInt8(1) !== 0 || view.readUInt16BE(2) !== 0) throw bad('result with reserved bits set');
  const headEnd = 8 + view.readUInt32BE(4);
  if (headEnd + 4 > view.length) throw bad('result with a head longer than the frame');
  const stdoutEnd = headEnd + 4 + view.readUInt32BE(headEnd);
  if (stdoutEnd > view.length) throw bad('result with a stdout longer than the frame');
  const stdout = view.subarray(headEnd + 4, stdoutEnd);
  const stderr = view.subarray(stdoutEnd);
  if (stdout.length > STORED_TAIL_BYTES || stderr.length > STORED_TAIL_BYTES) throw bad('result with too much output');
  return { t: 'result', ...parseHead(view.subarray(8, headEnd)), stdout, stderr };
}

function parseHead(json: Buffer): ResultHead {
  let value: unknown;
  try {
    value = JSON.parse(json.toString());
  } catch {
    throw bad('result with a head that is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw bad('result with a head that is no object');
  return readResultHead(new Fields(value, 'result'));
}

/** The fields of an outcome, wherever they stand: in a result frame, or in an agent's own files. Throws ProtocolError. */
export function readResultHead(fields: Fields): ResultHead {
  return { ...fields.runId(), status: fields.oneOf('status', OUTCOMES), ...readReport(fields) };
}

function bad(what: string): ProtocolError {
  return new ProtocolError(CloseCode.badFrame, `binary frame ${what}`);
}
