import { createInterface } from 'node:readline/promises';
import { UserError } from '../../shared/errors.js';
import { didYouMean } from '../../shared/nearest-name.js';
import type { ApiClient } from '../api/api-client.js';
import { age, parseHosts, type ListedHost } from '../hosts/host-table.js';

/** A person at a terminal, who can be told and asked. */
export interface Asker {
  tell(line: string): void;
  /** undefined: nobody is there who could answer */
  confirm(question: string): Promise<boolean | undefined>;
}

/** Named one by one; more of a kind are counted. */
const MAX_NAMED = 10;
/** A longer query would not fit into the head of a request. */
const MAX_QUERIED = 100;

/**
 * Looks at the hosts before a task is made for them: a name that no agent has had is most likely mistyped, and its part
 * of the task would only wait for its timeout. Tells of hosts that are away. Throws UserError where the person does not
 * want unknown hosts, or cannot be asked; `force` takes them.
 */
export async function checkHosts(
  api: ApiClient,
  names: readonly string[],
  force: boolean,
  asker: Asker,
): Promise<void> {
  const known = new Map((await hostsOf(api, names)).map((host) => [host.host, host]));
  const away = names.flatMap((name) => known.get(name) ?? []).filter(({ connected }) => !connected);
  for (const line of shorten(away.map(awayText))) asker.tell(line);
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const others = (await hostsOf(api, [])).map(({ host }) => host);
  const lines = shorten(unknown.map((name) => unknownText(name, others)));
  if (force) return lines.forEach((line) => asker.tell(line));
  const answer = await asker.confirm(`${lines.join('\nibex: ')}\nibex: make the task nevertheless? [y/N] `);
  if (answer === undefined)
    throw new UserError(`${lines.join('; ')}; nothing was done (--force makes the task anyway)`);
  if (!answer) throw new UserError('nothing was done');
}

/** Those of the hosts that the server knows; none named: all that it knows. A server of before answers with all. */
async function hostsOf(api: ApiClient, names: readonly string[]): Promise<ListedHost[]> {
  const query = names.length > MAX_QUERIED ? [] : names.map((name) => `host=${encodeURIComponent(name)}`);
  return parseHosts(await api.call('GET', `/ibex/v1/hosts${query.length === 0 ? '' : `?${query.join('&')}`}`));
}

/** Asks on standard error, where both ends are terminals. */
export const TERMINAL: Asker = {
  tell: (line) => process.stderr.write(`ibex: ${line}\n`),
  confirm: async (question) => {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
    using lines = createInterface({ input: process.stdin, output: process.stderr });
    return /^y(es)?$/i.test((await lines.question(`ibex: ${question}`)).trim());
  },
};

function unknownText(name: string, names: readonly string[]): string {
  const pattern = /[*?[\]]/.test(name) ? ': patterns are not understood, name the hosts' : '';
  return `no agent has ever come as ${name}${pattern === '' ? didYouMean(name, names) : pattern}`;
}

function awayText({ host, sinceMs }: ListedHost): string {
  const seen = sinceMs === undefined ? '' : `, last seen ${age(Date.now() - sinceMs)} ago`;
  return `${host} is offline${seen}; its script starts if it is back within the timeout`;
}

function shorten(lines: readonly string[]): string[] {
  const more = lines.length - MAX_NAMED;
  return more > 0 ? [...lines.slice(0, MAX_NAMED), `and ${more} more`] : [...lines];
}
