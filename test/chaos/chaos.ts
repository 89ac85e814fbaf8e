import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../harness/wait-for.ts';
import type { Database } from './database.ts';
import { disturb, killCycles, noDamage, type Damage } from './disturbances.ts';
import { Evidence } from './evidence.ts';
import { Fleet } from './fleet.ts';
import { readJournal, type JournalRun } from './journal.ts';
import { executorProcesses, scriptProcesses, strayLaunchers } from './leftovers.ts';
import { Random } from './random.ts';
import { viewTask } from './tail-view.ts';
import { verify, type Finding } from './verify.ts';
import { insist, work, type MadeTask, type Workload } from './workload.ts';

export interface ChaosOptions {
  readonly durationMs: number;
  /** goes on until there were so many, on a busy machine too */
  readonly leastKills?: number;
  readonly leastStarts?: number;
  readonly seed: number;
  readonly agents: number;
  /** mean pause between two tasks, and between two disturbances */
  readonly taskEveryMs: number;
  readonly disturbEveryMs: number;
  readonly database: Database;
}

export interface ChaosReport {
  readonly damage: Damage;
  readonly kills: number;
  readonly tasks: number;
  readonly refused: number;
  readonly starts: number;
  /** by outcome in words */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly wrong: readonly string[];
  readonly withDisk: boolean;
  /** where the runs that differ are kept, with all logs; undefined where nothing is wrong */
  readonly kept: string | undefined;
}

const SETTLE_MS = 240_000;
const LEFTOVER_MS = 20_000;

/** Runs tasks on a fleet while it is being torn apart, waits until all is settled, and compares. */
export async function chaos(options: ChaosOptions, say: (line: string) => void): Promise<ChaosReport> {
  const fleet = await Fleet.open(options.agents, options.database);
  try {
    return await tearApart(fleet, options, say);
  } finally {
    await fleet[Symbol.asyncDispose]();
  }
}

async function tearApart(fleet: Fleet, options: ChaosOptions, say: (line: string) => void): Promise<ChaosReport> {
  const random = new Random(options.seed);
  await insist(() => fleet.api.connectedHosts());
  const stop = new AbortController();
  const damage = noDamage();
  const [load] = await Promise.all([
    work(fleet, random.fork(), options.taskEveryMs, stop.signal),
    disturb(fleet, damage, random.fork(), options.disturbEveryMs, stop.signal),
    enough(fleet, damage, options).finally(() => stop.abort()),
  ]);
  say(`${killCycles(damage)} kills, ${load.plans.size} tasks; waiting until all is settled`);
  fleet.startServer();
  for (const host of fleet.hosts) fleet.startAgent(host);
  await insist(() => fleet.api.connectedHosts());
  const wrong = [...load.failures];
  const tasks = addUnanswered(load, readJournal(fleet.journal));
  const until = performance.now() + SETTLE_MS;
  for (const { taskId } of tasks) {
    const leftMs = Math.max(0, until - performance.now());
    await fleet.api.settled(taskId, leftMs).catch((error: unknown) => wrong.push(String(error)));
  }
  await connected(fleet, wrong);
  const journal = readJournal(fleet.journal);
  const evidence = new Evidence();
  const outcomes = new Map<string, number>();
  const count = (word: string): void => void outcomes.set(word, (outcomes.get(word) ?? 0) + 1);
  for (const task of tasks) {
    for (const finding of await examine(fleet, task, journal, damage, evidence)) {
      count(finding.kind === 'wrong' ? `WRONG: ${finding.word}` : finding.word);
      if (finding.kind === 'wrong') wrong.push(finding.details);
    }
  }
  for (const run of journal.values()) {
    if (run.starts !== 1) wrong.push(`run ${run.run} on ${run.host} was started ${run.starts} times`);
    if (run.ends.length > 1) wrong.push(`run ${run.run} on ${run.host} ended ${run.ends.length} times`);
  }
  for (const { plan, taskId } of journal.values()) {
    if (load.refused.has(plan)) wrong.push(`plan ${plan} was refused and made all the same, as task ${taskId}`);
  }
  // A server may end where its database is away; nobody else has a reason to.
  wrong.push(...fleet.crashes.filter((crash) => !(fleet.database.process && crash.startsWith('server'))));
  wrong.push(...(await leftovers(fleet, evidence)));
  const starts = [...journal.values()].reduce((sum, run) => sum + run.starts, 0);
  if (wrong.length > 0) evidence.keepLogs(fleet);
  const withDisk = fleet.disk !== undefined;
  const counts = { kills: killCycles(damage), tasks: tasks.length, refused: load.refused.size, starts };
  return { damage, ...counts, outcomes, wrong, withDisk, kept: evidence.folder };
}

