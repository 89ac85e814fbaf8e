import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Log } from '../shared/log.js';
import { AgentRunState, type AssignFrame, type KillFrame } from '../shared/protocol/agent-frames.js';
import { runKey, type RunKey } from '../shared/run-key.js';
import { describeError } from '../shared/errors.js';
import { ibexVersion } from '../shared/version.js';
import type { AgentConfig } from './config.js';
import { runFields } from './runs/json-log.js';
import { Delivery } from './link/delivery.js';
import { Executors } from './link/executors.js';
import { RetentionJob } from './link/retention-job.js';
import { RunIndex, stateOnDisk, type IndexedRun } from './link/run-index.js';
import { ServerInstances, type LinkEvents } from './link/server-link.js';
import { ServerLinks } from './link/server-links.js';
import type { AgentSelf, Session } from './link/session.js';
import { Watches } from './link/watches.js';
import type { MetaDir } from './meta-dir.js';
import { writeAssignment } from './runs/assignment.js';
import { bootId, monotonicMs } from './runs/boot.js';
import type { ToLink } from './runs/control-messages.js';
import { faultPoint } from './runs/fault-point.js';
import { RunFile } from './runs/run-folder.js';

/** The link: sessions with the servers on one side, executors and run folders on the other. */
export class Agent implements AsyncDisposable {
  readonly #meta: MetaDir;
  readonly #log: Log;
  readonly #host: string;
  readonly #terminal: boolean;
  readonly #index: RunIndex;
  readonly #delivery: Delivery;
  readonly #executors: Executors;
  readonly #links: ServerLinks;
  readonly #retention: RetentionJob;
  readonly #watches = new Map<Session, Watches>();

