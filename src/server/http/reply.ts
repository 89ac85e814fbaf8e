import { STATUS_CODES } from 'node:http';

/** An answer to an HTTP request, as data. */
export interface Reply {
  readonly status: number;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The status line's text, e.g. "200 OK". */
export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
}

/** The envelope of every API answer; without `dat` where there is nothing to hand over. */
export function ok(dat?: unknown): Reply {
  return json(200, dat === undefined ? { err: '' } : { dat, err: '' });
}

/**
 * A refusal in words. Callers such as Nightingale show the words to a person only where the status is 200.
 */
export function refusal(err: string, status = 200): Reply {
  return json(status, { err });
}

export function text(body: string, status = 200): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

export function notFoundPage(): Reply {
  return text('404 page not found', 404);
}

export function redirect(status: 301 | 307, location: string): Reply {
  return { status, headers: { Location: location }, body: '' };
}

export const NO_SUCH_TASK: Reply = Object.freeze(refusal('no such task meta', 404));

function json(status: number, value: unknown): Reply {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}
