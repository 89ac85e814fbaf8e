import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../shared/errors.js';
import { readAgentConfig, serverUrl } from './config.js';

const folder = mkdtempSync(join(tmpdir(), 'ibex-agent-config-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'agentd.conf');

function read(toml: string): ReturnType<typeof readAgentConfig> {
  writeFileSync(file, toml);
  return readAgentConfig(file);
}

/** What is said of a mistake, without the name of the file before it. */
function complaint(toml: string): string {
  try {
    read(toml);
  } catch (error) {
    assert.ok(error instanceof UserError);
    assert.ok(error.message.startsWith(`${file}: `), error.message);
    return error.message.slice(file.length + 2);
  }
  return '';
}

test('servers are host:port, or addresses with a scheme and perhaps a port', () => {
  const urls: Readonly<Record<string, string>> = {
    '10.0.0.1:20090': 'ws://10.0.0.1:20090/',
    'ibex.example.org:80': 'ws://ibex.example.org/',
    '[::1]:20090': 'ws://[::1]:20090/',
    'https://ibex.example.org': 'wss://ibex.example.org/',
    'ws://ibex.example.org:1': 'ws://ibex.example.org:1/',
  };
  for (const [server, href] of Object.entries(urls)) assert.equal(serverUrl(server, file).href, href);
});

test('a server that no agent can dial is named, with what is expected', () => {
  const servers = (server: string): string => complaint(`[Heartbeat]\nServers = ["10.0.0.1:20090", "${server}"]`);
  const portless = /^Heartbeat\.Servers: "127\.0\.0\.1" has no port; it must be host:port .*"127\.0\.0\.1:20090"$/;
  assert.match(servers('127.0.0.1'), portless);
  assert.match(servers('ibex.example.org'), /has no port/);
  assert.match(servers('::1'), /has no port.*"\[::1\]:20090"$/);
  assert.match(servers('fe80::1:2'), /has no port.*"\[fe80::1:2\]:20090"$/);
  for (const wrong of ['a:70000', 'a b:1', ':20090']) assert.match(servers(wrong), /is no address host:port$/, wrong);
  assert.match(servers('a:0'), /has port 0/);
  assert.match(servers('tcp://a:1'), /must be host:port or begin with ws:\/\/ or wss:\/\/$/);
  assert.match(servers(''), /has no port/);
});

test('a Host that stands for nothing, or that the API could never name, is refused', () => {
  const host = (name: string): string => complaint(`[Heartbeat]\nHost = ${JSON.stringify(name)}`);
  assert.equal(
    host('$hostnme'),
    'Heartbeat.Host must be "$hostname", "$ip" or a name without a $ (did you mean $hostname?), not "$hostnme"',
  );
  for (const wrong of ['', ' ', 'web-01 ', '#web', 'a\nb', 'x'.repeat(129)]) {
    assert.match(host(wrong), /^Heartbeat\.Host must be a name of 1 to 128 characters/, wrong);
  }
  for (const right of ['web-01', 'web 01', '夜莺', '10.0.0.1', '$ip', '$hostname']) assert.equal(host(right), '');
});

test('a MetaDir has a name', () => {
  assert.equal(complaint('MetaDir = ""'), 'MetaDir must be a path in quotes, not ""');
});

test('numbers out of range are refused, negative ones too', () => {
  assert.match(complaint('[Heartbeat]\nInterval = 5'), /^Heartbeat\.Interval must be a whole number from 50 to/);
  assert.match(complaint('[Policy]\nMaxRuns = 0'), /^Policy\.MaxRuns must be a whole number from 1 to/);
  assert.match(
    complaint('[Policy]\nKillGrace = -1'),
    /^Policy\.KillGrace must be a whole number from 0 to .*, not -1$/,
  );
});
