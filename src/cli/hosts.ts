import { UserError } from '../shared/errors.js';
import { ApiClient } from './api/api-client.js';
import { readFlags } from './flags.js';
import { hostTable, parseHosts } from './hosts/host-table.js';

const HELP = `
  Usage
    ibex hosts [--json]
    ibex hosts forget HOST

  Lists the hosts that have, or had, an agent. "forget" drops the key that the server remembers
  for a host, so that the next agent of that name is let in with its own: after a reinstallation.

  Options
    --json               the server's answer as it is
`;

export async function main(argv: readonly string[]): Promise<number> {
  const { input, flags, server } = readFlags({ command: 'hosts', help: HELP, flags: { json: 'switch' } }, argv);
  const api = new ApiClient(server);
  const [action, host, ...rest] = input;
  if (action === undefined) {
    const answer = await api.call('GET', '/ibex/v1/hosts');
    if (flags.json) console.log(JSON.stringify(answer, undefined, 2));
    else process.stdout.write(hostTable(parseHosts(answer), Date.now()));
    return 0;
  }
  if (action !== 'forget' || host === undefined || rest.length > 0) {
    throw new UserError('usage: ibex hosts, or ibex hosts forget HOST');
  }
  await api.call('DELETE', `/ibex/v1/host/${encodeURIComponent(host)}/key`);
  console.log(`forgot the key of ${host}`);
  return 0;
}
