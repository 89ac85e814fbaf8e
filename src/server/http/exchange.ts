import type { HttpResponse } from 'uWebSockets.js';
import { statusLine, type Reply } from './reply.js';

/**
 * One request and its answer, over a response object that must not be touched after the answer or the caller's
 * leaving. Answers to anything but GET close the connection: one that stays open idle is closed by uWS at a moment
 * that can meet the next POST, which nobody would send again.
 */
export class Exchange {
  readonly #res: HttpResponse;
  readonly #method: string;
  readonly #ended: (status: number) => void;
  #open = true;

  /** `ended` is called once: with the status sent, or 0 if the caller left before it. */
  constructor(res: HttpResponse, method: string, ended: (status: number) => void) {
    this.#res = res;
    this.#method = method;
    this.#ended = ended;
    res.onAborted(() => {
      if (!this.#open) return;
      this.#open = false;
      ended(0);
    });
  }

  get callerLeft(): boolean {
    return !this.#open;
  }

  /** Does nothing once the caller has left. */
  reply(reply: Reply, close = false): void {
    if (!this.#open) return;
    this.#open = false;
    const res = this.#res;
    res.cork(() => {
      res.writeStatus(statusLine(reply.status));
      if (reply.contentType !== undefined) res.writeHeader('Content-Type', reply.contentType);
      for (const [name, value] of Object.entries(reply.headers ?? {})) res.writeHeader(name, value);
      const closes = close || this.#method !== 'GET';
      res.end(this.#method === 'HEAD' ? '' : reply.body, closes);
    });
    this.#ended(reply.status);
  }
}
