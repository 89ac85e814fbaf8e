import { setTimeout as sleep } from 'node:timers/promises';
import { account } from '../harness/account.ts';
import type { Fleet } from './fleet.ts';
import { drawPlan, type Plan } from './plans.ts';
import type { Random } from './random.ts';

const ASK_AGAIN_MS = 100;
const PATIENCE_MS = 180_000;

export interface MadeTask {
  readonly taskId: number;
  readonly plan: Plan;
  /** hosts that were started a second time through the API after they had ended */
  readonly redone: Set<string>;
}

export interface Workload {
  readonly made: Map<number, MadeTask>;
  /** all plans; a task whose creation was not answered may exist all the same */
  readonly plans: Map<number, Plan>;
  /** plans whose task the server said it did not make */
  readonly refused: Set<number>;
  /** what was asked of the server in vain */
  readonly failures: string[];
}

/** Makes tasks, kills some and starts some again, until it is told to stop. */
export async function work(fleet: Fleet, random: Random, everyMs: number, stop: AbortSignal): Promise<Workload> {
  const load: Workload = { made: new Map(), plans: new Map(), refused: new Set(), failures: [] };
  const running: Promise<void>[] = [];
  for (let number = 1; !stop.aborted; number++) {
    const plan = drawPlan(random, number, fleet.hosts, fleet.journal);
    const redo = random.fraction() < 0.1;
    load.plans.set(number, plan);
    running.push(
      see(fleet, plan, redo, load).catch(
        (error: unknown) => void load.failures.push(`plan ${number}: ${String(error)}`),
      ),
    );
    await sleep(random.whole(everyMs / 2, (everyMs * 3) / 2));
  }
  await Promise.all(running);
  return load;
}

async function see(fleet: Fleet, plan: Plan, redo: boolean, load: Workload): Promise<void> {
  const taskId = await create(fleet, plan, load);
  if (taskId === undefined) return;
  const task: MadeTask = { taskId, plan, redone: new Set() };
  load.made.set(taskId, task);
  if (plan.killAfterMs !== undefined) {
    await sleep(plan.killAfterMs);
    await insist(() => accepted(fleet.api.call('PUT', `/ibex/v1/task/${taskId}/action`, { action: 'kill' })));
  } else if (redo && !plan.overruns) {
    await sleep(1_000);
    const host = plan.hosts[0] ?? '';
    task.redone.add(host);
    await insist(() =>
      accepted(fleet.api.call('PUT', `/ibex/v1/task/${taskId}/host/${host}/action`, { action: 'redo' })),
    );
  }
}

/** Undefined where the server gave no answer: asking again could make a second task. */
async function create(fleet: Fleet, plan: Plan, load: Workload): Promise<number | undefined> {
  const body = {
    title: `plan ${plan.number}`,
    account,
    batch: 0,
    tolerance: 0,
    pause: '',
    args: '',
    action: 'start',
    creator: 'chaos',
    script: plan.script,
    stdin: plan.stdin,
    timeout: plan.timeoutS,
    hosts: plan.hosts,
  };
  const answer = await fleet.api.call('POST', '/ibex/v1/tasks', body).catch(() => undefined);
  if (typeof answer !== 'object' || answer === null) return undefined;
  if ('dat' in answer && typeof answer.dat === 'number') return answer.dat;
  load.refused.add(plan.number);
  return undefined;
}

/** For what may be asked twice: until the server is there to answer. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (const until = performance.now() + PATIENCE_MS; ;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(ASK_AGAIN_MS);
    }
  }
}

/** An answer that the server can't do it now is as good as none. What it refuses for good is left at that. */
async function accepted(answering: Promise<unknown>): Promise<void> {
  const answer = await answering;
  const err = typeof answer === 'object' && answer !== null && 'err' in answer ? String(answer.err) : '';
  if (/database|try again|unavailable/i.test(err)) throw new Error(err);
}
