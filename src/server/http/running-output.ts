import { STORED_TAIL_BYTES } from '../../shared/protocol/limits.js';
import { isActive } from '../../shared/task-states.js';
import type { RunId } from '../../shared/run-key.js';
import type { HostOutput } from '../core/records.js';
import type { Store } from '../store/store.js';
import type { TaskService } from '../tasks/task-service.js';

/** Asks agents for the output of running scripts. */
export interface OutputSource {
  /**
   * The last `bytes` bytes of what a running (or kept) run has written so far, or undefined when no session of the
   * host answers within `timeoutMs`. Equal questions at the same time share one answer.
   */
  current(
    host: string,
    run: RunId,
    bytes: number,
    timeoutMs: number,
  ): Promise<{ readonly stdout: string; readonly stderr: string } | undefined>;
}

/** At most so many agents are asked for one request; further running hosts show what the database has. */
const MAX_ASKED = 50;
/** One time for all agents that are asked for a request. */
const ANSWER_WITHIN_MS = 1_000;

/** Outputs as the API shows them: those of running hosts come from their agents, the others from the database. */
export class RunningOutput {
  readonly #store: Store;
  readonly #tasks: TaskService;
  readonly #source: OutputSource;

  constructor(store: Store, tasks: TaskService, source: OutputSource) {
    this.#store = store;
    this.#tasks = tasks;
    this.#source = source;
  }

  /** In the task's order, or only the one host (letter case does not matter). Undefined: no such task. */
  async of(taskId: number, host?: string): Promise<readonly HostOutput[] | undefined> {
    if (!(await this.#store.meta(taskId))) return undefined;
    const stored = await this.#store.outputs(taskId, host);
    const running = stored.filter(isRunning).slice(0, MAX_ASKED);
    if (running.length === 0) return stored;

    const clocks = new Map((await this.#tasks.states(taskId))?.map((state) => [state.host, state.clock]));
    const current = new Map(
      await Promise.all(
        running.map(async (row) => {
          const run = { taskId, clock: clocks.get(row.host) ?? 0 };
          return [row.host, await this.#source.current(row.host, run, STORED_TAIL_BYTES, ANSWER_WITHIN_MS)] as const;
        }),
      ),
    );
    return stored.map((row) => ({ ...row, ...current.get(row.host) }));
  }
}

function isRunning({ status }: HostOutput): boolean {
  return isActive(status);
}
