import { UserError } from '../shared/errors.js';
import { readFlags } from './flags.js';
import { viewMode, watchTask } from './tail/watch-task.js';

const HELP = `
  Usage
    ibex tail TASK [--host HOST]... [--json | --raw]

  Shows the output of a task from its beginning, then live, until every host has ended.
  Standard output: "HOST | line" for each line a script wrote to its stdout.
  Standard error:  "HOST ! line" for its stderr, "ibex: ..." for states.
  Exit code: 0 every host succeeded, 1 some did not, 2 wrong usage or no server.
  Ctrl+C leaves the task running.

  Options
    --host HOST          only this host; may be repeated
    --json               one JSON object a line, for programs
    --raw                one host's bytes exactly, stdout to stdout and stderr to stderr
`;

export async function main(argv: readonly string[]): Promise<number> {
  const { input, flags, server } = readFlags(
    { command: 'tail', help: HELP, flags: { host: 'texts', json: 'switch', raw: 'switch' } },
    argv,
  );
  const [task, ...rest] = input;
  if (task === undefined || rest.length > 0) throw new UserError('usage: ibex tail TASK (the number of one task)');
  if (!/^[1-9]\d{0,15}$/.test(task))
    throw new UserError(`TASK must be the number of a task, not ${JSON.stringify(task)}`);
  return await watchTask({ server, taskId: Number(task), hosts: flags.host, mode: viewMode(flags), patient: false });
}
