/**
 * The shell text that stands between the executor and a script, run as `sh -c 'eval ...' ibex-run FOLDER HOME STDIN
 * COMMAND...` on the terminal. No user data is part of it; arguments stay arguments. It comes in the environment and not
 * on the command line, where scripts that look for processes by their text would find its words.
 *
 * - `trap :` and not `trap ''`: ignored signals would be inherited by the script.
 * - descriptor 4 holds the stderr pipe open for both directions, so that no writer of it meets SIGPIPE and nobody
 *   sees an early end, also while no executor reads; 5 is where the executor's words come from: the marker first (on a
 *   command line or in a file it might be printed by a script that looks around), then "end", then "leave". Its
 *   executor may have died before the marker was read; one that finds no script says "abandon" in its place.
 * - the script runs in the foreground: behind `&` it would start with INT and QUIT ignored. setsid gives it a session
 *   of its own without a fork, because a subshell leads no process group; so the recorded pid stays the script's.
 * - stderr goes to /dev/null before the script: dash prints "Terminated" and the like there, and it is the terminal.
 * - the exit code goes to the file first, for an executor that comes later, then to the terminal behind the marker.
 * - after "end" it lets go of the terminal but stays its session leader: were it to leave, whoever the script left
 *   behind would get EIO. The executor says "leave" when nobody holds the terminal any more.
 */
const LAUNCHER = `
unset IBEX_LAUNCHER
trap : HUP TERM INT
d=$1 home=$2 in=$3
shift 3
read -r s </proc/self/stat && printf '%s\\n' "$s" >"$d/launcher"
stty raw -echo
exec 2>/dev/null
exec 4<>"$d/stderr.fifo" 5<>"$d/control.fifo"
until read -r marker <&5; do :; done
[ "$marker" = abandon ] && exit
cd "$home" || cd /
(
  read -r s </proc/self/stat && printf '%s\\n' "$s" >"$d/pid"
  exec 2>&4 4>&- 5>&- <"$in"
  exec setsid -- "$@"
)
code=$?
printf '%s\\n' "$code" >"$d/code"
printf '%s%s;' "$marker" "$code"
until read -r word <&5; do :; done
exec </dev/null >/dev/null 4>&-
until read -r word <&5; do :; done
`;

/** What the launcher's command line begins with; a run's folder follows. */
export const LAUNCHER_WORDS = ['/bin/sh', '-c', 'eval "$IBEX_LAUNCHER"', 'ibex-run'] as const;
export const LAUNCHER_ENV = Object.freeze({ IBEX_LAUNCHER: LAUNCHER });
