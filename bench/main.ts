import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answers } from './api.js';
import { fanout } from './fanout.js';
import { Api } from './kit/api.js';
import { MysqlServer } from './kit/mysql-server.js';
import { machine, Report } from './kit/report.js';
import { foreignSubject } from './kit/subject.js';
import { latency } from './latency.js';
import { questions } from './questions.js';
import { throughput } from './throughput.js';

/** Where the results go; beside the source, not beside what was compiled from it. */
const RESULTS = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const USAGE = `usage: npm run bench -- [--only NAME[,NAME...]] [--mysql URL] [--rounds N] [--minutes N]
       npm run bench -- --url URL --host HOST[,HOST...] [--only NAME[,NAME...]]
names: ${Object.keys(questions).join(', ')}
--mysql    mysql://user:password@host:port; by default root without a password on 127.0.0.1:3306, if that answers
--minutes  of steady load on each database (0.5)
--url      asks latency, throughput, fanout and api of any ibex that runs, this one or another; the first host must be
           this machine`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    mysql: { type: 'string' },
    url: { type: 'string' },
    host: { type: 'string' },
    rounds: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '0.5' },
    help: { type: 'boolean' },
  },
});
const rounds = Number(values.rounds);
const report = new Report();

async function askOwn(): Promise<void> {
  const mysql = await MysqlServer.find(values.mysql);
  const on = { ...machine(), mysql: mysql?.version ?? 'none' };
  process.stdout.write(`${JSON.stringify(on)}\n`);
  const began = performance.now();
  for (const name of values.only?.split(',') ?? Object.keys(questions)) {
    const ask = questions[name];
    if (!ask) throw new Error(`no question ${name}\n${USAGE}`);
    await ask({ report, mysql, rounds, minutes: Number(values.minutes) });
  }
  const minutes = Math.round((performance.now() - began) / 6_000) / 10;
  // Some of the questions are no result to keep.
  if (values.only === undefined) keepResults({ ...on, minutes });
}

function keepResults(on: Readonly<Record<string, string | number>>): void {
  const name = `${RESULTS}${new Date().toISOString().slice(0, 10)}-${hostname()}`;
  mkdirSync(RESULTS, { recursive: true });
  const figures = report.figures.map((figure) => JSON.stringify(figure));
  writeFileSync(`${name}.json`, `{"machine":${JSON.stringify(on)},\n"figures":[\n${figures.join(',\n')}\n]}\n`);
  const told = Object.entries(on).map(([what, value]) => `${what} ${value}`);
  writeFileSync(`${name}.md`, `${told.join(', ')}\n\n${report.table()}\n`);
}

/** The questions that any ibex can answer of which nothing is known but its address and hosts. */
async function askAt(url: string, hosts: readonly string[]): Promise<void> {
  using api = new Api(url);
  process.stdout.write(`${JSON.stringify(machine())}\n`);
  const subject = foreignSubject(api, hosts);
  const asks: Readonly<Record<string, () => Promise<void>>> = {
    latency: () => latency(report, api, hosts[0] ?? '', rounds, url),
    throughput: () => throughput(report, subject, 10 * rounds, 16),
    fanout: async () => {
      for (const batch of [0, 100]) await fanout(report, subject, hosts.length, batch);
    },
    api: () => answers(report, api, '/ibex/v1/tasks?limit=20', url),
  };
  for (const name of values.only?.split(',') ?? Object.keys(asks)) {
    const ask = asks[name];
    if (!ask) throw new Error(`with --url there is no question ${name}\n${USAGE}`);
    await ask();
  }
}

if (values.help) {
  process.stdout.write(`${USAGE}\n`);
} else {
  await (values.url === undefined ? askOwn() : askAt(values.url, (values.host ?? hostname()).split(',')));
  process.stdout.write(`\n${report.table()}\n`);
}
