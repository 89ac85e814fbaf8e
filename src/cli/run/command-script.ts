/** A script that runs a command with exactly these words, whatever characters they hold. */
export function commandScript(words: readonly string[]): string {
  return `#!/bin/sh\nexec ${words.map(quoted).join(' ')}\n`;
}

function quoted(word: string): string {
  // Within single quotes only the quote itself has a meaning: end them, add an escaped one, begin again.
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
