import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { ibexVersion } from '../../shared/version.js';
import { ensureFolder } from '../../shared/folder.js';
import { executorFolder, findExecutors, shortSocketPath, type ExecutorEntry } from '../runs/executor-entry.js';
import { readStat } from '../runs/process-identity.js';

const LOOK_MS = 10_000;

/** The executor's control socket and the entry by which links find it. Disposing removes both. */
export class ControlSocket implements AsyncDisposable {
  readonly #folder: string;
  readonly #entry: ExecutorEntry;
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;

  private constructor(folder: string, entry: ExecutorEntry, server: Server, onGone: () => void) {
    this.#folder = folder;
    this.#entry = entry;
    this.#server = server;
    this.#timer = setInterval(() => {
      if (existsSync(entryPath(folder, entry))) return;
      clearInterval(this.#timer);
      onGone();
    }, LOOK_MS).unref();
  }

  /** `onGone`: the entry was deleted, as a rule with the MetaDir, so no link will find this executor any more. */
  static async listen(
    metaDir: string,
    instance: string,
    setup: string,
    onLink: (link: Socket) => void,
    onGone: () => void,
  ): Promise<ControlSocket> {
    const folder = executorFolder(metaDir);
    ensureFolder(folder, 0o700);
    removeDeadSockets(metaDir);
    const server = createServer(onLink);
    using short = shortSocketPath(folder, `${instance}.sock`);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(short.path, resolve);
    });
    const { pid } = process;
    const startTime = readStat(pid)?.startTime ?? '';
    const entry: ExecutorEntry = { instance, pid, startTime, version: ibexVersion(), setup };
    writeEntry(folder, entry);
    return new ControlSocket(folder, entry, server, onGone);
  }

  /** Shows this executor as one that no agent takes for its own any more, also one of the same setup. */
  retire(): void {
    try {
      if (existsSync(entryPath(this.#folder, this.#entry))) writeEntry(this.#folder, { ...this.#entry, setup: '' });
    } catch {
      // On a full disk. An agent that takes this one for its own loses it when it is idle, and starts another then.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    rmSync(entryPath(this.#folder, this.#entry), { force: true });
    rmSync(join(this.#folder, `${this.#entry.instance}.sock`), { force: true });
    this.#server.close();
    return Promise.resolve();
  }
}

function entryPath(folder: string, { instance }: ExecutorEntry): string {
  return join(folder, `${instance}.json`);
}

function writeEntry(folder: string, entry: ExecutorEntry): void {
  const path = entryPath(folder, entry);
  writeFileSync(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function removeDeadSockets(metaDir: string): void {
  const living = new Set(findExecutors(metaDir).map((executor) => `${executor.instance}.sock`));
  const folder = executorFolder(metaDir);
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.sock') && !living.has(name)) rmSync(join(folder, name), { force: true });
  }
}
