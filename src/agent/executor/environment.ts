import { DEFAULT_PATH, QUIET, scriptEnvironment } from '../runs/script-environment.js';
import { hasLocale } from './libc.js';

/**
 * The terminal has no size. Programs that cut their lines to its width take COLUMNS instead, and man would fill that;
 * ls, on a terminal, quotes names that have blanks.
 */
const ON_TERMINAL = Object.freeze({ COLUMNS: '32767', MANWIDTH: '80', QUOTING_STYLE: 'literal' });
const UTF8_LOCALE = 'C.UTF-8';

/** Run by the account's login shell: a profile may have made any variable read-only, which stops no `env`. */
const LOGIN_LINE =
  'ibex_path=${1:+PATH=$1:$PATH} ibex_lang=; [ -n "$LC_ALL$LC_CTYPE$LANG" ] || ibex_lang=${2:+LANG=$2}; shift 2; ' +
  'exec /usr/bin/env ${ibex_path:+"$ibex_path"} ${ibex_lang:+"$ibex_lang"} "$@"';

/** A run as its script sees it. */
export interface RunSurroundings {
  readonly taskId: number;
  readonly host: string;
  readonly terminal: boolean;
  /** folder of the programs that stand in for pagers on a terminal */
  readonly pagers: string;
}

/**
 * The environment of launchers: that of scripts on a terminal, in a locale in which programs print any name as it is. The
 * shell that becomes a script without a terminal takes away what is meant for one: to be told of these variables for each
 * run would cost it a tenth of a millisecond.
 */
export function launcherEnvironment(pagers: string): Record<string, string> {
  const env = scriptEnvironment();
  return { ...env, ...readableNames(env), ...ON_TERMINAL, IBEX_PAGERS: pagers };
}

export const ON_TERMINAL_ONLY = Object.keys(ON_TERMINAL).join(' ');

/** Variables of one run, to be added to the environment of launchers. */
export function runEnvironment({ taskId, host }: RunSurroundings): Record<string, string> {
  return { IBEX_TASK_ID: String(taskId), IBEX_HOST: host };
}

/** Words that begin the command line of a script for another account, which logs in as `su` does. */
export function loginWords(run: RunSurroundings, su: readonly string[]): string[] {
  const before = pairs({ ...QUIET, PATH: process.env['PATH'] ?? DEFAULT_PATH });
  const inside = pairs({ ...QUIET, ...(run.terminal ? ON_TERMINAL : {}), ...runEnvironment(run) });
  const settings = [run.terminal ? run.pagers : '', utf8Locale()];
  // The script gets nothing of the agent's own environment.
  return ['env', '-i', ...before, ...su, '-c', LOGIN_LINE, '--', 'ibex-login', ...settings, ...inside];
}

/** With the C locale, as an agent has it that no locale was set for, programs print `?` or octal digits for 夜莺. */
function readableNames(env: Readonly<Record<string, string>>): Record<string, string> {
  const locale = utf8Locale();
  if (locale === '') return {};
  const deciding = ['LC_ALL', 'LC_CTYPE', 'LANG'].find((name) => (env[name] ?? '') !== '') ?? 'LANG';
  return ['', 'C', 'POSIX'].includes(env[deciding] ?? '') ? { [deciding]: locale } : {};
}

let foundLocale: string | undefined;

/** Empty where the machine has none: some programs complain of a locale that is not there. */
function utf8Locale(): string {
  foundLocale ??= hasLocale(UTF8_LOCALE) ? UTF8_LOCALE : '';
  return foundLocale;
}

function pairs(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
