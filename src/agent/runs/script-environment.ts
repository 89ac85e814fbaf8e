/** Pagers wait for keys that nobody presses. */
export const QUIET = Object.freeze({ TERM: 'dumb', PAGER: 'cat', GIT_PAGER: 'cat', SYSTEMD_PAGER: 'cat' });
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Variables that are meant for the agent itself. */
const AGENTS_OWN =
  /^(UWS_|NODE_|IBEX_|NOTIFY_SOCKET$|LISTEN_|WATCHDOG_|INVOCATION_ID$|JOURNAL_STREAM$|SYSTEMD_EXEC_PID$)/;
/** Variables of the login, the shell and the terminal from which somebody started the agent. They tell nothing of a script. */
const STARTERS_OWN =
  /^(SSH_(CLIENT|CONNECTION|TTY)|XDG_SESSION_ID|SHLVL|_|PWD|OLDPWD|LINES|WINDOWID|TMUX(_PANE)?|STY|WINDOW|GPG_TTY)$/;

/** The environment of scripts: the agent's own, without what differs at each of its starts or is meant for nobody else. */
export function scriptEnvironment(): Record<string, string> {
  const env: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !AGENTS_OWN.test(name) && !STARTERS_OWN.test(name)) env[name] = value;
  }
  return { ...env, ...QUIET };
}
