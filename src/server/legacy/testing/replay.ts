import assert from 'node:assert/strict';
import type { TestServer } from '../../testing/test-server.js';
import { attemptClock, killClock, startClockOf } from '../wire-clock.js';
import type { Assigned } from './agent-memory.js';
import { act } from './legacy-server.js';
import { encodeCall, encodeOld, type Plain } from './old-msgpack.js';
import { RawConnection, type Cutting } from './raw-connection.js';
import { frameBytes, recordedCall, type RecordedAgent, type RecordedCall } from './recorded-agents.js';
import { ReplayRules } from './replay-rules.js';
import { metaOf, reportAnswerOf } from './rpc-answers.js';

/** The number of a call that was not recorded. */
const LATER_SEQ = 100;
/** Beats until something is listed. A real agent waits longer. */
const BEATS = 50;

/**
 * A recorded agent in front of a server: what it sends are its own frames, with the name, ids and clocks that it has
 * here in the place of the ones that it had. Throws where an answer would have harmed it.
 */
export class Replay implements Disposable {
  /** the ids of its tasks here, by the ids that they had */
  readonly ids = new Map<number, number>();
  readonly host: string;
  readonly rules = new ReplayRules();
  readonly #server: TestServer;
  readonly #recorded: RecordedAgent;
  readonly #cutting: Cutting;
  readonly #connections = new Map<string, RawConnection>();
  /** how much of the next frame a connection has sent ahead */
  readonly #ahead = new Map<string, number>();
  #assigned: readonly Assigned[] = [];

  constructor(server: TestServer, recorded: RecordedAgent, cutting: Cutting) {
    this.#server = server;
    this.#recorded = recorded;
    this.#cutting = cutting;
    this.host = `${recorded.agent}-${recorded.name}-${cutting.replaceAll(' ', '-')}`;
  }

