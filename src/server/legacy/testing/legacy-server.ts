import assert from 'node:assert/strict';
import type { TestServer } from '../../testing/test-server.js';
import type { FaithfulAgent } from './faithful-agent.js';

export async function statusOf(server: TestServer, id: number, host: string): Promise<string> {
  const { dat } = await server.call('GET', `/task/${id}/host/${host}/output`);
  assert.ok(typeof dat === 'object' && dat !== null && 'status' in dat);
  return String(dat.status);
}

export async function textOf(server: TestServer, id: number, host: string, stream = 'stdout'): Promise<unknown> {
  return (await server.call('GET', `/task/${id}/host/${host}/${stream}`)).dat;
}

export async function hostView(server: TestServer): Promise<string> {
  return JSON.stringify((await server.call('GET', '/hosts')).dat);
}

export async function act(server: TestServer, id: number, host: string, action: string): Promise<void> {
  const { err } = await server.call('PUT', `/task/${id}/host/${host}/action`, { action });
  assert.equal(err, '');
}

/** The agent has the task and has told so on this connection. */
export async function running(agent: FaithfulAgent, id: number): Promise<void> {
  await agent.beatUntil('a start', () => agent.runs(id));
  await agent.beat();
  await agent.beat();
}
