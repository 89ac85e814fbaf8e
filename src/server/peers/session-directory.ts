import { setTimeout as wait } from 'node:timers/promises';
import { LogOnce } from '../../shared/log-once.js';
import { pieces } from '../../shared/pieces.js';
import type { Log } from '../../shared/log.js';
import { DEAD_AFTER_MS, isDead, livingServers } from './liveness.js';
import type { ServerMark, ServerRecord, SessionRecord, Store } from '../store/store.js';

export interface SessionDirectoryTimes {
  /** between two signs of life; after so long peers know of a session that was opened or closed */
  readonly markEveryMs: number;
  /** the sessions of a server count no more once it has given no sign of life for so long */
  readonly deadAfterMs: number;
  /** after so long its rows are removed by those that live */
  readonly removeAfterMs: number;
}

const TIMES: SessionDirectoryTimes = Object.freeze({
  markEveryMs: 2_000,
  deadAfterMs: DEAD_AFTER_MS,
  removeAfterMs: 60_000,
});
/** Rows of one commit, and the pause after it: fifteen thousand agents that connect at once must not hold up tasks. */
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
  /** name of that server */
  readonly server: string;
}

/**
 * The sessions of all servers of a database, for people to look at: nothing is decided by it. Rows are written when a
 * session opens or closes, not while it lasts: it counts as long as its server lives. At most one change a host waits;
 * a change that can't be written now is written later.
 */
export class SessionDirectory implements AsyncDisposable {
  readonly #instance: string;
  readonly #store: Sessions;
  readonly #log: Log;
  readonly #times: SessionDirectoryTimes;
  readonly #stop = new AbortController();
  readonly #failure: LogOnce;
  readonly #open = new Map<string, Session>();
  #changed = new Set<string>();
  #self: ServerRecord | undefined;
  #writes = true;
  #running: Promise<void> | undefined;
  /** rounds in a row in which another server of this name has shown a sign of life */
  #namesakes = 0;

  /** `instance`: of this server process. */
  constructor(instance: string, store: Sessions, log: Log, times = TIMES) {
    this.#instance = instance;
    this.#store = store;
    this.#log = log;
    this.#times = times;
    this.#failure = new LogOnce(log, 'the list of sessions cannot be shared now');
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
        this.#failure.succeeded();
      } catch (error) {
        // Its pauses end so.
        if (signal.aborted) return;
        this.#failure.failed(error);
      }
      await wait(this.#times.markEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #round(self: ServerRecord): Promise<void> {
    // Peers may have taken this server for dead, and removed its rows.
    if (await this.#store.markServer(self)) for (const host of this.#open.keys()) this.#changed.add(host);
    const marks = await this.#store.serverMarks();
    this.#noteNamesake(marks, self);
    await this.#write();
    for (const mark of marks) if (this.#isRemovable(mark)) await this.#remove(mark.instance);
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

  #isRemovable({ instance, name, seenMsAgo }: ServerMark): boolean {
    if (instance === this.#instance) return false;
    const { deadAfterMs, removeAfterMs } = this.#times;
    return isDead(seenMsAgo, name === this.name ? deadAfterMs : removeAfterMs);
  }

  async #write(): Promise<void> {
    const hosts = [...this.#changed];
    this.#changed = new Set();
    let written = 0;
    try {
      for (const group of pieces(hosts, GROUP_ROWS)) {
        await this.#writeGroup(group);
        written += group.length;
        await this.#pause();
      }
    } catch (error) {
      for (const host of hosts.slice(written)) this.#changed.add(host);
      throw error;
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
    for (const group of pieces(sessions, GROUP_ROWS)) {
      const hosts = group.map(({ host }) => host);
      await this.#store.removeSessions(instance, hosts);
      await this.#pause();
    }
    await this.#store.removeServer(instance);
  }

  async #pause(): Promise<void> {
    await wait(GROUP_PAUSE_MS, undefined, { signal: this.#stop.signal, ref: false });
  }
}
