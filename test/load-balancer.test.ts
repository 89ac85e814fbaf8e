import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { freePort } from '../scripts/start/ports.js';
import { Nginx, nginxInstalled } from './harness/nginx.ts';
import { TcpProxy } from './harness/tcp-proxy.ts';
import { waitFor } from './harness/wait-for.ts';
import { World } from './harness/world.ts';

const skip = nginxInstalled || process.env['CI'] === 'true' ? false : 'no nginx here: apt-get install nginx';
/** From here nginx reaches the server, so that its address is not that of an agent. */
const NGINX_ADDRESS = '127.0.0.9';

/** As docs/load-balancers.md says. */
function proxied(port: number, target: number): string {
  return `
    server {
      listen 127.0.0.1:${port};
      client_max_body_size 64m;
      location / {
        proxy_pass http://127.0.0.1:${target};
        proxy_bind ${NGINX_ADDRESS};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_buffering off;
      }
    }`;
}

/** A text of the server's, asked from another address of this machine. */
function askFrom(localAddress: string, port: number, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, headers, localAddress, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data: string) => (text += data));
      response.on('end', () => resolve(text));
    });
    call.on('error', reject).end();
  });
}

/** Ended after the test, in reverse. */
function ended<T extends AsyncDisposable>(t: TestContext, part: T): T {
  t.after(() => part[Symbol.asyncDispose]());
  return part;
}

async function shownAddress(world: World, host: string): Promise<string> {
  const hosts = JSON.stringify(await world.api.dat('GET', '/ibex/v1/hosts'));
  return new RegExp(`"host":"${host}".*?"address":"([^"]*)"`).exec(hosts)?.[1] ?? '';
}

test('behind nginx: agents, the API and tail work, and addresses are the callers’', { skip }, async (t) => {
  const trusted = `TrustedProxies = ["${NGINX_ADDRESS}/32"]`;
  const world = await World.openServer({ http: trusted, rpc: trusted });
  t.after(() => world.close());
  const [api, agents] = [await freePort(0), await freePort(0)];
  const map = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }";
  const direct = Number(new URL(world.url).port);
  const nginx = ended(t, await Nginx.start(`${map}${proxied(api, direct)}${proxied(agents, world.rpcPort)}`, agents));
  await world.startAgent('web-01', { servers: [`127.0.0.1:${agents}`] });
  assert.equal(await shownAddress(world, 'web-01'), '127.0.0.1');

  const url = `http://127.0.0.1:${api}`;
  const run = world.start('run', '--url', url, '--hosts', 'web-01', '--', 'sh', '-c', 'echo first; sleep 1; echo last');
  await waitFor('the first line, live', () => run.stdout.includes('first') && !run.stdout.includes('last'));
  const { code, stdout } = await run.ended;
  assert.deepEqual([code, stdout.toString()], [0, 'web-01 | first\nweb-01 | last\n']);

  assert.equal(await askFrom('127.0.0.5', api, '/addr', {}), '127.0.0.5');
  const spoofed = { 'x-forwarded-for': '203.0.113.7' };
  assert.equal(await askFrom('127.0.0.5', api, '/addr', spoofed), '127.0.0.5');
  assert.match(await askFrom('127.0.0.5', direct, '/addr', spoofed), /^127\.0\.0\.5:\d+$/);

  await nginx.stop();
  await waitFor('the agent is gone', async () => !(await world.api.connectedHosts()).includes('web-01'));
  await nginx.begin();
  await waitFor('the agent is back', async () => (await world.api.connectedHosts()).includes('web-01'));
  const id = await world.api.create({ script: 'echo again', hosts: ['web-01'] });
  assert.deepEqual(await world.api.settled(id), { 'web-01': 'success' });
});

test('behind a TCP proxy everything works, with the proxy’s address', async (t) => {
  const world = await World.openServer();
  t.after(() => world.close());
  const agents = ended(t, await TcpProxy.to(world.rpcPort));
  const api = ended(t, await TcpProxy.to(Number(new URL(world.url).port)));
  await world.startAgent('web-01', { servers: [`127.0.0.1:${agents.port}`] });
  const url = `http://127.0.0.1:${api.port}`;
  const { code, stdout } = await world.ibex('run', '--url', url, '--hosts', 'web-01', '--', 'echo', 'hello');
  assert.deepEqual([code, stdout.toString()], [0, 'web-01 | hello\n']);
});
