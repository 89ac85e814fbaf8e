/** WebSocket close codes of the agent session and the tail session. PROTOCOL.md says what each asks of the other end. */
export const CloseCode = Object.freeze({
  /** the sender has finished */
  normal: 1000,
  /** the server or the agent is stopping */
  goingAway: 1001,
  /** a frame that the protocol does not allow */
  badFrame: 4400,
  /** a proof that does not fit its key */
  badProof: 4401,
  /** the key is not the pinned one of this Host, or the Host is not admitted */
  notAdmitted: 4403,
  /** the task or host that a tail asks for does not exist */
  notFound: 4404,
  /** the opening, or a heartbeat, took too long */
  silent: 4408,
  /** another live session holds this Host */
  hostTaken: 4409,
  /** a newer session of the same agent took over */
  replaced: 4410,
  /** no version in common */
  version: 4426,
  /** too many sessions, or a peer that does not read */
  overload: 4429,
  /** a fault of the closing end */
  internal: 4500,
} as const);
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** A close frame has room for 123 bytes of text. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= 123) return text;
  // A character that was cut in two decodes to a replacement mark, which goes.
  return `${bytes
    .subarray(0, 118)
    .toString()
    .replace(/\uFFFD$/, '')}...`;
}
