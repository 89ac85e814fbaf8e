import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorCode } from '../../shared/errors.js';
import { refusal, statusLine, type Reply } from './reply.js';

/**
 * Answers what the HTTP parser could not make a request of, and closes the connection; `pending` is the
 * connection's latest response: if its request was whole, it goes out first.
 */
export function answerBrokenRequest(error: Error, socket: Duplex, pending: ServerResponse | undefined): void {
  if (pending?.req.complete && !pending.writableFinished) {
    pending.shouldKeepAlive = false;
    pending.once('close', () => socket.destroy());
    return;
  }
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, contentType = '', body } = replyTo(error);
  socket.end(
    `HTTP/1.1 ${statusLine(status)}\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function replyTo(error: Error): Reply {
  switch (errorCode(error)) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal('the request did not arrive in time', 408);
    case 'HPE_HEADER_OVERFLOW':
      return refusal('the head of the request is too long', 431);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refusal('the extensions of a chunk are too long', 413);
    default:
      return refusal('this is no HTTP request', 400);
  }
}
