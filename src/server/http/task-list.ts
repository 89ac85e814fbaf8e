import type { Store } from '../store/store.js';
import { ok, refusal } from './reply.js';
import { parseWhole, queryWhole, RefusedError, type Handler } from './request.js';
import { metaJson } from './task-json.js';

const DEFAULT_LIMIT = 20;
const DEFAULT_DAYS = 7;
const DAY_MS = 24 * 3_600_000;

/** GET /ibex/v1/tasks?creator&query&days&limit&p */
export function listTasks(store: Store): Handler {
  return async (request) => {
    const limit = Math.max(0, queryWhole(request, 'limit', 'int') ?? DEFAULT_LIMIT);
    const page = Math.max(1, queryWhole(request, 'p', 'int') ?? 1);
    const days = queryWhole(request, 'days', 'int64') ?? DEFAULT_DAYS;
    const { total, list } = await store.listTasks({
      creator: request.query.get('creator') ?? '',
      words: (request.query.get('query') ?? '').split(/\s+/).filter((word) => word !== ''),
      sinceMs: Date.now() - days * DAY_MS,
      limit,
      offset: (page - 1) * limit,
    });
    return ok({ list: list.map((task) => metaJson(task, task.done)), total });
  };
}

/** GET /ibex/v1/tasks/done-ids?ids=1,2: those of the ids whose task is not open, whether it is known or not */
export function doneIds(store: Store): Handler {
  return async (request) => {
    const given = (request.query.get('ids') ?? '').split(',').filter((id) => id !== '');
    if (given.length === 0) return refusal('arg(ids) empty');
    const ids = given.map((text) => {
      const id = parseWhole(text.trim());
      if (id === undefined) throw new RefusedError(400, `cannot convert ${text} to int64`);
      return id;
    });
    const open = await store.openAmong(ids);
    return ok({ list: ids.filter((id) => !open.has(id)) });
  };
}
