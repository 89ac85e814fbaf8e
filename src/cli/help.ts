const HELP = `ibex: the channel through which alarms heal themselves

  ibex server [-c FILE]      take tasks over HTTP and send them to the agents     (default etc/server.conf)
  ibex agentd [-c FILE]      run on this machine what servers send                (default etc/agentd.conf)

  ibex run --hosts A,B SCRIPT [ARGS...]    run a script on hosts, show its output
  ibex run --hosts A,B -- COMMAND...       the same with a command
  ibex tail TASK             show the output of a task, from its beginning and live
  ibex hosts                 list the hosts that have an agent
  ibex hosts forget HOST     forget the key of a host, so that a reinstalled machine is let in again

  ibex help, ibex version
  ibex run --help, ibex tail --help, ibex hosts --help

run, tail and hosts find the server by --url --user --password or IBEX_URL IBEX_USER IBEX_PASSWORD
(default http://127.0.0.1:10090 ibex ibex). Exit codes: 0 every host succeeded, 1 some did not, 2 wrong usage or no server.
`;

export async function main(): Promise<number> {
  process.stdout.write(HELP);
  return 0;
}
