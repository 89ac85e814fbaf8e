import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { describeError, errorStack } from '../../shared/errors.js';
import type { Log } from '../../shared/log.js';
import { plainAddress } from '../net/networks.js';
import { RefusedError as RefusedByDatabaseError, StoreError, UnreadableTaskError } from '../store/store.js';
import type { ClientAddress } from '../net/client-address.js';
import type { BasicAuth } from './basic-auth.js';
import { BodyReader, type Body } from './body.js';
import { closedSignal, Exchange } from './exchange.js';
import { notFoundPage, redirect, refusal, type Reply } from './reply.js';
import { parseTarget, RefusedError, type ApiRequest, type Handler } from './request.js';
import { Router, type Route } from './router.js';

export interface Endpoint {
  readonly handle: Handler;
  /** false: anyone may call it, without credentials */
  readonly restricted: boolean;
}

export interface ApiServerOptions {
  readonly routes: readonly Route<Endpoint>[];
  readonly auth: BasicAuth;
  readonly maxBodyBytes: number;
  readonly accessLog: boolean;
  readonly client: ClientAddress;
  readonly log: Log;
}

const UNAUTHORIZED: Reply = Object.freeze({
  status: 401,
  headers: { 'WWW-Authenticate': 'Basic realm="Authorization Required"' },
  body: '',
});
const STOPPING: Reply = Object.freeze(refusal('the server is stopping', 503));
const DRAIN_MS = 1_000;

/** The HTTP API: finds the route, checks credentials, reads the body, and turns errors into words. */
export class ApiServer {
  readonly #router: Router<Endpoint>;
  readonly #options: ApiServerOptions;
  readonly #bodies: BodyReader;
  #inFlight = 0;
  #draining: (() => void) | undefined;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#router = new Router(options.routes);
    this.#bodies = new BodyReader(options.maxBodyBytes);
  }

  /** Refuses new requests and resolves when the ones in hand are answered, or after a second. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DRAIN_MS);
      this.#draining = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#inFlight === 0) this.#draining();
    });
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const arrivedMs = performance.now();
    const { method = '' } = request;
    const { path, query } = parseTarget(request.url ?? '');
    const { address, remote } = this.#caller(request);
    this.#inFlight++;
    const exchange = new Exchange(request, response, (status) => {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#draining?.();
      if (!this.#options.accessLog) return;
      const ms = Math.round((performance.now() - arrivedMs) * 10) / 10;
      this.#options.log.info({ method, path, status, ms, remote: address }, status === 0 ? 'caller left' : 'request');
    });
    if (this.#draining) return exchange.reply(STOPPING, true);

    const match = this.#router.match(method, path);
    const denied = this.#answerWithoutHandler(method, match, query, request.headers.authorization ?? '');
    const respond = (body: Body): void => {
      if (body.kind === 'broken') exchange.abandon();
      else if (denied) exchange.reply(denied);
      else if (match.kind === 'found')
        this.#run(exchange, match.route.handler.handle, body, {
          params: match.params,
          query: new URLSearchParams(query),
          headers: request.headers,
          remote,
          arrivedMs,
          closed: closedSignal(request.socket),
        });
    };
    // A body is read to its end even for a refusal: an answer before that can be lost with the connection.
    if (method === 'POST' || method === 'PUT') this.#bodies.read(request, denied === undefined, respond);
    else respond({ kind: 'discarded' });
  }

  #caller({ socket, headers }: IncomingMessage): { readonly address: string; readonly remote: string } {
    const peer = plainAddress(socket.remoteAddress ?? '');
    const forwarded = headers['x-forwarded-for'];
    const address = this.#options.client.of(peer, Array.isArray(forwarded) ? forwarded.join() : forwarded);
    const inBrackets = address.includes(':') ? `[${address}]` : address;
    // A proxy does not tell its caller's port.
    return { address, remote: address === peer ? `${inBrackets}:${socket.remotePort ?? 0}` : inBrackets };
  }

  #answerWithoutHandler(
    method: string,
    match: ReturnType<Router<Endpoint>['match']>,
    query: string,
    authorization: string,
  ): Reply | undefined {
    switch (match.kind) {
      case 'none':
        return notFoundPage();
      case 'slash':
        return redirect(method === 'GET' ? 301 : 307, match.path + (query === '' ? '' : `?${query}`));
      case 'found':
        if (!match.route.handler.restricted) return undefined;
        return this.#options.auth.user(authorization) === undefined ? UNAUTHORIZED : undefined;
      default:
        return match satisfies never;
    }
  }

  #run(exchange: Exchange, handle: Handler, body: Body, request: Omit<ApiRequest, 'body'>): void {
    switch (body.kind) {
      case 'too-long':
        return exchange.reply(
          refusal(`body longer than ${this.#options.maxBodyBytes} bytes (HTTP.MaxContentLength)`, 413),
          true,
        );
      case 'broken':
        return exchange.abandon();
      case 'busy':
        return exchange.reply(refusal('too many long bodies at once, try again', 503));
      case 'whole':
      case 'discarded':
        break;
      default:
        body satisfies never;
    }
    const text = body.kind === 'whole' ? body.bytes.toString() : '';
    try {
      const reply = handle({ ...request, body: text });
      if (!(reply instanceof Promise)) return exchange.reply(reply);
      reply.then(
        (late) => exchange.reply(late),
        (error: unknown) => exchange.reply(this.#errorReply(error)),
      );
    } catch (error) {
      exchange.reply(this.#errorReply(error));
    }
  }

  #errorReply(error: unknown): Reply {
    if (error instanceof RefusedError) return refusal(error.message, error.status);
    if (error instanceof StoreError) {
      const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
      this.#options.log.error({ err: describeError(error), ...cause }, 'database failure');
      // Nightingale shows the words to a person only with status 200, and nobody else can mend what they say.
      if (error instanceof RefusedByDatabaseError) return refusal(error.message);
      const later = error instanceof UnreadableTaskError ? '' : ', try again later';
      return refusal(`${error.message}${later}`, 503);
    }
    this.#options.log.error({ err: errorStack(error) }, 'request failed');
    return refusal('internal error, see the server log', 500);
  }
}
