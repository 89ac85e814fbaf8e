import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { ibexVersion } from '../../shared/version.js';
import { scriptEnvironment } from './script-environment.js';

/** The settings that an agent gives its executor. */
export interface ExecutorSettings {
  /** scripts running at once; more wait, in order, until their last moment of start */
  readonly maxRuns: number;
  readonly killGraceMs: number;
  readonly ignoreAccount: boolean;
}

/** The soft limit of open files that the agent was started with. The runtime has raised this process's own. */
export const OPEN_FILES = 'IBEX_OPEN_FILES';

/** Accounts, groups, umask, capabilities and processors. */
const STATUS = /^(Umask|Uid|Gid|Groups|Cap\w+|NoNewPrivs|Cpus_allowed):.*$/gm;

/**
 * A digest of an executor's settings and of all that its scripts inherit. An agent whose own digest is another wants
 * another executor. `instance` salts it, since the environment may hold secrets and the digest lies on the disk.
 */
export function setupDigest(instance: string, { maxRuns, killGraceMs, ignoreAccount }: ExecutorSettings): string {
  const environment = Object.entries(scriptEnvironment()).sort(([a], [b]) => (a < b ? -1 : 1));
  const setup = [ibexVersion(), maxRuns, killGraceMs, ignoreAccount, environment, process.env[OPEN_FILES], inherited()];
  return createHash('sha256')
    .update(`${instance} ${JSON.stringify(setup)}`)
    .digest('hex');
}

function inherited(): unknown {
  const read = (name: string): string => readFileSync(`/proc/self/${name}`, 'utf8');
  const namespaces = readdirSync('/proc/self/ns').map((name) => readlinkSync(`/proc/self/ns/${name}`));
  return [read('limits'), read('status').match(STATUS), read('oom_score_adj'), getPriority(), namespaces];
}
