/** One execution on one host: which task of which database, and which start of it (unix seconds, grows with every redo). */
export interface RunId {
  readonly taskId: number;
  readonly clock: number;
}

/** Name of a run within an agent, also its folder's name: `<first 8 of cluster>-<task>-<clock>`. */
export type RunKey = string;

const RUN_KEY = /^([0-9a-f]{8})-(\d{1,16})-(\d{1,16})$/;

export function runKey(cluster: string, run: RunId): RunKey {
  return `${cluster.slice(0, 8)}-${run.taskId}-${run.clock}`;
}

/** The parts of a run key, or undefined for any other text. */
export function parseRunKey(text: string): (RunId & { readonly cluster8: string }) | undefined {
  const match = RUN_KEY.exec(text);
  if (!match) return undefined;
  const [, cluster8, taskId, clock] = match;
  if (cluster8 === undefined || taskId === undefined || clock === undefined) return undefined;
  return { cluster8, taskId: Number(taskId), clock: Number(clock) };
}

/** True for two starts of one task. */
export function isSameTask(a: RunKey, b: RunKey): boolean {
  return a.slice(0, a.lastIndexOf('-')) === b.slice(0, b.lastIndexOf('-'));
}
