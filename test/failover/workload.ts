import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Api } from '../harness/api.ts';
import { waitFor } from '../harness/wait-for.ts';

/** Hosts of a chain run one after the other, so that somebody has to schedule the next. */
const CHAINS = 20;
const CHAIN_LINK_SECONDS = 4;
const TIMEOUT_SECONDS = 300;
/** One task in so many fails, by its exit code. */
const FAILS_EVERY = 10;

interface Posted {
  readonly taskId: number;
  readonly hosts: readonly string[];
  readonly status: 'success' | 'failed';
}

/** Tasks whose scripts note their start outside of ibex, and what must become of them. */
export class Workload {
  readonly #api: Api;
  readonly #hosts: readonly string[];
  readonly #journal: string;
  readonly #posted: Posted[] = [];

  constructor(api: Api, hosts: readonly string[], folder: string) {
    this.#api = api;
    this.#hosts = hosts;
    this.#journal = join(folder, 'journal');
    writeFileSync(this.#journal, '');
  }

  /** Tasks of one host whose scripts take from `shortest` to `longest` seconds, and chains. Resolves once all have begun. */
  async post(tasks: number, shortest: number, longest: number): Promise<void> {
    for (let i = 0; i < tasks; i++) {
      const seconds = shortest + ((longest - shortest) * i) / tasks;
      await this.#postOne([this.#hosts[i % this.#hosts.length] ?? ''], seconds.toFixed(2), i % FAILS_EVERY === 0);
    }
    for (let i = 0; i < CHAINS; i++) await this.#postOne(this.#hosts, `${CHAIN_LINK_SECONDS}`, false);
    await waitFor('all tasks have begun', () => this.#startedTasks() === this.#posted.length, 60_000);
  }

  get tasks(): number {
    return this.#posted.length;
  }

  /** Waits until all have ended, and compares statuses, output and starts with what they must be. */
  async verify(at: readonly Api[]): Promise<void> {
    for (const { taskId, hosts, status } of this.#posted) {
      for (const api of at) {
        const statuses = await api.settled(taskId, TIMEOUT_SECONDS * 1_000);
        assert.deepEqual(statuses, Object.fromEntries(hosts.map((host) => [host, status])), `task ${taskId}`);
        assert.equal(await api.stdout(taskId, hosts[0] ?? ''), 'begun\nended\n', `output of task ${taskId}`);
      }
    }
    const expected = this.#posted.flatMap(({ taskId, hosts }) => hosts.map((host) => `${taskId} ${host}`));
    assert.deepEqual(this.#starts().sort(), expected.sort(), 'each script is started once');
  }

  async #postOne(hosts: readonly string[], seconds: string, fails: boolean): Promise<void> {
    const script =
      `echo "$IBEX_TASK_ID $IBEX_HOST" >>${this.#journal}; echo begun; sleep ${seconds}; echo ended; ` +
      `exit ${fails ? 3 : 0}`;
    const taskId = await this.#api.create({ script, hosts, timeout: TIMEOUT_SECONDS, batch: 1 });
    this.#posted.push({ taskId, hosts, status: fails ? 'failed' : 'success' });
  }

  #starts(): string[] {
    return readFileSync(this.#journal, 'utf8').trim().split('\n');
  }

  #startedTasks(): number {
    return new Set(this.#starts().map((line) => line.split(' ')[0])).size;
  }
}