async function enough(fleet: Fleet, damage: Damage, options: ChaosOptions): Promise<void> {
  const { durationMs, leastKills = 0, leastStarts = 0 } = options;
  await sleep(durationMs);
  await waitFor(
    'kills and starts',
    () => killCycles(damage) >= leastKills && readJournal(fleet.journal).size >= leastStarts,
  );
}

/** A task whose creation was not answered is known by what its script wrote down, if it was made at all. */
function addUnanswered({ made, plans }: Workload, journal: ReadonlyMap<string, JournalRun>): MadeTask[] {
  const tasks = new Map(made);
  for (const { taskId, plan: number } of journal.values()) {
    const plan = plans.get(number);
    if (plan && !tasks.has(taskId)) tasks.set(taskId, { taskId, plan, redone: new Set() });
  }
  return [...tasks.values()];
}

async function connected(fleet: Fleet, wrong: string[]): Promise<void> {
  const all = async (): Promise<boolean> => (await fleet.api.connectedHosts()).length === fleet.hosts.length;
  await waitFor('all agents', all, SETTLE_MS).catch((error: unknown) => wrong.push(String(error)));
  wrong.push(...fleet.ended().map((name) => `${name} has ended by itself`));
}

async function examine(
  fleet: Fleet,
  task: MadeTask,
  journal: ReadonlyMap<string, JournalRun>,
  damage: Damage,
  evidence: Evidence,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const views = await viewTask(fleet.url, task.taskId).catch((error: unknown) => {
    findings.push({ kind: 'wrong', word: 'cannot be viewed', details: String(error) });
    return new Map<string, never>();
  });
  for (const host of new Set(task.plan.hosts)) {
    const view = views.get(host);
    if (!view) {
      findings.push({ kind: 'wrong', word: 'host missing', details: `task ${task.taskId} has no host ${host}` });
      continue;
    }
    const stored = {
      stdout: await fleet.api.stdout(task.taskId, host),
      stderr: await fleet.api.stderr(task.taskId, host),
    };
    const run = [...journal.values()].find(
      (entry) => entry.taskId === task.taskId && entry.host === host && entry.clock === view.clock,
    );
    const subject = { plan: task.plan, view, stored, journal: run };
    const finding = verify(subject, fleet, damage);
    if (finding.kind === 'wrong') evidence.keepRun(fleet, subject);
    findings.push(finding);
  }
  return findings;
}

/** Processes of scripts that are over, launchers without an executor, and executors beyond one an agent. */
async function leftovers(fleet: Fleet, evidence: Evidence): Promise<string[]> {
  const look = (): string[] => [
    ...scriptProcesses(fleet.hosts).map((process) => `left behind: ${process}`),
    ...fleet.hosts.flatMap((host) => strayLaunchers(fleet.metaDir(host)).map((process) => `left behind: ${process}`)),
    ...fleet.hosts.flatMap((host) => {
      const found = executorProcesses(fleet.metaDir(host));
      return found.length === 1 ? [] : [`${host} has ${found.length} executors: ${found.join('; ')}`];
    }),
  ];
  const until = performance.now() + LEFTOVER_MS;
  while (look().length > 0 && performance.now() < until) await sleep(200);
  const found = look();
  for (const [, pid] of found.join('\n').matchAll(/left behind: (\d+)/g)) evidence.keepProcess(Number(pid));
  return found;
}
