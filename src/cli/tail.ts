import { UserError } from '../shared/errors.js';
import { hostsFlag, readFlags } from './flags.js';
import { viewMode, watchTask } from './tail/watch-task.js';

const HELP = `
  Usage
    ibex tail TASK [--hosts A,B] [--json | --raw]

  Shows the output of a task from its beginning, then live, until every host has ended.
  Standard output: "HOST | line" for each line a script wrote to its stdout.
  Standard error:  "HOST ! line" for its stderr, "ibex: ..." for states.
  Of a task that is paused it shows why, and waits until it goes on.
  Exit code: 0 every host succeeded, 1 some did not, 2 wrong usage or no server.
  Ctrl+C leaves the task running.

  Options
    --hosts A,B          only these hosts (--host is the same); may be repeated
    --json               one JSON object a line, for programs
    --raw                one host's bytes exactly, stdout to stdout and stderr to stderr
`;

export async function main(argv: readonly string[]): Promise<number> {
  const { input, flags, server } = readFlags(
    { command: 'tail', help: HELP, flags: { hosts: 'texts', host: 'texts', json: 'switch', raw: 'switch' } },
    argv,
  );
  const [task, ...rest] = input;
  if (task === undefined || rest.length > 0) throw new UserError('usage: ibex tail TASK (the number of one task)');
  if (!/^[1-9]\d{0,15}$/.test(task))
    throw new UserError(`TASK must be the number of a task, not ${JSON.stringify(task)}`);
  const hosts = hostsFlag(flags.hosts, flags.host);
  const mode = viewMode(flags);
  return await watchTask({ server, taskId: Number(task), hosts, mode, patient: false, endAtPause: false });
}
