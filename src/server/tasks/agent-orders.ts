import { STATUS_RULES } from '../../shared/task-states.js';
import type { AgentGateway } from './agent-gateway.js';
import { startDeadlineMs } from '../core/deadlines.js';
import type { Step } from '../core/task-draft.js';
import { hostEntry } from '../core/task-state.js';
import type { TaskMeta } from '../core/records.js';
import { AssignFrames } from './assign-frames.js';

/**
 * A decision older than this is not sent, and its hosts are read again, ms: a server that was stopped meanwhile may have
 * been taken for dead, and peers take its tasks over after ten seconds.
 */
const STALE_AFTER_MS = 5_000;
/**
 * Hosts that are sent a start in one turn of the event loop. Thousands of agents that get theirs at once answer at once,
 * and all other calls wait behind those answers; between two turns some are stored already.
 */
const HOSTS_A_TURN = 1_000;

export interface AgentOrdersParts {
  readonly gateway: Pick<AgentGateway, 'assign' | 'kill' | 'connected'>;
  readonly nowMs: () => number;
  /** other servers may have changed the task, too */
  readonly shared: boolean;
  /** reads these hosts of the task again, and sends their agents what is due then */
  readonly refresh: (hosts: readonly string[]) => void;
}

/** Hosts that get the same frame. */
interface Start {
  readonly hosts: string[];
  readonly clock: number;
  readonly untilMs: number;
}

/** Sends the agents the starts and kills of one task's steps, once these are durable. */
export class AgentOrders {
  readonly #taskId: number;
  readonly #parts: AgentOrdersParts;
  #frames: AssignFrames | undefined;
  /** hosts whose start waits for a later turn */
  readonly #queued = new Set<string>();

  constructor(taskId: number, parts: AgentOrdersParts) {
    this.#taskId = taskId;
    this.#parts = parts;
  }

  /** `decidedMs`: when the step was computed. */
  send(meta: TaskMeta | undefined, step: Step, decidedMs: number): void {
    const { shared, refresh } = this.#parts;
    if (this.#isStale(decidedMs)) {
      const affected = step.effects.map(({ host }) => host);
      return refresh([...new Set([...affected, ...this.#newcomers(step)])]);
    }
    if (meta) {
      for (const start of this.#starts(step)) {
        for (const host of start.hosts) this.#queued.add(host);
        this.#assign((this.#frames ??= new AssignFrames(meta)), start, decidedMs);
      }
    }
    if (shared) refresh(this.#newcomers(step));
  }

  /** True if the host's agent was not sent its start yet. */
  isQueued(host: string): boolean {
    return this.#queued.has(host);
  }

  #isStale(decidedMs: number): boolean {
    return this.#parts.shared && this.#parts.nowMs() - decidedMs > STALE_AFTER_MS;
  }

  /** Agents that connected while their start was being stored: it is not noted yet that they get it. */
  #newcomers({ touched }: Step): readonly string[] {
    const unsent = touched.filter(({ host, status, dispatched }) => {
      return STATUS_RULES[status].phase === 'running' && !dispatched && this.#parts.gateway.connected(host);
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
    const { gateway, nowMs, refresh } = this.#parts;
    // A server may be stopped at any point.
    const stale = this.#isStale(decidedMs);
    const now = stale ? hosts : hosts.slice(0, HOSTS_A_TURN);
    for (const host of now) this.#queued.delete(host);
    if (stale) return refresh(now);
    gateway.assign(now, frames.frame(clock, untilMs - nowMs()));
    const others = hosts.slice(HOSTS_A_TURN);
    if (others.length > 0) setImmediate(() => this.#assign(frames, { hosts: others, clock, untilMs }, decidedMs));
  }
}
