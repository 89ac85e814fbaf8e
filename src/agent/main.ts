import { readlinkSync } from 'node:fs';
import { isatty } from 'node:tty';
import { parseArgs } from 'node:util';

import { UserError } from '../shared/errors.js';
import { logFatal } from '../shared/log-fatal.js';
import type { Log } from '../shared/log.js';
import { ibexVersion } from '../shared/version.js';
import { Agent } from './agent.js';
import { readAgentConfig, serverUrl, type AgentConfig } from './config.js';
import { resolveHost } from './host-name.js';
import { JsonLog, writeToStdout } from './runs/json-log.js';
import { MetaDir } from './meta-dir.js';
import { collectOrphans } from './orphans.js';

/**
 * Role `agentd`. Resolves with the exit code once a signal has ended it. Whatever keeps it from starting stands in the
 * log, on standard output.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const options = { config: { type: 'string', short: 'c', default: 'etc/agentd.conf' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  // A closed log pipe must not end the agent.
  process.stdout.on('error', () => undefined);
  try {
    if (readlinkSync('/proc/self') !== String(process.pid)) {
      throw new UserError(
        '/proc shows the processes of another PID namespace; mount that of this one (unshare --mount-proc)',
      );
    }
    const { config, warnings } = readAgentConfig(values.config);
    const log = new JsonLog(config[''].RunMode === 'debug' ? 'debug' : 'info', writeToStdout);
    for (const warning of warnings) log.warn({}, warning);
    return await serve(config, values.config, log);
  } catch (error) {
    logFatal(new JsonLog('info', writeToStdout), 'ibex agentd cannot start', error, isatty(1));
    return 1;
  }
}

async function serve(config: AgentConfig, file: string, log: Log): Promise<number> {
  const stop = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.resolve(signal));
  process.on('SIGHUP', () => log.info({}, 'SIGHUP: nothing is read anew; a restart does that, and scripts go on'));
  collectOrphans(log);
  const servers = config.Heartbeat.Servers.map((server) => serverUrl(server, file));
  // Neither a name service nor an executor that can't be started keeps a signal waiting.
  const host = await Promise.race([resolveHost(config.Heartbeat.Host, servers), stop.promise.then(() => undefined)]);
  if (host === undefined) return 0;
  using meta = MetaDir.open(config[''].MetaDir);
  await using agent = new Agent(config, host, servers, meta, log);
  const early = await Promise.race([agent.start().then(() => undefined), stop.promise]);
  if (early !== undefined) return 0;
  log.info({ host, metaDir: meta.path, version: ibexVersion(), servers: config.Heartbeat.Servers }, 'agent is up');
  const signal = await stop.promise;
  log.info({ signal }, 'agent is stopping; scripts go on');
  return 0;
}
