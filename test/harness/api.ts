import assert from 'node:assert/strict';
import { account } from './account.ts';
import { waitFor } from './wait-for.ts';

export interface TaskOptions {
  readonly script: string;
  readonly hosts: readonly string[];
  readonly timeout?: number;
  readonly batch?: number;
  readonly stdin?: string;
  readonly args?: string;
  readonly terminal?: boolean;
}

const OPEN = ['waiting', 'running', 'killing'];

/** The server's HTTP API as an ordinary client sees it. */
export class Api {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Parsed body of the answer, whatever its status. */
  async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Basic ${Buffer.from('ibex:ibex').toString('base64')}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return await response.json();
  }

  /** `dat` of an answer that must have no error. */
  async dat(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await this.call(method, path, body);
    assert.ok(typeof answer === 'object' && answer !== null && 'err' in answer, `${method} ${path}: no envelope`);
    assert.equal(answer.err, '', `${method} ${path}`);
    return 'dat' in answer ? answer.dat : undefined;
  }

  /** Makes a task and returns its id. */
  async create(task: TaskOptions): Promise<number> {
    const id = await this.dat('POST', '/ibex/v1/tasks', {
      title: 'test',
      account,
      batch: 0,
      tolerance: 0,
      timeout: 60,
      pause: '',
      args: '',
      action: 'start',
      creator: 'test',
      ...task,
    });
    assert.ok(typeof id === 'number');
    return id;
  }

  async kill(taskId: number): Promise<void> {
    await this.dat('PUT', `/ibex/v1/task/${taskId}/action`, { action: 'kill' });
  }

  async stdout(taskId: number, host: string): Promise<string> {
    return await this.#text(taskId, host, 'stdout');
  }

  async stderr(taskId: number, host: string): Promise<string> {
    return await this.#text(taskId, host, 'stderr');
  }

  /** Resolves with the statuses by host, once none is open any more. */
  async settled(taskId: number, timeoutMs?: number): Promise<Record<string, string>> {
    return await waitFor(
      `the end of task ${taskId}`,
      async () => {
        const statuses = await this.statuses(taskId);
        return Object.values(statuses).every((status) => !OPEN.includes(status)) && statuses;
      },
      timeoutMs,
    );
  }

  /** Status of each host. */
  async statuses(taskId: number): Promise<Record<string, string>> {
    const result = await this.dat('GET', `/ibex/v1/task/${taskId}/result`);
    assert.ok(typeof result === 'object' && result !== null);
    const statuses: Record<string, string> = {};
    for (const [status, hosts] of Object.entries(result)) {
      assert.ok(Array.isArray(hosts));
      for (const host of hosts) statuses[String(host)] = status;
    }
    return statuses;
  }

  async connectedHosts(): Promise<string[]> {
    const hosts = await this.dat('GET', '/ibex/v1/hosts');
    assert.ok(Array.isArray(hosts));
    return hosts.flatMap((item: unknown) => {
      const listed = typeof item === 'object' && item !== null && 'host' in item && 'connected' in item;
      return listed && item.connected === true ? [String(item.host)] : [];
    });
  }

  async #text(taskId: number, host: string, stream: string): Promise<string> {
    const text = await this.dat('GET', `/ibex/v1/task/${taskId}/host/${host}/${stream}`);
    assert.ok(typeof text === 'string');
    return text;
  }
}
