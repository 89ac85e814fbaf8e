import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './processes.js';

interface Tally {
  readonly ready: number;
  readonly assigned: number;
  readonly acknowledged: number;
}

/** Agents speak our protocol, or the msgpack RPC of Categraf and the Go agentd. */
type EmulatedKind = 'ibex' | 'legacy';

/** Emulated agents in a process of their own, so that the server's figures are the server's. */
export class Emulator implements Disposable {
  readonly count: number;
  readonly #child: ChildProcess;
  #tally: Tally = { ready: 0, assigned: 0, acknowledged: 0 };

  private constructor(port: number, count: number, intervalMs: number, kind: EmulatedKind) {
    this.count = count;
    const main = fileURLToPath(new URL('./emulator-main.js', import.meta.url));
    this.#child = fork(main, [`${port}`, `${count}`, `${intervalMs}`, kind]);
    this.#child.on('message', (message) => {
      if (isTally(message)) this.#tally = message;
    });
  }

  /** Resolves when all of them have a session. */
  static async start(port: number, count: number, intervalMs = 1_000, kind: EmulatedKind = 'ibex'): Promise<Emulator> {
    const emulator = new Emulator(port, count, intervalMs, kind);
    await emulator.allReady();
    return emulator;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get tally(): Tally {
    return this.#tally;
  }

  hosts(): string[] {
    return Array.from({ length: this.count }, (_, number) => `emu-${number}`);
  }

  async allReady(): Promise<void> {
    await until('all agents are connected', () => Promise.resolve(this.#tally.ready === this.count), 20);
  }

  /** All have noticed that their session is gone. */
  async noneReady(): Promise<void> {
    await until('all agents have lost their session', () => Promise.resolve(this.#tally.ready === 0), 20);
  }

  [Symbol.dispose](): void {
    this.#child.disconnect();
  }
}

function isTally(message: unknown): message is Tally {
  return typeof message === 'object' && message !== null && 'ready' in message && 'acknowledged' in message;
}
