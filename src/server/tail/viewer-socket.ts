import type { OutputFrame } from '../../shared/protocol/agent-frames.js';

/** The connection of a tail session. No member throws, also after the connection has ended. */
export interface ViewerSocket {
  /** Sends a text frame. False if it was dropped because the viewer does not read. */
  send(frame: string): boolean;
  /** As send(). The frame's bytes are copied. */
  sendOutput(frame: Omit<OutputFrame, 't'>): boolean;
  /** Bytes that wait for the viewer to read. */
  bufferedBytes(): number;
  close(code: number, reason: string): void;
}
