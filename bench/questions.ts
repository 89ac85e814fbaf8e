import { agent } from './agent.js';
import { answers, answersDuringFanout } from './api.js';
import { churn } from './churn.js';
import { fanout } from './fanout.js';
import { growthOfRunning, growthOfTables } from './growth.js';
import { mysqlDatabase, sqliteDatabase, type BenchDatabase } from './kit/databases.js';
import { Emulator } from './kit/emulator.js';
import type { MysqlServer } from './kit/mysql-server.js';
import { FIRST_ID_ABOVE } from './kit/old-tasks.js';
import { System } from './kit/processes.js';
import type { Report } from './kit/report.js';
import { ownSubject, type Subject } from './kit/subject.js';
import { backgroundLoad, latency } from './latency.js';
import { legacyFleet } from './legacy.js';
import { lineLatency, rate } from './output.js';
import { roundTrips } from './round-trips.js';
import { idle, reconnect } from './sessions.js';
import { steady } from './steady.js';
import { store } from './store.js';
import { tail } from './tail.js';
import { throughput } from './throughput.js';

export interface Asked {
  readonly report: Report;
  /** undefined: only SQLite is asked about */
  readonly mysql: MysqlServer | undefined;
  /** of latency */
  readonly rounds: number;
  /** of steady load, on each database */
  readonly minutes: number;
}

type Question = (asked: Asked) => Promise<void>;

const RUNS = 5;
/** Seldom enough that the beats of emulated agents are no load of their own. */
const CALM_BEATS_MS = 5_000;

/** Each question gets a system of its own, so that none inherits another's database or memory. */
export const questions: Readonly<Record<string, Question>> = {
  latency: async ({ report, rounds }) => {
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
  fanout: (asked) =>
    onDatabases(asked, 10_000, async (subject, { report }) => {
      await fanout(report, { ...subject, what: `${subject.what}, warm-up` }, 100, 0);
      for (const batch of [0, 100]) {
        for (const hosts of [100, 1_000, 10_000]) {
          for (let run = 0; run < RUNS; run++) await fanout(report, subject, hosts, batch);
        }
      }
    }),
  throughput: (asked) =>
    onDatabases(asked, 200, async (subject, { report }) => {
      await throughput(report, { ...subject, what: `${subject.what}, warm-up` }, 2_000, 16);
      for (let run = 0; run < RUNS; run++) await throughput(report, subject, 5_000, 16);
    }),
  store: async (asked) => {
    for await (const database of databases(asked)) {
      await using _ = database;
      await store(asked.report, database);
    }
    await onDatabases(asked, 200, async (subject, { report }, { mysql }) => {
      if (mysql) await roundTrips(report, subject, mysql.database);
    });
  },
  api: (asked) =>
    onDatabases(asked, 10_000, async (subject, { report }) => {
      await answersDuringFanout(report, subject);
      const id = await subject.api.create({ script: 'exit 0', hosts: subject.hosts });
      for (const path of ['', '/result', '/state', '/stdout']) {
        await answers(report, subject.api, `/ibex/v1/task/${id}${path}`, `task of 10,000 hosts, ${subject.what}`);
      }
    }),
  growth: async (asked) => {
    await onDatabases(asked, 200, (subject, { report }, database) => growthOfTables(report, subject, database));
    await onDatabases(asked, 200, (subject, { report }, _, system) =>
      growthOfRunning(report, subject, system.serverPid),
    );
  },
  steady: (asked) =>
    onDatabases(asked, 200, (subject, { report, minutes }, _, system) =>
      steady(report, subject, system.serverPid, minutes),
    ),
  idle: async ({ report }) => {
    for (const count of [1_000, 10_000, 15_000]) {
      await using system = await System.start();
      await idle(report, system, count);
    }
  },
  reconnect: async ({ report }) => {
    for (let run = 0; run < 3; run++) {
      await using system = await System.start();
      await reconnect(report, system, 15_000);
    }
  },
  output: async ({ report }) => {
    await using system = await System.start();
    await system.startAgent('bench-host');
    await lineLatency(report, system, 'bench-host', 400);
    for (let run = 0; run < RUNS; run++) await rate(report, system, 'bench-host', 50);
  },
  tail: ({ report }) => tail(report),
  legacy: async (asked) => {
    for await (const database of databases(asked)) {
      await using _ = database;
      await using system = await System.start({ database: database.config });
      await legacyFleet(asked.report, system, database.what);
    }
  },
  churn: async ({ report }) => {
    await using system = await System.start();
    await churn(report, system);
  },
  agent: async ({ report }) => {
    await using system = await System.start();
    await agent(report, system, 'bench-host', await system.startAgent('bench-host'));
  },
};

/** A server with so many emulated agents on each database, one after the other. */
async function onDatabases(
  asked: Asked,
  agents: number,
  ask: (subject: Subject, asked: Asked, database: BenchDatabase, system: System) => Promise<void>,
): Promise<void> {
  for await (const database of databases(asked)) {
    await using _ = database;
    await using system = await System.start({ database: `${database.config}[Task]\nFirstId = ${FIRST_ID_ABOVE}\n` });
    using emulator = await Emulator.start(system.rpcPort, agents, CALM_BEATS_MS);
    await ask(ownSubject(system, emulator, database.what, database.mysql?.server), asked, database, system);
  }
}

/** One after the other, so that none is left behind by a question that fails. */
async function* databases({ mysql }: Asked): AsyncGenerator<BenchDatabase> {
  yield sqliteDatabase();
  if (mysql) yield await mysqlDatabase(mysql);
}
