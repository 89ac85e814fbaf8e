import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { launcher } from './harness/ibex-process.ts';
import { waitFor } from './harness/wait-for.ts';
import { World } from './harness/world.ts';

const HOST = 'web-01';
const REAPER = 'import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1); os.execv(sys.argv[1], sys.argv[1:])';

/** Pid and state of each child of a process. */
function childrenOf(parent: number): { readonly pid: number; readonly state: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const [, pid, state = '', of] =
        /^(\d+) \(.*\) (\S) (\d+) /s.exec(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? [];
      return Number(of) === parent ? [{ pid: Number(pid), state }] : [];
    } catch {
      return [];
    }
  });
}

for (const [what, command, isFork] of [
  ['the first process of a container', ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'], true],
  ['made the reaper of its descendants', ['python3', '-c', REAPER], false],
] as const) {
  const [program, ...words] = command;
  const works = spawnSync(program, [...words, '/bin/true']).status === 0;
  test(
    `an agent that is ${what} leaves no zombies, and misses no end of its executor`,
    { skip: !works && `${program} can't do that here` },
    async () => {
      const world = await World.openServer();
      try {
        const quoted = command.map((word) => `'${word}'`).join(' ');
        await world.startAgent(HOST, { before: `exec ${quoted} "$0" "$@"` });
        const { pid } = world.agent(HOST);
        const agent = isFork ? (childrenOf(pid)[0]?.pid ?? 0) : pid;
        const script = '(sleep 0.1 &); (setsid sleep 0.2 &); exit 3';
        const create = () => world.api.create({ script, hosts: [HOST] });
        const ids = await Promise.all(Array.from({ length: 25 }, create));
        for (const id of ids) assert.deepEqual(await world.api.settled(id), { [HOST]: 'failed' });
        await waitFor('what they left behind to go', () => childrenOf(agent).length === 1);
        const [executor] = childrenOf(agent);
        assert.ok(executor && executor.pid > 1);
        process.kill(executor.pid, 'SIGKILL');
        await waitFor('another executor', () => {
          const [next, ...more] = childrenOf(agent);
          return next && next.pid !== executor.pid && more.length === 0;
        });
        const last = await create();
        assert.deepEqual(await world.api.settled(last), { [HOST]: 'failed' });
      } finally {
        await world.close();
      }
    },
  );
}

const apart = ['--pid', '--fork', '--kill-child'];
test(
  'an agent that sees the processes of another namespace in /proc, and would signal those, does not start',
  { skip: spawnSync('unshare', [...apart, '/bin/true']).status !== 0 && "unshare can't do that here" },
  () => {
    const { status, stdout } = spawnSync('unshare', [...apart, launcher, 'agentd', '-c', '/dev/null'], {
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    // In the log, as all that the agent says.
    assert.match(stdout, /^\{[^\n]*"err":"\/proc shows the processes of another PID namespace[^\n]*\}\n$/);
  },
);
