import { describeError, errorCode, UserError } from '../../shared/errors.js';
import type { ServerAddress } from './server-address.js';

const ANSWER_TIMEOUT_MS = 10_000;

/** The server's answer to a request that needs nothing but the right password. */
export type Probe =
  | { readonly kind: 'answered' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'silent'; readonly why: string };

interface Exchanged {
  readonly status: number;
  readonly text: string;
}

/** The server's HTTP API. Every failure is a UserError that names the server and its answer. */
export class ApiClient {
  readonly #server: ServerAddress;

  constructor(server: ServerAddress) {
    this.#server = server;
  }

  /** `dat` of the answer; undefined where the answer has none. */
  async call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const exchanged = await this.#exchange(method, path, body);
    if (typeof exchanged === 'string') throw new UserError(exchanged);
    const { status, text } = exchanged;
    if (status === 401) throw new UserError(this.#wrongPassword());
    const answer = parseAnswer(text);
    const { origin } = this.#server;
    if (!answer)
      throw new UserError(`${origin} answers ${method} ${path} with status ${status}: is it an ibex server?`);
    if (answer.err !== '') throw new UserError(`${origin} says: ${answer.err}`);
    return answer.dat;
  }

  async probe(): Promise<Probe> {
    const exchanged = await this.#exchange('GET', '/ibex/v1/tasks?limit=1&days=0', undefined);
    if (typeof exchanged === 'string') return { kind: 'silent', why: exchanged };
    return exchanged.status === 401 ? { kind: 'refused', why: this.#wrongPassword() } : { kind: 'answered' };
  }

  #wrongPassword(): string {
    return `${this.#server.origin} refuses user ${this.#server.user}: wrong user or password`;
  }

  /** The answer, or why there is none. */
  async #exchange(method: string, path: string, body: unknown): Promise<Exchanged | string> {
    const { origin, authorization } = this.#server;
    try {
      const response = await fetch(`${origin}${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return `no answer from ${origin}: ${whyNoAnswer(error, origin)}`;
    }
  }
}

function parseAnswer(text: string): { readonly err: string; readonly dat: unknown } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('err' in value) || typeof value.err !== 'string')
    return undefined;
  return { err: value.err, dat: 'dat' in value ? value.dat : undefined };
}

function whyNoAnswer(error: unknown, origin: string): string {
  // fetch hides the reason in the cause of its own error.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  switch (errorCode(cause)) {
    case 'ECONNREFUSED':
      return 'nothing listens there (is `ibex server` running?)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name cannot be resolved';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return origin.startsWith('https:')
        ? 'it closed the connection'
        : `it closed the connection (does it want ${origin.replace('http:', 'https:')}?)`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'EPROTO':
      return `it does not speak https; try ${origin.replace('https:', 'http:')}`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'its certificate is of no authority that this machine trusts (NODE_EXTRA_CA_CERTS=FILE adds one)';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another name';
    case undefined:
      return isTimeout(cause) ? `none within ${ANSWER_TIMEOUT_MS / 1_000} s` : describeError(cause);
    default:
      return describeError(cause);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
