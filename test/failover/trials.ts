import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFleet, type Fleet, type FleetServer } from '../harness/fleet.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { waitFor } from '../harness/wait-for.ts';
import { Prober } from './prober.ts';
import { Workload } from './workload.ts';

const HOSTS = ['one', 'two', 'three', 'four'];
const PROBED_HOST = 'five';
const ALL_HOSTS = [...HOSTS, PROBED_HOST];
const TAKEN_OVER = /"tasks":(\d+).*tasks taken over/;
/** How long probes run before anything happens. */
const CALM_MS = 5_000;

export interface TrialOptions {
  readonly tasks: number;
  readonly awaySeconds: number;
  readonly log: (line: string) => void;
}

export type Trial = (options: TrialOptions) => Promise<void>;

/** Each fails with an AssertionError where something is wrong. */
export const trials: Readonly<Record<string, Trial>> = {
  /** The server that schedules all tasks is killed; later it is started again. */
  kill: (options) =>
    withFleet(2, ALL_HOSTS, async (fleet) => {
      const { workload, prober } = await begin(fleet, options, { shortest: 1, longest: 25 });
      const away = performance.now();
      await fleet.server(0).process.end('SIGKILL');
      await takenOver(fleet.server(1), away, options);
      await workload.verify([fleet.server(1).api]);
      await conclude(prober, options);
      await fleet.startAgain(0);
      await workload.verify([fleet.server(0).api]);
    }),

  /** It is stopped for so long that its tasks are taken over, and wakes up believing that it still has them. */
  stop: (options) =>
    withFleet(2, ALL_HOSTS, async (fleet) => {
      const longest = options.awaySeconds + 10;
      const { workload, prober } = await begin(fleet, options, { shortest: 1, longest });
      const away = performance.now();
      const stopped = fleet.server(0).process.child;
      stopped.kill('SIGSTOP');
      await takenOver(fleet.server(1), away, options);
      await sleep(options.awaySeconds * 1_000 - (performance.now() - away));
      stopped.kill('SIGCONT');
      await workload.verify([fleet.server(1).api, fleet.server(0).api]);
      await conclude(prober, options);
    }),

  /** An agent reaches no server for a while: one script ends meanwhile in time, one is overdue. */
  partition: ({ awaySeconds, log }) =>
    withFleet(2, ALL_HOSTS, async (fleet) => {
      const proxies = await Promise.all(fleet.servers.map(({ rpcPort }) => TcpProxy.to(rpcPort)));
      try {
        const far = fleet.servers.map((server, i) => ({ ...server, rpcPort: proxies[i]?.port ?? 0 }));
        await fleet.addAgent('far', far);
        const { api } = fleet.server(0);
        const script = (takes: number): string => `echo begun; sleep ${takes}; echo ended; exit 7`;
        const hosts = ['far'];
        const inTime = await api.create({ script: script(awaySeconds / 2), hosts, timeout: 5 * awaySeconds });
        // An agent ends its scripts in time by itself; one that ignores that is ended with force, a little later.
        const overdue = await api.create({
          script: `trap '' TERM; ${script(2 * awaySeconds)}`,
          hosts,
          timeout: Math.round(awaySeconds / 6),
        });
        for (const id of [inTime, overdue]) {
          await waitFor('its first line', async () => (await api.stdout(id, 'far')) === 'begun\n');
        }
        for (const proxy of proxies) proxy.freeze();
        const away = performance.now();
        assert.deepEqual(await api.settled(overdue, awaySeconds * 1_000), { far: 'timeout' });
        log(`overdue: timeout after ${seconds(away)} s without the agent`);
        await sleep(awaySeconds * 1_000 - (performance.now() - away));
        assert.deepEqual(await api.statuses(inTime), { far: 'running' });
        for (const proxy of proxies) proxy.thaw();
        const back = performance.now();
        assert.deepEqual(await api.settled(inTime), { far: 'failed' });
        assert.equal(await api.stdout(inTime, 'far'), 'begun\nended\n');
        log(`in time: the result came ${seconds(back)} s after the partition of ${awaySeconds} s`);
        await waitFor('the late output', async () => (await api.stdout(overdue, 'far')) === 'begun\n');
        assert.deepEqual(await api.statuses(overdue), { far: 'timeout' });
      } finally {
        for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
      }
    }),
};

/** All tasks are posted on the first server, and probes on the second. */
async function begin(
  fleet: Fleet,
  { tasks, log }: TrialOptions,
  scripts: { readonly shortest: number; readonly longest: number },
): Promise<{ readonly workload: Workload; readonly prober: Prober }> {
  const prober = new Prober(fleet.server(1).api, PROBED_HOST);
  await sleep(CALM_MS);
  log(`probes while nothing else happens, ms: ${JSON.stringify(prober.take())}`);
  const workload = new Workload(fleet.server(0).api, HOSTS, fleet.folder);
  await workload.post(tasks, scripts.shortest, scripts.longest);
  log(`${workload.tasks} tasks have begun; probes meanwhile, ms: ${JSON.stringify(prober.take())}`);
  return { workload, prober };
}

async function takenOver({ process }: FleetServer, sinceMs: number, { log }: TrialOptions): Promise<void> {
  const said = (): string | undefined => TAKEN_OVER.exec(process.stdout.toString())?.[1];
  const tasks = await waitFor('the other server takes them over', said, 30_000);
  log(`${tasks} tasks that were still open were taken over after ${seconds(sinceMs)} s`);
}

async function conclude(prober: Prober, { log }: TrialOptions): Promise<void> {
  await prober.stop();
  log(`probes from then to the end, ms: ${JSON.stringify(prober.take())}`);
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1_000).toFixed(1);
}
