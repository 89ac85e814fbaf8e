/** What a session needs of its connection. None of it throws, also after the connection has ended. */
export interface SessionSocket {
  /** The peer's address, for people. */
  readonly address: string;
  /** Sends a text frame, given as text or as its UTF-8. False if it was dropped because the peer does not read. */
  send(frame: string | Uint8Array): boolean;
  /** Asks the peer for a WebSocket pong. */
  ping(): void;
  close(code: number, reason: string): void;
}
