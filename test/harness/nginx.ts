import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

// Debian keeps it where only root's PATH looks.
const PROGRAM = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).status === 0);

export const nginxInstalled = PROGRAM !== undefined;

/** An nginx of the test's own: one process, its own folder, ports of the loopback address. */
export class Nginx implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** `http`: what stands in the http block. `port`: one that it listens on. */
  static async start(http: string, port: number): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'ibex-nginx-'));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (what) => `${what}_temp_path ${folder}/${what};`,
    );
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off;\nmaster_process off;\npid ${folder}/pid;\nerror_log stderr warn;\nevents {}\n` +
        `http {\naccess_log off;\n${temporary.join('\n')}\n${http}\n}\n`,
    );
    const nginx = new Nginx(folder, port);
    await nginx.begin();
    return nginx;
  }

  /** Starts it, again too. */
  async begin(): Promise<void> {
    const child = spawn(PROGRAM ?? 'nginx', ['-p', this.#folder, '-c', 'nginx.conf', '-e', 'stderr'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.#process = child;
    await waitFor('nginx', async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
      const socket = connect(this.#port, '127.0.0.1');
      const connected = await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
      socket.destroy();
      return connected?.length === 0;
    });
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
