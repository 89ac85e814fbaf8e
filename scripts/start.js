import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { buildIfStale, install, projectRoot, ReadOnlyError } from './project.js';
import { freePort } from './start/ports.js';
import { endExecutors } from './start/processes.js';
import { connectedHost, serverReady } from './start/server-api.js';
import { Service } from './start/service.js';
import { cleanUpLeftovers, StateFolder } from './start/state-folder.js';

/**
 * `npm start`: a server and an agent for this machine, a sample script, then serving until Ctrl+C. `-- --once` ends
 * after the sample, with its exit code.
 */
const HTTP_PORT = 10090;
const RPC_PORT = 20090;
const USER = 'ibex';
/** Of this start alone: others of this machine can reach the port. */
const PASSWORD = randomBytes(9).toString('base64url');
const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

const major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error(`npm start needs Node.js 20 or later; this is ${process.version}`);
  process.exit(1);
}

const [option, ...others] = process.argv.slice(2);
if (others.length > 0 || (option !== undefined && option !== '--once')) {
  console.error(`npm start: unknown option ${[option, ...others].join(' ')}; there is only one: npm start -- --once`);
  process.exit(2);
}

try {
  install();
  buildIfStale();
} catch (error) {
  // npm and the compiler have said by themselves what is wrong.
  if (error instanceof ReadOnlyError) console.error(`npm start: ${error.message}`);
  process.exit(1);
}
process.exit(await start(option === '--once'));

/**
 * @param {boolean} sampleOnly
 * @returns {Promise<number>} exit code
 */
async function start(sampleOnly) {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort());
  await cleanUpLeftovers();
  const state = new StateFolder();
  /** @type {Service[]} */
  const services = [];
  let failed = false;
  try {
    return await serve(sampleOnly, state, services, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 0;
    failed = true;
    console.error(`\nnpm start: ${error instanceof Error ? error.message : String(error)}`);
    for (const service of services) console.error(service.logTail());
    console.error(`The logs stay in ${state.path} until the next npm start.`);
    return 1;
  } finally {
    // The agent before its executors, which it would start again; the server last, so that it hears how runs ended.
    const [server, agent] = services;
    await agent?.stop();
    await endExecutors(state.metaDir);
    await server?.stop();
    if (!failed) state.remove();
  }
}

/**
 * @param {boolean} sampleOnly
 * @param {StateFolder} state
 * @param {Service[]} services takes what it starts, for the caller to end
 * @param {AbortSignal} signal
 * @returns {Promise<number>} exit code
 */
async function serve(sampleOnly, state, services, signal) {
  const httpPort = await pickPort('HTTP API', HTTP_PORT);
  const rpcPort = await pickPort("agents' sessions", RPC_PORT);
  const url = `http://127.0.0.1:${httpPort}`;

  const server = new Service('server', state.write('server.conf', serverConf(state, httpPort, rpcPort)), state);
  services.push(server);
  const agent = new Service('agentd', state.write('agentd.conf', agentConf(state, rpcPort)), state);
  services.push(agent);
  const failed = Promise.race([server.ended, agent.ended]).then((what) => {
    throw new Error(what);
  });
  // Also looked at where nothing waits for it, at the end.
  failed.catch(() => {});

  await Promise.race([serverReady(url, signal), failed]);
  const host = await Promise.race([connectedHost(url, AUTHORIZATION, signal), failed]);
  console.log(`\nServer and agent (host ${host}) are up. A sample script, its output as it is written:\n`);
  const exitCode = await Promise.race([runSample(url, host, signal), failed]);
  if (sampleOnly || signal.aborted) return signal.aborted ? 0 : exitCode;

  console.log(whatNext(url, host, state));
  await Promise.race([new Promise((resolve) => signal.addEventListener('abort', resolve)), failed]);
  console.log('\nEnding server, agent and scripts ...');
  return 0;
}

/**
 * @param {string} what
 * @param {number} wished
 */
async function pickPort(what, wished) {
  const port = await freePort(wished);
  if (port !== wished) console.log(`Port ${wished} (${what}) is taken; using ${port} instead.`);
  return port;
}

/**
 * @param {string} url
 * @param {string} host
 * @param {AbortSignal} signal
 * @returns {Promise<number>} exit code
 */
async function runSample(url, host, signal) {
  const sample = join(projectRoot, 'scripts/start/sample.sh');
  const child = spawn(
    join(projectRoot, 'ibex'),
    ['run', `--url=${url}`, '--hosts', host, ...account(), sample],
    // In the environment a password is nobody else's to read.
    { stdio: 'inherit', detached: true, env: { ...process.env, IBEX_USER: USER, IBEX_PASSWORD: PASSWORD } },
  );
  const stop = () => child.kill();
  signal.addEventListener('abort', stop);
  const [code] = await once(child, 'exit');
  signal.removeEventListener('abort', stop);
  return typeof code === 'number' ? code : 1;
}

/** An agent that is not root runs scripts as its own user only. */
function account() {
  const { uid, username } = userInfo();
  return uid === 0 ? [] : ['--account', username];
}

/**
 * @param {StateFolder} state
 * @param {number} httpPort
 * @param {number} rpcPort
 */
function serverConf(state, httpPort, rpcPort) {
  return `[Log]
Level = "INFO"
[HTTP]
Host = "127.0.0.1"
Port = ${httpPort}
[BasicAuth]
${USER} = ${JSON.stringify(PASSWORD)}
[RPC]
Listen = "127.0.0.1:${rpcPort}"
Legacy = false
[SQLite]
Path = ${JSON.stringify(join(state.path, 'ibex.db'))}
`;
}

/**
 * @param {StateFolder} state
 * @param {number} rpcPort
 */
function agentConf(state, rpcPort) {
  return `MetaDir = ${JSON.stringify(state.metaDir)}
[Heartbeat]
Interval = 1000
Servers = ["127.0.0.1:${rpcPort}"]
Host = "$hostname"
[Policy]
KillGrace = 500
`;
}

/**
 * @param {string} url
 * @param {string} host
 * @param {StateFolder} state
 */
function whatNext(url, host, state) {
  const flags = [...(url.endsWith(`:${HTTP_PORT}`) ? [] : ['--url', url]), '--hosts', host, ...account()].join(' ');
  const task = JSON.stringify({
    title: 'hello',
    account: account()[1] ?? 'root',
    script: 'echo hello from $(uname -n)',
    action: 'start',
    creator: 'me',
    hosts: [host],
  });
  return `
ibex is up:  ${url}   user ${USER}, password ${PASSWORD}
logs:        ${state.path}/*.log

Try next, in another terminal:

  export IBEX_PASSWORD=${PASSWORD}
  ./ibex run ${flags} -- uptime
  ./ibex run ${flags} scripts/start/sample.sh

  curl -u ${USER}:$IBEX_PASSWORD ${url}/ibex/v1/tasks -d '${task}'
  curl -u ${USER}:$IBEX_PASSWORD ${url}/ibex/v1/task/2/stdout        # with the number that the line above answered

Ctrl+C ends everything.`;
}
