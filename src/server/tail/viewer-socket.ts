/** What a tail session needs of its connection. None of it throws, also after the connection has ended. */
export interface ViewerSocket {
  /** Sends a text frame, or a binary one given as bytes. False if it was dropped because the viewer does not read. */
  send(frame: string | Uint8Array): boolean;
  /** Bytes that wait for the viewer to read. */
  bufferedBytes(): number;
  close(code: number, reason: string): void;
}
