import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from './api.js';
import type { Emulator } from './emulator.js';
import type { MysqlServer } from './mysql-server.js';
import { ProcessorTime } from './processor-time.js';
import type { System } from './processes.js';

/** The ibex that questions are asked of: one of this checkout with emulated agents, or any other by its address. */
export interface Subject {
  readonly api: Api;
  /** those that tasks may be sent to */
  readonly hosts: readonly string[];
  /** Runs that emulated agents have started so far; undefined where agents are real, and can't be asked. */
  readonly startedRuns: () => Promise<number | undefined>;
  /** for the report */
  readonly what: string;
  /** counts from the call on */
  readonly processorTime: () => ProcessorTime;
}

export function ownSubject(system: System, emulator: Emulator, what: string, mysql?: MysqlServer): Subject {
  const pids = { server: system.serverPid, database: mysql?.pid ?? 0, agents: emulator.pid, caller: process.pid };
  return {
    api: system.api,
    hosts: emulator.hosts(),
    startedRuns: async () => {
      // The emulator tells its numbers every 100 ms.
      await wait(250);
      return emulator.tally.assigned;
    },
    what,
    processorTime: () => new ProcessorTime(pids),
  };
}

export function foreignSubject(api: Api, hosts: readonly string[]): Subject {
  return {
    api,
    hosts,
    startedRuns: () => Promise.resolve(undefined),
    what: api.url,
    processorTime: () => new ProcessorTime({ caller: process.pid }),
  };
}
