import { UserError } from '../shared/errors.js';
import { didYouMean } from '../shared/nearest-name.js';

const HELP = `ibex: the channel through which alarms heal themselves

  ibex server [-c FILE]      take tasks over HTTP and send them to the agents     (default etc/server.conf)
  ibex agentd [-c FILE]      run on this machine what servers send                (default etc/agentd.conf)

  ibex run --hosts A,B SCRIPT [ARGS...]    run a script on hosts, show its output
  ibex run --hosts A,B -- COMMAND...       the same with a command
  ibex tail TASK             show the output of a task, from its beginning and live
  ibex hosts                 list the hosts that have an agent
  ibex hosts forget HOST     forget the key of a host, so that a reinstalled machine is let in again

  ibex help [COMMAND], ibex version

run, tail and hosts find the server by --url --user --password or IBEX_URL IBEX_USER IBEX_PASSWORD
(default http://127.0.0.1:10090 ibex ibex). Exit codes: 0 every host succeeded, 1 some did not, 2 wrong usage or no
server, 3 the task has paused.
`;

const SERVER_HELP = `
  Usage
    ibex server [-c FILE]

  Takes tasks over HTTP (port 10090) and sends them to the agents, which connect to port 20090.
  Serves until SIGTERM or SIGINT. Log lines are JSON, where [Log] of the file says.

  Options
    -c, --config FILE    configuration, default etc/server.conf below the working folder

  Exit code: 0 after a signal, 1 where it cannot start, 2 wrong usage.
`;

const AGENTD_HELP = `
  Usage
    ibex agentd [-c FILE]

  Connects to the servers that the file names and runs on this machine what they send. Running
  scripts outlive it. Serves until SIGTERM or SIGINT. Log lines are JSON, on standard output.

  Options
    -c, --config FILE    configuration, default etc/agentd.conf below the working folder

  Exit code: 0 after a signal, 1 where it cannot start, 2 wrong usage.
`;

type Print = () => Promise<unknown>;

const COMMANDS: Readonly<Record<string, Print>> = {
  server: async () => process.stdout.write(SERVER_HELP),
  agentd: async () => process.stdout.write(AGENTD_HELP),
  run: async () => (await import('./run.js')).main(['--help']),
  tail: async () => (await import('./tail.js')).main(['--help']),
  hosts: async () => (await import('./hosts.js')).main(['--help']),
  help: async () => process.stdout.write(HELP),
  version: async () => process.stdout.write(HELP),
};

/** `ibex help [COMMAND]`. Throws UserError for a command that does not exist. */
export async function main([command = 'help', ...rest]: readonly string[]): Promise<number> {
  const print = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (!print || rest.length > 0) {
    const unknown = [command, ...rest].join(' ');
    throw new UserError(
      `no help on ${unknown}${didYouMean(unknown, Object.keys(COMMANDS))}; ibex help lists the commands`,
    );
  }
  await print();
  return 0;
}
