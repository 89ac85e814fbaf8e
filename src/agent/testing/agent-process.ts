import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findExecutors } from '../runs/executor-entry.js';
import { isProcessAlive, signalProcess } from '../runs/process-identity.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const GONE_MS = 10_000;

/** A real agentd with a MetaDir of its own. Disposing it ends its executor and scripts too. */
export class AgentProcess implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'ibex-agent-test-'));
  readonly metaDir = join(this.folder, 'meta');
  readonly #child: ChildProcess;
  readonly #said: Buffer[] = [];

  /** `heartbeat`: further keys of [Heartbeat]. */
  constructor(servers: readonly string[], heartbeat = 'Host = "web-01"') {
    const config = join(this.folder, 'agentd.conf');
    writeFileSync(
      config,
      `MetaDir = "${this.metaDir}"\n[Heartbeat]\nServers = ${JSON.stringify(servers)}\n${heartbeat}\n`,
    );
    this.#child = spawn(process.execPath, [MAIN, 'agentd', '-c', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.folder,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data: Buffer) => this.#said.push(data));
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  log(): string {
    return Buffer.concat(this.#said).toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#child.exitCode === null && this.#child.signalCode === null;
    if (running) this.#child.kill('SIGTERM');
    if (running) await once(this.#child, 'exit');
    const untilMs = performance.now() + GONE_MS;
    for (const executor of findExecutors(this.metaDir)) {
      signalProcess(executor, 'SIGTERM');
      while (isProcessAlive(executor) && performance.now() < untilMs) await wait(20);
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
