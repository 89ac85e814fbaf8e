import { basename } from 'node:path';
import { UserError } from '../shared/errors.js';
import { ApiClient } from './api/api-client.js';
import { readFlags, integerFlag } from './flags.js';
import { commandScript } from './run/command-script.js';
import { joinArgs } from './run/script-args.js';
import { splitArgv, type SplitArgv } from './run/split-argv.js';
import { readText, safeTitle } from './run/task-text.js';
import { viewMode, watchTask } from './tail/watch-task.js';

const HELP = `
  Usage
    ibex run --hosts A,B [options] SCRIPT [ARGS...]
    ibex run --hosts A,B [options] -- COMMAND [WORDS...]

  Makes a task of a script file, or of a command, and shows its output as ibex tail does.
  Options stand before the script; whatever follows it belongs to the script.

  Options
    --hosts A,B          where to run; may be repeated
    --account NAME       as whom, default root
    --timeout SECONDS    default 60
    --batch N            so many hosts at a time, default 0: all at once
    --tolerance N        so many may fail before the task pauses, default 0
    --stdin FILE         what the script reads; - is this command's own input
    --no-terminal        the script's output is a pipe and no terminal, as under the Go ibex
    --title TEXT         default: the name of the script
    --json               one JSON object a line, for programs
    --raw                one host's bytes exactly, stdout to stdout and stderr to stderr
`;

const SWITCHES = ['--no-terminal', '--json', '--raw', '--help', '-h'];

export async function main(argv: readonly string[]): Promise<number> {
  const split = splitArgv(argv, SWITCHES);
  const { flags, server } = readFlags(
    {
      command: 'run',
      help: HELP,
      flags: {
        hosts: 'texts',
        account: 'text',
        timeout: 'text',
        batch: 'text',
        tolerance: 'text',
        stdin: 'text',
        title: 'text',
        terminal: 'on',
        json: 'switch',
        raw: 'switch',
      },
    },
    split.flags,
  );
  const mode = viewMode(flags);
  const hosts = flags.hosts.flatMap((list) => list.split(',')).filter((host) => host.trim() !== '');
  if (hosts.length === 0) throw new UserError('--hosts is missing: ibex run --hosts A,B SCRIPT');
  if (mode === 'raw' && hosts.length > 1) throw new UserError(`--raw shows one host, not ${hosts.length}`);
  const { script, args, title } = work(split);
  const taskId = await new ApiClient(server).call('POST', '/ibex/v1/tasks', {
    title: safeTitle(flags.title ?? title),
    account: flags.account ?? 'root',
    batch: integerFlag('batch', flags.batch, 0),
    tolerance: integerFlag('tolerance', flags.tolerance, 0),
    timeout: integerFlag('timeout', flags.timeout, 60),
    pause: '',
    script,
    args,
    stdin: flags.stdin === undefined ? '' : readText('stdin file', flags.stdin),
    action: 'start',
    creator: server.user,
    hosts,
    ...(flags.terminal ? {} : { terminal: false }),
  });
  if (typeof taskId !== 'number') throw new UserError(`${server.origin} answered without the number of the task`);
  return await watchTask({ server, taskId, hosts: [], mode, patient: true });
}

function work(split: SplitArgv): { readonly script: string; readonly args: string; readonly title: string } {
  switch (split.kind) {
    case 'script':
      return { script: readText('script', split.file), args: joinArgs(split.args), title: basename(split.file) };
    case 'command':
      if (split.words.length === 0) throw new UserError('nothing stands behind --: ibex run --hosts A,B -- COMMAND');
      return { script: commandScript(split.words), args: '', title: split.words.join(' ') };
    case 'nothing':
      throw new UserError('what shall run? ibex run --hosts A,B SCRIPT, or -- COMMAND');
    default:
      throw new Error(`unknown ${String(split satisfies never)}`);
  }
}
