import { Decoder, Encoder } from '@msgpack/msgpack';
import { LegacyProtocolError } from './frame-scanner.js';

/** One task as an agent reports it. */
export interface ReportedTask {
  readonly taskId: number;
  /** as on the wire: of a start, or of a kill */
  readonly clock: number;
  /** running, success, failed, killed, killfailed, or empty */
  readonly status: string;
  /** whatever the script wrote; it belongs to the frame it came in */
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export interface Report {
  readonly ident: string;
  readonly tasks: readonly ReportedTask[];
}

export type Call = { readonly seq: number } & (
  | { readonly method: 'ping' }
  | { readonly method: 'report'; readonly report: Report }
  | { readonly method: 'meta'; readonly taskId: number }
  | { readonly method: 'unknown'; readonly name: string }
);

/**
 * An entry of the list of tasks that a host should know. query: an action that no agent knows, so that it starts and
 * kills nothing. An agent that does not have the task in memory loads the result that its disk has under this clock, if
 * any, and reports it; without one it reports the task with an empty status. One that has it goes on as it was.
 */
export interface AssignedTask {
  readonly taskId: number;
  readonly clock: number;
  readonly action: 'start' | 'kill' | 'query';
}

/** A message that is not empty means: not processed; the agent keeps what it has and asks again. */
export type ReportAnswer = { readonly message: string } | { readonly assign: readonly AssignedTask[] };

export type MetaAnswer =
  | { readonly message: string }
  | { readonly script: string; readonly args: string; readonly account: string; readonly stdin: string };

/** An id that no task has. */
const NO_TASK = -1;
/** Tasks in one report. An agent is given 64 at a time; one that comes from another server may know more. */
const MAX_REPORTED_TASKS = 4_096;
const EMPTY = new Uint8Array();
const REQUEST = 0;
const ANSWER = 1;
/** Longest name of a method that is worth repeating in an error, characters. */
const SHOWN_NAME = 100;

const decoder = new Decoder({
  rawStrings: true,
  mapKeyConverter: (key) => {
    const text = typeof key === 'number' ? String(key) : textOf(key);
    if (text === undefined || text === '__proto__') throw new LegacyProtocolError('a key is no text');
    return text;
  },
});
const encoder = new Encoder();

/** Reads one whole call. Throws LegacyProtocolError. */
export function parseCall(frame: Uint8Array): Call {
  const envelope = decode(frame);
  if (!Array.isArray(envelope) || envelope.length !== 4 || envelope[0] !== REQUEST) {
    throw new LegacyProtocolError('not a request');
  }
  const seq = wholeOf(envelope[1]);
  const method = textOf(envelope[2]);
  const params = listOf(envelope[3]);
  if (seq === undefined || method === undefined || !params) throw new LegacyProtocolError('not a request');
  const param: unknown = params[0];
  switch (method) {
    case 'Server.Ping':
      return { seq, method: 'ping' };
    case 'Server.Report':
      return { seq, method: 'report', report: parseReport(param) };
    case 'Server.GetTaskMeta': {
      const taskId = isTooLarge(param) ? NO_TASK : wholeOf(param);
      if (taskId === undefined) throw new LegacyProtocolError('GetTaskMeta: no id');
      return { seq, method: 'meta', taskId };
    }
    default:
      return { seq, method: 'unknown', name: method.slice(0, SHOWN_NAME) };
  }
}

// Every answer begins with the byte 0x94: these agents drop a connection over an array of four in a longer form.
export function encodePong(seq: number): Uint8Array {
  return encoder.encode([ANSWER, seq, null, 'pong']);
}

export function encodeReportAnswer(seq: number, answer: ReportAnswer): Uint8Array {
  const message = 'message' in answer ? answer.message : '';
  const assign = 'assign' in answer ? answer.assign : [];
  const list = assign.map(({ taskId, clock, action }) => ({ Id: taskId, Clock: clock, Action: action }));
  return encoder.encode([ANSWER, seq, null, { Message: message, AssignTasks: list }]);
}

export function encodeMetaAnswer(seq: number, answer: MetaAnswer): Uint8Array {
  const none = { script: '', args: '', account: '', stdin: '' };
  const { script, args, account, stdin } = 'message' in answer ? none : answer;
  const message = 'message' in answer ? answer.message : '';
  const result = { Message: message, Script: script, Args: args, Account: account, Stdin: stdin };
  // A lone half of a surrogate pair has no encoding.
  const wellFormed = Object.entries(result).map(([name, text]) => [name, text.toWellFormed()] as const);
  return encoder.encode([ANSWER, seq, null, Object.fromEntries(wellFormed)]);
}

/** For calls of unknown methods only: it makes an agent leave. */
export function encodeError(seq: number, error: string): Uint8Array {
  return encoder.encode([ANSWER, seq, error, null]);
}

/** The ids of this server are below 2^53; an agent that has had another one may know larger ones. */
function isTooLarge(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

function decode(frame: Uint8Array): unknown {
  try {
    return decoder.decode(frame);
  } catch (error) {
    throw new LegacyProtocolError('not MessagePack', { cause: error });
  }
}

function parseReport(param: unknown): Report {
  const report = structOf(param);
  const ident = textOf(report?.('Ident', 0));
  const tasks = listOf(report?.('ReportTasks', 1));
  if (!report || ident === undefined || !tasks) throw new LegacyProtocolError('Report: not a report');
  if (tasks.length > MAX_REPORTED_TASKS) throw new LegacyProtocolError('Report: too many tasks');
  return { ident, tasks: tasks.flatMap(parseTask) };
}

/** None for one whose numbers are beyond 2^53: it can't be a task of this server. */
function parseTask(value: unknown): ReportedTask[] {
  const task = structOf(value);
  const numbers = [task?.('Id', 0), task?.('Clock', 1)];
  const [taskId, clock] = numbers.map(wholeOf);
  const status = textOf(task?.('Status', 2));
  const stdout = bytesOf(task?.('Stdout', 3));
  const stderr = bytesOf(task?.('Stderr', 4));
  if (!task || status === undefined || !stdout || !stderr) throw new LegacyProtocolError('Report: not a task');
  if (taskId === undefined || clock === undefined) {
    if (numbers.some(isTooLarge)) return [];
    throw new LegacyProtocolError('Report: not a task');
  }
  return [{ taskId, clock, status, stdout, stderr }];
}

// The readers of decoded values are as tolerant as the server that these agents were written for.

/**
 * The fields of a struct, which comes as a map, or as an array of its fields in their declared order; nil is one whose
 * fields are all missing. Undefined for anything else.
 */
function structOf(value: unknown): ((name: string, position: number) => unknown) | undefined {
  if (value === null || value === undefined) return () => undefined;
  if (Array.isArray(value)) return (_name, position): unknown => value[position];
  if (typeof value !== 'object' || value instanceof Uint8Array) return undefined;
  return (name): unknown => (Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined);
}

/** The bytes of a string of either kind; nil and a missing one are empty. Undefined for anything else. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value === null || value === undefined) return EMPTY;
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? Buffer.from(value) : undefined;
}

/** The text of a string; what is no UTF-8 is replaced. */
function textOf(value: unknown): string | undefined {
  const bytes = bytesOf(value);
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** A whole number of any width; nil and a missing one are 0. Undefined for anything else, and beyond 2^53. */
function wholeOf(value: unknown): number | undefined {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

/** nil and a missing list are empty. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? value : undefined;
}
