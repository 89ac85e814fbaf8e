import { UserError } from '../../shared/errors.js';
import { shellWord } from './shell-word.js';

const DEFAULT_URL = 'http://127.0.0.1:10090';

/** Where the commands find the server, and as whom they come. */
export interface ServerAddress {
  /** scheme, host and port, without a slash at the end */
  readonly origin: string;
  readonly user: string;
  /** value of the Authorization header */
  readonly authorization: string;
}

export interface AddressFlags {
  readonly url: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** A flag wins over its environment variable, that over what the URL holds, that over the default. Throws UserError. */
export function serverAddress(flags: AddressFlags, env: Readonly<Record<string, string | undefined>>): ServerAddress {
  const given = flags.url ?? env['IBEX_URL'] ?? DEFAULT_URL;
  const url = parseUrl(given);
  const user = flags.user ?? env['IBEX_USER'] ?? (decodeURIComponent(url.username) || 'ibex');
  const password = flags.password ?? env['IBEX_PASSWORD'] ?? (decodeURIComponent(url.password) || 'ibex');
  return {
    origin: url.origin,
    user,
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  };
}

/** The command that asks the API for an action on a task, or on one of its hosts; it asks for the password. */
export function actionCall(server: ServerAddress, taskId: number, action: string, host?: string): string {
  const target = host === undefined ? `task/${taskId}` : `task/${taskId}/host/${encodeURIComponent(host)}`;
  const url = shellWord(`${server.origin}/ibex/v1/${target}/action`);
  return `curl -u ${shellWord(server.user)} -X PUT ${url} -d '{"action":"${action}"}'`;
}

function parseUrl(given: string): URL {
  const full = given.includes('://') ? given : `http://${given}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UserError(`no server at ${given}: the URL must look like ${DEFAULT_URL}`);
  }
  return url;
}
