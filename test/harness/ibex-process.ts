import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The launcher at the root of the checkout. */
export const launcher = fileURLToPath(new URL('../../ibex', import.meta.url));

export interface Ended {
  /** 128 + signal where a signal ended it */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** what a shell does before it becomes the program */
  readonly before?: string | undefined;
}

/** A program that a test started from the launcher, with all it has written so far. */
export class IbexProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];

  constructor(args: readonly string[], options: ProcessOptions = {}) {
    const { before } = options;
    const command = before === undefined ? [launcher] : ['/bin/sh', '-c', `${before}\nexec "$0" "$@"`, launcher];
    const [file = launcher, ...words] = command;
    this.child = spawn(file, [...words, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.child.stdout?.on('data', (data: Buffer) => this.#stdout.push(data));
    this.child.stderr?.on('data', (data: Buffer) => this.#stderr.push(data));
    this.ended = once(this.child, 'close').then(([code]: unknown[]) => ({
      code: typeof code === 'number' ? code : -1,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error('was not started');
    return pid;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** Sends a signal and resolves once it has ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (this.running) this.child.kill(signal);
    return await this.ended;
  }
}
