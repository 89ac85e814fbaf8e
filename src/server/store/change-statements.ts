import type { TaskChange } from '../core/changes.js';
import type { HostChange, HostText, HostWrites, StoreDialect, TextLimits } from './dialect.js';
import type { Statement } from './engine.js';
import { runMapper } from './rows.js';
import { hostTable } from './schema/tables.js';
import { RefusedError } from './store.js';
import type { Writes } from './writes.js';

type Output = Pick<HostText, 'stdout' | 'stderr'>;

/** Turns the changes that scheduling makes into statements, each carrying the guard that its change asks for. */
export class ChangeStatements {
  readonly #writes: Writes;
  readonly #timeText: StoreDialect['timeText'];
  readonly #texts: TextLimits | undefined;

  constructor(writes: Writes, { timeText, texts }: Pick<StoreDialect, 'timeText' | 'texts'>) {
    this.#writes = writes;
    this.#timeText = timeText;
    this.#texts = texts;
  }

  /** Throws RefusedError for a task with a text that the database can't hold. A result's text is made to fit instead. */
  of(change: TaskChange): readonly Statement[] {
    const writes = this.#writes;
    if (change.kind === 'create-task') return this.#create(change);
    const id = change.taskId;
    switch (change.kind) {
      case 'start-host': {
        const { host, clock } = change;
        const scope = hostScope(change);
        return [
          ...this.#hosts(id).output.of(scope, [{ ...hostChange(change, 'running'), stdout: '', stderr: '' }]),
          ...writes.deleteDoing.of(scope, [{ id, host }]),
          ...writes.insertDoing.of(scope, [{ id, host, clock, action: 'start' }]),
        ];
      }
      case 'kill-host': {
        const { host, clock, startClock } = change;
        const scope = hostScope(change);
        return [
          ...this.#hosts(id).status.of(scope, [hostChange(change, 'killing')]),
          ...writes.keepRun.of(scope, [{ task_id: id, host, clock: startClock }]),
          ...writes.deleteDoing.of(scope, [{ id, host }]),
          ...writes.insertDoing.of(scope, [{ id, host, clock, action: 'kill' }]),
        ];
      }
      case 'end-host': {
        const { host, output, detail } = change;
        const scope = hostScope(change);
        const guarded = hostChange(change, change.to);
        return [
          ...(output
            ? this.#hosts(id).output.of(scope, [{ ...guarded, ...this.#fitting(id, output) }])
            : this.#hosts(id).status.of(scope, [guarded])),
          ...writes.deleteDoing.of(scope, [{ id, host }]),
          ...writes.endRun.of(scope, detail ? [runMapper.toRow(detail)] : []),
        ];
      }
      case 'late-output': {
        const { host, output, detail } = change;
        const scope = hostScope(change);
        return [
          ...this.#hosts(id).outputOnly.of(scope, output ? [{ id, host, ...this.#fitting(id, output) }] : []),
          ...writes.endRun.of(scope, [runMapper.toRow(detail)]),
        ];
      }
      case 'host-started': {
        const { host, run, startedMs } = change;
        const row = { task_id: run.taskId, host, clock: run.clock, started_ms: startedMs };
        return writes.startRun.of(hostScope(change), [row]);
      }
      case 'dispatch-stored': {
        const { host, run } = change;
        const scope = hostScope(change);
        return [
          ...writes.lockDoing.of(scope, [{ id, host, clock: run.clock, action: 'start' }]),
          ...writes.keepRun.of(scope, [{ task_id: id, host, clock: run.clock }]),
        ];
      }
      case 'note-dispatch': {
        const { host, clock } = change;
        return writes.keepRun.of(hostScope(change), [{ task_id: id, host, clock }]);
      }
      case 'not-dispatched': {
        const { host, clock } = change;
        const scope = hostScope(change);
        const doing = { id, host, clock, action: 'start' };
        // Two statements: only once the row is locked, the second sees the server that has dispatched the run.
        return [...writes.lockDoing.of(scope, [doing]), ...writes.lockNotDispatched.of(scope, [doing])];
      }
      case 'drop-stray': {
        const { host, clock } = change;
        return writes.dropDoing.of(hostScope(change), [{ id, host, clock }]);
      }
      case 'touch-task':
        return writes.touchAction.of(String(id), [{ id, clock: change.clock }]);
      case 'as-scheduler': {
        const { scheduler, action, actionClock: clock } = change;
        return [
          ...writes.lockScheduler.of(String(id), [{ id, scheduler }]),
          ...writes.lockAction.of(String(id), [{ id, action, clock }]),
        ];
      }
      case 'task-action':
        return writes.setAction.of(String(id), [{ id, action: change.action, clock: change.clock }]);
      case 'end-task': {
        const { scheduler, action, actionClock: clock } = change;
        return [
          ...writes.deleteAction.of(String(id), [{ id, action, clock }]),
          ...writes.deleteScheduler.of(String(id), [{ id, scheduler }]),
        ];
      }
      default:
        return change satisfies never;
    }
  }

  #create(change: Extract<TaskChange, { kind: 'create-task' }>): Statement[] {
    const writes = this.#writes;
    const { meta, hosts, idempotencyKeys = [] } = change;
    const { id } = meta;
    if (this.#texts) refuseWhatDoesNotFit(this.#texts, change);
    const scope = String(id);
    return [
      // First, because of all of these they are the likeliest to be refused.
      ...idempotencyKeys.flatMap(({ key, ttlMs, bodyDigest }) =>
        writes.takeKey.of(key, [{ request_key: key, task_id: id, expires_ms: ttlMs, body_digest: bodyDigest }]),
      ),
      ...writes.insertMeta.of(scope, [{ ...meta, created: this.#timeText(meta.created.getTime()) }]),
      ...writes.insertOptions.of(scope, meta.terminal === undefined ? [] : [{ id, terminal: meta.terminal ? 1 : 0 }]),
      ...writes.insertAction.of(scope, [{ id, action: change.action, clock: change.actionClock }]),
      ...writes.insertScheduler.of(scope, [{ id, scheduler: change.scheduler }]),
      ...this.#hosts(id).insert.of(
        scope,
        hosts.map(({ host, startClock }) => ({ id, host, status: startClock === undefined ? 'waiting' : 'running' })),
      ),
      ...writes.insertDoing.of(
        scope,
        hosts.flatMap(({ host, startClock }) =>
          startClock === undefined ? [] : [{ id, host, clock: startClock, action: 'start' }],
        ),
      ),
    ];
  }

  #fitting(taskId: number, output: Output): Output {
    const texts = this.#texts;
    if (!texts) return output;
    const table = hostTable(taskId);
    return {
      stdout: texts.fitting(table, 'stdout', output.stdout),
      stderr: texts.fitting(table, 'stderr', output.stderr),
    };
  }

  #hosts(taskId: number): HostWrites {
    return this.#writes.hosts(hostTable(taskId));
  }
}

function refuseWhatDoesNotFit(texts: TextLimits, { meta, hosts }: Extract<TaskChange, { kind: 'create-task' }>): void {
  const refuse = (field: string, problem: string | undefined): void => {
    if (problem !== undefined) throw new RefusedError(`${field}: ${problem}`);
  };
  for (const field of ['title', 'account', 'pause', 'script', 'args', 'stdin', 'creator'] as const) {
    refuse(field, texts.problem('task_meta', field, meta[field]));
  }
  for (const { host } of hosts) {
    for (const table of [hostTable(meta.id), 'task_host_doing', 'ibex_run'])
      refuse('hosts', texts.problem(table, 'host', host));
  }
}

function hostScope({ taskId, host }: { readonly taskId: number; readonly host: string }): string {
  return `${taskId} ${host}`;
}

function hostChange(
  change: { readonly taskId: number; readonly host: string; readonly from: string },
  to: string,
): HostChange {
  return { id: change.taskId, host: change.host, from: change.from, to };
}
