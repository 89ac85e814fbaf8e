import { ON_TERMINAL_ONLY } from './environment.js';
import { OPEN_FILES } from '../runs/executor-setup.js';

/**
 * The shell text that stands between the executor and a script, run as `sh -c 'eval ...' ibex-run PIPES` on a terminal
 * of its own, where PIPES is the beginning of its pipes' paths. No user data is part of it; words stay words. It comes in
 * the environment and not on the command line, where scripts that look for processes by their text would find its words.
 * Names of its own begin with ibex_, so that none is a variable that the script is to get.
 *
 * - `trap :` and not `trap ''`: ignored signals would be inherited by the script.
 * - stderr goes to /dev/null at once: dash prints "Terminated" and the like there, and it is the terminal.
 * - descriptors 4 and 6 are reading ends of the script's stderr and of the stdout that it has without a terminal: while no
 *   executor reads, no writer meets SIGPIPE, and nothing written is lost. Only the script's processes have writing ends,
 *   so the executor sees by the pipe's end that none of them is left.
 * - opening for both directions first doesn't wait for a writer; for a pipe that is gone it would make a plain file.
 * - 8 is where it reports: "ready", then the script's exit code. It is open for reading too, so that it outlives executors.
 * - what becomes the script runs in the foreground: behind `&` it would have INT and QUIT ignored. setsid gives it a
 *   session of its own without a fork, because a subshell leads no process group; so its pid stays the script's.
 * - "none", which it says to itself, is found first on 5 where no script was begun.
 * - the exit code goes to the file first, for an executor that comes later. Then the launcher closes the terminal, before it
 *   reports, so that the executor finds out whether others have it open. It stays the terminal's session leader: were it to
 *   leave, whoever the script left behind would get EIO. The executor says "leave" when nobody holds terminal or pipes.
 * - where the disk refuses the code, the launcher tries again for as long as an executor may want it.
 * - 3 can only be read, so it ends when the executor dies. Another one says "leave", or removes the pipe; if somebody has
 *   removed the run's folder, nobody is left to wait for.
 */
const LAUNCHER = `
unset IBEX_LAUNCHER
trap : HUP TERM INT
[ -p "$1control.fifo" ] || exit
exec 2>/dev/null 5<>"$1control.fifo" 8<>"$1report.fifo" 7<>"$1stderr.fifo" 4<"$1stderr.fifo" 7>&-
[ -p "$1stdout.fifo" ] && exec 7<>"$1stdout.fifo" 6<"$1stdout.fifo" 7>&-
(exec setsid -- /bin/sh -c 'eval "$IBEX_STARTER"' ibex-start)
ibex_code=$?
echo none >&5
until IFS= read -r ibex_folder <&5; do :; done
[ "$ibex_folder" = none ] && exit
printf '%s\\n' "$ibex_code" >"$ibex_folder/code"
exec </dev/null >/dev/null 3</proc/self/fd/5 5>&-
echo "$ibex_code" >&8
until [ -f "$ibex_folder/code" ] && [ -s "$ibex_folder/code" ] || ! [ -p "$ibex_folder/control.fifo" ]; do
  sleep 1
  printf '%s\\n' "$ibex_code" >"$ibex_folder/code"
done
while read -r ibex_word <&3; do [ "$ibex_word" = leave ] && exit; done
while [ -p "$ibex_folder/control.fifo" ]; do sleep 2; done
`;

/**
 * What becomes the script. It reports when it is ready, and waits at the terminal for the run's folder: an executor
 * that dies takes the terminal along, so that this reading meets its end. The folder is passed on before anything of
 * the script's is done. The script's stdout and stderr are opened for writing only: a program that reads from them (less,
 * for keys) meets an error, where it would wait for ever for bytes that nobody types.
 */
const STARTER = `
unset IBEX_STARTER
echo ready >&8
IFS= read -r ibex_folder || exit
[ -n "$ibex_folder" ] || exit
ibex_part= ibex_newline='
'
while IFS= read -r ibex_line; do
  case $ibex_line in
    =*) set -- "$@" "$ibex_part\${ibex_line#=}"; ibex_part= ;;
    *) ibex_part=$ibex_part\${ibex_line#+}$ibex_newline ;;
  esac
done <"$ibex_folder/words"
ibex_stdin=$1 ibex_stdout=$2
cd "$3" || cd /
shift 3
while [ "$1" != -- ]; do export "$1"; shift; done
shift
printf '%s\\n' "$ibex_folder" >&5
read -r ibex_line </proc/self/stat && printf '%s\\n' "$ibex_line" >"$ibex_folder/pid"
if [ "$ibex_stdout" = /proc/self/fd/1 ]; then PATH=$IBEX_PAGERS:$PATH; else unset ${ON_TERMINAL_ONLY}; fi
unset IBEX_PAGERS
[ -z "$IBEX_OPEN_FILES" ] || ulimit -Sn "$IBEX_OPEN_FILES"
unset IBEX_OPEN_FILES
exec 4<&- 5>&- 6<&- 8>&- <"$ibex_stdin" >"$ibex_stdout" 2>"$ibex_folder/stderr.fifo"
exec "$@"
`;

/** The launcher's command line, except for the last word, which is the beginning of its pipes' paths. */
export const LAUNCHER_WORDS = ['/bin/sh', '-c', 'eval "$IBEX_LAUNCHER"', 'ibex-run'] as const;
export const LAUNCHER_ENV = Object.freeze({
  IBEX_LAUNCHER: LAUNCHER,
  IBEX_STARTER: STARTER,
  [OPEN_FILES]: process.env[OPEN_FILES] ?? '',
});

/** What a launcher reports before the exit code of its script. */
export const READY = 'ready';

/** In place of a folder, this sends a launcher away that has been given no run. */
export const NO_RUN = '';

export interface ScriptWords {
  /** paths of what the script reads and writes */
  readonly stdin: string;
  readonly stdout: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
}

/** The file from which the launcher takes what it starts: a word ends in a line that begins with `=`. */
export function encodeWords({ stdin, stdout, home, env, argv }: ScriptWords): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [stdin, stdout, home, ...variables, '--', ...argv].map(encodeWord).join('');
}

function encodeWord(word: string): string {
  return `${word
    .split('\n')
    .map((line, at, { length }) => `${at === length - 1 ? '=' : '+'}${line}`)
    .join('\n')}\n`;
}
