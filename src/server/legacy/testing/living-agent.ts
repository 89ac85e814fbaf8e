import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AgentDies, AgentDisk, AgentMemory, type LegacyAgentKind } from './agent-memory.js';
import type { AgentScripts, KeptScript } from './agent-scripts.js';
import { metaOf, reportAnswerOf } from './rpc-answers.js';
import { RpcClient } from './rpc-client.js';
import { ScriptProcesses } from './script-processes.js';

export interface LivingAgentOptions {
  readonly kind?: LegacyAgentKind;
  /** from the end of one report to the next, ms */
  readonly intervalMs?: number;
  /** between two searches for a server, ms */
  readonly searchPauseMs?: number;
  /** real processes by default */
  readonly scripts?: AgentScripts;
}

/** After that an agent leaves the connection, ms. */
const CALL_WITHIN_MS = 5_000;

/**
 * A legacy agent that lives by itself, in real time, and runs real scripts: one connection to whichever server answers
 * fastest, a report each interval, a script asked for once and kept. What would end a real one is kept in `died`.
 */
export class LivingAgent implements AsyncDisposable {
  readonly host: string;
  /** servers, in the order they are tried */
  ports: number[];
  died: AgentDies | undefined;
  /** good answers so far */
  beats = 0;
  /** true between the moment a report is put together and the end of what follows from its answer */
  reporting = false;
  readonly kind: LegacyAgentKind;
  readonly #intervalMs: number;
  readonly #searchPauseMs: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'legacy-agent-'));
  readonly #disk = new AgentDisk();
  readonly #processes = new ScriptProcesses(this.#folder);
  readonly #scripts: AgentScripts;
  #memory!: AgentMemory;
  #client: RpcClient | undefined;
  #life = new AbortController();
  #living: Promise<void> = Promise.resolve();

  constructor(host: string, ports: number[], options: LivingAgentOptions = {}) {
    this.host = host;
    this.ports = ports;
    this.kind = options.kind ?? 'categraf';
    this.#intervalMs = options.intervalMs ?? 1_000;
    this.#searchPauseMs = options.searchPauseMs ?? 10_000;
    this.#scripts = options.scripts ?? this.#processes;
    this.#begin();
  }

  /** Starts of scripts by this process of the agent. */
  get starts(): AgentMemory['starts'] {
    return this.#memory.starts;
  }

  /** kill -9 of the agent, and its restart. Its scripts go on without it. */
  async restart(): Promise<void> {
    await this.#stop();
    this.#memory.die();
    this.#begin();
  }

  /** The network between the agent and its server fails once. */
  disconnect(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    this.#processes[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #begin(): void {
    this.#life = new AbortController();
    this.#memory = new AgentMemory(this.kind, this.#disk, this.#scripts);
    this.#living = this.#live(this.#life.signal).catch((error: unknown) => {
      if (error instanceof AgentDies) this.died = error;
      else if (!this.#life.signal.aborted) throw error;
    });
  }

  async #stop(): Promise<void> {
    this.#life.abort();
    this.disconnect();
    await this.#living;
    // It may have been about to connect.
    this.disconnect();
  }

  async #live(life: AbortSignal): Promise<void> {
    for (;;) {
      this.reporting = true;
      try {
        await this.#beat(life);
      } catch (error) {
        if (error instanceof AgentDies) throw error;
        this.disconnect();
      } finally {
        this.reporting = false;
      }
      await wait(this.#intervalMs, undefined, { signal: life });
    }
  }

  async #beat(life: AbortSignal): Promise<void> {
    const ReportTasks = this.#memory.report();
    const { message, assigned } = reportAnswerOf(
      await this.#call(life, 'Server.Report', { Ident: this.host, ReportTasks }),
    );
    if (message !== '') return;
    await this.#memory.take(assigned, (id) => this.#ask(life, id));
    this.beats++;
  }

  async #ask(life: AbortSignal, id: number): Promise<KeptScript | undefined> {
    try {
      return metaOf(await this.#call(life, 'Server.GetTaskMeta', id));
    } catch {
      this.disconnect();
      return undefined;
    }
  }

  async #call(life: AbortSignal, method: string, param: Parameters<RpcClient['call']>[1]): Promise<unknown> {
    const client = (this.#client ??= await this.#search(life));
    return await Promise.race([
      client.call(method, param),
      wait(CALL_WITHIN_MS, undefined, { ref: false }).then(() => {
        throw new Error('no answer in five seconds');
      }),
    ]);
  }

  async #search(life: AbortSignal): Promise<RpcClient> {
    for (;;) {
      let best: { readonly client: RpcClient; readonly tookMs: number } | undefined;
      for (const port of this.ports) {
        const began = performance.now();
        const client = await RpcClient.open(port).catch(() => undefined);
        const tookMs = performance.now() - began;
        if (client && best && best.tookMs <= tookMs) client[Symbol.dispose]();
        else if (client) {
          best?.client[Symbol.dispose]();
          best = { client, tookMs };
        }
      }
      if (best) return best.client;
      await wait(this.#searchPauseMs, undefined, { signal: life });
    }
  }
}
