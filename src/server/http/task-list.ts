import type { Store } from '../store/store.js';
import { ok, refusal } from './reply.js';
import { parseInteger, queryInteger, type Handler } from './request.js';
import { metaJson } from './task-json.js';

const DEFAULT_LIMIT = 20;
const DEFAULT_DAYS = 7;
const DAY_MS = 24 * 3_600_000;
/** A hundred years: more is as good as no limit, and dates must stay within what databases know. */
const MAX_DAYS = 36_500;
const MAX_ROWS = Number.MAX_SAFE_INTEGER;

/** GET /ibex/v1/tasks?creator&query&days&limit&p */
export function listTasks(store: Store): Handler {
  return async (request) => {
    // The first of these that is wrong is the one complained about.
    const limit = between(0, queryInteger(request, 'limit', 'int') ?? DEFAULT_LIMIT, MAX_ROWS);
    const days = between(-MAX_DAYS, queryInteger(request, 'days', 'int64') ?? DEFAULT_DAYS, MAX_DAYS);
    const page = between(1, queryInteger(request, 'p', 'int') ?? 1, MAX_ROWS);
    const { total, list } = await store.listTasks({
      creator: request.query.get('creator') ?? '',
      words: (request.query.get('query') ?? '').split(/\s+/).filter((word) => word !== ''),
      sinceMs: Date.now() - days * DAY_MS,
      limit,
      offset: between(0, (page - 1) * limit, MAX_ROWS),
    });
    // Without a limit everything is on the first page.
    const shown = limit === 0 && page > 1 ? [] : list;
    return ok({ list: shown.map((task) => metaJson(task, task.done)), total });
  };
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(least, value), most);
}

/**
 * GET /ibex/v1/tasks/done-ids?ids=1,2: those of the ids whose task is not open, whether it is known or not. What is no
 * number is left out.
 */
export function doneIds(store: Store): Handler {
  return async (request) => {
    const given = (request.query.get('ids') ?? '').split(',');
    const ids = given.map(parseInteger).filter((id) => id !== undefined);
    if (ids.length === 0) return refusal('arg(ids) empty');
    const open = await store.openAmong(ids);
    return ok({ list: ids.filter((id) => !open.has(id)) });
  };
}
