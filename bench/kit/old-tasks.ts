import type { BenchDatabase } from './databases.js';

const HOST_TABLES = 100;
const DIGITS =
  '(select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all \
select 5 union all select 6 union all select 7 union all select 8 union all select 9)';
/** Their tasks lie so far apart in time that a week holds about half of a million. */
const SECONDS_APART = 1;

/** Where a server must begin with its own tasks to stay clear of those made here. */
export const FIRST_ID_ABOVE = 10_000_001;

/**
 * Fills an ibex's tables with tasks that ended long ago, one host each: ids `from` to `from + count - 1`, both
 * multiples of 1,000. The newest are as new as now; there are ten creators.
 */
export async function addOldTasks(database: BenchDatabase, from: number, count: number): Promise<void> {
  const created = database.secondsAgo(`(${from + count} - id) * ${SECONDS_APART}`);
  const ids = numbers(count);
  await database.run(
    `insert into task_meta (id, title, account, batch, tolerance, timeout, pause, script, args, stdin, creator, created)
     select id, 'old task FH: old', 'root', 0, 0, 60, '', 'exit 0', '', '',
       case id % 10 when 0 then 'bench' when 1 then 'one' when 2 then 'two' when 3 then 'three' when 4 then 'four'
         when 5 then 'five' when 6 then 'six' when 7 then 'seven' when 8 then 'eight' else 'nine' end,
       ${created}
     from (select i + ${from} as id from ${ids}) made`,
  );
  const perTable = numbers(count / HOST_TABLES);
  for (let table = 0; table < HOST_TABLES; table++) {
    await database.run(
      `insert into task_host_${table} (id, host, status, stdout, stderr)
       select i * ${HOST_TABLES} + ${from + table}, 'old', 'success', 'ok', '' from ${perTable}`,
    );
  }
  await database.run(
    `insert into ibex_run (task_id, host, clock, exit_code, started_ms, ended_ms, stdout_bytes)
     select i + ${from}, 'old', 1700000000, 0, 1700000000000, 1700000000010, 3 from ${ids}`,
  );
}

/** A derived table with a column `i` from 0 to count - 1. */
function numbers(count: number): string {
  const digits = Math.ceil(Math.log10(count));
  const terms = Array.from({ length: digits }, (_, digit) => `d${digit}.n * ${10 ** digit}`);
  const tables = Array.from({ length: digits }, (_, digit) => `${DIGITS} d${digit}`);
  const all = `select ${terms.join(' + ')} as i from ${tables.join(' cross join ')}`;
  return `(select i from (${all}) every where i < ${count}) numbers`;
}
