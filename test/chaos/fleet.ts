import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../scripts/start/ports.js';
import { endExecutors, executors, isAlive } from '../../scripts/start/processes.js';
import { Api } from '../harness/api.ts';
import { IbexProcess } from '../harness/ibex-process.ts';
import type { Database } from './database.ts';
import { SmallDisk } from './small-disk.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

const KILL_GRACE_MS = 700;
const RESTART_MS = 500;
const ANSWER_MS = 1_000;
const LOG_TAIL_BYTES = 6_000;

interface Agent {
  readonly config: string;
  readonly metaDir: string;
  process: IbexProcess | undefined;
}

/** A server and agents that may be killed at any time, with a proxy between them whose connections may be cut. */
export class Fleet implements AsyncDisposable {
  readonly folder: string;
  /** what servers and agents have said, each in a file of its own */
  readonly logFolder: string;
  readonly url: string;
  readonly api: Api;
  readonly hosts: readonly [string, ...string[]];
  readonly journal: string;
  /** the MetaDir of the first host lies on it */
  readonly disk: SmallDisk | undefined;
  readonly database: Database;
  readonly #serverConfig: string;
  readonly #proxy: TcpProxy;
  readonly #agents: ReadonlyMap<string, Agent>;
  #server: IbexProcess | undefined;
  #killedInStart = true;
  #logs = '';
  /** of processes that nobody had killed */
  readonly crashes: string[] = [];
  #closed = false;

  private constructor(
    folder: string,
    httpPort: number,
    proxy: TcpProxy,
    serverConfig: string,
    hosts: Fleet['hosts'],
    database: Database,
  ) {
    this.folder = folder;
    this.logFolder = join(folder, 'logs');
    mkdirSync(this.logFolder);
    this.url = `http://127.0.0.1:${httpPort}`;
    this.api = new Api(this.url);
    this.hosts = hosts;
    this.journal = join(folder, 'journal');
    this.#proxy = proxy;
    this.database = database;
    this.#serverConfig = serverConfig;
    this.disk = SmallDisk.mount(join(folder, 'disk'));
    this.#agents = new Map(hosts.map((host, i) => [host, this.#newAgent(host, i)]));
  }

