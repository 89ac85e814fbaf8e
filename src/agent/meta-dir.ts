import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeError, errorCode, UserError } from '../shared/errors.js';
import { createIdentity, loadIdentity, type Identity } from '../shared/protocol/opening.js';
import { createDurably, replaceDurably } from './runs/durable.js';
import { ensureFolder } from '../shared/folder.js';
import { readIfThere, readJsonFile } from './runs/json-file.js';
import { RunsFolder } from './runs/run-folder.js';

const LOCK_IS_HELD = 1;

/**
 * The agent's own folder: its key, the id that tells one MetaDir from another, the servers it trusts, and its runs.
 * Held exclusively by one agentd until disposed.
 */
export class MetaDir implements Disposable {
  readonly path: string;
  readonly storeId: string;
  readonly identity: Identity;
  readonly runs: RunsFolder;
  /** descriptor of the locked file; undefined once it is closed */
  #lock: number | undefined;
  #serverKeys: ReadonlyMap<string, string>;

  private constructor(path: string, storeId: string, identity: Identity, lock: number) {
    this.path = path;
    this.storeId = storeId;
    this.identity = identity;
    this.#lock = lock;
    this.runs = new RunsFolder(path);
    this.#serverKeys = readServerKeys(join(path, 'servers.json'));
  }

  /** Opens the folder, making what is missing. Throws UserError where it can't be used or another agentd has it. */
  static open(setting: string): MetaDir {
    const path = resolve(setting);
    // A launcher is told the path of its run in one line.
    if (path.includes('\n')) throw new UserError(`MetaDir ${JSON.stringify(path)} has a line end in its path`);
    let lock: number | undefined;
    try {
      ensureFolder(path, 0o711);
      ensureFolder(join(path, 'runs'), 0o711);
      lock = lockFolder(path);
      const storeId = readOrCreate(join(path, 'store-id'), () => `${randomUUID()}\n`).trim();
      const identity = loadIdentity(readOrCreate(join(path, 'agent.key'), () => createIdentity().pem));
      return new MetaDir(path, storeId, identity, lock);
    } catch (error) {
      if (lock !== undefined) closeSync(lock);
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

  [Symbol.dispose](): void {
    if (this.#lock !== undefined) closeSync(this.#lock);
    this.#lock = undefined;
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

/**
 * A kernel lock on a file that only the agent's own account can open: it goes away with the process, however that ends.
 * The file itself stays; it tells who has, or had, the lock.
 */
function lockFolder(path: string): number {
  const fd = openSync(join(path, 'agentd.lock'), 'a+', 0o600);
  if (!lockByTool(fd)) {
    const holder = readFileSync(fd, 'utf8').trim();
    closeSync(fd);
    const who = holder === '' ? '' : ` (process ${holder})`;
    throw new UserError(`MetaDir ${path} is in use by another ibex agentd${who}; each needs a MetaDir of its own`);
  }
  try {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
  } catch {
    // On a full disk nobody learns who has the lock.
  }
  return fd;
}

/**
 * Takes the exclusive kernel lock of an open file. Returns false if another process has it. Node has no flock, and calling
 * it natively costs an agent 4 MB for good; but the lock belongs to the open file, which a tool of util-linux shares for a
 * moment.
 */
function lockByTool(fd: number): boolean {
  const { status, error } = spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  if (error) throw new UserError(`cannot lock MetaDir: the program flock (of util-linux) is needed: ${error.message}`);
  if (status !== 0 && status !== LOCK_IS_HELD) throw new UserError('cannot lock MetaDir: its file system has no locks');
  return status === 0;
}
