import type { IncomingHttpHeaders } from 'node:http';
import type { Reply } from './reply.js';

/** A request as its handler gets it. */
export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** UTF-8; empty for GET and DELETE */
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** address and port of the caller; the address alone if a trusted proxy stands between */
  readonly remote: string;
  /** monotonic ms at which the request's head had been read */
  readonly arrivedMs: number;
  /** of the caller's connection, for all its requests: aborted once nobody waits for an answer any more */
  readonly closed: AbortSignal;
}

/** More than any number of 64 bits has, for leading zeros are allowed. */
const MAX_DIGITS = 100;

/** Throws RefusedError or StoreError; both become answers in words. */
export type Handler = (request: ApiRequest) => Reply | Promise<Reply>;

/** A request that is answered with words instead of data. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The task id in the path; 0 for a number that no task can have. Throws RefusedError (400) for any other text. */
export function taskIdOf(request: ApiRequest): number {
  const text = request.params['id'] ?? '';
  const id = parseInteger(text);
  if (id === undefined) throw new RefusedError(400, `cannot convert ${text} to int64`);
  return id > 0 && Number.isSafeInteger(id) ? id : 0;
}

/** A number of 64 bits as written in a path or query, rounded beyond the safe range; undefined for any other text. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text) || text.length > MAX_DIGITS) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? Number(value) : undefined;
}

export function queryInteger(request: ApiRequest, name: string, type: 'int' | 'int64'): number | undefined {
  const text = request.query.get(name);
  if (text === null || text === '') return undefined;
  const value = parseInteger(text);
  if (value === undefined) throw new RefusedError(400, `cannot convert [${text}] to ${type}`);
  return value;
}

/** Where a request is aimed at: path and query as they were sent, nothing decoded or folded. */
export interface Target {
  readonly path: string;
  /** without the question mark */
  readonly query: string;
}

/** Splits the target of a request line. Also understands the form with scheme and host, which proxies may send. */
export function parseTarget(raw: string): Target {
  const local = raw.replace(/^https?:\/\/[^/?]*/i, '');
  const at = local.indexOf('?');
  return at < 0 ? { path: local, query: '' } : { path: local.slice(0, at), query: local.slice(at + 1) };
}
