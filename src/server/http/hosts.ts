import type { HostView } from '../agents/host-list.js';
import { ok, refusal } from './reply.js';
import type { Handler } from './request.js';

/** The machines that have ever said hello. */
export interface HostDirectory {
  hosts(): Promise<readonly HostView[]>;
  /** False if there is no such Host. A session that is open goes on until it ends. */
  forget(host: string): Promise<boolean>;
}

/** GET /ibex/v1/hosts?host=a&host=b; without a name all */
export function listHosts(directory: HostDirectory): Handler {
  return async (request) => {
    const wanted = new Set(request.query.getAll('host'));
    const hosts = (await directory.hosts()).filter(({ host }) => wanted.size === 0 || wanted.has(host));
    return ok(hosts.map((host) => ({ ...host, online: host.connected })));
  };
}

/** DELETE /ibex/v1/host/:host/key: the next agent that says hello as this Host is pinned anew */
export function forgetKey(directory: HostDirectory): Handler {
  return async (request) => {
    const known = await directory.forget(request.params['host'] ?? '');
    return known ? ok() : refusal('no such host');
  };
}
