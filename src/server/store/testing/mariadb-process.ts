import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** A MariaDB of the test's own, on a temporary folder and a free port of the loopback address. root has no password. */
export class MariadbProcess implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, options: readonly string[]) {
    this.#folder = folder;
    this.#options = options;
    this.port = port;
  }

  static installed(): boolean {
    return program('mariadbd') !== undefined && program('mariadb-install-db') !== undefined;
  }

  /** `options`: of the server's own, such as --max-connections=10 */
  static async start(...options: readonly string[]): Promise<MariadbProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'ibex-mariadb-'));
    const server = new MariadbProcess(folder, await freePort(), options);
    try {
      server.#install();
      await server.begin();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts it (again) on the same data; resolves when it answers. */
  async begin(): Promise<void> {
    const child = spawn(
      program('mariadbd') ?? 'mariadbd',
      [
        '--no-defaults',
        ...asRoot(),
        `--datadir=${this.#dataFolder}`,
        // At its start it deletes the temporary tables it finds there: another server's, in a shared folder.
        `--tmpdir=${this.#folder}`,
        `--socket=${join(this.#folder, 'sock')}`,
        `--pid-file=${join(this.#folder, 'pid')}`,
        '--bind-address=127.0.0.1',
        `--port=${this.port}`,
        '--innodb-buffer-pool-size=32M',
        ...this.#options,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#process = child;
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      if (!line.includes('ready for connections')) continue;
      child.stderr.resume();
      return;
    }
    throw new Error(`mariadbd did not start: ${said.slice(-5).join(' / ')}`);
  }

  /** SIGKILL ends it without a word, SIGTERM in good order, SIGSTOP and SIGCONT hold it. Resolves when that is done. */
  async signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ends = signal === 'SIGKILL' || signal === 'SIGTERM';
    const ended = ends ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
    // The signal is taken by one thread after another, and any of them may still answer.
    if (signal !== 'SIGSTOP') return;
    while (!hasStopped(child.pid ?? 0)) await new Promise((done) => setImmediate(done));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.signal('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #dataFolder(): string {
    return join(this.#folder, 'data');
  }

  #install(): void {
    const { status, stderr } = spawnSync(
      program('mariadb-install-db') ?? 'mariadb-install-db',
      [
        '--no-defaults',
        ...asRoot(),
        `--datadir=${this.#dataFolder}`,
        `--tmpdir=${this.#folder}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`mariadb-install-db failed: ${stderr}`);
  }
}

/** Debian keeps the server itself where only root's PATH looks. */
function program(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function hasStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  });
}

/** mariadbd runs as root only when told so. */
function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/**
 * A port of the loopback address that nobody has at this moment. It is here because the system's tests run this file as
 * it stands, and could not find one beside it.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
