import koffi from 'koffi';

const WNOHANG = 1;
const nativeWaitpid: (pid: number, status: null, options: number) => unknown = koffi
  .load(null)
  .func('int waitpid(int pid, void *status, int options)');

/** Collects the exit status of one dead child and throws it away. Does nothing where that child lives, or is none. */
export function collect(pid: number): void {
  if (pid > 1) nativeWaitpid(pid, null, WNOHANG);
}
