import { parseAgentFrame } from '../../shared/protocol/agent-codec.js';
import type { AgentTextFrame, HeartbeatFrame } from '../../shared/protocol/agent-frames.js';

/** Parses the text frames of one session. Until something happens each heartbeat is the same text as the one before. */
export class FrameReader {
  #text = '';
  #heartbeat: HeartbeatFrame | undefined;

  /** Throws ProtocolError (badFrame). */
  read(text: string): AgentTextFrame {
    if (this.#heartbeat && text === this.#text) return this.#heartbeat;
    const frame = parseAgentFrame(text);
    if (frame.t === 'heartbeat') {
      this.#text = text;
      this.#heartbeat = frame;
    }
    return frame;
  }
}
