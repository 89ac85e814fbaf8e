import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describeError, UserError } from '../../shared/errors.js';
import { cannotListen } from '../net/listening.js';
import type { Address } from '../net/uws.js';
import { answerBrokenRequest } from './broken-request.js';

/**
 * A caller whose POST meets the closing of its idle connection sees it die, and some never send it again. So idle
 * connections are kept longer than any client known keeps them, and not for a round number of minutes after which
 * something may be done again and again.
 */
const KEEP_IDLE_MS = 4_000_000;
/** Finds out whether the machine at the other end of an idle connection is still there. */
const PROBE_AFTER_MS = 60_000;
/** A request must be whole within this time from its first byte. */
const REQUEST_WITHIN_MS = 20_000;
const CHECK_EVERY_MS = 1_000;
/** Browsers send all their cookies along. */
const MAX_HEAD_BYTES = 64 * 1024;
/** Connections that wait to be accepted; what comes above it is tried again by the caller's system. */
const BACKLOG = 4_096;

export interface HttpHandlers {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  /** true: the request asks for a WebSocket that `upgrade` serves */
  readonly upgrades: (request: IncomingMessage) => boolean;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** This option of Node 22 is not in the package of its types yet. */
interface Options extends ServerOptions {
  readonly shouldUpgradeCallback: (request: IncomingMessage) => boolean;
}

/** Accepts HTTP connections, with TLS or without. Disposing it ends those that are still open. */
export class HttpListener implements Disposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws UserError where a TLS file can't be read or the port can't be had; `configKey` is named then. */
  static async open(
    address: Address,
    tls: TlsFiles | undefined,
    configKey: string,
    handlers: HttpHandlers,
    requestWithinMs = REQUEST_WITHIN_MS,
  ): Promise<HttpListener> {
    const server = makeServer(tls, {
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
      keepAliveTimeout: KEEP_IDLE_MS,
      headersTimeout: requestWithinMs,
      requestTimeout: requestWithinMs,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      maxHeaderSize: MAX_HEAD_BYTES,
      requireHostHeader: false,
      shouldUpgradeCallback: handlers.upgrades,
    });
    const answering = new WeakMap<Duplex, ServerResponse>();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      answering.set(request.socket, response);
      handlers.request(request, response);
    });
    server.on('upgrade', handlers.upgrade);
    server.on('clientError', (error, socket) => {
      // A connection made in advance is as good as an idle one.
      if (socket instanceof Socket && socket.bytesRead === 0 && socket.writable) socket.setTimeout(KEEP_IDLE_MS);
      else answerBrokenRequest(error, socket, answering.get(socket));
    });
    try {
      await listen(server, address);
    } catch (error) {
      throw cannotListen(address, configKey, error);
    }
    return new HttpListener(server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Accepts no more connections and closes those that wait for a request. */
  stop(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  [Symbol.dispose](): void {
    this.stop();
    this.#server.closeAllConnections();
  }
}

function makeServer(tls: TlsFiles | undefined, options: Options): Server {
  if (!tls) return createServer(options);
  return createTlsServer({
    ...options,
    cert: readTlsFile('HTTP.CertFile', tls.certFile),
    key: readTlsFile('HTTP.KeyFile', tls.keyFile),
  });
}

function readTlsFile(configKey: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`${configKey}: cannot read ${path}: ${describeError(error)}`);
  }
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
