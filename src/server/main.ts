import { isatty } from 'node:tty';
import { parseArgs } from 'node:util';
import { describeError, errorStack, UserError } from '../shared/errors.js';
import { logFatal } from '../shared/log-fatal.js';
import { createLog, type Log } from '../shared/log.js';
import { readServerConfig, type ServerConfig } from './config/server-config.js';
import { Server } from './server.js';

const DEFAULT_CONFIG = 'etc/server.conf';

/**
 * `ibex server [-c FILE]`: serves until SIGTERM or SIGINT. Resolves with the exit code. Whatever keeps it from starting
 * stands in the log, which is standard output until the configuration has said otherwise.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const options = { config: { type: 'string', short: 'c', default: DEFAULT_CONFIG } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  let log = createLog('info', 1);
  let destination: ServerConfig['log']['destination'] = 1;
  try {
    const { config, warnings } = readServerConfig(values.config);
    ({ destination } = config.log);
    log = openLog(config);
    for (const warning of warnings) log.warn({}, warning);
    return await serve(config, log);
  } catch (error) {
    logFatal(log, 'ibex server cannot start', error, typeof destination === 'number' && isatty(destination));
    return 1;
  }
}

async function serve(config: ServerConfig, log: Log): Promise<number> {
  const ending = untilToldToEnd(log);
  const starting = Server.start(config, log);
  // A database can keep the start waiting for long. A signal does not wait with it: whatever the start was doing can be
  // done again, as after a kill -9.
  const early = await Promise.race([starting.then(() => undefined), ending]);
  if (early !== undefined) return early;
  await using _server = await starting;
  const exitCode = await ending;
  log.info({}, 'ibex server stops');
  return exitCode;
}

function openLog({ log }: ServerConfig): Log {
  try {
    return createLog(log.level, log.destination);
  } catch (error) {
    throw new UserError(`Log.Dir: cannot write ${log.destination}: ${describeError(error)}`);
  }
}

function untilToldToEnd(log: Log): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(0));
    process.on('SIGHUP', () => log.info({}, 'SIGHUP: nothing is read anew; a restart does that'));
    const failed = (error: unknown): void => {
      log.error({ err: errorStack(error) }, 'unexpected failure, the server stops');
      resolve(1);
    };
    process.on('uncaughtException', failed);
    process.on('unhandledRejection', failed);
  });
}
