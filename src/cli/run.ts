import { basename } from 'node:path';
import { UserError } from '../shared/errors.js';
import { ApiClient } from './api/api-client.js';
import { hostsFlag, integerFlag, readFlags, secondsFlag } from './flags.js';
import { checkHosts, TERMINAL } from './run/check-hosts.js';
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
  Behind -- several words are a command, with exactly these words; one word with blanks
  is a line for the shell: -- 'df -h | grep /'

  Exit code: 0 every host succeeded, 1 some did not, 2 nothing was done (wrong usage, no
  server, unknown hosts), 3 the task has paused before all hosts were started.

  Options
    --hosts A,B          where to run (--host is the same); may be repeated
    --force              also on hosts that the server has never seen, without asking
    --account NAME       as whom, default root
    --timeout TIME       seconds, or 90s, 5m, 2h; default 60
    --batch N            so many hosts at a time, default 0: all at once
    --tolerance N        so many may fail before the task pauses, default 0
    --wait               stay while the task is paused, until somebody starts it again
    --stdin FILE         what the script reads; - is this command's own input
    --no-terminal        the script's output is a pipe and no terminal, as under the Go ibex
    --title TEXT         default: the name of the script
    --json               one JSON object a line, for programs
    --raw                one host's bytes exactly, stdout to stdout and stderr to stderr
`;

const SWITCHES = ['--json', '--raw', '--force', '--wait', '--no-terminal', '--help', '-h'];

export async function main(argv: readonly string[]): Promise<number> {
  const split = splitArgv(argv, SWITCHES);
  const { flags, server } = readFlags(
    {
      command: 'run',
      help: HELP,
      flags: {
        hosts: 'texts',
        host: 'texts',
        force: 'switch',
        wait: 'switch',
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
  const hosts = hostsFlag(flags.hosts, flags.host);
  if (hosts.length === 0) throw new UserError('--hosts is missing: ibex run --hosts A,B SCRIPT');
  if (mode === 'raw' && hosts.length > 1) throw new UserError(`--raw shows one host, not ${hosts.length}`);
  const { script, args, title } = work(split);
  const task = {
    title: safeTitle(flags.title ?? title),
    account: flags.account ?? 'root',
    batch: integerFlag('batch', flags.batch, 0),
    tolerance: integerFlag('tolerance', flags.tolerance, 0),
    timeout: secondsFlag('timeout', flags.timeout, 60),
    pause: '',
    script,
    args,
    stdin: flags.stdin === undefined ? '' : readText('stdin file', flags.stdin),
    action: 'start',
    creator: server.user,
    hosts,
    ...(flags.terminal ? {} : { terminal: false }),
  };
  const api = new ApiClient(server);
  await checkHosts(api, hosts, flags.force, TERMINAL);
  const taskId = await api.call('POST', '/ibex/v1/tasks', task);
  if (typeof taskId !== 'number') throw new UserError(`${server.origin} answered without the number of the task`);
  return await watchTask({ server, taskId, hosts: [], mode, patient: true, endAtPause: !flags.wait });
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
