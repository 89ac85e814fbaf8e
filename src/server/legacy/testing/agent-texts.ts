const CATEGRAF_CHARACTERS = 16_380;
const GO_AGENTD_BYTES = 65_535;
const NEWLINE = 0x0a;

/** A stream as a Categraf tells it: whole, or its first characters, repaired, and three dots. */
export function categrafText(text: Uint8Array): Uint8Array {
  if (text.length <= CATEGRAF_CHARACTERS) return text;
  const characters = Array.from(Buffer.from(text).toString());
  if (characters.length <= CATEGRAF_CHARACTERS) return text;
  return Buffer.from(`${characters.slice(0, CATEGRAF_CHARACTERS).join('')}...`);
}

/** As a Go agentd tells it: its last bytes. */
export function goAgentdText(text: Uint8Array): Uint8Array {
  return text.subarray(-GO_AGENTD_BYTES);
}

/** The part of a stream that a Categraf reports while the script runs. */
export function wholeLines(text: Uint8Array): Uint8Array {
  return text.subarray(0, text.lastIndexOf(NEWLINE) + 1);
}
