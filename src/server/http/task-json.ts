import type { HostRow, TaskMeta } from '../core/records.js';

/** A task's data as the API shows it. */
export function metaJson(meta: TaskMeta, done: boolean) {
  const { id, title, account, batch, tolerance, timeout, pause, script, args, stdin, creator, created } = meta;
  const { terminal } = meta;
  // Named one by one: the order of the fields is part of what callers know.
  return {
    id,
    title,
    account,
    batch,
    tolerance,
    timeout,
    pause,
    script,
    args,
    stdin,
    creator,
    created: secondsOf(created),
    done,
    ...(terminal === undefined ? {} : { terminal }),
  };
}

/** A host of a task as the API shows it; outputs are empty where they were not asked for. */
export function hostJson(id: number, { host, status }: HostRow, output?: { stdout?: string; stderr?: string }) {
  return { id, host, status, stdout: output?.stdout ?? '', stderr: output?.stderr ?? '' };
}

/** RFC 3339 without fractions, as the tables hold it. */
function secondsOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
