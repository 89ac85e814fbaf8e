import { randomUUID } from 'node:crypto';
import { App } from 'uWebSockets.js';
import { describeError } from '../shared/errors.js';
import type { Log } from '../shared/log.js';
import { ibexVersion } from '../shared/version.js';
import { AgentService } from './agents/agent-service.js';
import { AgentEndpoint } from './agents/agent-endpoint.js';
import { AgentPort } from './port/agent-port.js';
import { AgentRecords } from './agents/agent-records.js';
import { LegacyAgents } from './legacy/legacy-agents.js';
import { LegacyEndpoint } from './legacy/legacy-endpoint.js';
import { OutputRelay } from './agents/output-relay.js';
import { SessionRegistry } from './agents/session-registry.js';
import { SessionDirectory } from './peers/session-directory.js';
import type { HttpConfig, ServerConfig } from './config/server-config.js';
import { ApiServer } from './http/api-server.js';
import { BasicAuth } from './http/basic-auth.js';
import { HttpListener } from './http/http-listener.js';
import { apiRoutes, type ApiParts } from './http/routes.js';
import { NO_NOTIFIER, type Notifier } from './peers/notifier.js';
import type { RedisConfig } from './peers/redis-notifier.js';
import { describeDatabase, openStore } from './store/open-store.js';
import { TailEndpoint } from './tail/tail-endpoint.js';
import { createTaskService } from './tasks/create-task-service.js';

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
  #legacyPort = 0;
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

  /** 0 where legacy agents have no port of their own */
  get legacyPort(): number {
    return this.#legacyPort;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #compose(config: ServerConfig): Promise<void> {
    const log = this.#log;
    const nowMs = (): number => Date.now();
    const firstId = config.task.FirstId || undefined;
    const store = await openStore(config.database, firstId, log);
    this.#atStop(() => store[Symbol.asyncDispose]());
    const records = await AgentRecords.load(store, log, nowMs);
    this.#atStop(() => records[Symbol.asyncDispose]());
    const registry = new SessionRegistry();
    const notifier = await openNotifier(config.redis, store.cluster.id, log);
    this.#atStop(() => notifier[Symbol.asyncDispose]());
    const tasks = await createTaskService({
      store,
      notifier,
      gateway: registry,
      log,
      clock: { nowMs },
      schedulerName: config.schedulerName,
      schedules: config.task.Schedule,
      reconcileIntervalMs: config.reconcileIntervalMs,
      duplicateWindowMs: config.task.DuplicateWindow,
      startWithinMs: config.task.StartWithin === 0 ? undefined : config.task.StartWithin * 1_000,
    });
    this.#atStop(() => tasks[Symbol.asyncDispose]());
    this.#atStop(registry.onReady((host) => tasks.agentConnected(host)));
    const instance = randomUUID();
    const shared = new SessionDirectory(instance, store, log);
    this.#atStop(() => shared[Symbol.asyncDispose]());
    const { cluster } = store;
    const agents = new AgentService({ cluster, instance, events: tasks, records, registry, shared, store, log, nowMs });
    const legacyAgents = new LegacyAgents({ work: tasks, registry, records, agents, log, nowMs });
    this.#atStop(() => legacyAgents[Symbol.dispose]());
    await this.#listenToAgents(agents, legacyAgents, config);
    const name = `${config.ip}:${this.#agentPort}`;
    shared.start(name, ibexVersion(), { writes: store.shared });
    const parts = { store, tasks, outputs: new OutputRelay(registry), directory: agents };
    if (config.http) await this.#listenToCallers(config.http, parts, registry);
    else log.warn({}, 'HTTP.Enable is false: there is no API, and no tasks can be created');
    log.info(
      {
        version: ibexVersion(),
        cluster: store.cluster.id,
        database: describeDatabase(config.database),
        http: config.http && `${config.http.host}:${this.#httpPort}`,
        agents: `${config.rpc.host}:${this.#agentPort}`,
      },
      'ibex server started',
    );
  }

  async #listenToAgents(agents: AgentService, legacyAgents: LegacyAgents, config: ServerConfig): Promise<void> {
    const app = App();
    const endpoint = new AgentEndpoint(app, agents, config.agentAddress);
    const legacy = config.legacy && new LegacyEndpoint(legacyAgents, config.legacy.allowed, this.#log);
    this.#atStop(() => {
      legacy?.[Symbol.dispose]();
      endpoint[Symbol.dispose]();
      app.close();
    });
    const port = await AgentPort.open({
      app,
      address: config.rpc,
      legacy: legacy && { accept: (socket) => legacy.accept(socket), listen: config.legacy?.listen },
      log: this.#log,
    });
    this.#agentPort = port.port;
    this.#legacyPort = port.legacyPort;
    this.#atStop(() => port[Symbol.dispose]());
    if (!legacy) return;
    this.#log.warn(
      { networks: config.legacy?.allowed.describe() },
      'agents of Categraf and the Go ibex are served without any proof of who they are; [RPC] Legacy = false ends that',
    );
  }

  async #listenToCallers(config: HttpConfig, parts: ApiParts, registry: SessionRegistry): Promise<void> {
    const log = this.#log;
    const auth = new BasicAuth(config.users);
    const tails = new TailEndpoint(auth, { store: parts.store, tasks: parts.tasks, agents: registry, log });
    const { maxBodyBytes, accessLog, client } = config;
    const api = new ApiServer({ routes: apiRoutes(parts), auth, maxBodyBytes, accessLog, client, log });
    const listener = await HttpListener.open(config, config.tls, 'HTTP.Host and HTTP.Port', {
      request: (request, response) => api.handle(request, response),
      upgrades: (request) => tails.serves(request),
      upgrade: (request, socket, head) => tails.upgrade(request, socket, head),
    });
    this.#httpPort = listener.port;
    this.#atStop(async () => {
      listener.stop();
      await api.drain();
      tails[Symbol.dispose]();
      listener[Symbol.dispose]();
    });
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

/** Its client is only loaded where it is used. */
async function openNotifier(config: RedisConfig | undefined, cluster: string, log: Log): Promise<Notifier> {
  if (!config) return NO_NOTIFIER;
  const { RedisNotifier } = await import('./peers/redis-notifier.js');
  return new RedisNotifier(config, cluster, log);
}
