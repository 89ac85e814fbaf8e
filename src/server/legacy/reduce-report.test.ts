import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssignedTask } from './rpc-codec.js';
import { Beats, named, run, START_MS } from './testing/beats.js';
import { LegacyKind } from './tracked-task.js';
import { attemptClock, killClock, startClockOf } from './wire-clock.js';

const START: AssignedTask = { taskId: 1, clock: 100, action: 'start' };
const QUERY: AssignedTask = { taskId: 1, clock: 100, action: 'query' };
const KILL: AssignedTask = { taskId: 1, clock: killClock(100), action: 'kill' };

test('a kill is listed once the process is certain, never on the first report of a connection', () => {
  const agent = new Beats();
  assert.deepEqual(agent.beat([run()]), [START]);
  agent.giveScript();
  const killing = run({ status: 'killing', dispatched: true });
  agent.reconnect();
  assert.deepEqual(agent.beat([killing], named('running')), [START]);
  const again = { ...START, clock: attemptClock(100, 1) };
  const why = 'it may be the shell of a failed GetTaskMeta: under another clock that one asks for its script again';
  assert.deepEqual(agent.beat([killing], named('running')), [again], why);
  assert.deepEqual(agent.beat([killing], named('running', again.clock)), [KILL], 'it did not ask');
  assert.deepEqual(agent.beat([killing]), [KILL], 'while it kills, the agent is quiet about the task');
  assert.deepEqual(agent.lost, []);
});

test('a kill waits for the second report of a connection, because the script of the first one may have ended', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  agent.beat([run({ dispatched: true })], named('running', 100, 'x'));
  agent.reconnect();
  const killing = run({ status: 'killing', dispatched: true });
  assert.deepEqual(agent.beat([killing], named('running', 100, 'x')), [START]);
  assert.deepEqual(agent.beat([killing], named('running', 100, 'x')), [KILL]);
});

test('the answer to a report that tells an end leaves the id out, also where a redo is waiting', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  const redo = run({ clock: 200 });
  assert.deepEqual(agent.beatWithEnd([redo], new Map([[1, named('success')]])), []);
  assert.deepEqual(agent.beat([redo]), [{ taskId: 1, clock: 200, action: 'start' }]);
});

test('a kill that never shows any effect is given up', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  const killing = run({ status: 'killing', dispatched: true });
  agent.beat([killing], named('running', 100, 'x'));
  for (let i = 0; i < 20 && agent.lost.length === 0; i++) {
    agent.nowMs += 2_000;
    agent.beat([killing]);
  }
  assert.deepEqual(agent.lost, [1]);
});

test('an agent that is quiet about a script that it was given is an agentd, and keeps it listed over connections', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  const taken = run({ dispatched: true });
  assert.deepEqual(agent.beat([taken]), [START]);
  assert.equal(agent.state.kind, LegacyKind.agentd);
  agent.reconnect();
  assert.deepEqual(agent.beat([taken]), [QUERY], 'it may be another process, which must not start it again');
  assert.deepEqual(agent.beat([taken]), [QUERY], 'it has it: another process would have said that it has not');
  assert.deepEqual(agent.lost, []);
});

for (const kind of Object.values(LegacyKind)) {
  test(`${kind}: with the connection gone before the first report, the agent is asked; with nothing left it is lost`, () => {
    const agent = new Beats(kind);
    agent.beat([run()]);
    agent.giveScript();
    agent.reconnect();
    const given = run({ dispatched: true });
    assert.deepEqual(agent.beat([given]), [QUERY]);
    assert.deepEqual(agent.lost, []);
    assert.deepEqual(agent.beat([given], named('')), []);
    assert.deepEqual(agent.lost, [1], 'at once');
  });

  test(`${kind}: a result on the disk of an agent that restarted within its first beat comes by the query`, () => {
    const agent = new Beats(kind);
    agent.beat([run()]);
    agent.giveScript();
    agent.reconnect();
    const given = run({ dispatched: true });
    assert.deepEqual(agent.beat([given]), [QUERY]);
    assert.deepEqual(agent.beatWithEnd([given], new Map([[1, named('success', 100, 'x')]])), []);
    assert.deepEqual([agent.state.tasks.size, agent.lost], [0, []]);
  });

  test(`${kind}: a run from before a restart of the server is asked about too`, () => {
    const begun = run({ dispatched: true, startedAtMs: START_MS });
    const agent = new Beats(kind);
    assert.deepEqual(agent.beat([begun]), [QUERY]);
    assert.deepEqual(agent.beat([begun], named('')), []);
    assert.deepEqual(agent.lost, [1]);
  });
}

