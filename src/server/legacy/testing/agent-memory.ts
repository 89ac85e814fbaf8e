import type { AgentScripts, KeptScript, ScriptRun } from './agent-scripts.js';
import { categrafText, goAgentdText, wholeLines } from './agent-texts.js';

export type LegacyAgentKind = 'categraf' | 'agentd';

/** An entry of the list in an answer, as on the wire. */
export interface Assigned {
  readonly Id: number;
  readonly Clock: number;
  readonly Action: string;
}

interface Task {
  clock: number;
  action: string;
  status: string;
  /** undefined where GetTaskMeta failed, or the result came from the disk */
  run: ScriptRun | undefined;
  /** of a result from the disk */
  readonly loaded: { readonly stdout: Uint8Array; readonly stderr: Uint8Array } | undefined;
}

interface Done {
  readonly status: string;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** The files of an agent, which outlive its process. */
export class AgentDisk {
  readonly scripts = new Map<number, KeptScript>();
  readonly done = new Map<string, Done>();
}

/** Thrown where a real agent's process would end. */
export class AgentDies extends Error {
  override readonly name = 'AgentDies';
}

/** The memory of one process of a legacy agent, which works through lists as these agents have been seen to do. */
export class AgentMemory {
  readonly starts: { readonly id: number; readonly clock: number; readonly script: string }[] = [];
  readonly #kind: LegacyAgentKind;
  readonly #disk: AgentDisk;
  readonly #scripts: AgentScripts;
  readonly #tasks = new Map<number, Task>();

  constructor(kind: LegacyAgentKind, disk: AgentDisk, scripts: AgentScripts) {
    this.#kind = kind;
    this.#disk = disk;
    this.#scripts = scripts;
  }

  /** True while a process of it lives. */
  runs(id: number): boolean {
    return this.#tasks.get(id)?.run?.alive ?? false;
  }

  /** The process is gone. Its scripts may go on, but nobody keeps their ends. */
  die(): void {
    this.#tasks.clear();
  }

  /** The tasks of a report that is put together now, in no order. */
  report(): Record<string, string | number | Uint8Array>[] {
    return [...this.#tasks]
      .filter(([, { status }]) => status !== 'killing' && (this.#kind === 'categraf' || status !== 'running'))
      .sort(() => Math.random() - 0.5)
      .map(([Id, task]) => {
        const [Stdout, Stderr] = this.#texts(task);
        return { Id, Clock: task.clock, Status: task.status, Stdout, Stderr };
      });
  }

  /** Works through the list of a good answer. `ask` gets a script from the server; undefined where it fails. */
  async take(list: readonly Assigned[], ask: (id: number) => Promise<KeptScript | undefined>): Promise<void> {
    const ids = new Set(list.map(({ Id }) => Id));
    if (ids.size !== list.length) throw new AgentDies('one id twice in an answer');
    for (const entry of list) await this.#assign(entry, ask);
    for (const [id, { status }] of this.#tasks) if (!ids.has(id) && status !== 'running') this.#tasks.delete(id);
  }

  #texts({ run, loaded, status }: Task): [Uint8Array, Uint8Array] {
    const { stdout, stderr } = run ?? loaded ?? { stdout: new Uint8Array(), stderr: new Uint8Array() };
    if (this.#kind === 'agentd') return [goAgentdText(stdout), goAgentdText(stderr)];
    const said = status === 'running' ? wholeLines : (text: Uint8Array) => text;
    return [categrafText(said(stdout)), categrafText(said(stderr))];
  }

  async #assign({ Id, Clock, Action }: Assigned, ask: (id: number) => Promise<KeptScript | undefined>): Promise<void> {
    const known = this.#tasks.get(Id);
    if (known?.clock === Clock && known.action === Action) return;
    if (Action === 'kill') return this.#kill(Id, known, Clock);
    // Its disk is only looked at for a task that it does not know.
    const loaded = known ? undefined : this.#disk.done.get(`${Id} ${Clock}`);
    if (!known) {
      this.#tasks.set(Id, { clock: Clock, action: Action, status: loaded?.status ?? '', run: undefined, loaded });
    } else if (Action !== 'start' || known.run?.alive) {
      Object.assign(known, { clock: Clock, action: Action });
    } else if (known.run && this.#kind === 'categraf') {
      throw new AgentDies(`${Id} is started while it is remembered: close of closed channel`);
    }
    if (Action === 'start' && !loaded && !known?.run?.alive) await this.#start(Id, Clock, ask);
  }

  #kill(Id: number, known: Task | undefined, clock: number): void {
    if (!known) return;
    if (!known.run) throw new AgentDies(`${Id} is killed without a process: nil pointer`);
    Object.assign(known, { clock, action: 'kill' });
    known.status = known.run.kill() ? 'killed' : 'killfailed';
  }

  async #start(id: number, clock: number, ask: (id: number) => Promise<KeptScript | undefined>): Promise<void> {
    const task: Task = { clock, action: 'start', status: 'running', run: undefined, loaded: undefined };
    this.#tasks.set(id, task);
    const cached = this.#disk.scripts.get(id);
    const kept = cached ?? (await ask(id));
    if (!kept) return;
    if (kept.account === '') throw new Error('a script without an account');
    this.#disk.scripts.set(id, { ...kept, args: kept.args.trim(), stdin: kept.stdin.trim() });
    this.starts.push({ id, clock, script: kept.script });
    task.run = this.#scripts.start(id, kept, (status) => {
      if (task.status === 'running') task.status = status;
      const { stdout, stderr } = task.run ?? { stdout: new Uint8Array(), stderr: new Uint8Array() };
      if (this.#tasks.get(id) === task) this.#disk.done.set(`${id} ${task.clock}`, { status, stdout, stderr });
    });
  }
}
