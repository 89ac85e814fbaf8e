/** A word as a shell takes it literally, quoted where it must be. */
export function shellWord(word: string): string {
  // Within single quotes only the quote itself has a meaning: end them, add an escaped one, begin again.
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
