import type { TaskMeta } from '../records.js';

/** A task of which nothing matters but what is given. */
export function plainTask(given: Pick<TaskMeta, 'id' | 'created'> & Partial<TaskMeta>): TaskMeta {
  return {
    title: '',
    account: 'root',
    batch: 0,
    tolerance: 0,
    timeout: 30,
    pause: '',
    script: 'true',
    args: '',
    stdin: '',
    creator: '',
    ...given,
  };
}
