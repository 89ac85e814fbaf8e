import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const GIVE_UP_MS = 30_000;

/**
 * Resolves once the server answers.
 * @param {string} url
 * @param {AbortSignal} signal
 */
export async function serverReady(url, signal) {
  await poll(signal, `no answer from ${url}`, async () => (await fetch(`${url}/healthz`, { signal })).ok);
}

/**
 * Resolves with the host of the first agent that has connected.
 * @param {string} url
 * @param {string} authorization
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export async function connectedHost(url, authorization, signal) {
  let found = '';
  await poll(signal, 'the agent did not connect', async () => {
    const response = await fetch(`${url}/ibex/v1/hosts`, { headers: { authorization }, signal });
    const { dat } = /** @type {{ dat: { host: string, connected: boolean }[] }} */ (await response.json());
    found = dat.find((host) => host.connected)?.host ?? '';
    return found !== '';
  });
  return found;
}

/**
 * @param {AbortSignal} signal
 * @param {string} failure
 * @param {() => Promise<boolean>} done
 */
async function poll(signal, failure, done) {
  const untilMs = performance.now() + GIVE_UP_MS;
  while (!(await done().catch(() => false))) {
    signal.throwIfAborted();
    if (performance.now() > untilMs) throw new Error(`${failure} within ${GIVE_UP_MS / 1_000} s`);
    await sleep(POLL_MS);
  }
}
