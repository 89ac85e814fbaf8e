import type { ChaosReport } from './chaos.ts';

const MOST_SHOWN = 40;

/** The table and a plain verdict. */
export function reportLines(report: ChaosReport): string[] {
  const { counts } = report.damage;
  const rows: (readonly [string, number])[] = [
    ['kill -9 of a link', counts.link],
    ['kill -9 of an executor', counts.executor],
    ['kill -9 of both at once', counts.both],
    ['kill -9 of the server', counts.server],
    ['kill -9 of the database', counts.database],
    ['all sockets cut', counts.sockets],
    ['disk filled', counts.disk],
    ['kill cycles in all', report.kills],
    ['tasks', report.tasks],
    ['tasks refused while the server could not', report.refused],
    ['scripts started', report.starts],
    ...[...report.outcomes].toSorted(([, a], [, b]) => b - a).map(([word, count]) => [`  ${word}`, count] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const disk = report.withDisk ? [] : ['no small disk was filled: this process may not mount one'];
  const wrong = report.wrong.slice(0, MOST_SHOWN).map((line) => `WRONG ${line}`);
  const verdict =
    report.wrong.length === 0
      ? 'verdict: no script was started twice, no result was lost or wrong, no output differs, nothing was left behind'
      : `verdict: ${report.wrong.length} things are wrong`;
  const kept = report.kept === undefined ? [] : [`kept: ${report.kept}`];
  return [...rows.map(([name, count]) => `${name.padEnd(width)}  ${count}`), ...disk, ...wrong, ...kept, verdict];
}
