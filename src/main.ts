import { fileURLToPath } from 'node:url';
import { describeError, errorCode, UserError } from './shared/errors.js';
import { didYouMean } from './shared/nearest-name.js';

interface Role {
  // Imported only when chosen: an agent must not pay in memory for the server's libraries.
  readonly load: () => Promise<{ readonly main: (argv: readonly string[]) => Promise<number> }>;
  /** exit code when it ends with an error: a command's own 1 means that a script failed */
  readonly failure: 1 | 2;
  /** false: it reads its flags without its help, which `ibex help` has */
  readonly printsHelp: boolean;
}

const WRONG_USAGE = 2;

const ROLES: Readonly<Record<string, Role>> = {
  server: { load: () => import('./server/main.js'), failure: 1, printsHelp: false },
  agentd: { load: () => import('./agent/main.js'), failure: 1, printsHelp: false },
  // Started by agentd, not by people.
  executor: { load: () => import('./agent/executor/main.js'), failure: 1, printsHelp: true },
  run: { load: () => import('./cli/run.js'), failure: 2, printsHelp: true },
  tail: { load: () => import('./cli/tail.js'), failure: 2, printsHelp: true },
  hosts: { load: () => import('./cli/hosts.js'), failure: 2, printsHelp: true },
  help: { load: () => import('./cli/help.js'), failure: 2, printsHelp: true },
  version: { load: () => import('./cli/version.js'), failure: 2, printsHelp: false },
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
    return WRONG_USAGE;
  }
  const wantsHelp = !role.printsHelp && argv.some((word) => FLAGS[word] === 'help');
  try {
    const { main } = await (wantsHelp ? (ROLES['help'] ?? role) : role).load();
    return await main(wantsHelp ? [roleName] : argv);
  } catch (error) {
    if (errorCode(error)?.startsWith('ERR_PARSE_ARGS_')) {
      // The runtime goes on with advice about words that begin with a minus.
      complain(`${describeError(error).split('. ')[0] ?? ''} (ibex ${roleName} --help)`);
      return WRONG_USAGE;
    }
    complain(whatFailed(roleName, error));
    return role.failure;
  }
}

function whatFailed(roleName: string, error: unknown): string {
  if (error instanceof UserError) return describeError(error);
  if (errorCode(error) === 'ERR_MODULE_NOT_FOUND') {
    const [, missing = 'a file'] = /Cannot find (?:package|module) '([^']+)'/.exec(describeError(error)) ?? [];
    const root = fileURLToPath(new URL('..', import.meta.url)).replaceAll("'", `'\\''`);
    return `${missing} is missing, which belongs to ibex; type: cd '${root}' && npm ci && npm run build`;
  }
  return `${roleName} failed: ${describeError(error)}${stackIfWanted(error)}`;
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