test('a script that was given and that the agent named once is asked about when it is not named any more', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  const begun = run({ dispatched: true });
  agent.beat([begun], named('running', 100, 'x'));
  agent.reconnect();
  assert.deepEqual(agent.beat([begun]), [QUERY]);
  assert.deepEqual(agent.beat([begun], named('running', 100, 'x')), [QUERY], 'never as a start again');
  agent.nowMs += 31_000;
  assert.deepEqual(agent.beat([begun], named('running', 100, 'x')), [KILL]);
});

test('a run that never had its script ends at its last moment of start, not only when the agent would be silent', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.withholdScript();
  agent.nowMs = START_MS + 30_000;
  assert.deepEqual(agent.beat([run({ dispatched: true })], named('running')), []);
  assert.deepEqual(agent.neverStarted, [1]);
});

test('a redo waits for the older run that the agent still names', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  agent.beat([], named('running'));
  const redo = run({ clock: 200 });
  assert.deepEqual(agent.beat([redo], named('running')), [START]);
  agent.beatWithEnd([redo], new Map([[1, named('success')]]));
  assert.deepEqual(agent.beat([redo]), [{ taskId: 1, clock: 200, action: 'start' }]);
});

test('a task whose script was withheld is never killed, and a redo of it is listed at once', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.withholdScript();
  assert.deepEqual(agent.beat([], named('running')), []);
  assert.deepEqual(agent.beat([run({ clock: 200 })], named('running')), [{ taskId: 1, clock: 200, action: 'start' }]);
});

test('no start is listed after its last moment, nor what another kind of agent may have begun', () => {
  const late = new Beats();
  late.nowMs = START_MS + 40_000;
  assert.deepEqual(late.beat([run()]), []);
  const moved = new Beats();
  moved.pushedUntilMs = START_MS + 5;
  assert.deepEqual(moved.beat([run({ dispatched: true })]), []);
  assert.deepEqual(moved.beat([run({ taskId: 2, assignedAtMs: START_MS - 5 })]), []);
  assert.equal(moved.beat([run({ taskId: 3 })]).length, 1);
});

test('one agent is given so many tasks at a time, oldest first', () => {
  const agent = new Beats();
  const open = Array.from({ length: 100 }, (_, i) => run({ taskId: i + 1, clock: 100 + i }));
  const assign = agent.beat(open);
  assert.equal(assign.length, 64);
  assert.equal(assign[0]?.taskId, 1);
});

test('a named task whose script nobody gave is never killed; it is listed anew, asks, and then may be', () => {
  const agent = new Beats();
  const again = { ...START, clock: attemptClock(100, 1) };
  assert.deepEqual(agent.beat([run()], named('running')), [START]);
  assert.deepEqual(agent.beat([run()], named('running')), [START], 'not at once: most scripts print something before');
  agent.nowMs += 11_000;
  assert.deepEqual(agent.beat([run()], named('running')), [again]);
  agent.giveScript();
  const killing = run({ status: 'killing', dispatched: true });
  assert.deepEqual(agent.beat([killing], named('running', again.clock)), [KILL]);
});

test('a task whose script was withheld while it was to be killed was never started', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.withholdScript();
  const killing = run({ status: 'killing', dispatched: true });
  assert.deepEqual(agent.beat([killing], named('running')), []);
  assert.deepEqual(agent.neverStarted, [1]);
});

test('a start whose script was withheld is listed under another clock, as often as it takes', () => {
  const agent = new Beats();
  agent.beat([run()]);
  for (const attempt of [1, 2, 3]) {
    agent.withholdScript();
    const open = [run({ dispatched: true })];
    const entry = { ...START, clock: attemptClock(100, attempt) };
    assert.deepEqual(agent.beat(open, named('running', attemptClock(100, attempt - 1))), [entry]);
  }
});

test('an offer that nobody took up on its connection may have been asked about in vain: the next has another clock', () => {
  const agent = new Beats(LegacyKind.agentd);
  agent.beat([run()]);
  agent.reconnect();
  assert.deepEqual(agent.beat([run()]), [{ ...START, clock: attemptClock(100, 1) }]);
});

test('of an agentd, what a server before this one listed is only killed after it was seen not to ask for its script', () => {
  const agent = new Beats(LegacyKind.agentd);
  const before = run({ assignedAtMs: START_MS - 5 });
  const killing = run({ assignedAtMs: START_MS - 5, status: 'killing', dispatched: true, startedMs: START_MS - 5 });
  assert.deepEqual(agent.beat([before]), [START]);
  assert.deepEqual(agent.beat([killing]), [{ ...START, clock: attemptClock(100, 1) }]);
  assert.deepEqual(agent.beat([killing]), [KILL]);
});

