import { readFileSync } from 'node:fs';

/** What a script itself has written down about one of its starts. */
export interface JournalRun {
  /** name of the run's folder, which tells task and clock */
  readonly run: string;
  readonly taskId: number;
  readonly clock: number;
  readonly host: string;
  readonly plan: number;
  /** how often it began */
  starts: number;
  /** exit code it was about to end with, each time it came so far */
  readonly ends: number[];
}

/**
 * Shell text that every script goes on with after its first line. Its words go to the journal and to the disk before anything else happens,
 * by no way that passes through the agent.
 */
export function journalPrelude(path: string, plan: number): string {
  return `run=\${0%/script}; run=\${run##*/}
note() { printf '%s %s %s ${plan} %s\\n' "$1" "$run" "$IBEX_HOST" "$2" >>'${path}'; sync '${path}' 2>/dev/null; }
note S 0
`;
}

/** The journal by run. Throws on a line that can't be understood. */
export function readJournal(path: string): Map<string, JournalRun> {
  const runs = new Map<string, JournalRun>();
  for (const line of readFileSync(path, { encoding: 'utf8', flag: 'a+' }).split('\n')) {
    if (line === '') continue;
    const [kind, name = '', host = '', plan, code] = line.split(' ');
    const [, taskId, clock] = name.split('-').map(Number);
    if (taskId === undefined || clock === undefined) throw new Error(`the journal has a strange line: ${line}`);
    const key = `${host} ${name}`;
    const run = runs.get(key) ?? { run: name, taskId, clock, host, plan: Number(plan), starts: 0, ends: [] };
    runs.set(key, run);
    if (kind === 'S') run.starts++;
    else run.ends.push(Number(code));
  }
  return runs;
}
