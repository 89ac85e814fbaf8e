import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../shared/errors.js';
import { readServerConfig } from './server-config.js';

const folder = mkdtempSync(join(tmpdir(), 'ibex-config-test-'));
const file = join(folder, 'server.conf');
after(() => rmSync(folder, { recursive: true, force: true }));

function read(toml: string) {
  writeFileSync(file, toml);
  return readServerConfig(file);
}

function complaint(toml: string): string {
  try {
    read(toml);
    return '';
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message.replace(`${file}: `, '');
  }
}

test('an empty file means the defaults; only their password is warned of', () => {
  const { config, warnings } = read('');
  assert.equal(warnings.length, 1);
  assert.partialDeepStrictEqual(config, {
    log: { level: 'info', destination: 1 },
    http: { host: '0.0.0.0', port: 10_090, users: { ibex: 'ibex' }, tls: undefined, maxBodyBytes: 67_108_864 },
    rpc: { host: '0.0.0.0', port: 20_090 },
    database: { kind: 'sqlite', path: 'data/ibex.db' },
  });
  assert.match(config.schedulerName, /^\d+\.\d+\.\d+\.\d+:20090$/);
});

test("a Go ibex's file without its database is understood; what means nothing here is named in warnings", () => {
  const { config, warnings } = read(`
RunMode = "release"
[Log]
Dir = "logs"
Level = "WARNING"
Output = "file"
KeepHours = 4
[HTTP]
Enable = true
Host = "0.0.0.0"
Port = 80
CertFile = ""
KeyFile = ""
PrintAccessLog = false
PProf = false
ShutdownTimeout = 30
MaxContentLength = 1048576
ReadTimeout = 20
WriteTimeout = 40
IdleTimeout = 120
[BasicAuth]
ibex = "secret"
n9e = "other"
[RPC]
Listen = ":20091"
[Heartbeat]
IP = "10.0.0.7"
Interval = 1000
[Output]
ComeFrom = "database"
AgtdPort = 2090
[Redis]
Address = "127.0.0.1:6379"
`);
  assert.deepEqual(config.log, { level: 'warn', destination: 'logs/ibex-server.log' });
  assert.deepEqual(config.http?.users, { ibex: 'secret', n9e: 'other' });
  assert.deepEqual(config.rpc, { host: '0.0.0.0', port: 20_091 });
  assert.equal(config.schedulerName, '10.0.0.7:20091');
  assert.match(warnings.join('\n'), /without meaning here: \[Output\] ComeFrom, AgtdPort \(/);
  assert.equal(
    warnings.some((warning) => warning.includes('MaxContentLength')),
    false,
  );
});

test('mistakes name the key and what was expected', () => {
  assert.equal(complaint('[HTTP]\nPrt = 1'), 'unknown key HTTP.Prt (did you mean Port?)');
  assert.equal(complaint('[HTTP]\nPort = "x"'), 'HTTP.Port must be a whole number from 0 to 65535, not "x"');
  assert.equal(complaint('[RPC]\nListen = "20090"'), 'RPC.Listen must be host:port, not "20090"');
  assert.equal(complaint('[RPC]\nListen = "a:99999"'), 'RPC.Listen must be host:port, not "a:99999"');
  assert.match(complaint('[Log]\nLevel = "LOUD"'), /^Log\.Level must be one of "DEBUG"/);
  assert.match(complaint('[HTTP]\nCertFile = "x"'), /^HTTP\.CertFile and HTTP\.KeyFile belong together/);
  assert.equal(complaint('[BasicAuth]\nibex = ""'), 'BasicAuth.ibex has an empty password');
  const ip = 'Heartbeat.IP must be the IP address of this machine, or empty, not "not-an-ip"';
  assert.equal(complaint('[Heartbeat]\nIP = "not-an-ip"'), ip);
  assert.equal(
    complaint('[Heartbeat]\nInterval = 5'),
    'Heartbeat.Interval must be a whole number from 100 to 3600000, not 5',
  );
  assert.match(read('[Heartbeat]\nInterval = 10000').warnings.join(), /Heartbeat\.Interval is taken as 3000 milli/);
  assert.equal(complaint('[SQLite]\nPath = ""'), 'SQLite.Path must be a path in quotes, not ""');
  assert.match(complaint('[Agents]\nAdmission = "token"'), /^Agents\.Admission must be one of "pin"/);
});

test('an IPv6 address stands in brackets', () => {
  assert.deepEqual(read('[RPC]\nListen = "[::1]:7"').config.rpc, { host: '::1', port: 7 });
});

test('the default password is warned of on every address, whether it was given or nothing was', () => {
  for (const host of ['0.0.0.0', '127.0.0.1', '::1', 'localhost']) {
    const http = `[HTTP]\nHost = "${host}"\n`;
    assert.match(read(http).warnings.join('\n'), /there is no \[BasicAuth\]: user ibex with password ibex is let in/);
    const given = read(`${http}[BasicAuth]\nibex = "ibex"\n`).warnings;
    assert.match(given.join('\n'), /\[BasicAuth\] has the default password: user ibex/);
    assert.deepEqual(read(`${http}[BasicAuth]\nibex = "else"\n`).warnings, []);
  }
  assert.deepEqual(read('[HTTP]\nEnable = false\n').warnings, []);
});

test('keys without meaning are named in one line a section', () => {
  const { warnings } = read('[HTTP]\nPProf = false\nReadTimeout = 20\nWriteTimeout = 40\n[BasicAuth]\nme = "secret"\n');
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? '',
    /without meaning here: \[HTTP\] PProf \(there is no profiling over HTTP\); ReadTimeout, WriteTimeout \(/,
  );
});
