import type { MysqlPlace } from '../../store/testing/mysql-place.js';
import { mysqlPlace, testMysql } from '../../store/testing/test-databases.js';
import { until } from '../../../shared/testing/until.js';
import { TestServer } from '../../testing/test-server.js';
import { AgentDies } from './agent-memory.js';
import { statusOf } from './legacy-server.js';
import { LivingAgent, type LivingAgentOptions } from './living-agent.js';

const INTERVAL_MS = 100;
const OPEN = ['waiting', 'running', 'killing'];

/** One kind of database that a whole server is tested on. */
export interface FleetDatabase {
  readonly name: string;
  /** why it can't be tested here; false where it can */
  readonly skip: string | false;
  /** An empty one of the test's own; undefined: the server's folder has it. */
  place(): MysqlPlace | undefined;
}

export const fleetDatabases: readonly FleetDatabase[] = [
  { name: 'SQLite', skip: false, place: () => undefined },
  { name: 'MySQL', skip: 'missing' in testMysql && testMysql.missing, place: mysqlPlace },
];

/** A server and agents that live by themselves. Disposing it fails if an agent died as real ones die. */
export class LegacyFleet implements AsyncDisposable {
  readonly server: TestServer;
  readonly #agents: LivingAgent[] = [];
  readonly #place: MysqlPlace | undefined;

  private constructor(server: TestServer, place: MysqlPlace | undefined) {
    this.server = server;
    this.#place = place;
  }

  static async start(database?: FleetDatabase): Promise<LegacyFleet> {
    const place = database?.place();
    return new LegacyFleet(await TestServer.start(place ? configOf(place) : ''), place);
  }

  /** One more agent, which has been heard. */
  async agent(host: string, options: LivingAgentOptions = {}): Promise<LivingAgent> {
    const agent = new LivingAgent(host, [this.server.agentPort], { intervalMs: INTERVAL_MS, ...options });
    this.#agents.push(agent);
    await until(`a beat of ${host}`, () => agent.beats > 0);
    return agent;
  }

  async restartServer(): Promise<void> {
    await this.server.restart();
    for (const agent of this.#agents) agent.ports = [this.server.agentPort];
  }

  /** Resolves with the final status of one host of a task. */
  async end(id: number, host: string): Promise<string> {
    let status = '';
    await until(`the end of task ${id} on ${host}`, async () => {
      status = await statusOf(this.server, id, host);
      return !OPEN.includes(status);
    });
    return status;
  }

  /** Creates a task for one host and resolves with its id and final status. */
  async run(
    host: string,
    script: string,
    fields: object = {},
  ): Promise<{ readonly id: number; readonly status: string }> {
    const id = await this.server.createTask([host], { script, ...fields });
    return { id, status: await this.end(id, host) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const died = this.#agents.flatMap(({ host, died: how }) => (how ? [`${host}: ${how.message}`] : []));
    for (const agent of this.#agents) await agent[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await this.#place?.[Symbol.asyncDispose]();
    if (died.length > 0) throw new AgentDies(died.join('; '));
  }
}

function configOf({ target: { address, user, password, database } }: MysqlPlace): string {
  if (!('host' in address)) throw new Error('the database of the tests is reached by a socket');
  return `[DB]\nDSN = "${user}:${password}@tcp(${address.host}:${address.port})/${database}"\nCreate = true\n`;
}
