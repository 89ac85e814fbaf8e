import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { describeError, errorCode, UserError } from '../shared/errors.js';
import { createIdentity, loadIdentity, type Identity } from '../shared/protocol/opening.js';
import { createDurably, ensureFolder, replaceDurably } from './runs/durable.js';
import { readIfThere, readJsonFile } from './runs/json-file.js';
import { RunsFolder } from './runs/run-folder.js';

/**
 * The agent's own folder: its key, the id that tells one MetaDir from another, the servers it trusts, and its runs.
 * Held exclusively by one agentd until disposed.
 */
export class MetaDir implements AsyncDisposable {
  readonly path: string;
  readonly storeId: string;
  readonly identity: Identity;
  readonly runs: RunsFolder;
  readonly #lock: Server;
  #serverKeys: ReadonlyMap<string, string>;

  private constructor(path: string, storeId: string, identity: Identity, lock: Server) {
    this.path = path;
    this.storeId = storeId;
    this.identity = identity;
    this.#lock = lock;
    this.runs = new RunsFolder(path);
    this.#serverKeys = readServerKeys(join(path, 'servers.json'));
  }

  /** Opens the folder, making what is missing. Throws UserError where it can't be used or another agentd has it. */
  static async open(setting: string): Promise<MetaDir> {
    const path = resolve(setting);
    try {
      ensureFolder(path, 0o711);
      ensureFolder(join(path, 'runs'), 0o711);
      const storeId = readOrCreate(join(path, 'store-id'), () => `${randomUUID()}\n`).trim();
      const lock = await lockFolder(path, storeId);
      const identity = loadIdentity(readOrCreate(join(path, 'agent.key'), () => createIdentity().pem));
      return new MetaDir(path, storeId, identity, lock);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`MetaDir ${path} cannot be used: ${describeError(error)}`);
    }
  }

  /** The key that this agent trusts for a cluster; undefined before the first contact. */
  serverKey(cluster: string): string | undefined {
    return this.#serverKeys.get(cluster);
  }

  pinServerKey(cluster: string, key: string): void {
    this.#serverKeys = new Map([...this.#serverKeys, [cluster, key]]);
    const entries = [...this.#serverKeys].map(([id, pinned]) => ({ cluster: id, key: pinned }));
    replaceDurably(join(this.path, 'servers.json'), `${JSON.stringify({ servers: entries }, null, 2)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#lock.listening) return;
    await new Promise<void>((done) => {
      this.#lock.close(() => done());
    });
  }
}

function readOrCreate(path: string, create: () => string): string {
  const found = readIfThere(path);
  if (found !== undefined && found !== '') return found;
  // Empty: left by a first start on a full disk.
  if (found === '') rmSync(path);
  try {
    createDurably(path, create());
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  return readFileSync(path, 'utf8');
}

function readServerKeys(path: string): ReadonlyMap<string, string> {
  const list = readJsonFile(path, (f) =>
    f.list('servers', 10_000, (item) => [item.name('cluster', 64), item.name('key', 64)] as const),
  );
  return new Map(list ?? []);
}

/** A name in the kernel's abstract socket namespace: it goes away with the process, however that ends. */
async function lockFolder(path: string, storeId: string): Promise<Server> {
  const { dev, ino } = statSync(path);
  const lock = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((done, reject) => {
      lock.once('error', reject);
      lock.listen(`\0ibex-agent ${dev} ${ino} ${storeId}`, done);
    });
  } catch (error) {
    if (errorCode(error) !== 'EADDRINUSE') throw error;
    throw new UserError(`MetaDir ${path} is in use by another ibex agentd; each needs a MetaDir of its own`);
  }
  lock.unref();
  return lock;
}
