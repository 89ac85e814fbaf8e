import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Pagers that would wait on a terminal for keys. PAGER covers only those that other programs start. */
const NAMES = ['less', 'more', 'most', 'pg'] as const;

/** It stands in PATH before the pager of its name, and gives that a pipe to write to. */
const TEXT = `#!/bin/sh
# ibex: a script has a terminal, but nobody presses keys. On a pipe a pager prints all that it is given.
path=:$PATH: own=:\${0%/*}:
while case $path in *"$own"*) ;; *) false ;; esac; do path=\${path%%"$own"*}:\${path#*"$own"}; done
path=\${path#:}
PATH=\${path%:}
[ -t 1 ] || exec "\${0##*/}" "$@"
exec 4>&1
code=$({ { "\${0##*/}" "$@" 3>&- 4>&-; echo $? >&3; } | cat >&4 3>&-; } 3>&1)
exit "$code"
`;

/** Writes the programs that stand in for pagers. Throws what the disk refuses with. */
export function writePagers(folder: string): void {
  mkdirSync(folder, { recursive: true });
  // Every account's scripts use them, whatever the umask.
  chmodSync(folder, 0o755);
  for (const name of NAMES) {
    writeFileSync(join(folder, name), TEXT);
    chmodSync(join(folder, name), 0o755);
  }
}
