import { RpcClient } from './rpc-client.js';

type Kind = 'categraf' | 'agentd';

interface Assigned {
  readonly Id: number;
  readonly Clock: number;
  readonly Action: string;
}

interface Task {
  clock: number;
  action: string;
  /** '' while it runs, for an agentd; killing is never told */
  status: string;
  /** true while a process lives */
  process: boolean;
  started: boolean;
  stdout: string | Uint8Array;
  stderr: string;
}

interface OnDisk {
  readonly script: string;
  readonly done: Map<number, Pick<Task, 'status' | 'stdout' | 'stderr'>>;
}

/**
 * A legacy agent as it has been seen to behave, with scripts that end when the test says so, and beats when the test
 * says so. What would end a real Categraf is thrown.
 */
export class FaithfulAgent implements Disposable {
  readonly host: string;
  readonly kind: Kind;
  /** every start of a script, in order */
  readonly starts: { readonly id: number; readonly clock: number; readonly script: string }[] = [];
  /** the list of the last good answer */
  assigned: readonly Assigned[] = [];
  message = '';
  /** the connection breaks once, between the next list with a new task and the question for its script */
  breakBeforeScripts = false;
  #port: number;
  readonly #disk = new Map<number, OnDisk>();
  #memory = new Map<number, Task>();
  #client: RpcClient | undefined;

  constructor(host: string, port: number, kind: Kind = 'categraf') {
    this.host = host;
    this.#port = port;
    this.kind = kind;
  }

  /** One report and what follows from its answer. Connects first if it has to. */
  async beat(tasks: readonly object[] = this.report()): Promise<void> {
    this.#client ??= await RpcClient.open(this.#port);
    const answer = await this.#client.call('Server.Report', { Ident: this.host, ReportTasks: plain(tasks) });
    const { message, assigned } = reportAnswer(answer);
    this.message = message;
    if (message !== '') return;
    this.assigned = assigned;
    for (const entry of assigned) await this.#assign(entry);
    const listed = new Set(assigned.map(({ Id }) => Id));
    for (const [id, { status, process }] of this.#memory) {
      if (!listed.has(id) && !process && status !== 'running') this.#memory.delete(id);
    }
  }

  /** Beats until something is so, at most so often. */
  async beatUntil(what: string, isSo: () => boolean | Promise<boolean>, beats = 100): Promise<void> {
    for (let beat = 0; beat < beats; beat++) {
      if (await isSo()) return;
      await this.beat();
    }
    throw new Error(`${what} did not come about`);
  }

  /** What the next report would say. */
  report(): object[] {
    return [...this.#memory]
      .filter(([, { status }]) => status !== 'killing' && (this.kind === 'categraf' || status !== 'running'))
      .map(([Id, { clock, status, stdout, stderr }]) => ({
        Id,
        Clock: clock,
        Status: status,
        Stdout: stdout,
        Stderr: stderr,
      }));
  }

  runs(id: number): boolean {
    return this.#memory.get(id)?.process ?? false;
  }

  print(id: number, text: string): void {
    const task = this.#task(id);
    task.stdout = `${String(task.stdout)}${text}`;
  }

  /** The script ends by itself. */
  end(id: number, status = 'success', stdout?: string | Uint8Array): void {
    const task = this.#task(id);
    task.process = false;
    task.status = status;
    task.stdout = stdout ?? task.stdout;
    this.#disk.get(id)?.done.set(task.clock, { status, stdout: task.stdout, stderr: task.stderr });
  }

  /** A killed script of which only `su` has died prints on. */
  goOn(id: number, text: string): void {
    const task = this.#memory.get(id);
    if (task?.status !== 'killed') throw new Error(`${id} was not killed`);
    task.stdout = `${String(task.stdout)}${text}`;
  }

  /** From the next beat on it talks to another server. */
  moveTo(port: number): void {
    this.disconnect();
    this.#port = port;
  }

  async reconnectAndBeat(): Promise<void> {
    this.disconnect();
    await this.beat();
  }

  /** The connection breaks; the next beat makes a new one. */
  disconnect(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
  }

  /** The process is replaced: what it had in memory is gone, what is on its disk stays. */
  restart(): void {
    this.disconnect();
    this.#memory = new Map();
  }

  [Symbol.dispose](): void {
    this.disconnect();
  }

  #task(id: number): Task {
    const task = this.#memory.get(id);
    if (!task?.process) throw new Error(`${this.host} does not run ${id}`);
    return task;
  }

