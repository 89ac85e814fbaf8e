/** A script from GetTaskMeta, as an agent keeps it on its disk. */
export interface KeptScript {
  readonly script: string;
  readonly args: string;
  readonly account: string;
  readonly stdin: string;
}

/** A script that an agent has started. */
export interface ScriptRun {
  /** true while a process of it lives, or something still holds its output open */
  readonly alive: boolean;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** SIGKILL to its process group. False if there is nothing to signal any more. */
  kill(): boolean;
}

/** How the scripts of an agent run. `redo`: from the disk, where args and stdin have lost the blanks at their ends. */
export interface AgentScripts {
  start(id: number, kept: KeptScript, ended: (status: 'success' | 'failed' | 'killed') => void): ScriptRun;
}

/** Scripts that print and end when the test says so. */
export class ManualScripts implements AgentScripts {
  readonly #runs = new Map<number, ManualRun>();

  start(id: number, _kept: KeptScript, ended: (status: 'success' | 'failed' | 'killed') => void): ScriptRun {
    const run = new ManualRun(ended);
    this.#runs.set(id, run);
    return run;
  }

  of(id: number): ManualRun {
    const run = this.#runs.get(id);
    if (!run) throw new Error(`${id} was never started`);
    return run;
  }
}

export class ManualRun implements ScriptRun {
  alive = true;
  stdout: Uint8Array = Buffer.alloc(0);
  readonly stderr = Buffer.alloc(0);
  readonly #ended: (status: 'success' | 'failed' | 'killed') => void;

  constructor(ended: (status: 'success' | 'failed' | 'killed') => void) {
    this.#ended = ended;
  }

  print(text: string | Uint8Array): void {
    this.stdout = Buffer.concat([this.stdout, Buffer.from(text)]);
  }

  end(status: 'success' | 'failed'): void {
    if (!this.alive) throw new Error('has ended');
    this.alive = false;
    this.#ended(status);
  }

  kill(): boolean {
    const delivered = this.alive;
    this.alive = false;
    if (delivered) this.#ended('killed');
    return delivered;
  }
}

/**
 * Scripts without a process that print a line now and then, and end by themselves after so many of them. None ends while
 * `held` says so: for tests that are not about what happens between a report and its answer.
 */
export class TimedScripts implements AgentScripts {
  readonly #everyMs: number;
  readonly #lines: (id: number) => number;
  readonly #held: () => boolean;

  constructor(everyMs: number, lines: (id: number) => number, held: () => boolean) {
    this.#everyMs = everyMs;
    this.#lines = lines;
    this.#held = held;
  }

  start(id: number, _kept: KeptScript, ended: (status: 'success' | 'failed' | 'killed') => void): ScriptRun {
    let left = this.#lines(id);
    const run = new ManualRun((status) => {
      clearInterval(timer);
      ended(status);
    });
    const timer = setInterval(() => {
      if (left > 0) run.print(`${left}\n`);
      left--;
      if (left <= 0 && run.alive && !this.#held()) run.end('success');
    }, this.#everyMs);
    return run;
  }
}
