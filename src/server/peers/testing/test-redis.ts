import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../store/testing/mariadb-process.js';

const MISSING = 'no redis-server here; get one with: apt-get install -y redis-server';

/** A Redis of the test's own, on a free port of the loopback address; it keeps nothing. */
export class RedisProcess implements AsyncDisposable {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ibex-redis-'));
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<RedisProcess> {
    const redis = new RedisProcess(await freePort());
    await redis.begin();
    return redis;
  }

  /** Starts it (again); resolves when it answers. */
  async begin(): Promise<void> {
    const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.#folder];
    const child = spawn('redis-server', ['--port', `${this.port}`, ...options], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#process = child;
    await once(child, 'spawn');
    for await (const line of createInterface({ input: child.stdout })) {
      if (!/ready to accept connections/i.test(line)) continue;
      child.stdout.resume();
      return;
    }
    throw new Error('redis-server did not start');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Why Redis can't be tested here; false where it can. With CI=true it is an error if it can't. */
export async function redisMissing(): Promise<string | false> {
  const probe = spawn('redis-server', ['--version'], { stdio: 'ignore' });
  const there = await new Promise<boolean>((resolve) => {
    probe.once('spawn', () => resolve(true));
    probe.once('error', () => resolve(false));
  });
  if (there) return false;
  if (process.env['CI'] === 'true') throw new Error(MISSING);
  return MISSING;
}