test('an end that cannot be stored stays listed beside new starts, also for an agent that has restarted since', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  const begun = run({ dispatched: true });
  agent.beat([begun], named('running'));
  agent.unstored = new Set([1]);
  const another = run({ taskId: 2, clock: 200 });
  const end = new Map([[1, named('success')]]);
  assert.deepEqual(agent.beatWithEnd([begun, another], end), [QUERY, { taskId: 2, clock: 200, action: 'start' }]);
  agent.reconnect();
  assert.deepEqual(agent.beat([begun]), [QUERY]);
  assert.deepEqual(agent.beatWithEnd([begun], end), [QUERY], 'from its disk');
  agent.unstored = new Set();
  assert.deepEqual(agent.beatWithEnd([], end), []);
  assert.deepEqual([agent.state.tasks.size, agent.lost], [0, []]);
});

test('an end of a run that is killed, or of one from before a restart, stays listed under the clock that it has', () => {
  const agent = new Beats(LegacyKind.categraf);
  agent.unstored = new Set([1]);
  const killing = run({ status: 'killing', dispatched: true });
  const end = new Map([[1, named('killed', killClock(100))]]);
  const entry = { ...KILL, action: 'query' };
  for (let beat = 0; beat < 3; beat++) assert.deepEqual(agent.beatWithEnd([killing], end), [entry]);
  agent.reconnect();
  assert.deepEqual(agent.beat([killing]), [entry]);
  assert.deepEqual(agent.beat([killing], named('', killClock(100))), [], 'its disk has lost it');
  assert.deepEqual(agent.lost, [1]);
});

test('the first report of a connection is never answered with a kill of what it names', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  const killing = run({ status: 'killing', dispatched: true });
  assert.deepEqual(agent.beat([killing], named('running', 100, 'x')), [KILL]);
  agent.reconnect();
  assert.deepEqual(agent.beat([killing], named('running', 100, 'x')), [START], 'that answer was lost');
  assert.deepEqual(agent.beat([killing], named('running', 100, 'x')), [KILL]);
});

test('of tasks that are none of this server nothing is kept once they are not named any more', () => {
  const b = new Beats();
  for (let id = 1; id <= 500; id++) {
    b.beat([], { ...named(id % 2 === 0 ? 'running' : ''), taskId: id });
    assert.ok(b.state.tasks.size <= 2, `${b.state.tasks.size} after ${id}`);
  }
  b.state = { ...b.state, kind: LegacyKind.agentd };
  for (let id = 1; id <= 500; id++) b.beat([], { ...named(''), taskId: id });
  assert.ok(b.state.tasks.size <= 2, `${b.state.tasks.size} of an agentd`);
});

test('a start is not listed beside a kill that is under way, though nothing is known of that task yet', () => {
  const b = new Beats(LegacyKind.categraf);
  // From before this server's restart; while its end is looked up here, its host is started again.
  assert.deepEqual(b.beat([], named('running', killClock(100))), [KILL]);
  const again = run({ clock: 200 });
  assert.deepEqual(b.beat([again]), [KILL], 'the agent keeps quiet about what it kills');
  for (let i = 0; i < 10; i++) {
    b.nowMs += 2_000;
    b.beat([again]);
  }
  const [start, ...more] = b.beat([again]);
  assert.deepEqual([start?.action, startClockOf(start?.clock ?? 0), more], ['start', 200, []], 'it is over');
});

test('a report that says the same again leaves the state as it is, and none changes the state it was given', () => {
  const agent = new Beats();
  const begun = run({ dispatched: true });
  agent.beat([run()]);
  agent.giveScript();
  agent.beat([begun], named('running', 100, 'x'));
  const before = agent.state;
  assert.deepEqual(agent.beat([begun], named('running', 100, 'x')), [START]);
  assert.equal(agent.state, before);
  const copy = structuredClone({ kind: before.kind, tasks: before.tasks, scriptless: before.scriptless });
  agent.beat([run({ status: 'killing', dispatched: true })], named('running', 100, 'x'));
  agent.beat([], named('running', killClock(100)));
  assert.notEqual(agent.state, before);
  assert.deepEqual({ kind: before.kind, tasks: before.tasks, scriptless: before.scriptless }, copy);
});
