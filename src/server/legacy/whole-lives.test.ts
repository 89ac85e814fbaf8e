import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { act, statusOf, textOf } from './testing/legacy-server.js';
import { until } from '../../shared/testing/until.js';
import { fleetDatabases, LegacyFleet } from './testing/legacy-fleet.js';

/** Real scripts under agents that live by themselves, with everything asked of the API: on each kind of database. */
for (const database of fleetDatabases) {
  for (const kind of ['categraf', 'agentd'] as const) {
    describe(`${kind}, ${database.name}`, { skip: database.skip, concurrency: true }, () => {
      const folder = mkdtempSync(join(tmpdir(), 'legacy-lives-'));
      let fleet: LegacyFleet;
      before(async () => {
        fleet = await LegacyFleet.start(database);
      });
      after(async () => {
        await fleet[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true, force: true });
      });
      const agentOf = (host: string) => fleet.agent(host, { kind });
      const lines = (file: string): string[] => {
        const path = join(folder, file);
        return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
      };

      test('exit 0 and exit 3, with both streams; no interpreter line; lines that end with CRLF', async () => {
        await agentOf('ends');
        const good = await fleet.run('ends', 'echo out; echo err >&2');
        assert.equal(good.status, 'success');
        assert.equal(await textOf(fleet.server, good.id, 'ends'), 'out\n');
        assert.equal(await textOf(fleet.server, good.id, 'ends', 'stderr'), 'err\n');
        assert.equal((await fleet.run('ends', '#!/bin/sh\r\nexit 3\r\n')).status, 'failed');
      });

      test('stdin arrives exactly, args in their parts; a redo gets them from the disk', async () => {
        const agent = await agentOf('input');
        const script = 'for a in "$@"; do echo "[$a]"; done; cat';
        const fields = { script, args: ',,$HOME,,a  b', stdin: '  in \n\n' };
        const id = await fleet.server.createTask(['input', 'somebody away'], fields);
        assert.equal(await fleet.end(id, 'input'), 'success');
        assert.equal(await textOf(fleet.server, id, 'input'), '[]\n[$HOME]\n[a  b]\n  in \n\n');
        await act(fleet.server, id, 'input', 'redo');
        await until('the redo', () => agent.starts.length === 2);
        assert.equal(await fleet.end(id, 'input'), 'success');
        assert.equal(await textOf(fleet.server, id, 'input'), '[]\n[$HOME]\n[a  b]\nin');
      });

      test('long output is kept as far as its agent tells it; bytes that are no text are repaired', async () => {
        await agentOf('output');
        const long = await fleet.run('output', 'i=0; while [ $i -lt 25000 ]; do echo $((100000+i)); i=$((i+1)); done');
        const text = String(await textOf(fleet.server, long.id, 'output'));
        if (kind === 'categraf')
          assert.ok(text.length === 16_383 && text.startsWith('100000\n') && text.endsWith('...'));
        else assert.ok(text.length === 65_535 && text.endsWith('124999\n'));
        const odd = await fleet.run('output', "printf 'a\\377\\344\\270'; printf '\\344\\270' >&2");
        assert.equal(odd.status, 'success');
        assert.equal(await textOf(fleet.server, odd.id, 'output'), 'a\ufffd\ufffd');
        assert.equal((await fleet.run('output', 'echo next')).status, 'success');
      });

      test('what a script prints is there while it runs, as far as its agent tells it', async () => {
        await agentOf('live');
        const gate = join(folder, 'gate');
        const script = `echo one; printf half; until [ -e ${gate} ]; do sleep 0.05; done; echo; echo two`;
        const id = await fleet.server.createTask(['live'], { script });
        if (kind === 'categraf') {
          await until('the first line', async () => (await textOf(fleet.server, id, 'live')) === 'one\n');
          assert.equal(await statusOf(fleet.server, id, 'live'), 'running');
        }
        const opened = await fleet.server.createTask(['live'], { script: `touch ${gate}` });
        assert.equal(await fleet.end(opened, 'live'), 'success');
        assert.equal(await fleet.end(id, 'live'), 'success');
        assert.equal(await textOf(fleet.server, id, 'live'), 'one\nhalf\ntwo\n');
      });

      test('a kill and a timeout end the process group; a silent script too', async () => {
        await agentOf('kills');
        const beats = (file: string): string => `while :; do echo beat >>${join(folder, file)}; sleep 0.05; done`;
        const id = await fleet.server.createTask(['kills'], { script: `${beats('killed')} & wait` });
        await until('its process', () => lines('killed').length > 1);
        await fleet.server.call('PUT', `/task/${id}/action`, { action: 'kill' });
        assert.equal(await fleet.end(id, 'kills'), 'killed');
        const over = await fleet.run('kills', beats('over'), { timeout: 1 });
        assert.equal(over.status, 'timeout');
        const counts = [lines('killed').length, lines('over').length];
        await fleet.run('kills', 'sleep 0.3');
        assert.deepEqual([lines('killed').length, lines('over').length], counts);
      });

      test('a kill at any moment after the creation, and a redo at once, leave the agent alive', async () => {
        const agent = await agentOf('moments');
        for (let waitMs = 0; waitMs < 240; waitMs += 24) {
          const script = `echo $$ >>${join(folder, 'moments')}; sleep 5`;
          const id = await fleet.server.createTask(['moments', 'somebody away'], { script });
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          await act(fleet.server, id, 'moments', 'kill');
          assert.match(await fleet.end(id, 'moments'), /^kill/);
          await act(fleet.server, id, 'moments', 'redo');
          await act(fleet.server, id, 'moments', 'kill');
          assert.match(await fleet.end(id, 'moments'), /^kill/);
        }
        assert.equal(agent.died, undefined);
        const left = lines('moments').filter((pid) => existsSync(`/proc/${pid}/stat`) && lives(pid));
        assert.deepEqual(left, []);
      });

      test('a background child holds the result back until it lets go of the output', async () => {
        await agentOf('child');
        const { id, status } = await fleet.run('child', '(sleep 0.5; echo child) & echo parent');
        assert.deepEqual([status, await textOf(fleet.server, id, 'child')], ['success', 'parent\nchild\n']);
      });

      test('tasks that come together run side by side, each with its own result', async () => {
        await agentOf('many');
        const ids = await Promise.all(
          Array.from({ length: 12 }, (_, i) => fleet.server.createTask(['many'], { script: `sleep 0.2; echo ${i}` })),
        );
        for (const [i, id] of ids.entries()) {
          assert.equal(await fleet.end(id, 'many'), 'success');
          assert.equal(await textOf(fleet.server, id, 'many'), `${i}\n`);
        }
      });

      test('a script of another account may outlive its kill, and the status does not claim otherwise', async () => {
        const agent = await agentOf('account');
        const [began, gate] = [join(folder, 'began'), join(folder, 'may-end')];
        const script = `touch ${began}; until [ -e ${gate} ]; do echo .; sleep 0.02; done; echo SURVIVED`;
        const id = await fleet.server.createTask(['account'], { script, account: 'other' });
        await until('its start', () => existsSync(began));
        await act(fleet.server, id, 'account', 'kill');
        const { beats } = agent;
        await until('beats after the kill', () => agent.beats > beats + 5);
        assert.equal(await statusOf(fleet.server, id, 'account'), 'killing');
        assert.equal((await fleet.run('account', `touch ${gate}`)).status, 'success');
        assert.equal(await fleet.end(id, 'account'), 'killfailed');
        assert.match(String(await textOf(fleet.server, id, 'account')), /SURVIVED/);
        assert.match(String(await textOf(fleet.server, id, 'account', 'stderr')), /ends only su/);
      });
    });
  }
}

/** False for a process that has ended and is only waited for. */
function lives(pid: string): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
