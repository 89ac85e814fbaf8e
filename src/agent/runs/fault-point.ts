/** The named steps at which a test can have a process killed; docs/reliability.md says what follows from each. */
export type FaultPoint =
  | 'assignment-written'
  | 'before-claim'
  | 'claimed'
  | 'launcher-noted'
  | 'spawned'
  | 'before-outcome'
  | 'outcome-written'
  | 'before-acknowledged';

const wanted = process.env['IBEX_TEST_KILL_AT'];

/** Ends this process as kill -9 would, if the environment variable IBEX_TEST_KILL_AT names this step. */
export function faultPoint(step: FaultPoint): void {
  if (wanted === step) process.kill(process.pid, 'SIGKILL');
}
