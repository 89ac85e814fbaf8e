import { STATUS_RULES } from '../../shared/task-states.js';
import type { AgentGateway } from './agent-gateway.js';
import { startDeadlineMs } from '../core/deadlines.js';
import type { Step } from '../core/task-draft.js';
import { hostEntry } from '../core/task-state.js';
import type { TaskMeta } from '../core/records.js';
import { AssignFrames } from './assign-frames.js';

/**
 * What was decided longer ago than this is looked at anew before it is sent, ms: a server that was stopped meanwhile
 * may have been taken for dead, and others go on with its tasks after ten seconds.
 */
const STALE_AFTER_MS = 5_000;
/**
 * Hosts that are told of a start before whatever else has come is seen to. Thousands that are told at once answer at
 * once, and everybody else's calls wait behind all of their answers; told so, their answers are stored meanwhile.
 */
const HOSTS_A_TURN = 1_000;

export interface AgentOrdersParts {
  readonly gateway: Pick<AgentGateway, 'assign' | 'kill' | 'connected'>;
  readonly nowMs: () => number;
  /** other servers may have changed the task, too */
  readonly shared: boolean;
  /** reads these hosts of the task anew, and tells their agents what they have to do then */
  readonly refresh: (hosts: readonly string[]) => void;
}

/** Hosts that get the same frame. */
interface Start {
  readonly hosts: string[];
  readonly clock: number;
  readonly untilMs: number;
}

/** Tells the agents what the steps of one task are to them, once they are durable. */
export class AgentOrders {
  readonly #taskId: number;
  readonly #parts: AgentOrdersParts;
  #frames: AssignFrames | undefined;
  /** hosts whose turn to be told of their start has not come */
  readonly #queued = new Set<string>();

  constructor(taskId: number, parts: AgentOrdersParts) {
    this.#taskId = taskId;
    this.#parts = parts;
  }

  /** `decidedMs`: when the step was worked out. */
  send(meta: TaskMeta | undefined, step: Step, decidedMs: number): void {
    const { shared, refresh: lookAgain } = this.#parts;
    if (this.#isStale(decidedMs)) {
      const told = step.effects.map(({ host }) => host);
      return lookAgain([...new Set([...told, ...this.#newcomers(step)])]);
    }
    if (meta) {
      for (const start of this.#starts(step)) {
        for (const host of start.hosts) this.#queued.add(host);
        this.#assign((this.#frames ??= new AssignFrames(meta)), start, decidedMs);
      }
    }
    if (shared) lookAgain(this.#newcomers(step));
  }

  /** True if the host's agent cannot know of its start yet. */
  isQueued(host: string): boolean {
    return this.#queued.has(host);
  }

  #isStale(decidedMs: number): boolean {
    return this.#parts.shared && this.#parts.nowMs() - decidedMs > STALE_AFTER_MS;
  }

  /** Agents that have come while the start of their runs was being stored: it is not noted yet that they get them. */
  #newcomers({ touched }: Step): readonly string[] {
    const unsent = touched.filter(({ host, status, dispatched: delivered }) => {
      return STATUS_RULES[status].phase === 'running' && !delivered && this.#parts.gateway.connected(host);
    });
    return unsent.map(({ host }) => host);
  }

  /** Sends the kills, and gives the starts. */
  #starts({ state, effects }: Step): Iterable<Start> {
    const together = new Map<string, Start>();
    for (const { kind, host, clock } of effects) {
      const entry = hostEntry(state, host);
      if (kind === 'kill' || !entry) {
        this.#parts.gateway.kill(host, { taskId: this.#taskId, clock });
        continue;
      }
      const untilMs = startDeadlineMs(entry, state.rules);
      const key = `${clock} ${untilMs}`;
      const start = together.get(key);
      if (start) start.hosts.push(host);
      else together.set(key, { hosts: [host], clock, untilMs });
    }
    return together.values();
  }

  #assign(frames: AssignFrames, { hosts, clock, untilMs }: Start, decidedMs: number): void {
    const { gateway, nowMs, refresh: lookAgain } = this.#parts;
    // A server may be stopped at any point.
    const stale = this.#isStale(decidedMs);
    const now = stale ? hosts : hosts.slice(0, HOSTS_A_TURN);
    for (const host of now) this.#queued.delete(host);
    if (stale) return lookAgain(now);
    gateway.assign(now, frames.frame(clock, untilMs - nowMs()));
    const others = hosts.slice(HOSTS_A_TURN);
    if (others.length > 0) setImmediate(() => this.#assign(frames, { hosts: others, clock, untilMs }, decidedMs));
  }
}