  async run(): Promise<void> {
    const { steps } = this.#recorded;
    for (const [i, step] of steps.entries()) {
      const [who = '', what, ...rest] = step.split(' ');
      if (what === undefined) continue;
      try {
        if (what === 'opens')
          this.#connections.set(who, await RawConnection.open(this.#server.agentPort, this.#cutting));
        else if (what === 'closes') this.#connection(who)[Symbol.dispose]();
        else if (what === 'breaks') await this.#connection(who).sendAndLeave(this.#bytes(rest.join(' ')));
        else if (what === 'sends') await this.#exchange(who, rest.join(' '), steps[i + 1]);
        else if (what === 'lacks') await this.#lacks(who, Number(rest[0]));
        else if (what === 'restarts') await this.#server.restart();
        else if (who === 'lists') await this.#listed(what, Number(rest[0]), steps[i - 1] ?? '', steps.slice(0, i));
        else if (who === 'create') await this.#create(Number(what));
        else if (who === 'kill' || who === 'redo') await this.#act(who, Number(what));
        else assert.equal(what, 'waits');
      } catch (error) {
        throw new Error(`${this.host}, step ${i} (${step.slice(0, 30)})`, { cause: error });
      }
    }
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections.values()) connection[Symbol.dispose]();
  }

  #connection(name: string): RawConnection {
    return this.#connections.get(name) ?? assert.fail(`no connection ${name}`);
  }

  async #create(recordedId: number): Promise<void> {
    const { clocks: _, end: __, ...fields } = this.#recorded.tasks[recordedId] ?? assert.fail('no task');
    const id = await this.#server.createTask([this.host, 'away'], { timeout: 600, ...fields });
    this.ids.set(recordedId, id);
    if (fields.account !== undefined) this.rules.mayOutlive(id);
  }

  async #act(action: 'kill' | 'redo', recordedId: number): Promise<void> {
    const id = this.#id(recordedId);
    this.rules.acted(id, action);
    await act(this.#server, id, this.host, action);
  }

  async #exchange(who: string, frame: string, next: string | undefined): Promise<void> {
    const connection = this.#connection(who);
    const bytes = this.#bytes(frame);
    const rest = bytes.subarray(this.#ahead.get(who) ?? 0);
    this.#ahead.delete(who);
    const half = this.#halfOfNext(who, next);
    connection.send(half ? Buffer.concat([rest, half]) : rest);
    const call = this.#here(recordedCall(frameBytes(frame)));
    const answer = await connection.answer();
    assert.ok(Array.isArray(answer));
    assert.deepEqual(answer.slice(0, 3), [1, call.seq, null]);
    this.#judge(call, answer[3], connection, next === `${who} waits`);
  }

  async #lacks(who: string, recordedId: number): Promise<void> {
    const connection = this.#connection(who);
    const entry = this.#assigned.find(({ Id }) => Id === this.#id(recordedId)) ?? assert.fail('it is not listed');
    const task = { Id: entry.Id, Clock: entry.Clock, Status: '', Stdout: new Uint8Array(), Stderr: new Uint8Array() };
    connection.send(encodeCall(LATER_SEQ, 'Server.Report', { Ident: this.host, ReportTasks: [task] }));
    const answer = await connection.answer();
    assert.ok(Array.isArray(answer));
    this.#judge({ seq: LATER_SEQ, method: 'Server.Report', param: null, tasks: [task] }, answer[3], connection, false);
  }

  #judge(call: RecordedCall, result: unknown, connection: object, waits: boolean): void {
    switch (call.method) {
      case 'Server.Ping':
        return assert.equal(result, 'pong');
      case 'Server.GetTaskMeta':
        return assert.ok((metaOf(result)?.account ?? '') !== '', 'every script has an account');
      default: {
        const { message, assigned } = reportAnswerOf(result);
        assert.equal(message !== '', waits, `it is told: ${message}`);
        if (waits) return;
        this.#assigned = assigned;
        this.rules.check(call.tasks, assigned, connection);
      }
    }
  }

  /** Half of the next frame of this connection, where it does not depend on an answer. */
  #halfOfNext(who: string, next: string | undefined): Buffer | undefined {
    if (this.#cutting !== 'with half of the next' || !next?.startsWith(`${who} sends `)) return undefined;
    const frame = next.slice(`${who} sends `.length);
    if (recordedCall(frameBytes(frame)).tasks.length > 0) return undefined;
    const bytes = this.#bytes(frame);
    const half = bytes.subarray(0, bytes.length >> 1);
    this.#ahead.set(who, half.length);
    return half;
  }

  /** Waits until a task is listed, while the agent says the same at each beat. */
  async #listed(action: string, recordedId: number, before: string, steps: readonly string[]): Promise<void> {
    const id = this.#id(recordedId);
    const last = steps.findLast((step) => / sends /.test(step)) ?? before;
    const [who = '', , ...frame] = last.split(' ');
    for (let beat = 0; beat < BEATS; beat++) {
      const entry = this.#assigned.find(({ Id, Action }) => Id === id && Action === action);
      if (entry && (action !== 'start' || !this.rules.hadClock(entry))) return this.rules.listed(entry);
      await this.#exchange(who, frame.join(' '), undefined);
    }
    assert.fail(`no ${action} of ${recordedId} was listed`);
  }

  #bytes(frame: string): Buffer {
    const bytes = frameBytes(frame);
    const recorded = recordedCall(bytes);
    const here = this.#here(recorded);
    // The numbers of other servers are left as they were, and some of them are no numbers for JavaScript.
    const foreign = recorded.tasks.some(({ Id }) => !this.ids.has(Id));
    const foreignScript = typeof recorded.param === 'number' && !this.ids.has(recorded.param);
    return foreign || foreignScript ? this.#renamed(bytes) : encodeCall(here.seq, here.method, here.param);
  }

  #renamed(bytes: Buffer): Buffer {
    const ident = encodeOld(this.#recorded.ident);
    const at = bytes.indexOf(ident);
    if (at < 0) return bytes;
    return Buffer.concat([bytes.subarray(0, at), encodeOld(this.host), bytes.subarray(at + ident.length)]);
  }

  #here(call: RecordedCall): RecordedCall {
    if (call.method === 'Server.GetTaskMeta') return { ...call, param: this.#id(Number(call.param)) };
    if (call.method !== 'Server.Report') return call;
    const tasks = call.tasks.map((task) => ({ ...task, Id: this.#id(task.Id), Clock: this.#clock(task) }));
    const param: Plain = { Ident: this.host, ReportTasks: tasks.map((task) => ({ ...task })) };
    return { ...call, param, tasks };
  }

  #id(recordedId: number): number {
    return this.ids.get(recordedId) ?? recordedId;
  }

  #clock({ Id, Clock }: { readonly Id: number; readonly Clock: number }): number {
    const starts = this.rules.startsOf(this.#id(Id));
    const current = starts.at(-1);
    if (current === undefined) return Clock;
    switch (this.#recorded.tasks[Id]?.clocks[Clock]) {
      case 'start':
        return starts[0] ?? current;
      case 'redo':
        return startClockOf(current);
      case 'kill':
        return killClock(current);
      case 'again':
        return attemptClock(current, 1);
      default:
        return assert.fail(`an unknown clock ${Clock}`);
    }
  }
}
