import type { TaskMeta } from '../core/records.js';
import { StoreError } from '../store/store.js';
import type { PulledWork } from '../tasks/agent-gateway.js';
import { runnableScript } from '../tasks/assign-frames.js';
import type { AnswerDeadline } from './answer-deadline.js';
import type { MetaAnswer } from './rpc-codec.js';

/** The script of a task as these agents take it. Without an account they would ask su for a nameless one. */
export function scriptOf({ script, args, account, stdin }: TaskMeta): MetaAnswer {
  return { script: runnableScript(script), args, account: account === '' ? 'root' : account, stdin };
}

/**
 * For a task that is not, or no longer, for this agent. Of a task of this server the agent is told nothing, because it
 * would keep for ever whatever script it gets, and run that at a redo. A task of another server gets one that fails.
 */
export async function withoutScript(
  taskId: number,
  work: Pick<PulledWork, 'taskExists'>,
  time: AnswerDeadline,
): Promise<MetaAnswer> {
  const unknown = { message: `task ${taskId} can't be looked up now` };
  try {
    const exists = await time.orLate(work.taskExists(taskId), 'late');
    if (exists === 'late') return unknown;
    if (exists) return { message: `task ${taskId} is not for this host, or not any more` };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return unknown;
  }
  const script = `#!/bin/sh\necho 'ibex: this server knows no task ${taskId}' >&2\nexit 1\n`;
  return { script, args: '', account: 'root', stdin: '' };
}
