import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { hostname, networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { resolveHost } from './host-name.js';

const SERVERS = [new URL('ws://127.0.0.1:20090')];
/** A network of its own with nothing but loopback, which is up. */
const ALONE = ['--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'] as const;

test('$hostname is the machine’s name, any other text is itself', async () => {
  assert.equal(await resolveHost('$hostname', SERVERS), hostname());
  assert.equal(await resolveHost('web-01', SERVERS), 'web-01');
});

test('$ip is an address of this machine', async () => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
  assert.ok(own.includes(await resolveHost('$ip', SERVERS)));
});

const canBeAlone = spawnSync('unshare', [...ALONE, 'true']).status === 0;

test(
  '$ip without a route to the world is the address that leads to a server; without any there is an error',
  { skip: !canBeAlone && 'no network namespaces here' },
  () => {
    const module = new URL('host-name.js', import.meta.url).href;
    const resolve = (server: string) => {
      const program = `const { resolveHost } = await import('${module}'); console.log(await resolveHost('$ip', [new URL('${server}')]))`;
      return spawnSync('unshare', [...ALONE, process.execPath, '--input-type=module', '-e', program], {
        encoding: 'utf8',
      });
    };
    assert.equal(resolve('ws://127.0.0.3:20090').stdout, '127.0.0.1\n');
    assert.match(resolve('ws://192.0.2.1:20090').stderr, /no address of this machine leads to/);
  },
);
