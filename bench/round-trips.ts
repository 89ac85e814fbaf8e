import type { MysqlDatabase } from './kit/mysql-server.js';
import { round } from './kit/percentiles.js';
import { Report } from './kit/report.js';
import type { Subject } from './kit/subject.js';
import { throughput } from './throughput.js';

const TASKS = 3_000;

/**
 * How much a one-host task talks with the database, by its own counters: a transaction is one round trip, and so is
 * each select, among them those that the bench's own asking for finished tasks makes. Nothing else may use the server.
 */
export async function roundTrips(report: Report, subject: Subject, database: MysqlDatabase): Promise<void> {
  const before = await database.counters();
  await throughput(new Report(() => undefined), subject, TASKS, 16);
  const after = await database.counters();
  const each = (...names: readonly string[]): number =>
    round(names.reduce((sum, name) => sum + (after.get(name) ?? 0) - (before.get(name) ?? 0), 0) / TASKS);
  report.add('talk with the database, each one-host task', subject.what, {
    transactions: each('Com_begin'),
    selects: each('Com_select'),
    statements: each('Questions'),
    bytesSent: each('Bytes_received'),
    bytesReceived: each('Bytes_sent'),
  });
}
