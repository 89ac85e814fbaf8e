import assert from 'node:assert/strict';
import { startClockOf } from '../wire-clock.js';
import { isFinalStatus } from '../tracked-task.js';
import type { Assigned } from './agent-memory.js';
import type { ReportedTaskFields } from './recorded-agents.js';

/** Checks that no answer harms an agent, by all that it has been told and has reported. */
export class ReplayRules {
  /** clocks of the starts that were listed, by id */
  readonly #starts = new Map<number, number[]>();
  readonly #kills = new Set<number>();
  readonly #outliving = new Set<number>();
  /** tasks whose end was told and acknowledged */
  readonly #ended = new Set<number>();
  readonly #listedOn = new Map<object, Set<number>>();
  readonly #ends = new Map<number, ReportedTaskFields>();

  startsOf(id: number): readonly number[] {
    return this.#starts.get(id) ?? [];
  }

  hadClock({ Id, Clock }: Assigned): boolean {
    return this.startsOf(Id).includes(startClockOf(Clock));
  }

  /** The entry with which a task's first end was told. */
  endOf(id: number): ReportedTaskFields | undefined {
    return this.#ends.get(id);
  }

  /** Its script is of another account: told as killed, it may go on, and the server may wait for its end. */
  mayOutlive(id: number): void {
    this.#outliving.add(id);
  }

  listed({ Id, Clock, Action }: Assigned): void {
    if (Action === 'start') this.#starts.set(Id, [...this.startsOf(Id), startClockOf(Clock)]);
  }

  acted(id: number, action: 'kill' | 'redo'): void {
    if (action === 'kill') this.#kills.add(id);
    if (action === 'redo' && this.#ended.delete(id)) this.#ends.delete(id);
  }

  check(told: readonly ReportedTaskFields[], assigned: readonly Assigned[], connection: object): void {
    const listed = new Map(assigned.map((entry) => [entry.Id, entry]));
    assert.equal(listed.size, assigned.length, 'an id twice in one list');
    const first = !this.#listedOn.has(connection);
    const before = this.#listedOn.get(connection) ?? new Set();
    this.#listedOn.set(connection, new Set(listed.keys()));
    for (const { Id, Status } of told) if (Status === '') this.#ended.add(Id);
    const ends = told.filter(({ Id, Status }) => isFinalStatus(Status) && !this.#outliving.has(Id));
    for (const end of ends) {
      this.#ended.add(end.Id);
      this.#ends.set(end.Id, this.#ends.get(end.Id) ?? end);
      assert.ok(!listed.has(end.Id), 'an end that was told is acknowledged by leaving it out, before any redo');
    }
    for (const id of [...before, ...told.map(({ Id }) => Id)]) {
      if (!this.#ended.has(id) && !this.#outliving.has(id))
        assert.ok(listed.has(id), `${id} is listed until its end is stored`);
    }
    for (const { Id, Clock, Action } of assigned) {
      assert.ok(!this.#ended.has(Id), `${Id} has ended and was acknowledged`);
      if (Action !== 'kill') continue;
      assert.ok(this.#kills.has(Id), `nobody wanted to kill ${Id}`);
      assert.ok(!first, 'the first report of a connection is never answered with a kill');
      assert.ok(this.hadClock({ Id, Clock, Action }), 'a kill is of the start that was listed');
    }
  }
}