  /** The database stays its opener's to dispose. */
  static async open(agents: number, database: Database): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'ibex-chaos-'));
    const [httpPort, rpcPort] = [await freePort(0), await freePort(0)];
    const config = join(folder, 'server.conf');
    writeFileSync(
      config,
      `[HTTP]\nHost = "127.0.0.1"\nPort = ${httpPort}\n[BasicAuth]\nibex = "ibex"\n` +
        `[RPC]\nListen = "127.0.0.1:${rpcPort}"\n${database.config(folder)}`,
    );
    const name = (i: number): string => `${folder.slice(-6)}-${i}`;
    const hosts = [name(0), ...Array.from({ length: agents - 1 }, (_, i) => name(i + 1))] as const;
    const fleet = new Fleet(folder, httpPort, await TcpProxy.to(rpcPort), config, [...hosts], database);
    fleet.startServer();
    for (const host of hosts) fleet.startAgent(host);
    return fleet;
  }

  startServer(): void {
    if (this.#closed || this.#server?.running) return;
    this.#server = this.#start('server', this.#serverConfig);
  }

  /**
   * False, and nothing done, where it has not answered since it was killed during a start: on a busy machine it would
   * never come to answer.
   */
  async killServer(): Promise<boolean> {
    const answered = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(
      () => undefined,
    );
    const isUp = answered !== undefined;
    if (!isUp && this.#killedInStart) return false;
    this.#killedInStart = !isUp;
    await this.#server?.end('SIGKILL');
    return true;
  }

  startAgent(host: string): void {
    const agent = this.#agent(host);
    if (this.#closed || agent.process?.running) return;
    agent.process = this.#start('agentd', agent.config);
  }

  async killLink(host: string): Promise<void> {
    await this.#agent(host).process?.end('SIGKILL');
  }

  /** False if there was none to kill. */
  killExecutor(host: string): boolean {
    const found = executors(this.metaDir(host)).filter(isAlive);
    for (const { pid } of found) process.kill(pid, 'SIGKILL');
    return found.length > 0;
  }

  cutConnections(): void {
    this.#proxy.cut();
  }

  /** Every second host's scripts print to a pipe. */
  hasTerminal(host: string): boolean {
    return this.hosts.indexOf(host) % 2 === 0;
  }

  runFolder(host: string, run: string): string {
    return join(this.metaDir(host), 'runs', run);
  }

  metaDir(host: string): string {
    return this.#agent(host).metaDir;
  }

  /** Names of the processes that should run and don't. */
  ended(): string[] {
    const agents = this.hosts.filter((host) => !this.#agent(host).process?.running).map((host) => `agent ${host}`);
    return this.#server?.running ? agents : ['server', ...agents];
  }

  /** What the processes wrote last. */
  logs(): string {
    const current = [...this.#agents].map(([host, { process }]) => [`agent ${host}`, process] as const);
    const executorLogs = this.hosts.map((host) => {
      const path = join(this.metaDir(host), 'executor.log');
      return existsSync(path) ? `--- executors of ${host}\n${readFileSync(path, 'utf8').slice(-LOG_TAIL_BYTES)}` : '';
    });
    return [['server', this.#server] as const, ...current].reduce(
      (text, [name, process]) =>
        `${text}--- ${name}\n${`${process?.stdout.toString() ?? ''}${process?.stderr ?? ''}`.slice(-LOG_TAIL_BYTES)}\n`,
      `${this.#logs}${executorLogs.join('')}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { process, metaDir } of this.#agents.values()) {
      await process?.end('SIGKILL');
      await endExecutors(metaDir);
    }
    await this.#server?.end('SIGKILL');
    await this.#proxy[Symbol.asyncDispose]();
    this.disk?.[Symbol.dispose]();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #newAgent(host: string, position: number): Agent {
    const metaDir = join(position === 0 && this.disk ? this.disk.path : this.folder, `meta-${host}`);
    mkdirSync(metaDir);
    const config = join(this.folder, `agentd-${host}.conf`);
    writeFileSync(
      config,
      `MetaDir = "${metaDir}"\n[Heartbeat]\nInterval = 250\nServers = ["127.0.0.1:${this.#proxy.port}"]\n` +
        `Host = "${host}"\n[Policy]\nKillGrace = ${KILL_GRACE_MS}\nTerminal = ${this.hasTerminal(host)}\n`,
    );
    return { config, metaDir, process: undefined };
  }

  #agent(host: string): Agent {
    const agent = this.#agents.get(host);
    if (!agent) throw new Error(`no agent ${host}`);
    return agent;
  }

  #start(role: string, config: string): IbexProcess {
    const started = new IbexProcess([role, '-c', config], { cwd: this.folder });
    const log = createWriteStream(join(this.logFolder, `${basename(config, '.conf')}.log`), { flags: 'a' });
    for (const stream of [started.child.stdout, started.child.stderr]) stream?.pipe(log, { end: false });
    void started.ended.then(() => log.end());
    void this.#noteEnd(role, started);
    return started;
  }

  /** One that ends by itself says why, and is started again as a service manager would; a killed one is not. */
  async #noteEnd(role: string, started: IbexProcess): Promise<void> {
    const { code, stdout, stderr } = await started.ended;
    if (code < 0 || this.#closed) return;
    const said = `${stdout.toString()}${stderr}`;
    this.#logs += `--- ${role}, exit ${code}\n${said.slice(-LOG_TAIL_BYTES)}\n`;
    this.crashes.push(`${role} has ended by itself with ${code}: ${said.trim().split('\n').at(-1) ?? ''}`);
    await sleep(RESTART_MS);
    this.startServer();
    for (const [host, agent] of this.#agents) if (agent.process === started) this.startAgent(host);
  }
}
