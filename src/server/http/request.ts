import type { Reply } from './reply.js';

/** What a handler gets of a request. */
export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** UTF-8; empty for GET and DELETE */
  readonly body: string;
  readonly remoteAddress: string;
  /** monotonic ms at which the request's head had been read */
  readonly arrivedMs: number;
  /** true once nobody waits for the answer any more */
  readonly callerLeft: () => boolean;
}

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

/** The task id in the path. Throws RefusedError (400) for a text that is no whole number. */
export function taskIdOf(request: ApiRequest): number {
  const text = request.params['id'] ?? '';
  const id = parseWhole(text);
  if (id === undefined) throw new RefusedError(400, `cannot convert ${text} to int64`);
  return id;
}

/** A whole number as written in a path or query; undefined for any other text. Ids of tasks all lie in the safe range. */
export function parseWhole(text: string): number | undefined {
  return /^[+-]?\d{1,19}$/.test(text) ? Number(text) : undefined;
}

export function queryWhole(request: ApiRequest, name: string, type: 'int' | 'int64'): number | undefined {
  const text = request.query.get(name);
  if (text === null || text === '') return undefined;
  const value = parseWhole(text);
  if (value === undefined) throw new RefusedError(400, `cannot convert [${text}] to ${type}`);
  return value;
}
