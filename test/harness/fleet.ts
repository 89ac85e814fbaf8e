import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/start/ports.js';
import { endExecutors } from '../../scripts/start/processes.js';
import { Api } from './api.ts';
import { IbexProcess } from './ibex-process.ts';
import { TestMysql } from './test-mysql.ts';
import { waitFor } from './wait-for.ts';

export interface FleetServer {
  readonly api: Api;
  readonly url: string;
  readonly rpcPort: number;
  readonly config: string;
  process: IbexProcess;
}

interface FleetAgent {
  readonly metaDir: string;
  readonly process: IbexProcess;
}

/** Several `ibex server` on one database, and agents that know all of them: real processes from the launcher. */
export class Fleet implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'ibex-fleet-'));
  readonly servers: FleetServer[] = [];
  readonly #agents: FleetAgent[] = [];
  readonly #ended: IbexProcess[] = [];

  static async open(database: TestMysql, servers: number, hosts: readonly string[]): Promise<Fleet> {
    const fleet = new Fleet();
    try {
      for (let number = 0; number < servers; number++) await fleet.#addServer(number, database.config);
      await Promise.all(hosts.map((host) => fleet.addAgent(host)));
      for (const { api } of fleet.servers) {
        await waitFor('the agents', async () => (await api.connectedHosts()).length === hosts.length);
      }
      return fleet;
    } catch (error) {
      console.error(fleet.logs());
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  server(number: number): FleetServer {
    const server = this.servers[number];
    if (!server) throw new Error(`no server ${number}`);
    return server;
  }

  /** Starts a server that has ended; resolves once it answers. */
  async startAgain(number: number): Promise<void> {
    const server = this.server(number);
    this.#ended.push(server.process);
    server.process = await this.#start(server.config, server.url);
  }

  /** An agent that keeps a session with these servers, or with all of them. */
  async addAgent(host: string, servers: readonly FleetServer[] = this.servers): Promise<void> {
    const metaDir = join(this.folder, `meta-${host}`);
    const list = servers.map(({ rpcPort }) => `"127.0.0.1:${rpcPort}"`).join(', ');
    const config = join(this.folder, `agentd-${host}.conf`);
    writeFileSync(config, `MetaDir = "${metaDir}"\n[Heartbeat]\nServers = [${list}]\nHost = "${host}"\n`);
    const agent = new IbexProcess(['agentd', '-c', config], { cwd: this.folder });
    this.#agents.push({ metaDir, process: agent });
    for (const { api } of servers) {
      await waitFor(`agent ${host}`, async () => (await api.connectedHosts()).includes(host));
    }
  }

  /** What the processes logged last, for a failure's message. */
  logs(): string {
    const all = [...this.servers.map(({ process }) => process), ...this.#agents.map(({ process }) => process)];
    return [...this.#ended, ...all]
      .map((one) => `--- pid ${one.pid}\n${`${one.stdout.toString()}${one.stderr}`.split('\n').slice(-60).join('\n')}`)
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#agents) await process.end();
    for (const { metaDir } of this.#agents) await endExecutors(metaDir);
    for (const { process } of this.servers) {
      // It may be stopped.
      if (process.running) process.child.kill('SIGCONT');
      await process.end();
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #addServer(number: number, database: string): Promise<void> {
    const [httpPort, rpcPort] = [await freePort(0), await freePort(0)];
    const config = join(this.folder, `server-${number}.conf`);
    writeFileSync(
      config,
      `[HTTP]\nHost = "127.0.0.1"\nPort = ${httpPort}\nPrintAccessLog = false\n[BasicAuth]\nibex = "ibex"\n` +
        `[RPC]\nListen = "127.0.0.1:${rpcPort}"\n[Heartbeat]\nIP = "127.0.0.1"\n${database}`,
    );
    const url = `http://127.0.0.1:${httpPort}`;
    this.servers.push({ api: new Api(url), url, rpcPort, config, process: await this.#start(config, url) });
  }

  async #start(config: string, url: string): Promise<IbexProcess> {
    const server = new IbexProcess(['server', '-c', config], { cwd: this.folder });
    await waitFor('a server', async () => {
      if (!server.running) throw new Error(`the server ended: ${server.stdout.toString()}${server.stderr}`);
      return (await fetch(`${url}/healthz`).catch(() => undefined))?.ok;
    });
    return server;
  }
}

/** So many servers on a database of their own, with agents on these hosts; all of it ends with the run. */
export async function withFleet(
  servers: number,
  hosts: readonly string[],
  run: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  const database = await TestMysql.open();
  let fleet: Fleet | undefined;
  try {
    fleet = await Fleet.open(database, servers, hosts);
    await run(fleet);
  } catch (error) {
    if (fleet) console.error(fleet.logs());
    throw error;
  } finally {
    await fleet?.[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  }
}
