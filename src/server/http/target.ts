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
