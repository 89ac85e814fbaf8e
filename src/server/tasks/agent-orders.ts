import type { AgentGateway } from '../agents/gateway.js';
import { startDeadlineMs } from '../core/deadlines.js';
import type { Step } from '../core/task-draft.js';
import { hostEntry } from '../core/task-state.js';
import type { TaskMeta } from '../store/store.js';
import { AssignFrames } from './assign-frames.js';

/**
 * What was decided longer ago than this is looked at anew before it is sent, ms: a server that was stopped meanwhile may
 * have been taken for dead, and others go on with its tasks after ten seconds.
 */
const STALE_AFTER_MS = 5_000;

export interface AgentOrdersParts {
  readonly gateway: Pick<AgentGateway, 'assign' | 'kill' | 'connected'>;
  readonly nowMs: () => number;
  /** other servers may have changed the task, too */
  readonly shared: boolean;
}

/** Tells the agents what the steps of one task are to them, once they are durable. */
export class AgentOrders {
  readonly #taskId: number;
  readonly #parts: AgentOrdersParts;
  #frames: AssignFrames | undefined;

  constructor(taskId: number, parts: AgentOrdersParts) {
    this.#taskId = taskId;
    this.#parts = parts;
  }

  /** `decidedMs`: when the step was worked out. Gives the hosts that are to be looked at anew before they are told. */
  send(meta: TaskMeta | undefined, step: Step, decidedMs: number): readonly string[] {
    const { nowMs, shared } = this.#parts;
    if (shared && nowMs() - decidedMs > STALE_AFTER_MS) return step.effects.map(({ host }) => host);
    if (meta) this.#send(meta, step);
    return shared ? this.#newcomers(step) : [];
  }

  /** Agents that have come while the start of their runs was being stored: it is not noted yet that they get them. */
  #newcomers({ touched }: Step): readonly string[] {
    const unsent = touched.filter(({ host, status, delivered }) => {
      return status === 'running' && !delivered && this.#parts.gateway.connected(host);
    });
    return unsent.map(({ host }) => host);
  }

  #send(meta: TaskMeta, { state, effects }: Step): void {
    const { gateway, nowMs } = this.#parts;
    // Assignments of one moment and clock go out as one frame to all their hosts.
    const together = new Map<string, { hosts: string[]; clock: number; untilMs: number }>();
    for (const { kind, host, clock } of effects) {
      const entry = hostEntry(state, host);
      if (kind === 'kill' || !entry) {
        gateway.kill(host, { taskId: this.#taskId, clock });
        continue;
      }
      const untilMs = startDeadlineMs(entry, state.rules);
      const key = `${clock} ${untilMs}`;
      const group = together.get(key);
      if (group) group.hosts.push(host);
      else together.set(key, { hosts: [host], clock, untilMs });
    }
    for (const { hosts, clock, untilMs } of together.values()) {
      this.#frames ??= new AssignFrames(meta);
      gateway.assign(hosts, this.#frames.frame(clock, untilMs - nowMs()));
    }
  }
}
