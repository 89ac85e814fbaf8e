import { AgentDisk, AgentMemory, type Assigned, type LegacyAgentKind } from './agent-memory.js';
import { ManualScripts, type KeptScript, type ManualRun } from './agent-scripts.js';
import { metaOf, reportAnswerOf } from './rpc-answers.js';
import { RpcClient } from './rpc-client.js';

/**
 * A legacy agent as it has been seen to behave, with scripts that end when the test says so, and beats when the test
 * says so. What would end a real one is thrown.
 */
export class FaithfulAgent implements Disposable {
  readonly host: string;
  readonly kind: LegacyAgentKind;
  /** the list of the last good answer */
  assigned: readonly Assigned[] = [];
  message = '';
  /** once: 'before', the connection breaks between a list and the question for a script; 'after', before its answer */
  breakAtScript: 'before' | 'after' | undefined;
  #port: number;
  readonly #disk: AgentDisk;
  readonly #scripts = new ManualScripts();
  readonly #memories: AgentMemory[] = [];
  #memory: AgentMemory;
  #client: RpcClient | undefined;

  constructor(host: string, port: number, kind: LegacyAgentKind = 'categraf', disk = new AgentDisk()) {
    this.host = host;
    this.#port = port;
    this.kind = kind;
    this.#disk = disk;
    this.#memory = this.#newMemory();
  }

  /** every start of a script, in order */
  get starts(): readonly { readonly id: number; readonly clock: number; readonly script: string }[] {
    return this.#memories.flatMap(({ starts }) => starts);
  }

  /**
   * One report and what follows from its answer, `beforeScripts` before the first script is asked for. Connects first if
   * it has to, after the report was put together.
   */
  async beat(tasks: readonly object[] = this.report(), beforeScripts?: () => Promise<void>): Promise<void> {
    const client = (this.#client ??= await RpcClient.open(this.#port));
    const answer = await client.call('Server.Report', { Ident: this.host, ReportTasks: plain(tasks) });
    const { message, assigned } = reportAnswerOf(answer);
    this.message = message;
    if (message !== '') return;
    this.assigned = assigned;
    let before = beforeScripts;
    await this.#memory.take(assigned, async (id) => {
      if (!before) return await this.#ask(id);
      await before();
      before = undefined;
      // Asked on the connection that is gone.
      return undefined;
    });
  }

  /** Beats until something is so, at most so often. */
  async beatUntil(what: string, isSo: () => boolean | Promise<boolean>, beats = 100): Promise<void> {
    for (let beat = 0; beat < beats; beat++) {
      if (await isSo()) return;
      await this.beat();
    }
    throw new Error(`${what} did not come about`);
  }

  /** The tasks of the next report. */
  report(): object[] {
    return this.#memory.report();
  }

  runs(id: number): boolean {
    return this.#memory.runs(id);
  }

  print(id: number, text: string): void {
    this.#live(id).print(text);
  }

  /** The script ends by itself. */
  end(id: number, status: 'success' | 'failed' = 'success', stdout: string | Uint8Array = ''): void {
    const run = this.#live(id);
    run.print(stdout);
    run.end(status);
  }

  /** A killed script of which only `su` has died prints on. */
  goOn(id: number, text: string): void {
    this.#scripts.of(id).print(text);
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
    this.#memory.die();
    this.#memory = this.#newMemory();
  }

  [Symbol.dispose](): void {
    this.disconnect();
  }

  #newMemory(): AgentMemory {
    const memory = new AgentMemory(this.kind, this.#disk, this.#scripts);
    this.#memories.push(memory);
    return memory;
  }

  #live(id: number): ManualRun {
    if (!this.runs(id)) throw new Error(`${this.host} does not run ${id}`);
    return this.#scripts.of(id);
  }

  async #ask(id: number): Promise<KeptScript | undefined> {
    const broken = this.breakAtScript;
    this.breakAtScript = undefined;
    if (broken === 'before') this.disconnect();
    const client = (this.#client ??= await RpcClient.open(this.#port));
    const meta = metaOf(await client.call('Server.GetTaskMeta', id));
    if (broken !== 'after') return meta;
    // The server has answered, and the answer is lost.
    this.disconnect();
    return undefined;
  }
}

function plain(tasks: readonly object[]): readonly Record<string, string | number | Uint8Array>[] {
  return tasks.map((task) => Object.fromEntries(Object.entries(task)));
}
