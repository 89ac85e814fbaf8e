import { accessSync, constants } from 'node:fs';
import { App, SSLApp, type TemplatedApp } from 'uWebSockets.js';
import { describeError, UserError } from '../shared/errors.js';
import type { Log } from '../shared/log.js';
import { ibexVersion } from '../shared/version.js';
import { AgentDesk } from './agents/agent-desk.js';
import { AgentEndpoint } from './agents/agent-endpoint.js';
import { AgentRecords } from './agents/agent-records.js';
import { OutputRelay } from './agents/output-relay.js';
import { SessionRegistry } from './agents/session-registry.js';
import { isOpenToAnyone, type HttpConfig, type ServerConfig } from './config.js';
import { ApiServer } from './http/api-server.js';
import { BasicAuth } from './http/basic-auth.js';
import { apiRoutes, type ApiParts } from './http/routes.js';
import { openSqliteStore } from './store/sqlite/open-sqlite-store.js';
import { TailEndpoint } from './tail/tail-endpoint.js';
import { createTaskService } from './tasks/create-task-service.js';
import { listen } from './uws.js';

type Closer = () => void | PromiseLike<void>;

/**
 * The whole server, composed. It is stopped by disposing it: first nothing new is let in, then what is in hand is
 * answered and stored, then the database is closed; that takes two seconds at most, unless the database hangs.
 */
export class Server implements AsyncDisposable {
  readonly #closers: Closer[] = [];
  readonly #log: Log;
  #httpPort: number | undefined;
  #agentPort = 0;
  #stopping: Promise<void> | undefined;

  private constructor(log: Log) {
    this.#log = log;
  }

  /** Throws UserError where the database can't be opened or a port is taken; nothing is left running then. */
  static async start(config: ServerConfig, log: Log): Promise<Server> {
    const server = new Server(log);
    try {
      await server.#compose(config);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** undefined where the API is switched off */
  get httpPort(): number | undefined {
    return this.#httpPort;
  }

  get agentPort(): number {
    return this.#agentPort;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #compose(config: ServerConfig): Promise<void> {
    const log = this.#log;
    const firstId = config.task.FirstId || undefined;
    const store = await openSqliteStore({ path: config.sqlitePath, firstId });
    this.#atStop(() => store[Symbol.asyncDispose]());
    const records = await AgentRecords.load(store, log);
    this.#atStop(() => records[Symbol.asyncDispose]());
    const registry = new SessionRegistry();
    const tasks = await createTaskService({
      store,
      gateway: registry,
      log,
      clock: { nowMs: () => Date.now() },
      schedulerName: config.schedulerName,
      startWithinMs: config.task.StartWithin === 0 ? undefined : config.task.StartWithin * 1_000,
    });
    this.#atStop(() => tasks[Symbol.asyncDispose]());
    const desk = new AgentDesk({ cluster: store.cluster, events: tasks, records, registry, log });
    await this.#listenToAgents(desk, config);
    const parts = { store, tasks, outputs: new OutputRelay(registry), directory: desk };
    if (config.http) await this.#listenToCallers(config.http, parts, registry);
    else log.warn({}, 'HTTP.Enable is false: there is no API, and no tasks can be created');
    log.info(
      {
        version: ibexVersion(),
        cluster: store.cluster.id,
        database: `sqlite ${config.sqlitePath}`,
        http: config.http && `${config.http.host}:${this.#httpPort}`,
        agents: `${config.rpc.host}:${this.#agentPort}`,
      },
      'ibex server started',
    );
  }

  async #listenToAgents(desk: AgentDesk, config: ServerConfig): Promise<void> {
    const app = App();
    const endpoint = new AgentEndpoint(app, desk);
    this.#atStop(() => {
      endpoint[Symbol.dispose]();
      app.close();
    });
    const listener = await listen(app, config.rpc, 'RPC.Listen');
    this.#agentPort = listener.port;
    this.#atStop(() => listener[Symbol.dispose]());
  }

  async #listenToCallers(config: HttpConfig, parts: ApiParts, registry: SessionRegistry): Promise<void> {
    const log = this.#log;
    const app = createApp(config.tls);
    const auth = new BasicAuth(config.users);
    const tails = new TailEndpoint(app, auth, { store: parts.store, tasks: parts.tasks, agents: registry, log });
    const { maxBodyBytes, accessLog } = config;
    const api = new ApiServer({ routes: apiRoutes(parts), auth, maxBodyBytes, accessLog, log });
    api.mount(app);
    this.#atStop(() => {
      tails[Symbol.dispose]();
      app.close();
    });
    const listener = await listen(app, config, 'HTTP.Host and HTTP.Port');
    this.#httpPort = listener.port;
    this.#atStop(async () => {
      listener[Symbol.dispose]();
      await api.drain();
    });
    if (isOpenToAnyone(config)) {
      log.warn(
        { address: `${config.host}:${listener.port}` },
        'THE DEFAULT PASSWORD ibex/ibex IS IN FORCE on an address that others can reach: ' +
          'whoever reaches it can run any command on every agent. Set [BasicAuth] in server.conf.',
      );
    }
  }

  #atStop(close: Closer): void {
    this.#closers.push(close);
  }

  async #stop(): Promise<void> {
    for (const close of this.#closers.reverse()) {
      try {
        await close();
      } catch (error) {
        this.#log.error({ err: describeError(error) }, 'stopping a part failed');
      }
    }
  }
}

function createApp(tls: HttpConfig['tls']): TemplatedApp {
  if (!tls) return App();
  // uWS ends the process over a file that it can't read.
  for (const [key, path] of [
    ['HTTP.CertFile', tls.certFile],
    ['HTTP.KeyFile', tls.keyFile],
  ] as const) {
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      throw new UserError(`${key}: cannot read ${path}: ${describeError(error)}`);
    }
  }
  return SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile });
}
