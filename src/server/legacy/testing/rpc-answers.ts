import type { Assigned } from './agent-memory.js';
import type { KeptScript } from './agent-scripts.js';

/** Reads the result of a Report. */
export function reportAnswerOf(answer: unknown): { readonly message: string; readonly assigned: readonly Assigned[] } {
  const { Message, AssignTasks } = fields(answer);
  if (typeof Message !== 'string' || !Array.isArray(AssignTasks)) throw new Error('no answer to a report');
  const assigned = AssignTasks.map((entry: unknown) => {
    const { Id, Clock, Action } = fields(entry);
    if (typeof Id !== 'number' || typeof Clock !== 'number' || typeof Action !== 'string') throw new Error('no entry');
    return { Id, Clock, Action };
  });
  return { message: Message, assigned };
}

/** Reads the result of GetTaskMeta; undefined where it says that there is no script. */
export function metaOf(answer: unknown): KeptScript | undefined {
  const { Message, Script, Args, Account, Stdin } = fields(answer);
  const texts = [Script, Args, Account, Stdin].map((text) => {
    if (typeof text !== 'string') throw new Error('no answer to GetTaskMeta');
    return text;
  });
  const [script = '', args = '', account = '', stdin = ''] = texts;
  return Message === '' ? { script, args, account, stdin } : undefined;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('no struct');
  return Object.fromEntries(Object.entries(value));
}
