import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/start/ports.js';
import { endExecutors } from '../../scripts/start/processes.js';
import { Api } from './api.ts';
import { IbexProcess, type Ended } from './ibex-process.ts';
import { waitFor } from './wait-for.ts';

const LOG_TAIL_LINES = 60;
const STOP_TIMEOUT_MS = 30_000;

/** Further lines of server.conf. */
export interface ServerSettings {
  readonly http?: string;
  readonly rpc?: string;
  /** whole tables that name the database, in place of an SQLite file */
  readonly database?: string;
}

export interface AgentSettings {
  /** in place of this world's server */
  readonly servers?: readonly string[];
  /** lines of [Policy] */
  readonly policy?: string;
  /** what a shell does before it becomes the agent, such as `ulimit -Sn 100` */
  readonly before?: string;
}

interface Agent {
  process: IbexProcess;
  readonly config: string;
  readonly metaDir: string;
}

/**
 * One `ibex server` and any number of `ibex agentd`, real processes from the launcher on free ports and a temporary
 * folder. `close` ends all of it, executors and their scripts too.
 */
export class World {
  readonly folder: string;
  readonly url: string;
  readonly api: Api;
  readonly rpcPort: number;
  readonly #serverConfig: string;
  readonly #agents = new Map<string, Agent>();
  readonly #ended: IbexProcess[] = [];
  #server: IbexProcess | undefined;

  private constructor(folder: string, httpPort: number, rpcPort: number, settings: ServerSettings) {
    this.folder = folder;
    this.rpcPort = rpcPort;
    this.url = `http://127.0.0.1:${httpPort}`;
    this.api = new Api(this.url);
    this.#serverConfig = this.write(
      'server.conf',
      `[HTTP]\nHost = "127.0.0.1"\nPort = ${httpPort}\n${settings.http ?? ''}\n[BasicAuth]\nibex = "ibex"\n` +
        `[RPC]\nListen = "127.0.0.1:${rpcPort}"\n${settings.rpc ?? ''}\n` +
        `${settings.database ?? `[SQLite]\nPath = "${folder}/ibex.db"`}\n`,
    );
  }

  /** A server, and an agent for each of these hosts, all connected. */
  static async open(...hosts: readonly string[]): Promise<World> {
    const world = await World.openServer();
    try {
      await Promise.all(hosts.map((host) => world.startAgent(host)));
    } catch (error) {
      console.error(world.logs());
      await world.close();
      throw error;
    }
    return world;
  }

  /** A server without agents. */
  static async openServer(settings: ServerSettings = {}): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'ibex-test-'));
    const world = new World(folder, await freePort(0), await freePort(0), settings);
    try {
      await world.startServer();
    } catch (error) {
      console.error(world.logs());
      await world.close();
      throw error;
    }
    return world;
  }

  get server(): IbexProcess {
    if (!this.#server) throw new Error('no server');
    return this.#server;
  }

  /** Starts the server, again too, and resolves once it answers. */
  async startServer(): Promise<void> {
    const server = new IbexProcess(['server', '-c', this.#serverConfig], { cwd: this.folder });
    if (this.#server) this.#ended.push(this.#server);
    this.#server = server;
    await waitFor('the server', async () => {
      if (!server.running) throw new Error('the server ended');
      return (await fetch(`${this.url}/healthz`).catch(() => undefined))?.ok;
    });
  }

  agent(host: string): IbexProcess {
    return this.#agentOf(host).process;
  }

  metaDir(host: string): string {
    return this.#agentOf(host).metaDir;
  }

  /** Starts a host's agent, again too, and resolves once the server knows it as connected. */
  async startAgent(host: string, settings: AgentSettings = {}): Promise<void> {
    const known = this.#agents.get(host);
    const { servers = [`127.0.0.1:${this.rpcPort}`], policy = '', before } = settings;
    const metaDir = known?.metaDir ?? join(this.folder, `meta-${host}`);
    const heartbeat = `[Heartbeat]\nServers = ${JSON.stringify(servers)}\nHost = "${host}"\n`;
    const config = this.write(`agentd-${host}.conf`, `MetaDir = "${metaDir}"\n${heartbeat}[Policy]\n${policy}\n`);
    const agent = new IbexProcess(['agentd', '-c', config], { cwd: this.folder, before });
    if (known) this.#ended.push(known.process);
    this.#agents.set(host, { process: agent, config, metaDir });
    await waitFor(`agent ${host}`, async () => {
      if (!agent.running) throw new Error(`agent ${host} ended`);
      return (await this.api.connectedHosts()).includes(host);
    });
  }

  /** Runs one of the operator's commands against this server, to its end. */
  async ibex(...args: readonly string[]): Promise<Ended> {
    return await this.start(...args).ended;
  }

  start(...args: readonly string[]): IbexProcess {
    return new IbexProcess(args, { env: { IBEX_URL: this.url } });
  }

  /** A file in the world's folder; returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** What the processes logged last, for a failure's message. */
  logs(): string {
    const named: (readonly [string, IbexProcess])[] = [
      ...this.#ended.map((process) => ['an earlier process', process] as const),
      ...(this.#server ? [['server', this.#server] as const] : []),
      ...[...this.#agents].map(([host, agent]) => [`agent ${host}`, agent.process] as const),
    ];
    return named
      .map(([name, process]) => {
        const lines = `${process.stdout.toString()}${process.stderr}`.trimEnd().split('\n').slice(-LOG_TAIL_LINES);
        return `--- ${name} (pid ${process.pid}${process.running ? '' : ', ended'})\n${lines.join('\n')}`;
      })
      .join('\n');
  }

  async close(): Promise<void> {
    // Agents first, then the executors that they would start again.
    for (const agent of this.#agents.values()) await stop(agent.process);
    for (const agent of this.#agents.values()) await endExecutors(agent.metaDir);
    if (this.#server) await stop(this.#server);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #agentOf(host: string): Agent {
    const agent = this.#agents.get(host);
    if (!agent) throw new Error(`no agent ${host}`);
    return agent;
  }
}

async function stop(process: IbexProcess): Promise<void> {
  const timer = setTimeout(() => process.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await process.end();
  clearTimeout(timer);
}
