import { ok, refusal } from './reply.js';
import type { Handler } from './request.js';

export interface RefusedView {
  /** the last time; RFC 3339 */
  readonly at: string;
  readonly kind: string;
  readonly address: string;
  readonly why: string;
  readonly remedy: string;
  /** since the server's start */
  readonly count: number;
}

/** A machine as `ibex hosts` shows it. */
export interface HostView {
  readonly host: string;
  readonly connected: boolean;
  /** when it connected, or was last seen; RFC 3339 */
  readonly since: string;
  readonly version: string;
  readonly kind: string;
  /** undefined while it is not connected */
  readonly session: { readonly address: string; readonly instance: string; readonly runs: number } | undefined;
  /** the last one that was turned away as this Host, if any since the server's start */
  readonly refused: RefusedView | undefined;
}

/** The machines that have ever said hello. Implemented by the agents' side. */
export interface HostDirectory {
  hosts(): readonly HostView[];
  /** False if there is no such Host. A session that is open goes on until it ends. */
  forget(host: string): Promise<boolean>;
}

/** GET /ibex/v1/hosts */
export function listHosts(directory: HostDirectory): Handler {
  return () => ok(directory.hosts().map((host) => ({ ...host, online: host.connected })));
}

/** DELETE /ibex/v1/host/:host/key: the next agent that says hello as this Host is pinned anew */
export function forgetKey(directory: HostDirectory): Handler {
  return async (request) => {
    const known = await directory.forget(request.params['host'] ?? '');
    return known ? ok() : refusal('no such host');
  };
}