  async #break(): Promise<void> {
    this.breakBeforeScripts = false;
    this.disconnect();
    this.#client = await RpcClient.open(this.#port);
  }

  async #assign({ Id, Clock, Action }: Assigned): Promise<void> {
    const known = this.#memory.get(Id);
    if (known?.clock === Clock && known.action === Action) return;
    if (Action === 'kill') return this.#kill(known, Clock);
    if (!known) return await this.#start(Id, Clock);
    if (known.process) {
      known.clock = Clock;
      known.action = Action;
    } else if (!known.started) {
      await this.#start(Id, Clock);
    } else if (this.kind === 'categraf') {
      throw new Error(`a Categraf dies: ${Id} is started while it is remembered`);
    } else {
      await this.#start(Id, Clock);
    }
  }

  #kill(known: Task | undefined, clock: number): void {
    if (!known) return;
    if (!known.started) throw new Error(`the agent dies: a kill without a process`);
    known.clock = clock;
    known.action = 'kill';
    known.status = known.process ? 'killed' : 'killfailed';
    known.process = false;
  }

  async #start(id: number, clock: number): Promise<void> {
    const done = this.#disk.get(id)?.done.get(clock);
    const task: Task = {
      clock,
      action: 'start',
      status: 'running',
      process: false,
      started: false,
      stdout: '',
      stderr: '',
    };
    this.#memory.set(id, done ? { ...task, ...done } : task);
    if (done) return;
    if (!this.#disk.has(id)) {
      if (this.breakBeforeScripts) await this.#break();
      const meta = await this.#client?.call('Server.GetTaskMeta', id);
      const { message, script, account } = metaAnswer(meta);
      if (message !== '') return;
      if (account === '') throw new Error('a script without an account');
      this.#disk.set(id, { script, done: new Map() });
    }
    task.process = true;
    task.started = true;
    this.starts.push({ id, clock, script: this.#disk.get(id)?.script ?? '' });
  }
}

function plain(tasks: readonly object[]): readonly Record<string, string | number | Uint8Array>[] {
  return tasks.map((task) => Object.fromEntries(Object.entries(task)));
}

function reportAnswer(answer: unknown): { readonly message: string; readonly assigned: readonly Assigned[] } {
  const { Message, AssignTasks } = fields(answer);
  if (typeof Message !== 'string' || !Array.isArray(AssignTasks)) throw new Error('no answer to a report');
  const assigned = AssignTasks.map((entry: unknown) => {
    const { Id, Clock, Action } = fields(entry);
    if (typeof Id !== 'number' || typeof Clock !== 'number' || typeof Action !== 'string') throw new Error('no entry');
    return { Id, Clock, Action };
  });
  const ids = new Set(assigned.map(({ Id }) => Id));
  if (ids.size !== assigned.length) throw new Error('a Categraf dies: one id twice in an answer');
  return { message: Message, assigned };
}

function metaAnswer(answer: unknown): { readonly message: string; readonly script: string; readonly account: string } {
  const { Message, Script, Account } = fields(answer);
  if (typeof Message !== 'string' || typeof Script !== 'string' || typeof Account !== 'string') {
    throw new Error('no answer to GetTaskMeta');
  }
  return { message: Message, script: Script, account: Account };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('no struct');
  return Object.fromEntries(Object.entries(value));
}
