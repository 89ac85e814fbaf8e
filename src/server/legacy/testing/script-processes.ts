import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentScripts, KeptScript, ScriptRun } from './agent-scripts.js';

type Ended = (status: 'success' | 'failed' | 'killed') => void;

/**
 * Runs scripts as these agents do: written to a file, `sh -c` with quoted arguments, in a process group of their own. A
 * script of another account than root gets a session of its own besides, as under `su`, without changing the account.
 */
export class ScriptProcesses implements AgentScripts, Disposable {
  readonly #folder: string;
  readonly #runs = new Set<ProcessRun>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  start(id: number, kept: KeptScript, ended: Ended): ScriptRun {
    const folder = join(this.#folder, `${id}`);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'script');
    writeFileSync(file, kept.script);
    chmodSync(file, 0o700);
    const args = kept.args === '' ? [] : kept.args.split(',,').map((part) => `'${part}'`);
    const command = [file, ...args].join(' ');
    const run = new ProcessRun(kept.account === 'root' ? command : `setsid -w ${command}`, kept.stdin, ended);
    this.#runs.add(run);
    return run;
  }

  /** Ends what still runs. */
  [Symbol.dispose](): void {
    for (const run of this.#runs) run.kill();
  }
}

class ProcessRun implements ScriptRun {
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  #closed = false;

  constructor(command: string, stdin: string, ended: Ended) {
    this.#child = spawn('sh', ['-c', command], { detached: true, stdio: 'pipe' });
    this.#child.stdout?.on('data', (data: Buffer) => this.#stdout.push(data));
    this.#child.stderr?.on('data', (data: Buffer) => this.#stderr.push(data));
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(stdin);
    // Comes when nobody holds the script's output open any more, not when the script has ended.
    this.#child.on('close', (code, signal) => {
      this.#closed = true;
      if (signal === 'SIGKILL' || signal === 'SIGTERM') ended('killed');
      else ended(code === 0 ? 'success' : 'failed');
    });
  }

  get alive(): boolean {
    return !this.#closed;
  }

  get stdout(): Uint8Array {
    return Buffer.concat(this.#stdout);
  }

  get stderr(): Uint8Array {
    return Buffer.concat(this.#stderr);
  }

  kill(): boolean {
    const { pid } = this.#child;
    if (this.#closed || pid === undefined || pid <= 1) return false;
    try {
      process.kill(-pid, 'SIGKILL');
      return true;
    } catch {
      return false;
    }
  }
}
