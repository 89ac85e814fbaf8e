import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { SERVER_DEAD_AFTER_MS, livingServers } from './liveness.js';
import type { ServerMark, ServerRecord, SessionRecord, Store } from '../store/store.js';

export interface SessionDirectoryTimes {
  /** between two signs of life; as long until other servers know of a session that came or went */
  readonly markEveryMs: number;
  /** a server that has shown none for so long is dead, and its sessions count no more */
  readonly deadAfterMs: number;
  /** after so long its rows are removed by those that live */
  readonly removeAfterMs: number;
}

const TIMES: SessionDirectoryTimes = Object.freeze({
  markEveryMs: 2_000,
  deadAfterMs: SERVER_DEAD_AFTER_MS,
  removeAfterMs: 60_000,
});
/** Rows of one commit, and the pause after it: fifteen thousand agents that come at once must not hold up tasks. */
const GROUP_ROWS = 200;
const GROUP_PAUSE_MS = 10;
const LAST_WRITE_WITHIN_MS = 500;
const NAMESAKE_ROUNDS = 5;

type Sessions = Pick<
  Store,
  'markServer' | 'retireServer' | 'serverMarks' | 'removeServer' | 'saveSessions' | 'removeSessions' | 'sessions'
>;
type Session = Omit<SessionRecord, 'instance'>;

/** A session of an agent with another server. */
export interface OtherSession extends Session {
  readonly instance: string;
  /** name of that server */
  readonly server: string;
}

/**
 * What the servers of a database tell each other of their agents, for people to look at: nothing is decided by it. Rows
 * are written when sessions come and go, not while they last: a session counts as long as its server lives. At most one
 * change a host waits; what can't be written now is written later.
 */
export class SessionDirectory implements AsyncDisposable {
  readonly #instance: string;
  readonly #store: Sessions;
  readonly #log: Log;
  readonly #times: SessionDirectoryTimes;
  readonly #stop = new AbortController();
  readonly #open = new Map<string, Session>();
  #changed = new Set<string>();
  #self: ServerRecord | undefined;
  #writes = true;
  #running: Promise<void> | undefined;
  #complained = false;
  /** rounds in a row in which another server of this name has shown a sign of life */
  #namesakes = 0;

  /** `instance`: of this server process. */
  constructor(instance: string, store: Sessions, log: Log, times = TIMES) {
    this.#instance = instance;
    this.#store = store;
    this.#log = log;
    this.#times = times;
  }

  /**
   * `name`: IP:port at which agents reach this server, the same after a restart. `writes`: false where there can be no
   * other server to read it.
   */
  start(name: string, version: string, { writes } = { writes: true }): void {
    this.#self = { instance: this.#instance, name, version };
    this.#writes = writes;
    if (writes) this.#running = this.#run(this.#self);
    else this.#changed.clear();
  }

  get name(): string {
    return this.#self?.name ?? '';
  }

  connected(session: Session): void {
    this.#open.set(session.host, session);
    if (this.#writes) this.#changed.add(session.host);
  }

  disconnected(host: string): void {
    this.#open.delete(host);
    if (this.#writes) this.#changed.add(host);
  }

  /** The session of this server with a host. */
  own(host: string): Session | undefined {
    return this.#open.get(host);
  }

  /** Sessions with other servers that live. Rejects with StoreError. */
  async others(): Promise<OtherSession[]> {
    if (!this.#running) return [];
    const alive = livingServers(await this.#store.serverMarks(), this.#times.deadAfterMs);
    // One of the same name is this server before its restart.
    const others = alive.filter(({ name }) => name !== this.name);
    const names = new Map(others.map(({ instance, name }) => [instance, name]));
    const sessions = await this.#store.sessions([...names.keys()]);
    return sessions.map((session) => ({ ...session, server: names.get(session.instance) ?? '' }));
  }

  /** Says that this server is gone; its rows are removed by another one, or at its own next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    if (!this.#running) return;
    const last = this.#running.then(() => this.#store.retireServer(this.#instance)).catch(() => undefined);
    await Promise.race([last, wait(LAST_WRITE_WITHIN_MS, undefined, { ref: false })]);
  }

  async #run(self: ServerRecord): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#round(self);
        this.#complained = false;
      } catch (error) {
        // Its pauses end so.
        if (signal.aborted) return;
        if (!this.#complained)
          this.#log.warn({ err: describeError(error) }, 'the list of sessions cannot be shared now');
        this.#complained = true;
      }
      await wait(this.#times.markEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #round(self: ServerRecord): Promise<void> {
    // Others may have taken this server for dead, and removed what it had written.
    if (await this.#store.markServer(self)) for (const host of this.#open.keys()) this.#changed.add(host);
    const marks = await this.#store.serverMarks();
    this.#noteNamesake(marks, self);
    await this.#write();
    for (const mark of marks) if (this.#isOver(mark)) await this.#remove(mark.instance);
  }

  /** Right after a restart the one before still seems to live. */
  #noteNamesake(marks: readonly ServerMark[], self: ServerRecord): void {
    const lives = marks.find(
      ({ instance, name, seenMsAgo }) =>
        instance !== self.instance && name === self.name && seenMsAgo < 2 * this.#times.markEveryMs,
    );
    this.#namesakes = lives ? this.#namesakes + 1 : 0;
    if (this.#namesakes !== NAMESAKE_ROUNDS) return;
    this.#log.error(
      { name: self.name, instance: lives?.instance },
      'another server on this database has the same name; give each of them a [Heartbeat] IP or [RPC] port of its own',
    );
  }

  #isOver({ instance, name, seenMsAgo }: ServerMark): boolean {
    if (instance === this.#instance) return false;
    return seenMsAgo > (name === this.name ? this.#times.deadAfterMs : this.#times.removeAfterMs);
  }

  async #write(): Promise<void> {
    const hosts = [...this.#changed];
    this.#changed = new Set();
    for (let from = 0; from < hosts.length; from += GROUP_ROWS) {
      const group = hosts.slice(from, from + GROUP_ROWS);
      try {
        await this.#writeGroup(group);
      } catch (error) {
        for (const host of hosts.slice(from)) this.#changed.add(host);
        throw error;
      }
      await this.#pause();
    }
  }

  async #writeGroup(hosts: readonly string[]): Promise<void> {
    const open = hosts.flatMap((host) => this.#open.get(host) ?? []);
    const gone = hosts.filter((host) => !this.#open.has(host));
    if (open.length > 0) await this.#store.saveSessions(this.#instance, open);
    if (gone.length > 0) await this.#store.removeSessions(this.#instance, gone);
  }

  async #remove(instance: string): Promise<void> {
    const sessions = await this.#store.sessions([instance]);
    for (let from = 0; from < sessions.length; from += GROUP_ROWS) {
      const hosts = sessions.slice(from, from + GROUP_ROWS).map(({ host }) => host);
      await this.#store.removeSessions(instance, hosts);
      await this.#pause();
    }
    await this.#store.removeServer(instance);
  }

  async #pause(): Promise<void> {
    await wait(GROUP_PAUSE_MS, undefined, { signal: this.#stop.signal, ref: false });
  }
}
