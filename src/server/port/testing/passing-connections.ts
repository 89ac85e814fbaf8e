import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { agentSelf, ScriptedAgent } from '../../testing/scripted-agent.js';
import { RpcClient } from '../../legacy/testing/rpc-client.js';

/** Names that the passing agents of each kind share; a fleet that comes and goes is always the same one. */
const NAMES = 20;
/** How long a connection that says too little is left open, ms. */
const STAYS_MS = 1_000;

const selves = Array.from({ length: NAMES }, (_, i) => agentSelf(`passing-${i}`));
const selfOf = (number: number) => selves[number % NAMES] ?? agentSelf('passing');

/** What may come to the port of the agents: each connects, does one thing, and is gone when it resolves. */
const passing: Readonly<Record<string, (port: number, number: number) => Promise<void>>> = {
  webSocketAgent: async (port, number) => {
    using agent = await ScriptedAgent.connect(port, selfOf(number));
    agent[Symbol.dispose]();
    await agent.closed;
  },
  legacyAgent: async (port, number) => {
    using agent = await RpcClient.open(port);
    await agent.call('Server.Report', { Ident: `passing-old-${number % NAMES}`, ReportTasks: [] });
  },
  webSocketWithoutHello: async (port, number) => {
    using agent = await ScriptedAgent.dial(port, selfOf(number));
    agent[Symbol.dispose]();
    await agent.closed;
  },
  silent: (port) => saying(port, ''),
  halfACall: (port) => saying(port, '940000ab536572'),
  halfARequestLine: (port) => saying(port, Buffer.from('GE').toString('hex')),
  garbage: async (port) => {
    const socket = await open(port);
    const closed = closing(socket);
    socket.end(Buffer.from('00ff17', 'hex'));
    await closed;
  },
  reset: async (port) => {
    const socket = await open(port);
    const closed = closing(socket);
    socket.resetAndDestroy();
    await closed;
  },
};

/** What came of them. */
export interface Passed {
  readonly connections: number;
  /** of agents that were not served, with why */
  readonly failures: readonly string[];
  readonly perSecond: number;
}

/** So many connections a second of all kinds in turn, for so many seconds, and until the last of them is gone. */
export async function passBy(port: number, perSecond: number, seconds: number): Promise<Passed> {
  const kinds = Object.entries(passing);
  const failures: string[] = [];
  const underWay: Promise<void>[] = [];
  const began = performance.now();
  for (let number = 0; number < perSecond * seconds; number++) {
    await wait(Math.max(0, began + (number * 1_000) / perSecond - performance.now()));
    const [kind, come] = kinds[number % kinds.length] ?? ['', () => Promise.resolve()];
    const round = Math.floor(number / kinds.length);
    underWay.push(come(port, round).catch((error: unknown) => void failures.push(`${kind}: ${String(error)}`)));
  }
  const elapsedSeconds = (performance.now() - began) / 1_000;
  await Promise.all(underWay);
  return { connections: underWay.length, failures, perSecond: underWay.length / elapsedSeconds };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket.on('error', () => undefined).resume();
}

/** However it comes about: an error is followed by a close. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

async function saying(port: number, hex: string): Promise<void> {
  const socket = await open(port);
  socket.write(Buffer.from(hex, 'hex'));
  await wait(STAYS_MS);
  socket.destroy();
}
