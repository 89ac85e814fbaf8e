import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseRunKey, type RunKey } from '../../shared/run-key.js';

/** Names of everything inside a run's folder `MetaDir/runs/<key>/`. docs/reliability.md tells when each is written. */
export const RunFile = Object.freeze({
  /** the assignment as it came, by the link */
  assignment: 'assignment.json',
  script: 'script',
  stdin: 'stdin',
  /** "this run is mine": exclusive, durable, before anything is started */
  claim: 'claim.json',
  /** instance of the executor that took the run over from the one in the claim */
  adopter: 'adopter',
  /** /proc stat line of the launcher, noted before the run is given to it */
  launcher: 'launcher',
  /** what the launcher starts: stdin, home, variables, command */
  words: 'words',
  /** /proc stat line of the script, by the process that becomes it */
  pid: 'pid',
  stdout: 'stdout',
  stderr: 'stderr',
  /** the end of a stream that was too long to keep whole */
  stdoutTail: 'stdout.tail',
  stderrTail: 'stderr.tail',
  /** stdout of a script without a terminal */
  stdoutPipe: 'stdout.fifo',
  stderrPipe: 'stderr.fifo',
  controlPipe: 'control.fifo',
  /** from the launcher to the executor that started it; removed once both have it open */
  reportPipe: 'report.fifo',
  /** why it is being ended from outside, and which processes; noted before any is asked to end */
  cause: 'cause',
  /** exit code as the launcher saw it */
  code: 'code',
  /** the outcome, final and durable */
  exit: 'exit.json',
  /** a server has stored the outcome */
  acknowledged: 'acknowledged',
} as const);
export type RunFile = (typeof RunFile)[keyof typeof RunFile];

/** The folders of one agent below its MetaDir. */
export class RunsFolder {
  readonly path: string;
  /** programs that stand in for pagers in scripts */
  readonly pagers: string;

  constructor(metaDir: string) {
    this.path = join(metaDir, 'runs');
    this.pagers = join(metaDir, 'bin');
  }

  folder(run: RunKey): string {
    return join(this.path, run);
  }

  /** Names of all run folders; other things that lie there are passed over. */
  list(): RunKey[] {
    return readdirSync(this.path).filter((name) => parseRunKey(name) !== undefined);
  }

  file(run: RunKey, name: RunFile): string {
    return join(this.path, run, name);
  }
}
