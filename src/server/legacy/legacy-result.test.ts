import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunOutcome } from '../../shared/task-states.js';
import type { OpenRun } from '../tasks/agent-gateway.js';
import { trackedTask } from './tracked-task.js';
import { legacyResult } from './legacy-result.js';
import { attemptClock, killClock } from './wire-clock.js';

const CLOCK = 1_800_000_000;

function run(status: OpenRun['status'], account = 'root'): OpenRun {
  const meta = { id: 1, title: '', account, batch: 0, tolerance: 0, timeout: 30, pause: '', creator: '' };
  return {
    taskId: 1,
    clock: CLOCK,
    status,
    meta: { ...meta, script: ':', args: '', stdin: '', created: new Date(0) },
    timeoutMs: 30_000,
    startUntilMs: 0,
    assignedAtMs: 0,
    dispatched: true,
    startedAtMs: 0,
    startedMs: 0,
  };
}

type Told = 'success' | 'failed' | 'killed' | 'killfailed';

function result(status: Told, clock: number, open: OpenRun | undefined, stdout: Uint8Array = new Uint8Array()) {
  return legacyResult({ taskId: 1, clock, status, stdout, stderr: new Uint8Array() }, open, undefined, 0);
}

const KILL = killClock(CLOCK);
const [RUNNING, KILLING] = [run('running'), run('killing')];

/** What an agent tells, under which clock, what was under way here, and what that means. */
const OUTCOMES: readonly (readonly [string, Told, number, OpenRun | undefined, RunOutcome, string | null])[] = [
  ['its end', 'success', CLOCK, RUNNING, 'success', null],
  ['its end', 'failed', CLOCK, RUNNING, 'failed', null],
  ['its end under the clock of a further attempt', 'failed', attemptClock(CLOCK, 3), RUNNING, 'failed', null],
  ['a shell that something else has killed', 'killed', CLOCK, RUNNING, 'killed', null],
  ['a kill', 'killed', KILL, KILLING, 'killed', null],
  ['a kill of what had ended', 'killfailed', KILL, KILLING, 'killfailed', 'exit-unknown'],
  ['an end in the moment of the kill', 'success', KILL, KILLING, 'success', null],
  ['an end in the moment of the kill', 'failed', KILL, KILLING, 'failed', null],
  ['an end before the kill was listed', 'success', CLOCK, KILLING, 'success', null],
  ['a kill that nobody asked for: its time was over', 'killed', KILL, RUNNING, 'timeout', null],
  ['the same, too late', 'killfailed', KILL, RUNNING, 'timeout', 'exit-unknown'],
  ['an end in the moment in which its time was over', 'success', KILL, RUNNING, 'success', null],
  ['a kill of su', 'killed', KILL, run('killing', 'nobody'), 'killfailed', null],
  ['no kill of su', 'killed', CLOCK, run('killing', 'nobody'), 'killed', null],
  ['a run of which nothing is known any more', 'killed', KILL, undefined, 'killed', null],
];

for (const [what, told, clock, open, outcome, reason] of OUTCOMES) {
  test(`${told} is ${outcome}: ${what}`, () => {
    const { status, clock: start, exitCode, reason: why } = result(told, clock, open);
    assert.deepEqual([status, start, why], [outcome, CLOCK, reason]);
    assert.equal(exitCode, told === 'success' ? 0 : null, 'no other exit code is known');
  });
}

test('a text is known to be cut by its length alone', () => {
  const head = Buffer.from(`${'字'.repeat(16_380)}...`);
  const cases: readonly (readonly [Buffer, boolean, number])[] = [
    [head, true, head.length],
    [Buffer.from(`${'字'.repeat(16_379)}...`), false, head.length - 3],
    [Buffer.from('...'), false, 3],
    [Buffer.alloc(65_535, 0x61), true, 65_536],
    [Buffer.alloc(65_534, 0x61), false, 65_534],
  ];
  for (const [text, truncated, bytes] of cases) {
    const { stdoutTruncated, stdoutBytes } = result('success', CLOCK, RUNNING, text);
    assert.deepEqual([stdoutTruncated, stdoutBytes], [truncated, bytes], `${text.length} bytes`);
  }
});

test('a script that ran without having been given says so in its stderr', () => {
  const tracked = { ...trackedTask(1, CLOCK, 'listed', 1), origin: 1 };
  const task = {
    taskId: 1,
    clock: CLOCK,
    status: 'success',
    stdout: new Uint8Array(),
    stderr: Buffer.from('x'),
  } as const;
  const { stderr, stderrBytes } = legacyResult(task, RUNNING, tracked, 0);
  assert.match(Buffer.from(stderr).toString(), /^x\nibex: the agent had a script under the id of this task already/);
  assert.equal(stderrBytes, stderr.length);
});
