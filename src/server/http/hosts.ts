import { ok, refusal } from './reply.js';
import type { Handler } from './request.js';

export interface SessionView {
  /** IP:port of the server's agents' port */
  readonly server: string;
  /** RFC 3339 */
  readonly since: string;
  /** of the agent */
  readonly address: string;
}

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
  /** the servers that it has a session with, this one first */
  readonly servers: readonly SessionView[];
  /** the runs that its agent has in hand, started or waiting for their turn */
  readonly running: readonly { readonly task: number; readonly clock: number }[];
  /** undefined while it is not connected to this server */
  readonly session: { readonly address: string; readonly instance: string; readonly runs: number } | undefined;
  /** the last one that was turned away as this Host, if any since the server's start */
  readonly refused: RefusedView | undefined;
}

/** The machines that have ever said hello. Implemented by the agents' side. */
export interface HostDirectory {
  hosts(): Promise<readonly HostView[]>;
  /** False if there is no such Host. A session that is open goes on until it ends. */
  forget(host: string): Promise<boolean>;
}

/** GET /ibex/v1/hosts */
export function listHosts(directory: HostDirectory): Handler {
  return async () => ok((await directory.hosts()).map((host) => ({ ...host, online: host.connected })));
}

/** DELETE /ibex/v1/host/:host/key: the next agent that says hello as this Host is pinned anew */
export function forgetKey(directory: HostDirectory): Handler {
  return async (request) => {
    const known = await directory.forget(request.params['host'] ?? '');
    return known ? ok() : refusal('no such host');
  };
}
