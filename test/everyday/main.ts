/**
 * What everyday commands print on a pipe, as under the Go ibex, on the terminal that a script of ours has, and with
 * Terminal = false: the table of docs/scripts.md, on standard output. `npm run everyday`
 */
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { World } from '../harness/world.ts';

const HOST = 'everyday';
const TIMEOUT_S = 10;

/** Prints something else each time it is asked. */
const CHANGES = 'its content changes';

/** Each command, and what differs on a terminal where something does. */
const COMMANDS: readonly (readonly [command: string, differs?: string])[] = [
  ['ps -ef', CHANGES],
  ['ps aux', CHANGES],
  ['ls /etc', 'names side by side in one line'],
  ['ls -l /etc'],
  ['df -h'],
  ['du -sh /etc/ssl'],
  ['free', CHANGES],
  ['uptime', CHANGES],
  ['w', CHANGES],
  ['top -bn1', CHANGES],
  ['pstree', 'lines drawn with other characters'],
  ['lsof -p $$', CHANGES],
  ['ip addr'],
  ['ss -tnl'],
  ['lsblk'],
  ['findmnt'],
  ['mount'],
  ['systemctl status'],
  ['systemctl list-units'],
  ['journalctl -n 20'],
  ['dmesg | tail -5'],
  ['git -C /tmp/everyday log', 'names of branches'],
  ['git -C /tmp/everyday -c core.pager=less log --stat', 'bars as long as COLUMNS allows'],
  ['less /etc/services'],
  ['more /etc/passwd'],
  ['man ls', 'bold and underlined words'],
  ['cat /etc/passwd | column -t -s:'],
  ['ls /etc | column', 'columns fill one line'],
  ['grep --color=auto root /etc/passwd'],
  ['diff --color=auto /etc/passwd /etc/group'],
  ['mysql -uroot -h127.0.0.1 -e "show databases"'],
  ['mysql -uroot -h127.0.0.1'],
  ['psql -h 127.0.0.1 -U postgres -l'],
  ['redis-cli ping'],
  ['curl -s http://127.0.0.1:1'],
  ['curl -o /dev/null http://127.0.0.1:9/'],
  ['wget -q -O- http://127.0.0.1:1'],
  ['apt list --installed', 'colours'],
  ['apt-cache policy bash'],
  ['dpkg -l'],
  ['python3 -c "print(1)"'],
  ['python3 --version'],
  ['node -p 1+1'],
  ['java -version'],
  ['npm --version'],
  ['make -v'],
  ['docker ps'],
  ['kubectl version'],
  ['vim --version'],
  ['ssh -V'],
  ['top', 'asks for a terminal to read from, everywhere'],
  ['tput cols', 'COLUMNS'],
];

interface Printed {
  /** null: ended by its timeout */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** As the Go agent starts it: its own environment, and a pipe for each stream. */
async function onPipe(script: string): Promise<Printed> {
  const child = spawn('/bin/sh', [script], { stdio: ['ignore', 'pipe', 'pipe'], cwd: homedir() });
  const timer = setTimeout(() => child.kill(), TIMEOUT_S * 1_000);
  const [out, err]: Buffer[][] = [[], []];
  child.stdout.on('data', (data: Buffer) => out?.push(data));
  child.stderr.on('data', (data: Buffer) => err?.push(data));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return { code, stdout: Buffer.concat(out ?? []), stderr: Buffer.concat(err ?? []).toString() };
}

async function underIbex(world: World, script: string, ...flags: readonly string[]): Promise<Printed> {
  const timeout = ['--timeout', String(TIMEOUT_S)];
  const { stdout, stderr } = await world.ibex('run', '--raw', '--hosts', HOST, ...timeout, ...flags, script);
  const code = /^ibex: everyday: timeout/m.test(stderr) ? null : 0;
  return { code, stdout, stderr: stderr.replaceAll(/^ibex: .*\n/gm, '') };
}

function cell({ code, stdout, stderr }: Printed): string {
  if (code === null) return 'hangs';
  const longest = Math.max(
    ...stdout
      .toString()
      .split('\n')
      .map((line) => line.length),
  );
  const errors = stderr === '' ? '' : `, stderr ${stderr.length}`;
  return `${stdout.length} bytes${stdout.length > 0 ? `, longest line ${longest}` : ''}${errors}`;
}

const world = await World.open(HOST);
try {
  process.stdout.write('| command | pipe, as under the Go ibex | terminal | `Terminal = false` | on the terminal |\n');
  process.stdout.write('| --- | --- | --- | --- | --- |\n');
  for (const [command, differs] of COMMANDS) {
    const script = world.write('command', `${command}\n`);
    const pipe = await onPipe(script);
    if (pipe.code === 127) {
      process.stderr.write(`not on this machine: ${command}\n`);
      continue;
    }
    const terminal = await underIbex(world, script);
    const without = await underIbex(world, script, '--no-terminal');
    const same = terminal.stdout.equals(pipe.stdout) && (terminal.code === null) === (pipe.code === null);
    const verdict = same ? 'the same' : (differs ?? 'DIFFERS');
    const name = `\`${command.replaceAll('|', '\\|')}\``;
    process.stdout.write(`| ${[name, ...[pipe, terminal, without].map(cell), verdict].join(' | ')} |\n`);
  }
} finally {
  await world.close();
}
