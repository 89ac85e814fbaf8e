import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemTests } from './harness/system-test.ts';
import { IbexProcess, type Ended } from './harness/ibex-process.ts';

const TIMEOUT_MS = 60_000;

/** One line that begins with the program's name; nothing that looks like a stack. */
function assertOneLine(stderr: string, pattern: RegExp): void {
  assert.match(stderr, pattern);
  assert.match(stderr, /^ibex: [^\n]+\n$/);
}

/** The last line of a log, which says why the role could not start; nothing else goes to standard error. */
function assertLogged({ stdout, stderr }: Ended, pattern: RegExp): void {
  const lines = stdout.toString().trimEnd().split('\n');
  const { level, err } = JSON.parse(lines.at(-1) ?? '') as { readonly level: string; readonly err: string };
  assert.equal(level, 'error');
  assert.match(err, pattern);
  assert.ok(!err.includes('\n'), 'an error of a person has no stack');
  assert.equal(stderr, '');
}

/** Runs a role that cannot start; one that does start is ended, and the test fails on its exit code. */
async function mustEnd(args: readonly string[]): Promise<Ended> {
  const process = new IbexProcess(args);
  const timer = setTimeout(() => process.child.kill('SIGKILL'), TIMEOUT_MS);
  const ended = await process.ended;
  clearTimeout(timer);
  return ended;
}

systemTests(['web-01'], (check) => {
  check('commands: each mistake is named in one line, exit code 2', async (world) => {
    const id = await world.api.create({ script: 'true', hosts: ['web-01'] });
    const task = String(id);
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['tail', '999999'], /999999/],
      [['tail', task, '--host', 'nowhere'], /nowhere/],
      [['tail', 'seven'], /TASK must be the number of a task, not "seven"/],
      [['tail', task, '--password', 'wrong'], /refuses user ibex: wrong user or password/],
      [['run', '--password', 'wrong', '--hosts', 'web-01', '--', 'true'], /wrong user or password/],
      [['tail', task, '--url', 'http://127.0.0.1:1'], /no answer from http:\/\/127\.0\.0\.1:1/],
      [['hosts', '--url', 'nonsense://x'], /nonsense:\/\/x/],
      [['hosts', 'forget', 'nowhere'], /nowhere|no such host/],
      [['run', '--hosts', 'web-01', '/no/such/script'], /\/no\/such\/script: no such file/],
      [['run', '--', 'true'], /--hosts is missing/],
      [
        ['run', '--hosts', 'web-01', '--timeout', 'soon', '--', 'true'],
        /--timeout must be seconds, or a duration like/,
      ],
      [['tail', task, '--jsn'], /unknown flag --jsn \(did you mean --json\?\)/],
      [['tial', task], /unknown command tial \(did you mean tail\?\)/],
    ];
    for (const [args, pattern] of cases) {
      const { code, stdout, stderr } = await world.ibex(...args);
      assertOneLine(stderr, pattern);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout.length, 0);
    }
  });

  check('API: unknown task, unknown host, bad JSON, wrong password', async (world) => {
    assert.deepEqual(await world.api.call('GET', '/ibex/v1/task/999999'), { err: 'no such task meta' });
    const id = await world.api.create({ script: 'true', hosts: ['web-01'] });
    assert.match(JSON.stringify(await world.api.call('GET', `/ibex/v1/task/${id}/host/nowhere/stdout`)), /"err":"[^"]/);
    const headers = { authorization: `Basic ${btoa('ibex:ibex')}` };
    const bad = await fetch(`${world.url}/ibex/v1/tasks`, { method: 'POST', headers, body: '{' });
    assert.equal(bad.status, 400);
    assert.match(await bad.text(), /json body invalid/);
    assert.equal((await fetch(`${world.url}/ibex/v1/tasks`)).status, 401);
    assert.ok(world.server.running);
  });

  check('a task for a host without an agent waits, and says so to a viewer by its status', async (world) => {
    const id = await world.api.create({ script: 'true', hosts: ['ghost'], timeout: 1 });
    const { code, stdout } = await world.ibex('tail', String(id));
    assert.equal(code, 1);
    assert.equal(stdout.length, 0);
    assert.deepEqual(await world.api.settled(id), { ghost: 'timeout' });
  });

  check('server: what keeps it from starting is named in a line of its log, exit code 1', async (world) => {
    const { port } = new URL(world.url);
    const listen = `[RPC]\nListen = "127.0.0.1:0"\n[SQLite]\nPath = "${world.folder}/other.db"\n`;
    const cases: readonly (readonly [string, RegExp])[] = [
      [`[HTTP]\nPrt = 1\n`, /unknown key HTTP\.Prt \(did you mean HTTP\.Port\?\)|unknown key HTTP\.Prt.*Port/],
      [`[HTTP]\nPort = "x"\n`, /HTTP\.Port must be a whole number/],
      [`[HTTP\n`, /line 1/],
      [`[HTTP]\nHost = "127.0.0.1"\nPort = ${port}\n${listen}`, new RegExp(port)],
    ];
    for (const [config, pattern] of cases) {
      const file = world.write('bad.conf', config);
      const ended = await mustEnd(['server', '-c', file]);
      assert.equal(ended.code, 1, `${config}: ${ended.stderr}${ended.stdout.toString()}`);
      assertLogged(ended, pattern);
    }
    const missing = await mustEnd(['server', '-c', '/no/such/file']);
    assertLogged(missing, /cannot read config file \/no\/such\/file: no such file/);
    assert.equal(missing.code, 1);
  });

  check('server: with its log in a file, what keeps it from starting stands there too', async (world) => {
    const { port } = new URL(world.url);
    const folder = join(world.folder, 'logs');
    const log = `[Log]\nOutput = "file"\nDir = "${folder}"\n`;
    const config = `${log}[HTTP]\nHost = "127.0.0.1"\nPort = ${port}\n[SQLite]\nPath = "${world.folder}/other.db"\n`;
    const { code, stderr, stdout } = await mustEnd(['server', '-c', world.write('filed.conf', config)]);
    assert.equal(code, 1);
    assert.equal(stdout.length, 0);
    const filed = Buffer.from(readFileSync(join(folder, 'ibex-server.log')));
    assertLogged({ code, stderr, stdout: filed }, new RegExp(`cannot listen .*${port}`));
  });

  check('agentd: the same', async (world) => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [`[Heartbeat]\nServer = ["x:1"]\n`, /unknown key Heartbeat\.Server /],
      [`[Heartbeat]\nServers = "x:1"\n`, /Heartbeat\.Servers must be a list/],
      [`[Heartbeat]\nServers = []\n`, /Heartbeat\.Servers/],
      [`MetaDir = "${world.metaDir('web-01')}"\n`, new RegExp(world.metaDir('web-01'))],
    ];
    for (const [config, pattern] of cases) {
      const ended = await mustEnd(['agentd', '-c', world.write('bad.conf', config)]);
      assert.equal(ended.code, 1, ended.stderr);
      assertLogged(ended, pattern);
    }
  });
});
