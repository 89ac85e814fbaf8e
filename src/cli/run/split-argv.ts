/** `ibex run`'s own flags, and what comes after them: a script with its arguments, or a command behind `--`. */
export type SplitArgv =
  | { readonly kind: 'nothing'; readonly flags: readonly string[] }
  | {
      readonly kind: 'script';
      readonly flags: readonly string[];
      readonly file: string;
      readonly args: readonly string[];
    }
  | { readonly kind: 'command'; readonly flags: readonly string[]; readonly words: readonly string[] };

/**
 * Finds where the flags end, so that a script's own arguments (`-v`, `--force`) stay the script's.
 * `switches`: flags without a value; every other one takes the word behind it, unless it holds a `=`.
 */
export function splitArgv(argv: readonly string[], switches: readonly string[]): SplitArgv {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return { kind: 'command', flags: argv.slice(0, i), words: argv.slice(i + 1) };
    if (!word.startsWith('-')) {
      return { kind: 'script', flags: argv.slice(0, i), file: word, args: argv.slice(i + 1) };
    }
    if (!word.includes('=') && !switches.includes(word)) i++;
  }
  return { kind: 'nothing', flags: argv };
}
