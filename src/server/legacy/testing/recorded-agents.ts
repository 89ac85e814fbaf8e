import { Decoder } from '@msgpack/msgpack';
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import type { Plain } from './old-msgpack.js';

/**
 * A conversation of a real agent, with servers of several kinds: every frame as it was on the wire, and the fate of the
 * tasks between the frames. Where an agent was told something that this server never says, its frames end. Reports that
 * say the same more than three times in a row are left out.
 *
 * Steps: `1 opens`, `1 closes` (connection 1), `1 sends FRAME` and waits for the answer, `1 breaks FRAME`: sends and is
 * gone before the answer, `1 waits`: was told to wait, `create 14`, `kill 14`, `redo 14`: what an operator does to the
 * task, `lists start 14`, `lists kill 14`, `lists query 14`: the answer before had it, or the one to the same report a
 * beat later. `1 lacks 14`: sends what these agents have been recorded to say of an action that they don't know, for a
 * task that they neither have nor have a result of.
 */
export interface RecordedAgent {
  readonly agent: 'categraf' | 'agentd';
  readonly name: string;
  readonly about: string;
  /** the name that the agent gave itself */
  readonly ident: string;
  /** by the ids that they had */
  readonly tasks: Readonly<Record<string, RecordedTask>>;
  readonly steps: readonly string[];
}

export interface RecordedTask {
  readonly script: string;
  readonly args?: string;
  readonly account?: string;
  readonly stdin?: string;
  /** clocks in the frames, and what they are of: the start, its redo, a kill, or the start under another clock */
  readonly clocks: Readonly<Record<string, 'start' | 'redo' | 'kill' | 'again'>>;
  /** status of the task in the end */
  readonly end: string;
}

// Compiled code lies in another folder than what it was compiled from.
const FILE = new URL('../../../../src/server/legacy/testing/recorded-agents.json', import.meta.url);

export function recordedAgents(): readonly RecordedAgent[] {
  return JSON.parse(readFileSync(FILE, 'utf8')) as readonly RecordedAgent[];
}

/** A frame in hexadecimal digits; a long one deflated, in base64. */
export function frameBytes(frame: string): Buffer {
  const [first = '', deflated] = frame.split(' ');
  return deflated === undefined ? Buffer.from(first, 'hex') : inflateSync(Buffer.from(deflated, 'base64'));
}

export interface ReportedTaskFields {
  readonly Id: number;
  readonly Clock: number;
  readonly Status: string;
  readonly Stdout: Uint8Array;
  readonly Stderr: Uint8Array;
}

/** A call as it was sent. Texts of scripts are bytes, all others strings. */
export interface RecordedCall {
  readonly seq: number;
  readonly method: string;
  readonly param: Plain;
  /** of a report */
  readonly tasks: readonly ReportedTaskFields[];
}

const text = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString();
const decoder = new Decoder({ rawStrings: true, mapKeyConverter: text });

export function recordedCall(frame: Uint8Array): RecordedCall {
  const [, seq, name, params] = decoder.decode(frame) as [number, number, Uint8Array, [unknown]];
  const method = text(name);
  if (method === 'Server.Ping') return { seq, method, param: text(params[0]), tasks: [] };
  if (method === 'Server.GetTaskMeta') return { seq, method, param: params[0] as number, tasks: [] };
  const report = params[0] as { Ident: Uint8Array; ReportTasks: readonly (ReportedTaskFields & { Status: unknown })[] };
  const tasks = report.ReportTasks.map((task) => ({ ...task, Status: text(task.Status) }));
  const param = { Ident: text(report.Ident), ReportTasks: tasks.map((task) => ({ ...task })) };
  return { seq, method, param, tasks };
}
