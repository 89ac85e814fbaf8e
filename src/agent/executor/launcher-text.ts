import { OPEN_FILES } from '../runs/executor-setup.js';

/**
 * The shell text that stands between the executor and a script, run as `sh -c 'eval ...' ibex-run PIPES` on a terminal
 * of its own, where PIPES is what the paths of its two pipes begin with. No user data is part of it; words stay words.
 * It comes in the environment and not on the command line, where scripts that look for processes by their text would
 * find its words. Names of its own begin with ibex_, so that none is a variable that the script is to get.
 *
 * - `trap :` and not `trap ''`: ignored signals would be inherited by the script.
 * - stderr goes to /dev/null at once: dash prints "Terminated" and the like there, and it is the terminal.
 * - descriptor 4 holds the stderr pipe open for both directions, so that no writer of it meets SIGPIPE and nobody
 *   sees an early end, also while no executor reads; 5 is where words come from after the script's end.
 * - opening for both directions would make a plain file of a pipe that is gone.
 * - the marker comes over the terminal: on a command line or in a file it might be printed by a script that looks around.
 * - what becomes the script runs in the foreground: behind `&` it would have INT and QUIT ignored. setsid gives it a
 *   session of its own without a fork, because a subshell leads no process group; so its pid stays the script's.
 * - "none", which it says to itself, is found first on 5 where no script was begun.
 * - the exit code goes to the file first, for an executor that comes later, then to the terminal behind the marker.
 * - after "end" it lets go of the terminal but stays its session leader: were it to leave, whoever the script left
 *   behind would get EIO. The executor says "leave" when nobody holds the terminal any more.
 */
const LAUNCHER = `
unset IBEX_LAUNCHER
trap : HUP TERM INT
[ -p "$1control.fifo" ] || exit
exec 2>/dev/null 4<>"$1stderr.fifo" 5<>"$1control.fifo"
read -r ibex_marker || exit
(exec setsid -- /bin/sh -c 'eval "$IBEX_STARTER"' ibex-start)
ibex_code=$?
echo none >&5
until IFS= read -r ibex_folder <&5; do :; done
[ "$ibex_folder" = none ] && exit
printf '%s\\n' "$ibex_code" >"$ibex_folder/code"
printf '%s%s;' "$ibex_marker" "$ibex_code"
until read -r ibex_word <&5 && [ "$ibex_word" = end ]; do :; done
exec </dev/null >/dev/null 4>&-
until read -r ibex_word <&5 && [ "$ibex_word" = leave ]; do :; done
`;

/**
 * What becomes the script. It says a byte when it is ready, and waits at the terminal for the run's folder: an executor
 * that dies takes the terminal along, so that this reading meets its end. The folder is passed on before anything of
 * the script's is done.
 */
const STARTER = `
unset IBEX_STARTER
printf .
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
ibex_stdin=$1
cd "$2" || cd /
shift 2
while [ "$1" != -- ]; do export "$1"; shift; done
shift
printf '%s\\n' "$ibex_folder" >&5
read -r ibex_line </proc/self/stat && printf '%s\\n' "$ibex_line" >"$ibex_folder/pid"
[ -z "$IBEX_OPEN_FILES" ] || ulimit -Sn "$IBEX_OPEN_FILES"
unset IBEX_OPEN_FILES
exec 2>&4 4>&- 5>&- <"$ibex_stdin"
exec "$@"
`;

/** The launcher's command line, except for the last word, which is the beginning of its pipes' paths. */
export const LAUNCHER_WORDS = ['/bin/sh', '-c', 'eval "$IBEX_LAUNCHER"', 'ibex-run'] as const;
export const LAUNCHER_ENV = Object.freeze({
  IBEX_LAUNCHER: LAUNCHER,
  IBEX_STARTER: STARTER,
  [OPEN_FILES]: process.env[OPEN_FILES] ?? '',
});

/** Bytes that a launcher prints before the script's first. */
export const READY_BYTES = 1;

/** In place of a folder, this sends a launcher away that has been given no run. */
export const NO_RUN = '';

export interface ScriptWords {
  /** path of the script's stdin */
  readonly stdin: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
}

/** The file from which the launcher takes what it starts: a word ends in a line that begins with `=`. */
export function encodeWords({ stdin, home, env, argv }: ScriptWords): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [stdin, home, ...variables, '--', ...argv].map(encodeWord).join('');
}

function encodeWord(word: string): string {
  return `${word
    .split('\n')
    .map((line, at, { length }) => `${at === length - 1 ? '=' : '+'}${line}`)
    .join('\n')}\n`;
}
