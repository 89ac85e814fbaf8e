import { Agent, request, type RequestOptions } from 'node:http';

export interface Task {
  readonly script: string;
  readonly hosts: readonly string[];
  readonly batch?: number;
  readonly timeout?: number;
}

/**
 * The HTTP API as any caller sees it, so that the same questions can be asked of any ibex. Connections are kept alive
 * where the server allows it.
 */
export class Api implements Disposable {
  readonly url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  /** what is the same for every call: a caller that is busy with itself measures nothing but itself */
  readonly #options: RequestOptions;
  readonly #basePath: string;
  readonly #authorization: string;
  readonly #account: string;

  constructor(url: string, user = 'ibex', password = 'ibex', account = 'root') {
    this.url = url.replace(/\/$/, '');
    this.#authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    this.#account = account;
    const { hostname, port, pathname } = new URL(this.url);
    this.#options = { host: hostname, port: port || 80, agent: this.#agent };
    this.#basePath = pathname === '/' ? '' : pathname;
  }

  async create(task: Task): Promise<number> {
    const more = { title: 'bench', account: this.#account, batch: 0, tolerance: 0, timeout: 60, pause: '', args: '' };
    const id = await this.dat('POST', '/ibex/v1/tasks', { ...more, action: 'start', creator: 'bench', ...task });
    if (typeof id !== 'number') throw new Error(`POST answered ${JSON.stringify(id)}`);
    return id;
  }

  /** `dat` of an answer. Throws if it has an error. */
  async dat(method: string, path: string, body?: object): Promise<unknown> {
    const text = await this.#call(method, path, body === undefined ? undefined : JSON.stringify(body));
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null) throw new Error(`${method} ${path}: ${text.slice(0, 200)}`);
    if ('err' in answer && answer.err !== '') throw new Error(`${method} ${path}: ${String(answer.err)}`);
    return 'dat' in answer ? answer.dat : undefined;
  }

  /** Number of hosts of a task by status. */
  async counts(taskId: number): Promise<ReadonlyMap<string, number>> {
    const result = await this.dat('GET', `/ibex/v1/task/${taskId}/result`);
    const entries = typeof result === 'object' && result !== null ? Object.entries(result) : [];
    return new Map(entries.map(([status, hosts]) => [status, Array.isArray(hosts) ? hosts.length : 0]));
  }

  async done(taskId: number): Promise<boolean> {
    return (await this.dat('GET', `/ibex/v1/task/${taskId}/state`)) === 'done';
  }

  /** How many of these tasks are done. */
  async doneAmong(taskIds: readonly number[]): Promise<number> {
    const answer = await this.dat('GET', `/ibex/v1/tasks/done-ids?ids=${taskIds.join(',')}`);
    const list = typeof answer === 'object' && answer !== null && 'list' in answer ? answer.list : [];
    return Array.isArray(list) ? list.length : 0;
  }

  async stdout(taskId: number, host: string): Promise<string> {
    return String(await this.dat('GET', `/ibex/v1/task/${taskId}/host/${host}/stdout`));
  }

  async connected(): Promise<number> {
    const hosts = await this.dat('GET', '/ibex/v1/hosts');
    return Array.isArray(hosts) ? hosts.filter(isConnected).length : 0;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #call(method: string, path: string, body: string | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: this.#authorization,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      };
      const options = { ...this.#options, method, path: `${this.#basePath}${path}`, headers };
      const call = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
        response.on('error', reject);
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}

function isConnected(host: unknown): boolean {
  return typeof host === 'object' && host !== null && 'connected' in host && host.connected === true;
}
