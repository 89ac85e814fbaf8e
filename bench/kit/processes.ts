import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Api } from './api.js';
import { freePort } from '../../src/server/store/testing/mariadb-process.js';

const LAUNCHER = fileURLToPath(new URL('../../../ibex', import.meta.url));
const CLOCK_TICKS_PER_SECOND = 100;

export interface SystemOptions {
  /** a database section of server.conf; SQLite in the system's own folder if left out */
  readonly database?: string;
}

/** A server of this checkout, and agents if wanted, in a folder of their own. Ends all of it when disposed. */
export class System implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'ibex-bench-'));
  readonly api: Api;
  readonly rpcPort: number;
  readonly #children: ChildProcess[] = [];
  readonly #metaDirs: string[] = [];
  #server: ChildProcess | undefined;

  private constructor(httpPort: number, rpcPort: number, options: SystemOptions) {
    this.rpcPort = rpcPort;
    this.api = new Api(`http://127.0.0.1:${httpPort}`);
    const database = options.database ?? `[SQLite]\nPath = "${this.folder}/ibex.db"\n`;
    writeFileSync(
      join(this.folder, 'server.conf'),
      `[HTTP]\nHost = "127.0.0.1"\nPort = ${httpPort}\nPrintAccessLog = false\n[Log]\nLevel = "WARNING"\n` +
        `[BasicAuth]\nibex = "ibex"\n[RPC]\nListen = "127.0.0.1:${rpcPort}"\n${database}`,
    );
  }

  static async start(options: SystemOptions = {}): Promise<System> {
    const system = new System(await freePort(), await freePort(), options);
    await system.startServer();
    return system;
  }

  get serverPid(): number {
    return this.#server?.pid ?? 0;
  }

  async startServer(): Promise<void> {
    this.#server = this.#spawn('server', 'server.conf');
    await until('the server answers', async () => (await this.api.dat('GET', '/ibex/v1/hosts')) !== undefined);
  }

  async killServer(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const gone = once(server, 'exit');
    server.kill(signal);
    await gone;
  }

  /** Returns the agent's pids (link, executor) once it is connected. */
  async startAgent(host: string): Promise<readonly number[]> {
    const metaDir = join(this.folder, `meta-${host}`);
    mkdirSync(metaDir);
    this.#metaDirs.push(metaDir);
    writeFileSync(
      join(this.folder, `${host}.conf`),
      `MetaDir = "${metaDir}"\n[Heartbeat]\nServers = ["127.0.0.1:${this.rpcPort}"]\nHost = "${host}"\n`,
    );
    const before = await this.api.connected();
    const link = this.#spawn('agentd', `${host}.conf`);
    await until(`agent ${host}`, async () => (await this.api.connected()) > before);
    return [link.pid ?? 0, ...executorPids(metaDir)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    for (const pid of this.#metaDirs.flatMap(executorPids)) if (pid > 1) process.kill(pid, 'SIGTERM');
    await until('the executors are gone', () => Promise.resolve(this.#metaDirs.flatMap(executorPids).length === 0));
    this.api[Symbol.dispose]();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #spawn(role: string, config: string): ChildProcess {
    const log = openSync(join(this.folder, `${role}.log`), 'a');
    const child = spawn(LAUNCHER, [role, '-c', config], { cwd: this.folder, stdio: ['ignore', log, log] });
    this.#children.push(child);
    return child;
  }
}

/** Asks again every few ms until it holds; an answer that fails counts as no. Throws after two minutes. */
export async function until(what: string, holds: () => Promise<boolean>, everyMs = 5): Promise<void> {
  const limit = performance.now() + 120_000;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > limit) throw new Error(`waited in vain until ${what}`);
    await wait(everyMs);
  }
}

/** Pids of these processes and of all that they have started, at any depth. */
export function familyOf(pids: readonly number[]): number[] {
  const family = new Set(pids);
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parentOf = new Map(all.map((pid) => [Number(pid), statFields(pid)[1]]));
  for (let before = -1; before !== family.size;) {
    before = family.size;
    for (const [pid, parent] of parentOf) if (family.has(Number(parent))) family.add(pid);
  }
  return [...family];
}

/** Proportional set size, bytes: shared pages are counted by their share. 0 of a process that has gone. */
export function pssBytes(pid: number): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`));
  return Number(line?.[1] ?? 0) * 1_024;
}

export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1_024;
}

/** Files, sockets and the like that a process has open. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** CPU time used so far, seconds. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** The fields of a process in /proc, from its state on; none of one that has gone. */
function statFields(pid: number | string): readonly string[] {
  return readIfThere(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function executorPids(metaDir: string): number[] {
  const folder = join(metaDir, 'executor');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const entry: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      return typeof entry === 'object' && entry !== null && 'pid' in entry ? Number(entry.pid) : 0;
    });
}
