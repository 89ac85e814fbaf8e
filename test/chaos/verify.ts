import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Damage } from './disturbances.ts';
import type { Fleet } from './fleet.ts';
import type { JournalRun } from './journal.ts';
import type { Plan } from './plans.ts';
import type { HostView } from './tail-view.ts';

const STORED_BYTES = 65_535;
/** An agent that was killed may need so long to be back on a busy machine. */
const AWAY_S = 10;
const EXPLANATION = /(^|(?<=\n))ibex: [^\n]*\n$/;
const LOST_TERMINAL = /^.*: Input\/output error\n/gm;

/** How a host of a task came out, in a word for the table. */
export type Finding =
  | { readonly kind: 'right'; readonly word: string }
  /** not what the script would have had on a good day, truthfully said, and what was done to the host explains it */
  | { readonly kind: 'excused'; readonly word: string }
  | { readonly kind: 'wrong'; readonly word: string; readonly details: string };

export interface Subject {
  readonly plan: Plan;
  readonly view: HostView;
  readonly stored: { readonly stdout: string; readonly stderr: string };
  /** what the script wrote down about the clock in `view` */
  readonly journal: JournalRun | undefined;
}

/** Compares what the API shows of one host with what the script itself has written down. */
export function verify(subject: Subject, fleet: Fleet, damage: Damage): Finding {
  const { plan, view, journal, stored } = subject;
  const about = `plan ${plan.number} (${plan.kind}), host ${view.host}, clock ${view.clock}`;
  const wrong = (word: string, details = ''): Finding => ({
    kind: 'wrong',
    word,
    details: `${about}: ${word} ${details}; status ${view.status}, exit ${view.exitCode}, reason ${view.reason}`,
  });
  const fullDisk = damage.diskFilled && view.host === fleet.hosts[0];
  const outcome = outcomeOf(fleet, view, journal);
  const truncated = { stdout: outcome['stdoutTruncated'] === true, stderr: outcome['stderrTruncated'] === true };
  const status = verdictOnStatus(subject, fullDisk, damage.executorless.has(view.host));
  if (status.kind === 'wrong') return wrong(status.word, journal ? `(journal: ends ${journal.ends.join()})` : '');
  const hadTerminal = fleet.hasTerminal(view.host) && damage.executorless.has(view.host);
  const said = text(view.stderr).replace(EXPLANATION, '');
  // A helper whose terminal is gone says so.
  const stderr = hadTerminal && plan.kind === 'piped' ? said.replaceAll(LOST_TERMINAL, '') : said;
  const stdout = text(view.stdout);
  for (const [name, got, expected, isCut, whole] of [
    ['stdout', stdout, plan.stdout, truncated.stdout, status.whole],
    ['stderr', stderr, plan.stderr, truncated.stderr, status.whole],
  ] as const) {
    const lostTerminal = name === 'stdout' && hadTerminal;
    // Helpers of a script are waited for two seconds, which are short on a busy machine.
    const mayBeCut = lostTerminal || fullDisk || plan.kind === 'piped';
    if (isCut && !mayBeCut) return wrong(`${name} marked truncated without a cause`);
    // On a full disk what a server has stored is given up for new runs.
    if (fullDisk && (isCut || got === storedEnd(expected, whole, outcome[`${name}Bytes`]))) continue;
    const fits = whole && !isCut ? got === expected : expected.startsWith(got);
    if (!fits && !isLateOutput(plan, expected, got)) {
      return wrong(
        `${name} differs`,
        `(${got.length} of ${expected.length} bytes, first at ${firstDifference(got, expected)})`,
      );
    }
  }
  if (view.missing > 0 && !fullDisk) return wrong('bytes missing', String(view.missing));
  const isStoredEnd = (['stdout', 'stderr'] as const).every(
    (name) =>
      text(view[name]).slice(-STORED_BYTES) === stored[name] ||
      // An executor had told its end, and died before it noted that: the next one still kept what came later.
      (isLateOutput(plan, plan[name], text(view[name])) && stored[name] === plan[name]),
  );
  if (!isStoredEnd && !fullDisk) return wrong('stored output is not the end of the whole');
  const cut = truncated.stdout || truncated.stderr ? ', output cut and marked' : '';
  return { kind: status.kind === 'excused' || cut !== '' ? 'excused' : 'right', word: `${status.word}${cut}` };
}

/** What a server stores of a stream; `writtenBytes`: how much of it a script printed that was stopped on its way. */
function storedEnd(expected: string, whole: boolean, writtenBytes: unknown): string {
  const printed = whole || typeof writtenBytes !== 'number' ? expected : expected.slice(0, writtenBytes);
  return printed.slice(-STORED_BYTES);
}

/** A background child's words may come before the run's end, if the machine is slow. */
function isLateOutput(plan: Plan, expected: string, got: string): boolean {
  return plan.kind === 'background' && got === `${expected}late\n`;
}

interface StatusVerdict {
  readonly kind: Finding['kind'];
  readonly word: string;
  /** the script came to its end or printed all before it was stopped */
  readonly whole: boolean;
}

function verdictOnStatus({ plan, view, journal }: Subject, fullDisk: boolean, executorless: boolean): StatusVerdict {
  const { status, exitCode, reason } = view;
  const wrong = (word: string): StatusVerdict => ({ kind: 'wrong', word, whole: false });
  const killed = status === 'killed' && plan.killAfterMs !== undefined;
  const end = journal?.ends[0];
  if (!journal) {
    if (killed) return { kind: 'right', word: 'killed before its start', whole: false };
    // Its agent was away until after the timeout.
    if (status === 'timeout' && reason === 'silent' && plan.timeoutS < AWAY_S)
      return { kind: 'excused', word: 'silent until after its timeout', whole: false };
    if (status === 'timeout' && reason === 'not-started')
      return { kind: 'excused', word: 'not started in time', whole: false };
    if (status === 'failed' && reason === 'lost' && (executorless || fullDisk))
      return { kind: 'excused', word: 'lost before its start', whole: false };
    if (status === 'failed' && reason === 'spawn' && fullDisk)
      return { kind: 'excused', word: 'no disk to start', whole: false };
    return wrong('never ran');
  }
  if (killed) return { kind: 'right', word: end === undefined ? 'killed' : 'killed at its end', whole: false };
  if (end === undefined) {
    if (plan.overruns && status === 'timeout') return { kind: 'right', word: 'timeout', whole: true };
    if (fullDisk && (reason === 'lost' || reason === 'exit-unknown'))
      return { kind: 'excused', word: 'disk full', whole: false };
    return wrong('did not come to its end');
  }
  const fits = status === (end === 0 ? 'success' : 'failed') && exitCode === end && reason === null;
  if (fits) return { kind: 'right', word: status, whole: true };
  if (fullDisk && (reason === 'lost' || reason === 'exit-unknown'))
    return { kind: 'excused', word: 'disk full', whole: false };
  return wrong('result differs');
}

/** The agent's own record of the run's end; a field that is missing shows as a difference. */
function outcomeOf(fleet: Fleet, view: HostView, journal: JournalRun | undefined): Record<string, unknown> {
  const path = journal ? join(fleet.runFolder(view.host, journal.run), 'exit.json') : '';
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>) : {};
}

function text(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString('latin1');
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
