import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed } from './agent-state.js';
import type { AssignedTask } from './rpc-codec.js';
import { Beats, named, run, START_MS } from './testing/beats.js';
import { LegacyKind } from './tracked-task.js';
import { attemptClock, killClock, startClockOf } from './wire-clock.js';

const START: AssignedTask = { taskId: 1, clock: 100, action: 'start' };
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
  assert.deepEqual(agent.beat([taken]), [START]);
  assert.deepEqual(agent.lost, []);
});

test('with the connection gone before the first report, nobody knows: neither listed nor given up', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  agent.reconnect();
  assert.deepEqual(agent.beat([run({ dispatched: true })]), []);
  assert.deepEqual(agent.lost, []);
});

test('after a restart of the server, what a Categraf does not name is lost, and what an agentd does not name is listed', () => {
  const begun = run({ dispatched: true, startedAtMs: START_MS });
  const categraf = new Beats(LegacyKind.categraf);
  assert.deepEqual(categraf.beat([begun]), []);
  assert.deepEqual(categraf.lost, [1]);
  const agentd = new Beats(LegacyKind.agentd);
  assert.deepEqual(agentd.beat([begun]), [START]);
  const unknown = new Beats();
  assert.deepEqual(unknown.beat([begun]), []);
  assert.deepEqual(unknown.lost, []);
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

test('an end that was told and could not be stored is listed on, also to an agent that has restarted since', () => {
  const agent = new Beats();
  agent.beat([run()]);
  agent.giveScript();
  const begun = run({ dispatched: true });
  agent.beat([begun], named('running'));
  agent.state = changed(agent.state, (draft) => draft.keepEnds([1]));
  agent.reconnect();
  assert.deepEqual(agent.beat([begun]), [START]);
  assert.deepEqual(agent.lost, []);
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
