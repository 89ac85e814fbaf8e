import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptLog } from '../store/testing/kept-log.js';
import { readServerConfig } from '../config/server-config.js';
import { Server } from '../server.js';
import type { MysqlPlace } from '../store/testing/mysql-place.js';

/** Lines of server.conf for a database that servers share; the last ones, for they begin a table. */
export function onMysql({ target }: MysqlPlace): string {
  const { address, user, password, database } = target;
  if (!('host' in address)) throw new Error('the tests reach MySQL over TCP');
  return `[MySQL]\nAddress = "${address.host}:${address.port}"\nUser = "${user}"\nPassword = "${password}"\nDBName = "${database}"\nCreate = true`;
}

export const AUTHORIZATION = `Basic ${Buffer.from('ibex:ibex').toString('base64')}`;

export { KeptLog };

/** A whole server on free ports of the loopback address, with its database in a folder that goes with it. */
export class TestServer implements AsyncDisposable {
  readonly folder: string;
  readonly log: KeptLog;
  #server: Server;

  private constructor(folder: string, log: KeptLog, server: Server) {
    this.folder = folder;
    this.log = log;
    this.#server = server;
  }

  /** Stops the server and starts it again on the same database and other ports. */
  async restart(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#server = await Server.start(readServerConfig(join(this.folder, 'server.conf')).config, this.log);
  }

  /** `toml`: more lines of server.conf, e.g. keys of [HTTP] or further tables. `rpc`: keys of [RPC]. */
  static async start(toml = '', rpc = ''): Promise<TestServer> {
    const folder = mkdtempSync(join(tmpdir(), 'ibex-server-test-'));
    const file = join(folder, 'server.conf');
    writeFileSync(
      file,
      `[RPC]\nListen = "127.0.0.1:0"\n${rpc}\n[SQLite]\nPath = "${join(folder, 'ibex.db')}"\n[HTTP]\nHost = "127.0.0.1"\nPort = 0\n${toml}\n`,
    );
    const log = new KeptLog();
    try {
      return new TestServer(folder, log, await Server.start(readServerConfig(file).config, log));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get httpPort(): number {
    return this.#server.httpPort ?? 0;
  }

  get agentPort(): number {
    return this.#server.agentPort;
  }

  get legacyPort(): number {
    return this.#server.legacyPort;
  }

  /** Calls the API as ibex/ibex; `path` is what follows /ibex/v1. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; dat: unknown; err: unknown }> {
    const response = await fetch(`http://127.0.0.1:${this.httpPort}/ibex/v1${path}`, {
      method,
      headers: { authorization: AUTHORIZATION },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = JSON.parse(await response.text());
    const { dat, err } = { dat: undefined, err: undefined, ...(typeof answer === 'object' ? answer : {}) };
    return { status: response.status, dat, err };
  }

  /** Creates a task that starts at once; its id. */
  async createTask(hosts: readonly string[], fields: object = {}): Promise<number> {
    const task = { title: 'test', account: 'root', script: '#!/bin/sh\n:', action: 'start', creator: 'test', hosts };
    const { dat, err } = await this.call('POST', '/tasks', { ...task, ...fields });
    if (typeof dat !== 'number') throw new Error(`no task was created: ${String(err)}`);
    return dat;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
