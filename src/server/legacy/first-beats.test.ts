import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../../shared/testing/until.js';
import { onMysql, TestServer } from '../testing/test-server.js';
import { FaithfulAgent } from './testing/faithful-agent.js';
import { fleetDatabases } from './testing/legacy-fleet.js';
import { statusOf, textOf } from './testing/legacy-server.js';

const KINDS = ['categraf', 'agentd'] as const;
/** Beats within which a run that the agent has lost must be given up. */
const FEW_BEATS = 4;

/** Agents that restart, or lose their connection, within the first beat after they were given scripts. */
for (const database of fleetDatabases) {
  const started = async (): Promise<{ readonly server: TestServer } & AsyncDisposable> => {
    const place = database.place();
    const server = await TestServer.start(place ? onMysql(place) : '');
    return {
      server,
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        await place?.[Symbol.asyncDispose]();
      },
    };
  };
  for (const kind of KINDS) {
    describe(`${kind}, ${database.name}`, { skip: database.skip }, () => {
      test('its very first results are fetched from its disk, and nothing is started twice', async () => {
        await using running = await started();
        const { server } = running;
        using agent = new FaithfulAgent('a', server.agentPort, kind);
        await agent.beat();
        const ids = [await server.createTask(['a']), await server.createTask(['a']), await server.createTask(['a'])];
        await agent.beatUntil('the starts', () => ids.every((id) => agent.runs(id)));
        const [ended, failed, gone] = ids;
        assert.ok(ended !== undefined && failed !== undefined && gone !== undefined);
        agent.end(ended, 'success', 'of its disk');
        agent.end(failed, 'failed');
        agent.restart();
        for (let beat = 0; beat < FEW_BEATS; beat++) await agent.beat();
        assert.deepEqual(
          await Promise.all(ids.map((id) => statusOf(server, id, 'a'))),
          ['success', 'failed', 'failed'],
          'the last one had not ended: it is lost',
        );
        assert.equal(await textOf(server, ended, 'a'), 'of its disk');
        assert.match(String(await textOf(server, gone, 'a', 'stderr')), /ibex: lost: the agent restarted/);
        assert.equal(agent.starts.length, 3);
      });

      test('so they are where the server was restarted meanwhile, too', async () => {
        await using running = await started();
        const { server } = running;
        using agent = new FaithfulAgent('a', server.agentPort, kind);
        await agent.beat();
        const [ended, gone] = [await server.createTask(['a']), await server.createTask(['a'])];
        await agent.beatUntil('the starts', () => agent.runs(ended) && agent.runs(gone));
        agent.end(ended, 'success', 'of its disk');
        agent.restart();
        await server.restart();
        agent.moveTo(server.agentPort);
        for (let beat = 0; beat < FEW_BEATS; beat++) await agent.beat();
        assert.equal(await textOf(server, ended, 'a'), 'of its disk');
        assert.deepEqual(await Promise.all([ended, gone].map((id) => statusOf(server, id, 'a'))), [
          'success',
          'failed',
        ]);
        assert.equal(agent.starts.length, 2);
      });

      test('the first report of a new connection is answered with the work that has come meanwhile', async () => {
        await using running = await started();
        const { server } = running;
        using agent = new FaithfulAgent('a', server.agentPort, kind);
        for (let connection = 0; connection < 5; connection++) {
          const id = await server.createTask(['a'], { timeout: 2 });
          await agent.beat();
          assert.deepEqual([agent.message, agent.runs(id)], ['', true]);
          agent.end(id);
          await agent.reconnectAndBeat();
          assert.deepEqual([agent.message, await statusOf(server, id, 'a')], ['', 'success']);
          agent.disconnect();
        }
      });

      test('with its connection cut at every beat, each run ends, and none is started twice', async () => {
        await using running = await started();
        const { server } = running;
        using agent = new FaithfulAgent('a', server.agentPort, kind);
        const ids: number[] = [];
        for (let i = 0; i < 24; i++) {
          const id = await server.createTask(['a'], { timeout: 3 });
          ids.push(id);
          agent.breakAtScript = ([undefined, 'before', 'after', undefined] as const)[i % 4];
          await agent.beat();
          agent.disconnect();
          if (agent.runs(id) && i % 3 > 0) agent.end(id, 'success', `of ${id}`);
        }
        const ended = new Set<number>();
        await until('the end of all', async () => {
          await agent.reconnectAndBeat();
          await agent.beat();
          for (const id of ids) if ((await statusOf(server, id, 'a')) !== 'running') ended.add(id);
          return ended.size === ids.length;
        });
        const starts = agent.starts.map(({ id }) => id);
        assert.equal(new Set(starts).size, starts.length);
        for (const id of ids) {
          if ((await statusOf(server, id, 'a')) === 'success') assert.equal(await textOf(server, id, 'a'), `of ${id}`);
        }
      });
    });
  }
}
