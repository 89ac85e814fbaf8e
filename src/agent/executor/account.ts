import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { userInfo } from 'node:os';
import { loginWords, runEnvironment, type RunSurroundings } from './environment.js';

/** The command that starts a script for its account. */
export interface Command {
  /** the launcher's working folder for it */
  readonly home: string;
  /** program and arguments, the script's own at the end */
  readonly argv: readonly string[];
  /** what is added to the environment that all have from `scriptEnvironment` */
  readonly env: Readonly<Record<string, string>>;
  /** owner of the terminal, so that /dev/stdout opens for the script's account too */
  readonly uid: number;
}

export type CommandOrRefusal = { readonly command: Command } | { readonly refusal: string };

export interface ScriptCall extends RunSurroundings {
  readonly account: string;
  readonly script: string;
  readonly args: readonly string[];
  /** run as the agent's own account whatever the task says, as the Go agent does when it is not root */
  readonly ignoreAccount: boolean;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  readonly shell: string;
}

/** Shells that understand the one line given to them; others are set aside for /bin/sh. */
const SH_LIKE = /\/(sh|bash|dash|ash|ksh|mksh|zsh|rbash|nologin|false)$/;

/** The command line for a call, or why this agent will not run it. */
export function commandFor(call: ScriptCall): CommandOrRefusal {
  const own = userInfo();
  const isRoot = own.uid === 0;
  const wanted = call.ignoreAccount && !isRoot ? own.username : call.account;
  const entry = findAccount(wanted);
  if (!entry) return { refusal: `no account ${JSON.stringify(wanted)} on this machine` };
  if (!isRoot && entry.uid !== own.uid) {
    return { refusal: `the agent runs as ${own.username} and cannot become ${wanted}` };
  }
  return { command: entry.uid === own.uid ? ownCommand(call, entry) : loginCommand(call, entry) };
}

function ownCommand(call: ScriptCall, entry: PasswdEntry): Command {
  const env = {
    HOME: entry.home,
    USER: entry.name,
    LOGNAME: entry.name,
    SHELL: entry.shell === '' ? '/bin/sh' : entry.shell,
    ...runEnvironment(call),
  };
  return { home: entry.home, env, uid: entry.uid, argv: [...program(call.script), ...call.args] };
}

function loginCommand(call: ScriptCall, entry: PasswdEntry): Command {
  const shell = SH_LIKE.test(entry.shell) ? [] : ['-s', '/bin/sh'];
  // A script below a folder that the account may not enter is handed over as an open file instead of by its name.
  const reachable = reachableBy(call.script, entry.uid);
  const words = reachable ? program(call.script) : [...interpreter(call.script), '/dev/fd/9'];
  const opened = reachable ? [] : ['/bin/sh', '-c', 'exec 9<"$1"; shift; exec "$@"', 'ibex-open', call.script];
  // env takes a program whose path holds `=` for one more variable.
  const named = words[0]?.includes('=') ? ['/bin/sh', '-c', 'exec "$@"', 'ibex-exec'] : [];
  const login = loginWords(call, [...opened, 'su', '-', entry.name, ...shell]);
  const argv = [...login, ...named, ...words, ...call.args];
  return { home: '/', env: {}, uid: entry.uid, argv };
}

/** The kernel reads the interpreter line by itself, except on a file system that is mounted noexec. */
function program(script: string): readonly string[] {
  const isKernels = readFileSync(script, 'latin1').startsWith('#!') && mayBeExecuted(script);
  return isKernels ? [script] : [...interpreter(script), script];
}

function mayBeExecuted(script: string): boolean {
  try {
    accessSync(script, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Interpreter and its one argument as the script's first line names them, else sh. */
function interpreter(script: string): readonly string[] {
  // Only these separate words: the bytes of a letter may be blanks in another encoding.
  const first = /^#![ \t]*([^ \t\r\n]+)(?:[ \t]+([^\n]*))?/.exec(readFileSync(script, 'utf8'));
  if (!first?.[1]) return ['/bin/sh'];
  const argument = first[2]?.trim();
  return argument ? [first[1], argument] : [first[1]];
}

function reachableBy(script: string, uid: number): boolean {
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    const stat = statSync(folder);
    const execute = stat.uid === uid ? 0o100 : 0o001;
    if ((stat.mode & execute) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function findAccount(name: string): PasswdEntry | undefined {
  return inPasswdFile(name) ?? directory.get(name)?.entry;
}

const IS_NAME = /^[A-Za-z0-9_.][A-Za-z0-9_.@\\$-]*$/;

/** Accounts of a directory service, or undefined for a name that it does not know. */
const directory = new Map<string, { readonly entry: PasswdEntry | undefined; readonly untilMs: number }>();
const KNOWN_MS = 60_000;
const UNKNOWN_MS = 5_000;

/**
 * Asks the directory service for an account that the local file doesn't have. Undefined if that is not needed. To be
 * awaited before `commandFor`, which never waits: all scripts of the machine share its thread.
 */
export function lookUpAccount(name: string): Promise<void> | undefined {
  const known = directory.get(name);
  const isFresh = known !== undefined && performance.now() < known.untilMs;
  if (isFresh || !IS_NAME.test(name) || inPasswdFile(name)) return undefined;
  return new Promise((resolve) => {
    execFile('getent', ['passwd', name], { encoding: 'utf8', timeout: 2_000 }, (_error, stdout) => {
      const entry = parsePasswd(stdout).find((candidate) => candidate.name === name);
      directory.set(name, { entry, untilMs: performance.now() + (entry ? KNOWN_MS : UNKNOWN_MS) });
      resolve();
    });
  });
}

const PASSWD = '/etc/passwd';
let passwd: { readonly version: string; readonly entries: readonly PasswdEntry[] } | undefined;

/** The file is parsed anew only when it is another than before: some machines have thousands of accounts. */
function inPasswdFile(name: string): PasswdEntry | undefined {
  const { ino, size, mtimeMs, ctimeMs } = statSync(PASSWD);
  const version = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  if (passwd?.version !== version) passwd = { version, entries: parsePasswd(readFileSync(PASSWD, 'utf8')) };
  return passwd.entries.find((entry) => entry.name === name);
}

function parsePasswd(text: string): PasswdEntry[] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7)
    .map(([name = '', , uid = '', , , home = '/', shell = '']) => ({ name, uid: Number(uid), home, shell }));
}