  constructor(config: AgentConfig, host: string, servers: readonly URL[], meta: MetaDir, log: Log) {
    this.#meta = meta;
    this.#log = log;
    this.#host = host;
    this.#terminal = config.Policy.Terminal;
    this.#index = RunIndex.read(meta.runs);
    this.#delivery = new Delivery(meta.runs, this.#index, log);
    this.#retention = new RetentionJob(meta.runs, this.#index, log);
    const { MaxRuns: maxRuns, KillGrace: killGraceMs, IgnoreAccount: ignoreAccount } = config.Policy;
    const options = {
      metaDir: meta.path,
      settings: { maxRuns, killGraceMs, ignoreAccount },
      onTrouble: () => this.#retention.makeRoom(),
    };
    this.#executors = new Executors(options, log, (message) => this.#onMessage(message));
    const self = selfOf(meta, host, config.Heartbeat.Interval, log);
    const parts = { self, index: this.#index, events: this.#linkEvents(), instances: new ServerInstances(), log };
    this.#links = new ServerLinks(servers, parts);
  }

  /** Resolves when scripts can be run; connecting goes on in the background. */
  async start(): Promise<void> {
    await this.#executors.start();
    for (const entry of this.#endedInOrder()) this.#delivery.add(entry);
    this.#links.start();
  }

  /** Lists the runs whose outcome no server has stored yet, in the order in which they ended. */
  #endedInOrder(): IndexedRun[] {
    const ended = this.#index.list().filter((entry) => entry.state === AgentRunState.ended);
    const when = new Map(ended.map(({ run }) => [run, endedAtMs(this.#meta, run)]));
    return ended.toSorted((a, b) => (when.get(a.run) ?? 0) - (when.get(b.run) ?? 0));
  }

  /** Ends the sessions. Scripts go on under their executor. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#retention[Symbol.dispose]();
    this.#links[Symbol.dispose]();
    for (const watches of this.#watches.values()) watches[Symbol.dispose]();
    await this.#executors[Symbol.asyncDispose]();
  }

  #linkEvents(): LinkEvents {
    return {
      onReady: (session) => {
        const watches = new Watches(session, this.#meta.runs, this.#index, (run, watched) =>
          this.#sendWatch(run, watched),
        );
        this.#watches.set(session, watches);
        this.#delivery.sessionReady(session);
      },
      onClosed: (session) => {
        this.#watches.get(session)?.[Symbol.dispose]();
        this.#watches.delete(session);
        this.#delivery.sessionClosed(session);
      },
      onFrame: (session, frame) => {
        switch (frame.t) {
          case 'assign':
            return this.#onAssign(session, frame);
          case 'kill':
            return this.#onKill(session, frame);
          case 'result-ack':
            return this.#delivery.acknowledged(session, runKey(session.cluster, frame), frame.outcome);
          case 'watch':
            return this.#watches.get(session)?.add(runKey(session.cluster, frame), frame);
          case 'credit':
            return this.#watches.get(session)?.credit(frame.watch, frame.bytes);
          case 'unwatch':
            return this.#watches.get(session)?.remove(frame.watch);
          default:
            return frame satisfies never;
        }
      },
    };
  }

  /** Starts a run, or reports it if there is any trace of it. */
  #onAssign(session: Session, frame: AssignFrame): void {
    const run = runKey(session.cluster, frame);
    const known = this.#index.get(run) ?? this.#foundOnDisk(run);
    if (known) return this.#reportAgain(session, known);
    const { taskId, clock, account, args, timeoutMs, startWithinMs, terminal = this.#terminal } = frame;
    const startBeforeMonoMs = monotonicMs() + startWithinMs;
    const entry = { run, cluster8: session.cluster8, taskId, clock, assignedBy: session.server, startedMs: undefined };
    this.#index.put({ ...entry, state: AgentRunState.accepted, startBeforeMonoMs });
    try {
      const { cluster } = session;
      const assignment = { cluster, host: this.#host, taskId, clock, account, args, timeoutMs, terminal };
      writeAssignment(this.#meta.runs, run, assignment, frame.script, frame.stdin);
      faultPoint('assignment-written');
      this.#executors.send({ t: 'start', run, startBeforeMonoMs });
      session.send({ t: 'accepted', taskId, clock });
    } catch (error) {
      this.#onMessage({ t: 'unwritable', run, why: describeError(error) });
    }
  }

  /** Finds a run that an executor claimed while this process did not know of it. Its files must not be written again. */
  #foundOnDisk(run: RunKey): IndexedRun | undefined {
    const state = stateOnDisk(this.#meta.runs, run);
    if (state) this.#index.update(run, { state });
    return this.#index.get(run);
  }

  #reportAgain(session: Session, known: IndexedRun): void {
    const { taskId, clock, state, startedMs } = known;
    if (state === AgentRunState.ended || state === 'acknowledged') {
      this.#index.update(known.run, { state: AgentRunState.ended });
      this.#delivery.add({ ...known, state: AgentRunState.ended });
      return;
    }
    session.send({ t: 'accepted', taskId, clock });
    if (startedMs !== undefined) session.send({ t: 'started', taskId, clock, startedMs });
  }

  #onKill(session: Session, frame: KillFrame): void {
    const { taskId, clock } = frame;
    const run = runKey(session.cluster, frame);
    const message = { t: 'kill', run, cluster: session.cluster, host: this.#host } as const;
    const known = this.#index.get(run);
    if (known && (known.state === AgentRunState.ended || known.state === 'acknowledged'))
      this.#reportAgain(session, known);
    if (!known) {
      const entry = { run, cluster8: session.cluster8, taskId, clock, assignedBy: session.server };
      const none = { startedMs: undefined, startBeforeMonoMs: undefined };
      this.#index.put({ ...entry, ...none, state: AgentRunState.accepted });
    }
    for (const entry of this.#index.openOf(session.cluster8, taskId)) {
      this.#index.update(entry.run, { killedBy: session.cluster });
    }
    this.#executors.sendToOld({ ...message, tombstone: false });
    this.#executors.send({ ...message, tombstone: known === undefined });
  }

  #onMessage(message: ToLink): void {
    switch (message.t) {
      case 'ready':
        return this.#executorReady(message);
      case 'started':
        this.#index.update(message.run, { state: AgentRunState.running, startedMs: message.startedMs });
        return this.#reportStarted(message.run, message.startedMs);
      case 'ended':
        this.#index.update(message.run, { state: AgentRunState.ended, outcome: message.outcome });
        return this.#deliver(message.run);
      case 'grew':
        for (const watches of this.#watches.values()) watches.grew(message.run);
        return;
      case 'unwritable':
        this.#log.error(
          { ...runFields(message.run), err: message.why },
          'a run cannot be recorded; MetaDir must be writable',
        );
        this.#retention.makeRoom();
        // The outcome of an ended run is being delivered; the executor goes on trying to write it.
        if (this.#index.get(message.run)?.outcome) return;
        this.#index.update(message.run, { state: AgentRunState.ended });
        return this.#deliver(message.run, message.why);
      default:
        return message satisfies never;
    }
  }

  /** Corrects the index by what an executor holds, and sends again what that executor may never have heard. */
  #executorReady(message: ToLink & { readonly t: 'ready' }): void {
    const held = new Set([...message.running, ...message.waiting]);
    for (const run of message.waiting) this.#index.update(run, { state: AgentRunState.accepted });
    for (const { run, startBeforeMonoMs } of [...message.queued, ...message.released]) {
      this.#index.update(run, { state: AgentRunState.accepted, startBeforeMonoMs });
    }
    for (const entry of this.#index.list()) {
      const { run, state, startBeforeMonoMs, killedBy } = entry;
      if (state !== AgentRunState.accepted && state !== AgentRunState.running) continue;
      const now = stateOnDisk(this.#meta.runs, run);
      if (now === AgentRunState.ended) {
        this.#index.update(run, { state: AgentRunState.ended });
        this.#deliver(run);
      } else if (state === AgentRunState.accepted && now === undefined && !held.has(run)) {
        if (startBeforeMonoMs !== undefined && killedBy === undefined)
          this.#executors.send({ t: 'start', run, startBeforeMonoMs });
      }
    }
    for (const run of message.running) this.#index.update(run, { state: AgentRunState.running });
    for (const entry of this.#index.list())
      if (entry.killedBy !== undefined) this.#killAgain(entry.run, entry.killedBy);
    for (const watches of this.#watches.values()) for (const run of watches.runs()) this.#sendWatch(run, true);
  }

  /** Sends a kill again: the executor that got it may have died before it was done, or before it read it. */
  #killAgain(run: RunKey, cluster: string): void {
    const state = this.#index.get(run)?.state;
    if (state !== AgentRunState.accepted && state !== AgentRunState.running) return;
    // A run that was never claimed is recorded as killed instead of being started.
    const tombstone = stateOnDisk(this.#meta.runs, run) === undefined;
    this.#executors.send({ t: 'kill', run, cluster, host: this.#host, tombstone });
  }

  #deliver(run: RunKey, unwritable?: string): void {
    const entry = this.#index.get(run);
    if (entry) this.#delivery.add(entry, unwritable);
    for (const watches of this.#watches.values()) watches.grew(run);
  }

  #reportStarted(run: RunKey, startedMs: number): void {
    const entry = this.#index.get(run);
    if (!entry) return;
    const sessions = [...this.#watches.keys()].filter(
      (session) => session.ready && session.cluster8 === entry.cluster8,
    );
    const assigner = sessions.filter((session) => session.server === entry.assignedBy);
    const { taskId, clock } = entry;
    for (const session of assigner.length > 0 ? assigner : sessions)
      session.send({ t: 'started', taskId, clock, startedMs });
  }

  #sendWatch(run: RunKey, watched: boolean): void {
    const elsewhere = [...this.#watches.values()].some((watches) => watches.runs().includes(run));
    if (!watched && elsewhere) return;
    const message = { t: watched ? 'watch' : 'unwatch', run } as const;
    this.#executors.send(message);
    this.#executors.sendToOld(message);
  }
}

function selfOf(meta: MetaDir, host: string, intervalMs: number, log: Log): AgentSelf {
  return {
    host,
    version: ibexVersion(),
    bootId: bootId(),
    instance: randomUUID(),
    storeId: meta.storeId,
    identity: meta.identity,
    intervalMs,
    serverKey: (cluster) => meta.serverKey(cluster),
    pinServerKey: (cluster, key) => {
      try {
        meta.pinServerKey(cluster, key);
      } catch (error) {
        // Trusted until this process ends; a full disk must not keep the agent from its servers.
        log.error({ cluster, err: describeError(error) }, "cannot note the server's key; MetaDir must be writable");
      }
    },
  };
}

function endedAtMs(meta: MetaDir, run: RunKey): number {
  return statSync(meta.runs.file(run, RunFile.exit), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
