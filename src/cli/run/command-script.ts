import { shellWord } from '../api/shell-word.js';

/**
 * A script of what stands behind `--`. Several words are a command with exactly these words, whatever characters they
 * hold; one word with blanks in it is a line for the shell, as ssh takes it.
 */
export function commandScript(words: readonly string[]): string {
  const [line = ''] = words;
  if (words.length === 1 && /\s/.test(line.trim())) return `#!/bin/sh\n${line}\n`;
  return `#!/bin/sh\nexec ${words.map(shellWord).join(' ')}\n`;
}
