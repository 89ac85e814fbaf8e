import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import type { AgentRun, AgentRunState, ResultFrame } from '../../shared/protocol/agent-frames.js';
import type { RunId } from '../../shared/run-key.js';
import { reportOf } from '../../shared/run-report.js';
import type { AgentEvents, AgentGateway } from './agent-gateway.js';
import type { ResultEvent } from '../core/events.js';
import type { PeerView } from '../peers/peer-view.js';
import type { ClosedTasks } from './closed-tasks.js';
import type { OpenTasks } from './open-tasks.js';
import { RunsByHost } from '../core/runs-by-host.js';
import { storedText } from '../core/stored-text.js';

export interface AgentReportsParts {
  readonly open: OpenTasks;
  readonly closed: ClosedTasks;
  readonly peers: Pick<PeerView, 'run' | 'runs'>;
  readonly gateway: Pick<AgentGateway, 'kill'>;
  readonly log: Log;
}

/** Turns what agents say into events of the tasks concerned. */
export class AgentReports implements AgentEvents {
  readonly #open: OpenTasks;
  readonly #closed: ClosedTasks;
  readonly #peers: AgentReportsParts['peers'];
  readonly #gateway: Pick<AgentGateway, 'kill'>;
  readonly #log: Log;
  /**
   * Runs that agents listed as alive although their hosts are settled here. They are left to end by themselves, and
   * counted in what the agent is expected to have, or its digest would differ at every heartbeat until then.
   */
  readonly #leftAlone = new RunsByHost();

  constructor({ open, closed, peers, gateway, log }: AgentReportsParts) {
    this.#open = open;
    this.#closed = closed;
    this.#peers = peers;
    this.#gateway = gateway;
    this.#log = log;
  }

  agentListed(host: string, runs: readonly AgentRun[], newStore: boolean): void {
    const listed = new Map<number, Map<number, AgentRunState>>();
    for (const { taskId } of this.#open.runs.of(host)) listed.set(taskId, new Map());
    this.#leftAlone.deleteHost(host);
    for (const run of runs) {
      const ofTask = listed.get(run.taskId) ?? new Map<number, AgentRunState>();
      listed.set(run.taskId, ofTask.set(run.clock, run.state));
      if (isAlive(run) && this.#open.runs.get(host, run.taskId)?.clock !== run.clock) this.#leftAlone.set(host, run);
    }
    const unknown: RunId[] = [];
    for (const [taskId, ofTask] of listed) {
      if (this.#open.has(taskId)) this.#listedOpen(taskId, host, ofTask, newStore);
      else if (this.#peers.run(host, taskId)) continue;
      else for (const [clock, state] of ofTask) if (isAlive({ state })) unknown.push({ taskId, clock });
    }
    if (unknown.length > 0) void this.#listedClosed(host, unknown);
  }

  runStarted(host: string, run: RunId, startedMs: number): void {
    this.#open.postLazily(run.taskId, { kind: 'started', host, clock: run.clock, startedMs });
  }

  async runEnded(host: string, result: ResultFrame): Promise<'stored' | 'unknown'> {
    const event = resultEvent(host, result);
    const answer = await this.#open.post(result.taskId, event);
    const outcome = answer ? answer.outcome : await this.#closed.report(result.taskId, event);
    if (this.#leftAlone.get(host, result.taskId)?.clock === result.clock) this.#leftAlone.delete(host, result.taskId);
    return outcome === 'stored' ? 'stored' : 'unknown';
  }

  expectedRuns(host: string): readonly RunId[] {
    const owned = this.#open.runs.of(host).filter(({ taskId }) => !this.#open.isQueued(taskId, host));
    const others = [...this.#leftAlone.of(host), ...this.#peers.runs(host)];
    if (others.length === 0) return owned;
    const expected = new Map([...owned, ...others].map((run) => [`${run.taskId} ${run.clock}`, run]));
    return [...expected.values()];
  }

  #listedOpen(taskId: number, host: string, runs: Map<number, AgentRunState>, newStore: boolean): void {
    this.#open.post(taskId, { kind: 'listed', host, runs, newStore }).catch((error: unknown) => {
      this.#log.warn({ task: taskId, host, err: describeError(error) }, "an agent's list was not acted on");
    });
  }

  /** One look-up after the other: an agent with many runs must not take all connections to the database. */
  async #listedClosed(host: string, runs: readonly RunId[]): Promise<void> {
    try {
      for (const run of await this.#closed.killsWanted(host, runs)) this.#gateway.kill(host, run);
    } catch (error) {
      this.#log.warn({ host, err: describeError(error) }, 'runs of done tasks were not looked up');
    }
  }
}

function isAlive(run: Pick<AgentRun, 'state'>): boolean {
  return run.state !== 'ended';
}

function resultEvent(host: string, result: ResultFrame): ResultEvent {
  const { clock, status, stdout, stderr, stdoutBytes, stderrBytes } = result;
  const output = { stdout: storedText(stdout, stdoutBytes), stderr: storedText(stderr, stderrBytes) };
  return { kind: 'result', host, clock, status, output, report: reportOf(result) };
}
