import { describeError, errorCode, UserError } from './shared/errors.js';
import { didYouMean } from './shared/nearest-name.js';

interface Role {
  // Imported only when chosen: an agent must not pay in memory for the server's libraries.
  readonly load: () => Promise<{ readonly main: (argv: readonly string[]) => Promise<number> }>;
  /** exit code when it ends with an error: a command's own 1 means that a script failed */
  readonly failure: 1 | 2;
}

const ROLES: Readonly<Record<string, Role>> = {
  server: { load: () => import('./server/main.js'), failure: 1 },
  agentd: { load: () => import('./agent/main.js'), failure: 1 },
  // Started by agentd, not by people.
  executor: { load: () => import('./agent/executor/main.js'), failure: 1 },
  run: { load: () => import('./cli/run.js'), failure: 2 },
  tail: { load: () => import('./cli/tail.js'), failure: 2 },
  hosts: { load: () => import('./cli/hosts.js'), failure: 2 },
  help: { load: () => import('./cli/help.js'), failure: 2 },
  version: { load: () => import('./cli/version.js'), failure: 2 },
};
const FLAGS: Readonly<Record<string, string>> = {
  '-h': 'help',
  '--help': 'help',
  '-v': 'version',
  '--version': 'version',
};

const [given = 'help', ...argv] = process.argv.slice(2);
const name = Object.hasOwn(FLAGS, given) ? FLAGS[given] : given;
const exitCode = await dispatch(name ?? given);
// Exit ends the process with what a pipe has not taken yet.
await Promise.all([process.stdout, process.stderr].map(flush));
process.exit(exitCode);

async function dispatch(roleName: string): Promise<number> {
  const role = Object.hasOwn(ROLES, roleName) ? ROLES[roleName] : undefined;
  if (!role) {
    const known = Object.keys(ROLES).filter((candidate) => candidate !== 'executor');
    complain(`unknown command ${roleName}${didYouMean(roleName, known)}; ibex help lists them`);
    return 2;
  }
  try {
    const { main } = await role.load();
    return await main(argv);
  } catch (error) {
    if (isUsersFault(error)) complain(describeError(error));
    else complain(`${roleName} failed: ${describeError(error)}${stackIfWanted(error)}`);
    return role.failure;
  }
}

/** A UserError, or a flag that the runtime's parseArgs does not know. */
function isUsersFault(error: unknown): boolean {
  return error instanceof UserError || (errorCode(error)?.startsWith('ERR_PARSE_ARGS_') ?? false);
}

function stackIfWanted(error: unknown): string {
  if (process.env['IBEX_DEBUG'] === undefined) return ' (IBEX_DEBUG=1 shows where)';
  return error instanceof Error ? `\n${error.stack ?? ''}` : '';
}

function complain(text: string): void {
  process.stderr.write(`ibex: ${text}\n`);
}

async function flush(stream: NodeJS.WriteStream): Promise<void> {
  // A reader that has left is no error any more.
  stream.on('error', () => {});
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
