import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { agent } from './agent.js';
import { fanout } from './fanout.js';
import { Api } from './kit/api.js';
import { Emulator } from './kit/emulator.js';
import { System } from './kit/processes.js';
import { machine, Report } from './kit/report.js';
import { backgroundLoad, latency } from './latency.js';
import { legacyFleet } from './legacy.js';
import { lineLatency, rate } from './output.js';
import { idle, reconnect } from './sessions.js';
import { tail } from './tail.js';
import { throughput } from './throughput.js';

/** Where the results go; beside the source, not beside what was compiled from it. */
const RESULTS = fileURLToPath(new URL('../../../bench/results/', import.meta.url));
const USAGE = `usage: npm run bench -- [--only NAME[,NAME...]] [--mysql DSN]
       npm run bench -- --url URL --host HOST     latency of any ibex, this one or another
names: latency, fanout, throughput, idle, reconnect, output, tail, agent, legacy`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    mysql: { type: 'string' },
    url: { type: 'string' },
    host: { type: 'string' },
    rounds: { type: 'string', default: '200' },
    help: { type: 'boolean' },
  },
});
const rounds = Number(values.rounds);
const report = new Report();

/** Each question gets a system of its own, so that none inherits another's database or memory. */
const questions: Readonly<Record<string, () => Promise<void>>> = {
  latency: async () => {
    await using system = await System.start();
    await system.startAgent('bench-host');
    await latency(report, system.api, 'bench-host', 20, 'warm-up');
    await latency(report, system.api, 'bench-host', rounds, 'idle, SQLite');
    using emulator = await Emulator.start(system.rpcPort, 100);
    const stop = new AbortController();
    const load = backgroundLoad(system.api, emulator.hosts()[0] ?? '', 200, stop.signal);
    await latency(report, system.api, 'bench-host', rounds, '200 tasks/s besides');
    stop.abort();
    await load;
  },
  fanout: () =>
    onDatabases(async (system, what) => {
      using emulator = await Emulator.start(system.rpcPort, 10_000, 5_000);
      await fanout(report, system.api, emulator, 100, 0, `${what}, warm-up`);
      for (const hosts of [100, 1_000, 10_000]) {
        for (let round = 0; round < 5; round++) await fanout(report, system.api, emulator, hosts, 0, what);
      }
      await fanout(report, system.api, emulator, 1_000, 100, what);
    }),
  throughput: () =>
    onDatabases(async (system, what) => {
      using emulator = await Emulator.start(system.rpcPort, 200, 5_000);
      await throughput(report, system.api, emulator, 2_000, 16, `${what}, warm-up`);
      for (let round = 0; round < 5; round++) await throughput(report, system.api, emulator, 5_000, 16, what);
    }),
  idle: async () => {
    for (const count of [1_000, 10_000, 15_000]) {
      await using system = await System.start();
      await idle(report, system, count);
    }
  },
  reconnect: async () => {
    for (let round = 0; round < 3; round++) {
      await using system = await System.start();
      await reconnect(report, system, 15_000);
    }
  },
  output: async () => {
    await using system = await System.start();
    await system.startAgent('bench-host');
    await lineLatency(report, system, 'bench-host', 400);
    for (let round = 0; round < 5; round++) await rate(report, system, 'bench-host', 50);
  },
  tail: () => tail(report),
  agent: async () => {
    await using system = await System.start();
    await agent(report, system, 'bench-host', await system.startAgent('bench-host'));
  },
  legacy: () => onDatabases((system, what) => legacyFleet(report, system, what)),
};

function keepResults(): void {
  const day = new Date().toISOString().slice(0, 10);
  mkdirSync(RESULTS, { recursive: true });
  const result = { machine: machine(), figures: report.figures };
  writeFileSync(`${RESULTS}${day}-${hostname()}.json`, `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(`${RESULTS}${day}-${hostname()}.md`, `${report.table()}\n`);
}

async function onDatabases(ask: (system: System, what: string) => Promise<void>): Promise<void> {
  const databases = [
    { what: 'SQLite', options: {} },
    ...(values.mysql === undefined
      ? []
      : [{ what: 'MySQL', options: { database: `[DB]\nDSN = "${values.mysql}"\n` } }]),
  ];
  for (const { what, options } of databases) {
    await using system = await System.start(options);
    await ask(system, what);
  }
}

if (values.help) {
  process.stdout.write(`${USAGE}\n`);
} else if (values.url !== undefined) {
  using api = new Api(values.url);
  await latency(report, api, values.host ?? hostname(), rounds, values.url);
} else {
  const names = values.only?.split(',') ?? Object.keys(questions);
  for (const name of names) {
    const ask = questions[name];
    if (!ask) throw new Error(`no question ${name}\n${USAGE}`);
    await ask();
  }
  // Some of the questions are no result to keep.
  if (values.only === undefined) keepResults();
}
process.stdout.write(`\n${report.table()}\n`);
